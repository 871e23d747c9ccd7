"""When a run is due, overdue, missed or late: the rule that metrics, pages, API, report, dashboards and alerts share.

A run belongs to the newest due time that is not later than 15 minutes after its start. It must start within
``start_within`` of that due time, which allows for rows that appear late: a dump waits for its turn, the row of a
snapshot is inserted after its transfer. After that the due time stays missed, and a run that starts then is late.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain, pairwise

from bernard_exporter.domain.policy import Limits
from bernard_exporter.domain.schedule import Schedule

# A run may start this long before its due time, as clocks differ.
EARLY = timedelta(minutes=15)
# Default of start_within, unless the due times are closer together.
_USUAL = timedelta(days=1)
# The search for the shortest time between two due times begins here: a fixed leap year, so that the result is stable.
_REFERENCE = datetime(2024, 1, 1, tzinfo=UTC)
_YEARS = timedelta(days=2 * 366)
_ENOUGH = 1000


@dataclass(frozen=True, slots=True)
class Due:
    """The due times of a job around now.

    Attributes:
        previous: the last due time; None while the job is planned.
        next: the next due time.
        overdue: the due time without a run that started within ``start_within``, as of the last successful poll; None
            if there is such a run, or if the job never ran.
        start_within: seconds.
    """

    previous: datetime | None
    next: datetime
    overdue: datetime | None
    start_within: float


def start_within(limits: Limits) -> timedelta | None:
    """Return how long after a due time a run may start; None without a schedule."""
    if limits.schedule is None:
        return None
    if limits.start_within is not None:
        return timedelta(seconds=limits.start_within)
    return min(_USUAL, shortest_time_between(limits.schedule))


def alerts_from(limits: Limits) -> datetime | None:
    """Return the time before which a job with ``expected_from`` raises no alert; None for other jobs.

    Its first run may still start until then; without a schedule it has one day, like a job added to the policy.
    """
    if limits.expected_from is None:
        return None
    within = start_within(limits)
    if limits.schedule is None or within is None:
        return limits.expected_from + _USUAL
    return _first_due(limits.schedule, limits.expected_from) + within


@lru_cache(maxsize=4096)
def shortest_time_between(schedule: Schedule) -> timedelta:
    """Return the shortest time between two due times of a schedule.

    It is searched for among the first thousand due times of two fixed years and those around each clock change in these
    years; with fewer than two due times it is one day.
    """
    end = _REFERENCE + _YEARS
    usual = schedule.first_between(_REFERENCE, end, _ENOUGH)
    changed = (schedule.between(*span) for span in schedule.clock_changes(_REFERENCE, end))
    gaps = (later - earlier for times in chain([usual], changed) for earlier, later in pairwise(times))
    return min(gaps, default=_USUAL)


def is_missed(due: datetime, within: timedelta, now: datetime) -> bool:
    """Return whether a due time without a run is missed at ``now``; a missed due time stays missed."""
    return now >= due + within


def is_late(due: datetime, within: timedelta, start: datetime) -> bool:
    """Return whether a run that starts at ``start`` is too late for the due time it belongs to."""
    return start >= due + within


def met_by(start: datetime, due: Sequence[datetime]) -> int:
    """Return the index in sorted ``due`` of the due time that a run started at ``start`` belongs to; -1 for none."""
    return bisect_right(due, start + EARLY) - 1


class Calendar:
    """A cache of the due times around now, computed again once one has passed."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._known: dict[tuple[Schedule, timedelta], tuple[datetime, datetime]] = {}

    def of(self, limits: Limits, newest_start: datetime | None, polled: datetime, now: datetime) -> Due | None:
        """Return the due times of a job around ``now``; None without a schedule.

        Args:
            limits: what the policy expects of the job.
            newest_start: start of its newest run of any status, None when it never ran.
            polled: end of the last successful poll; ``overdue`` is as of then.
            now: the current time, with a time zone.
        """
        schedule, within = limits.schedule, start_within(limits)
        if schedule is None or within is None:
            return None
        previous, following = self._around(schedule, now, timedelta(0))
        expired, _ = self._around(schedule, polled, within)
        first = _first_due(schedule, limits.expected_from) if limits.expected_from else None
        return Due(
            previous=previous if first is None or first <= previous else None,
            next=following if first is None or first <= following else first,
            overdue=expired if _is_overdue(expired, first, newest_start) else None,
            start_within=within.total_seconds(),
        )

    def _around(self, schedule: Schedule, moment: datetime, before: timedelta) -> tuple[datetime, datetime]:
        """Return the last due time not later than ``moment - before``, and the first one after that."""
        then = moment - before
        span = self._known.get((schedule, before))
        if span is None or not span[0] <= then < span[1]:
            span = schedule.last_before(then), schedule.next_after(then)
            self._known[schedule, before] = span
        return span


def _is_overdue(due: datetime, first: datetime | None, newest_start: datetime | None) -> bool:
    """Return whether a due time whose ``start_within`` has passed has no run, for a job that has run before."""
    if newest_start is None or (first is not None and due < first):
        return False
    return newest_start < due - EARLY


@lru_cache(maxsize=4096)
def _first_due(schedule: Schedule, expected_from: datetime) -> datetime:
    """Return the first due time at or after ``expected_from``."""
    return schedule.next_after(expected_from - timedelta(microseconds=1))
