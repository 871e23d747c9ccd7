"""Recording rules: one series per fact about a job, independent of single exporters.

Alerts and dashboards read these. A fact keeps its last value while no exporter answers, so that an exporter restart or
a missed scrape resolves no alert; it is dropped as soon as an exporter answers without it. For that, some rules read
their own previous result, so rules must be evaluated more often than every five minutes, the lookback of Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bernard_exporter.metrics import catalogue
from bernard_exporter.metrics.metric import JOB_LABELS, Metric
from monitoring import promql
from monitoring.recorded import (
    AGE,
    CONSECUTIVE_FAILURES,
    EXPECTED,
    FLEET_FRESH,
    FLEET_RPO_MET,
    FRESH,
    HEARD,
    HELD,
    JUDGED,
    LAST_ATTEMPT_START,
    LAST_SUCCESS_SIZE,
    LAST_SUCCESS_START,
    MAX_AGE,
    MAX_DURATION,
    MIN_SIZE,
    OBJECTIVE_WINDOWS,
    ONGOING_START,
    OVERDUE,
    PREVIOUS_RUN,
    PREVIOUS_SUCCESS_SIZE,
    READ_ONLY,
    REJECTED,
    RPO_MET,
    SIZE_CHANGE,
    SIZE_CHANGE_CRITICAL,
    SIZE_CHANGE_WARNING,
    START_WITHIN,
    TRUSTED,
    Recorded,
)
from monitoring.settings import SiteSettings

_JOB = ", ".join(JOB_LABELS)
_TARGET = ", ".join(promql.TARGET_LABELS)
# Exporters whose last polls are at most this far apart are considered equally recent; seconds.
_ALIKE = 300


@dataclass(frozen=True, slots=True)
class Recording:
    """A rule that records a series."""

    series: Recorded
    expr: str


_FACTS = {
    EXPECTED: catalogue.EXPECTED,
    JUDGED: catalogue.STATE,
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
    OVERDUE: catalogue.OVERDUE,
    START_WITHIN: catalogue.START_WITHIN,
}
# None of these limits applies to a planned job yet.
_LIMITS = (MAX_AGE, MIN_SIZE, SIZE_CHANGE_WARNING, SIZE_CHANGE_CRITICAL, MAX_DURATION, READ_ONLY)


def facts(settings: SiteSettings) -> Iterator[Recording]:
    """Yield the rules that record the facts about each job; later rules read earlier ones."""
    yield Recording(HEARD, _heard(settings))
    yield Recording(TRUSTED, f"{HEARD()}\n>= on ({_JOB}) group_left ()\n({promql.largest(HEARD())} - {_ALIKE})")
    speaking = f"{TRUSTED()} and on ({_TARGET}) {catalogue.LAST_POLL()}"
    yield Recording(HELD, f"{promql.largest(TRUSTED())}\nunless\n{promql.largest(speaking)}")
    for series, metric in _FACTS.items():
        yield Recording(series, _last(series, metric))
    yield Recording(AGE, f"time() - {LAST_SUCCESS_START()}")
    # There is no change relative to a size that is 0 or unknown.
    yield Recording(
        SIZE_CHANGE,
        f"({LAST_SUCCESS_SIZE()} - {PREVIOUS_SUCCESS_SIZE()}) / ({PREVIOUS_SUCCESS_SIZE()} > 0)",
    )
    # A job without any success has no age, and is not fresh.
    yield Recording(FRESH, f"({AGE()} <= bool {MAX_AGE()})\nor\n{JUDGED()} * 0")
    yield Recording(FLEET_FRESH, f"avg by (type, datacenter) ({FRESH()})")


def objectives() -> Iterator[Recording]:
    """Yield the rules that record the share of time in which recovery point objectives were met."""
    for window, step in OBJECTIVE_WINDOWS.items():
        # A job that is no longer expected has no service level.
        yield Recording(RPO_MET[window], f"avg_over_time({FRESH()}[{window}:{step}])\nand\n{FRESH()}")
    for window, series in RPO_MET.items():
        yield Recording(FLEET_RPO_MET[window], f"avg by (type, datacenter) ({series()})")


def inventory() -> Iterator[Recording]:
    """Yield the rules that record facts about the whole inventory."""
    yield Recording(REJECTED, promql.merged(catalogue.ROWS_REJECTED))


def _heard(settings: SiteSettings) -> str:
    """Return an expression with the last poll time of each exporter, for each job that it exports.

    The value of an exporter that does not answer is kept from the previous evaluation, while Prometheus still scrapes
    it or no other exporter of its scrape job answers. A replaced exporter, such as an old pod, is dropped.
    ``last_over_time`` would not do: it brings back series that had ended before the exporter stopped answering.
    """
    polled = promql.largest(catalogue.LAST_POLL(), promql.TARGET_LABELS)
    expected = promql.largest(catalogue.EXPECTED(), (*promql.TARGET_LABELS, *JOB_LABELS))
    silent = f"{HEARD()} > time() - {settings.memory:.0f} unless on ({_TARGET}) {catalogue.LAST_POLL()}"
    return (
        f"({expected} * 0 + on ({_TARGET}) group_left () {polled})\n"
        f"or\n(({silent}) and on ({_TARGET}) up)\n"
        f"or\n(({silent}) unless on (job) {catalogue.LAST_POLL()})"
    )


def _last(series: Recorded, metric: Metric) -> str:
    """Return the fact as the trusted exporters report it now, or its last value while none of them answers."""
    reported = f"{metric()} and on ({_TARGET}, {_JOB}) {TRUSTED()}"
    if series in _LIMITS:
        reported += f" and on ({_TARGET}, {_JOB}) {catalogue.STATE()}"
    return f"{promql.largest(reported)}\nor\n({series()} and {HELD()})"
