"""Queries about jobs: one sample per job."""

from __future__ import annotations

from collections.abc import Mapping

from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import Metric
from dashboards.queries.selection import JOB, among, chosen, each
from dashboards.states import STATES, STATUSES
from monitoring.promql import largest

# Grafana expects times in milliseconds.
_MS = " * 1000"
_ABOUT_NOW = 20


def _coded(metric: Metric, label: str, codes: Mapping[int, str]) -> str:
    """Return the code of the label value whose sample is 1; the samples of the other values are 0."""
    return largest(" or ".join(f"{code} * {each(metric, {label: value})}" for code, value in codes.items()))


STATE = _coded(c.STATE, "state", STATES)
STATUS = _coded(c.LAST_ATTEMPT_STATUS, "status", STATUSES)
NOT_FRESH = f"({chosen(c.STATE, state='fresh')} == 0)"
FAILED = f"({chosen(c.LAST_ATTEMPT_STATUS, status='failed')} == 1)"
RUNNING = f"({chosen(c.ONGOING)} > 0)"
ABANDONED = f"{chosen(c.ABANDONED)} > 0"

SUCCESS_START = chosen(c.LAST_SUCCESS_START)
SUCCESS_MOMENT = SUCCESS_START + _MS
SUCCESS_ID = chosen(c.LAST_SUCCESS_ID)
AGE = f"time() - {SUCCESS_START}"
MAX_AGE = chosen(c.MAX_AGE)
AGE_OF_LIMIT = f"({AGE}) / {MAX_AGE}"
SIZE = chosen(c.LAST_SUCCESS_SIZE)
PREVIOUS_SIZE = chosen(c.PREVIOUS_SUCCESS_SIZE)
MIN_SIZE = chosen(c.MIN_SIZE)
SIZE_LOWER = chosen(c.SIZE_EXPECTED_LOWER)
SIZE_UPPER = chosen(c.SIZE_EXPECTED_UPPER)
CHANGE = f"({SIZE} - {PREVIOUS_SIZE}) / ({PREVIOUS_SIZE} > 0)"
CHANGE_OF_LIMIT = f"abs({CHANGE}) / {chosen(c.SIZE_CHANGE_CRITICAL)}"
CHANGE_WARNING = chosen(c.SIZE_CHANGE_WARNING)
CHANGE_CRITICAL = chosen(c.SIZE_CHANGE_CRITICAL)
DURATION = chosen(c.LAST_SUCCESS_DURATION)
MAX_DURATION = chosen(c.MAX_DURATION)
DURATION_OF_LIMIT = f"{DURATION} / {MAX_DURATION}"
FILES = chosen(c.LAST_SUCCESS_FILES)
OBJECTS = chosen(c.LAST_SUCCESS_OBJECTS)
OBJECTS_CHANGE = chosen(c.LAST_SUCCESS_OBJECTS_CHANGE)
# Two exporters may have different newest successes while only one of them has polled.
WHERE = f"topk by ({JOB}) (1, {chosen(c.LAST_SUCCESS_INFO)})"

ATTEMPT_ID = chosen(c.LAST_ATTEMPT_ID)
ATTEMPT_START = chosen(c.LAST_ATTEMPT_START)
ATTEMPT_MOMENT = ATTEMPT_START + _MS
FAILED_MOMENT = among(ATTEMPT_MOMENT, FAILED)
FAILURES = chosen(c.CONSECUTIVE_FAILURES)
RUNNING_FOR = f"time() - {chosen(c.ONGOING_START)}"
RUNNING_OF_LIMIT = f"({RUNNING_FOR}) / {MAX_DURATION}"
RUNS = chosen(c.RUNS)

DUE = chosen(c.PREVIOUS_RUN)
NEXT = chosen(c.NEXT_RUN)
COMING = f"bottomk({_ABOUT_NOW}, {NEXT})"
IS_OVERDUE = chosen(c.OVERDUE)
OVERDUE = f"({IS_OVERDUE} == 1)"
START_WITHIN = chosen(c.START_WITHIN)
BEHIND = f"{ATTEMPT_START} - ({DUE} <= {ATTEMPT_START})"
BEHIND_OF_LIMIT = f"({BEHIND}) / {START_WITHIN}"
OLDEST = chosen(c.OLDEST_RETAINED)
RESTORE = chosen(c.RESTORE_ESTIMATE)
