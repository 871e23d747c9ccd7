"""The series that the recording rules write; alerts and dashboards read them."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.metrics import catalogue
from bernard_exporter.metrics.metric import JOB_LABELS, Metric
from monitoring import promql


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series.

    Attributes:
        name: in the form level:metric:operation, where the level lists the labels.
    """

    name: str
    labels: tuple[str, ...]

    def __call__(self, **equals: str) -> str:
        """Return a selector of the series.

        Raises:
            ValueError: it has no such label.
        """
        unknown = sorted(set(equals) - set(self.labels))
        if unknown:
            raise ValueError(f"{self.name} has no label {unknown[0]!r}, expected one of {', '.join(self.labels)}")
        inside = ",".join(f'{label}="{value}"' for label, value in equals.items())
        return f"{self.name}{{{inside}}}" if inside else self.name


def _of_job(name: str) -> Recorded:
    return Recorded(f"section_type_datacenter:bernard_backup_{name}", JOB_LABELS)


def _fact(metric: Metric) -> Recorded:
    return Recorded(f"section_type_datacenter:{metric.name}:last", JOB_LABELS)


_LEVEL = f"instance_section_type_datacenter:{catalogue.LAST_POLL.name}"
HEARD = Recorded(f"{_LEVEL}:heard", (*promql.TARGET_LABELS, *JOB_LABELS))
TRUSTED = Recorded(f"{_LEVEL}:trusted", HEARD.labels)
HELD = _of_job("expected:held")
EXPECTED = _fact(catalogue.EXPECTED)
# 1 for a job that has a state: the policy expects it now; a planned job has none.
JUDGED = _fact(catalogue.STATE)
MAX_AGE = _fact(catalogue.MAX_AGE)
MIN_SIZE = _fact(catalogue.MIN_SIZE)
SIZE_CHANGE_WARNING = _fact(catalogue.SIZE_CHANGE_WARNING)
SIZE_CHANGE_CRITICAL = _fact(catalogue.SIZE_CHANGE_CRITICAL)
MAX_DURATION = _fact(catalogue.MAX_DURATION)
READ_ONLY = _fact(catalogue.READ_ONLY)
LAST_SUCCESS_START = _fact(catalogue.LAST_SUCCESS_START)
LAST_SUCCESS_SIZE = _fact(catalogue.LAST_SUCCESS_SIZE)
PREVIOUS_SUCCESS_SIZE = _fact(catalogue.PREVIOUS_SUCCESS_SIZE)
LAST_ATTEMPT_START = _fact(catalogue.LAST_ATTEMPT_START)
CONSECUTIVE_FAILURES = _fact(catalogue.CONSECUTIVE_FAILURES)
ONGOING_START = _fact(catalogue.ONGOING_START)
START_WITHIN = _fact(catalogue.START_WITHIN)
OVERDUE = _fact(catalogue.OVERDUE)
PREVIOUS_RUN = _fact(catalogue.PREVIOUS_RUN)
AGE = _of_job("age_seconds:max")
SIZE_CHANGE = _of_job("size_change:ratio")
FRESH = _of_job("fresh:bool")
FLEET_FRESH = Recorded("type_datacenter:bernard_backup_fresh:ratio", ("type", "datacenter"))

# Windows of the service level and the step of each: a few hundred samples give precise shares of time.
OBJECTIVE_WINDOWS = {"2h": "1m", "1d": "5m", "3d": "15m", "7d": "30m", "30d": "1h"}
RPO_MET = {window: _of_job(f"rpo_met:ratio_{window}") for window in OBJECTIVE_WINDOWS}
FLEET_RPO_MET = {
    window: Recorded(f"type_datacenter:bernard_backup_rpo_met:ratio_{window}", ("type", "datacenter"))
    for window in OBJECTIVE_WINDOWS
}
REJECTED = Recorded(f"reason:{catalogue.ROWS_REJECTED.name}:max", ("reason",))
