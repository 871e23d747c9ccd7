"""Recording rules: what is known of each job, in one series a fact, whatever becomes of single exporters.

Alerts and dashboards read these. Each fact is held on to while no exporter says anything, so that an exporter that
restarts, or a missed scrape, resolves no alert; and is given up as soon as an exporter speaks without it. For that,
some rules read what they recorded themselves at the evaluation before; so evaluations must be less than the five
minutes apart for which Prometheus knows a sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.settings import Settings
from bernard_exporter import catalogue, promql
from bernard_exporter.metric import JOB_LABELS, Metric

_JOB = ", ".join(JOB_LABELS)
_TARGET = ", ".join(promql.TARGET_LABELS)
# Exporters whose last polls are no further apart than this know the same; seconds.
_ALIKE = 300


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series.

    Attributes:
        name: of the form level:metric:operation, where the level names the labels.
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


@dataclass(frozen=True, slots=True)
class Recording:
    """A rule that records a series."""

    series: Recorded
    expr: str


def _of_job(name: str) -> Recorded:
    return Recorded(f"section_type_datacenter:bernard_backup_{name}", JOB_LABELS)


def _fact(metric: Metric) -> Recorded:
    return Recorded(f"section_type_datacenter:{metric.name}:last", JOB_LABELS)


_LEVEL = f"instance_section_type_datacenter:{catalogue.LAST_POLL.name}"
HEARD = Recorded(f"{_LEVEL}:heard", (*promql.TARGET_LABELS, *JOB_LABELS))
TRUSTED = Recorded(f"{_LEVEL}:trusted", HEARD.labels)
HELD = _of_job("expected:held")
EXPECTED = _fact(catalogue.EXPECTED)
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
PREVIOUS_RUN = _fact(catalogue.PREVIOUS_RUN)
_FACTS = {
    EXPECTED: catalogue.EXPECTED,
    MAX_AGE: catalogue.MAX_AGE,
    MIN_SIZE: catalogue.MIN_SIZE,
    SIZE_CHANGE_WARNING: catalogue.SIZE_CHANGE_WARNING,
    SIZE_CHANGE_CRITICAL: catalogue.SIZE_CHANGE_CRITICAL,
    MAX_DURATION: catalogue.MAX_DURATION,
    READ_ONLY: catalogue.READ_ONLY,
    LAST_SUCCESS_START: catalogue.LAST_SUCCESS_START,
    LAST_SUCCESS_SIZE: catalogue.LAST_SUCCESS_SIZE,
    PREVIOUS_SUCCESS_SIZE: catalogue.PREVIOUS_SUCCESS_SIZE,
    LAST_ATTEMPT_START: catalogue.LAST_ATTEMPT_START,
    CONSECUTIVE_FAILURES: catalogue.CONSECUTIVE_FAILURES,
    ONGOING_START: catalogue.ONGOING_START,
    PREVIOUS_RUN: catalogue.PREVIOUS_RUN,
}
AGE = _of_job("age_seconds:max")
SIZE_CHANGE = _of_job("size_change:ratio")
FRESH = _of_job("fresh:bool")
FLEET_FRESH = Recorded("type_datacenter:bernard_backup_fresh:ratio", ("type", "datacenter"))

# The service level looks back so far, each in steps of so much: some hundred of samples tell shares of days well.
OBJECTIVE_WINDOWS = {"2h": "1m", "1d": "5m", "3d": "15m", "7d": "30m", "30d": "1h"}
RPO_MET = {window: _of_job(f"rpo_met:ratio_{window}") for window in OBJECTIVE_WINDOWS}
FLEET_RPO_MET = {
    window: Recorded(f"type_datacenter:bernard_backup_rpo_met:ratio_{window}", ("type", "datacenter"))
    for window in OBJECTIVE_WINDOWS
}
REJECTED = Recorded(f"reason:{catalogue.ROWS_REJECTED.name}:max", ("reason",))


def facts(settings: Settings) -> Iterator[Recording]:
    """Yield the rules that record what is known of each job; later ones read earlier ones."""
    yield Recording(HEARD, _heard(settings))
    yield Recording(TRUSTED, f"{HEARD()}\n>= on ({_JOB}) group_left ()\n({promql.largest(HEARD())} - {_ALIKE})")
    speaking = f"{TRUSTED()} and on ({_TARGET}) {catalogue.LAST_POLL()}"
    yield Recording(HELD, f"{promql.largest(TRUSTED())}\nunless\n{promql.largest(speaking)}")
    for series, metric in _FACTS.items():
        yield Recording(series, _last(series, metric))
    yield Recording(AGE, f"time() - {LAST_SUCCESS_START()}")
    # A previous size of 0 or unknown leaves nothing to compare with.
    yield Recording(
        SIZE_CHANGE,
        f"({LAST_SUCCESS_SIZE()} - {PREVIOUS_SUCCESS_SIZE()}) / ({PREVIOUS_SUCCESS_SIZE()} > 0)",
    )
    # A job without any success has no age, and is not fresh.
    yield Recording(FRESH, f"({AGE()} <= bool {MAX_AGE()})\nor\n({EXPECTED()} == 1) * 0")
    yield Recording(FLEET_FRESH, f"avg by (type, datacenter) ({FRESH()})")


def objectives() -> Iterator[Recording]:
    """Yield the rules that record the share of time in which recovery point objectives were met."""
    for window, step in OBJECTIVE_WINDOWS.items():
        # A job that is expected no more has no service level any more.
        yield Recording(RPO_MET[window], f"avg_over_time({FRESH()}[{window}:{step}])\nand\n{FRESH()}")
    for window, series in RPO_MET.items():
        yield Recording(FLEET_RPO_MET[window], f"avg by (type, datacenter) ({series()})")


def inventory() -> Iterator[Recording]:
    """Yield the rules that record what is known of the inventory as a whole."""
    yield Recording(REJECTED, promql.merged(catalogue.ROWS_REJECTED))


def _heard(settings: Settings) -> str:
    """Return, for each exporter and job it tells of, when it polled last.

    What a silent exporter said is carried on from the evaluation before, while Prometheus still tries to scrape it
    or its scrape job has no other that speaks. One that was replaced, as a pod is by the next, is forgotten. A look
    back in time, by ``last_over_time``, would bring back what was no longer true when the exporter fell silent.
    """
    polled = promql.largest(catalogue.LAST_POLL(), promql.TARGET_LABELS)
    spoken = promql.largest(catalogue.EXPECTED(), (*promql.TARGET_LABELS, *JOB_LABELS))
    silent = f"{HEARD()} > time() - {settings.memory:.0f} unless on ({_TARGET}) {catalogue.LAST_POLL()}"
    return (
        f"({spoken} * 0 + on ({_TARGET}) group_left () {polled})\n"
        f"or\n(({silent}) and on ({_TARGET}) up)\n"
        f"or\n(({silent}) unless on (job) {catalogue.LAST_POLL()})"
    )


def _last(series: Recorded, metric: Metric) -> str:
    """Return the fact as the trusted exporters tell it now, or as it was when the last of them fell silent."""
    told = promql.largest(f"{metric()} and on ({_TARGET}, {_JOB}) {TRUSTED()}")
    return f"{told}\nor\n({series()} and {HELD()})"
