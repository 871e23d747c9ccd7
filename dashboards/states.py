"""States, statuses and severities as numbers, for panels over time; each number has a label and a colour."""

from __future__ import annotations

from bernard_exporter.domain.model import RANK, State, Status
from dashboards.grafana.fields import Json, override
from monitoring.severity import Severity

# From good to bad: while two exporters differ, the worse state is shown.
_WORST_FIRST = list(State)
STATES = dict(enumerate(sorted(State, key=lambda state: (RANK[state], -_WORST_FIRST.index(state))), start=1))
STATUSES = dict(enumerate((Status.FINISHED, Status.ONGOING, Status.DELETED, Status.UNKNOWN, Status.FAILED), start=1))
_STATE_COLORS = {
    State.FRESH: "green",
    State.WRONG_SIZE: "yellow",
    State.ONLY_ONE: "super-light-yellow",
    State.VERY_WRONG_SIZE: "orange",
    State.TOO_SMALL: "dark-orange",
    State.STALE: "red",
    State.VERY_STALE: "dark-red",
    State.MISSING: "purple",
}
_STATUS_COLORS = {
    Status.FINISHED: "green",
    Status.ONGOING: "blue",
    Status.DELETED: "text",
    Status.UNKNOWN: "yellow",
    Status.FAILED: "red",
}
# The most urgent severity has the highest number; the alert that always fires is not shown.
SEVERITIES = dict(enumerate(reversed([severity for severity in Severity if severity is not Severity.INFO]), start=1))
_SEVERITY_COLORS = {
    Severity.PAGE: "purple",
    Severity.CRITICAL: "red",
    Severity.WARNING: "orange",
    Severity.TASK: "blue",
}
Mapping = tuple[tuple[str, str, str], ...]


def _colored(series: str, color: str) -> Json:
    return override("byName", series, [{"id": "color", "value": {"fixedColor": color, "mode": "fixed"}}])


def _worded(value: str) -> str:
    return value.replace("_", " ")


STATE_MAPPING: Mapping = tuple((str(code), _worded(state), _STATE_COLORS[state]) for code, state in STATES.items())
STATUS_MAPPING: Mapping = tuple((str(code), status.value, _STATUS_COLORS[status]) for code, status in STATUSES.items())
SEVERITY_MAPPING: Mapping = tuple(
    (str(code), severity.value, _SEVERITY_COLORS[severity]) for code, severity in SEVERITIES.items()
)
# For panels whose series are named by the label value.
STATE_COLORS_BY_LABEL = [_colored(state.value, color) for state, color in _STATE_COLORS.items()]
STATUS_COLORS_BY_LABEL = [_colored(status.value, color) for status, color in _STATUS_COLORS.items()]
