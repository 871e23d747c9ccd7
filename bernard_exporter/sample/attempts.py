"""When the runs of a job start, and how the last of them end, so that the job shows its case now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import pairwise
from typing import NamedTuple

from bernard_exporter.errors import SampleError
from bernard_exporter.policy import DAY
from bernard_exporter.sample.fleet import Case, Fleet, Member
from bernard_exporter.schedule import Schedule

HOUR = 3600
# Runs start up to this many seconds later than planned.
JITTER = 40
EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
# How far back is enough for the newest two successes of any case; the read-only ones run every quarter.
_REACH = int(45 * DAY)
_REACH_READ_ONLY = int(200 * DAY)
# A case begins after what ran long enough ago to have ended; short of a day, which a limit of eight days leaves.
_SETTLED = 20 * HOUR
# Keeps a case from being on the edge of a limit.
_MARGIN = 6 * HOUR
# The last runs of a job, which must be as its case says.
_CERTAIN = 3
# Runs closer together than this could overtake one another.
_CLOSEST = 300


class Outcome(Enum):
    """How a run ends; ``ORDINARY`` leaves it to chance."""

    ORDINARY = auto()
    FINISHED = auto()
    FAILED = auto()
    STUCK = auto()
    UNMEASURED = auto()


class Attempt(NamedTuple):
    """A run to be.

    Attributes:
        start: seconds since 1970.
        scale: its size as a ratio of the usual one.
    """

    start: int
    outcome: Outcome
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The runs of a job: the ordinary ones, and those that follow.

    Attributes:
        due: when runs are due, shared by the jobs of a schedule.
        first, last: which of those are ordinary runs.
        delay: seconds from due to start.
        spacing: seconds from one run to the next at least.
    """

    due: Sequence[int]
    first: int
    last: int
    delay: int
    spacing: int
    tail: tuple[Attempt, ...] = ()

    def __len__(self) -> int:
        """Return the number of runs."""
        return self.last - self.first + len(self.tail)

    def ordinary(self) -> Iterator[Attempt]:
        """Yield the ordinary runs, oldest first."""
        for index in range(self.first, self.last):
            yield Attempt(self.due[index] + self.delay, Outcome.ORDINARY)


def plan_runs(fleet: Fleet, now: int, days: int, runs: int | None) -> tuple[Plan, ...]:
    """Return the runs of each member of the fleet.

    Args:
        fleet: whose runs.
        now: seconds since 1970.
        days: how far back they go at least.
        runs: how many there are at least, instead of ``days``.

    Raises:
        SampleError: there is no room for them since 1971.
    """
    if runs is None:
        begin = now - int(days * DAY)
        if begin < EARLIEST:
            raise SampleError(f"{days} days go back before 1971, expected at most {int((now - EARLIEST) / DAY)}")
        return _plans(fleet, _calendars(fleet, now, begin), now)
    return _enough(fleet, now, runs)


def _enough(fleet: Fleet, now: int, runs: int) -> tuple[Plan, ...]:
    """Go back further and further, and where that does not do put more and more runs between those that are due."""
    if runs > len(fleet.members) * (now - EARLIEST) // _CLOSEST:
        raise _too_many(runs, fleet)
    reach = _REACH
    while (begin := now - reach) > EARLIEST:
        plans = _plans(fleet, _calendars(fleet, now, begin), now)
        if _total(plans) >= runs:
            return plans
        reach = int(reach * max(1.5, min(30.0, 1.05 * runs / max(1, _total(plans)))))
    calendars = _calendars(fleet, now, EARLIEST)
    density = 1
    while True:
        plans = _plans(fleet, {schedule: _denser(due, density) for schedule, due in calendars.items()}, now)
        total = _total(plans)
        if total >= runs:
            return plans
        if not total or min(plan.spacing for plan in plans) < 2 * _CLOSEST:
            raise _too_many(runs, fleet)
        density = max(density + 1, density * runs // total)


def _too_many(runs: int, fleet: Fleet) -> SampleError:
    jobs = len(fleet.members)
    return SampleError(f"{runs} runs of {jobs} jobs do not fit between 1971 and now, expected fewer runs or more jobs")


def _total(plans: tuple[Plan, ...]) -> int:
    return sum(len(plan) for plan in plans)


def _calendars(fleet: Fleet, now: int, begin: int) -> dict[Schedule, list[int]]:
    """Return when each schedule is due, from ``begin`` or a little earlier where few runs would be left."""
    found: dict[Schedule, list[int]] = {}
    for member in fleet.members:
        if member.schedule not in found:
            reach = _REACH_READ_ONLY if member.limits.read_only else _REACH
            start = datetime.fromtimestamp(max(EARLIEST, min(begin, now - reach)), UTC)
            due = member.schedule.between(start, datetime.fromtimestamp(now, UTC))
            found[member.schedule] = [int(moment.timestamp()) for moment in due]
    return found


def _denser(due: list[int], density: int) -> list[int]:
    pairs = pairwise(due)
    between = [start + (end - start) * part // density for start, end in pairs for part in range(density)]
    return between + due[-1:]


def _plans(fleet: Fleet, calendars: dict[Schedule, list[int]], now: int) -> tuple[Plan, ...]:
    spacings = {schedule: _spacing(due) for schedule, due in calendars.items()}
    return tuple(_plan(member, calendars[member.schedule], spacings[member.schedule], now) for member in fleet.members)


def _spacing(due: list[int]) -> int:
    return min((end - start for start, end in pairwise(due)), default=int(DAY))


def _plan(member: Member, due: list[int], spacing: int, now: int) -> Plan:
    delay = member.delay

    def started(seconds: float) -> int:
        """Return how many runs are due to have started ``seconds`` ago."""
        return bisect_right(due, now - int(seconds) - delay - JITTER)

    def certain(index: int) -> list[Attempt]:
        return [Attempt(time + delay, Outcome.FINISHED) for time in due[max(0, index - _CERTAIN) : index]]

    case = member.case
    settled = started(_SETTLED)
    if case is Case.MISSING:
        return Plan(due, 0, 0, delay, spacing)
    if case is Case.ONLY_ONE:
        return Plan(due, 0, 0, delay, spacing, tuple(certain(settled)[-1:]))
    last = {
        Case.HEALTHY: started(0),
        Case.UNEXPECTED: started(0),
        Case.STALE: started(member.limits.max_age + _MARGIN),
        Case.VERY_STALE: started(2 * member.limits.max_age + _MARGIN),
    }.get(case, settled)
    tail = certain(last)
    if case is Case.STALE:
        tail += [Attempt(time + delay, Outcome.FAILED) for time in due[last:settled]]
    ending = _altered(member, tail) + _extra(case, now)
    return Plan(due, 0, max(0, last - _CERTAIN), delay, spacing, tuple(ending))


def _altered(member: Member, tail: list[Attempt]) -> list[Attempt]:
    """Return the last runs with the one changed in which the case shows."""
    if len(tail) < _CERTAIN:
        return tail
    match member.case:
        case Case.TOO_SMALL:
            tail[-1] = tail[-1]._replace(scale=member.limits.min_size / 3 / member.size)
        case Case.VERY_WRONG_SIZE:
            tail[-1] = tail[-1]._replace(scale=0.66)
        case Case.WRONG_SIZE:
            tail[-1] = tail[-1]._replace(scale=1.09)
        case Case.ABANDONED:
            tail[0] = tail[0]._replace(outcome=Outcome.STUCK)
        case Case.UNMEASURED:
            tail[0] = tail[0]._replace(outcome=Outcome.UNMEASURED)
        case _:
            pass
    return tail


def _extra(case: Case, now: int) -> list[Attempt]:
    """Return what was started by hand in the last hours; what failed did so within the usual time, thus is over."""
    seconds, outcome = {
        Case.JUST_FAILED: ((9 * HOUR,), Outcome.FAILED),
        Case.FAILING: ((18 * HOUR, 14 * HOUR, 9 * HOUR), Outcome.FAILED),
        Case.RUNNING: ((70 * 60,), Outcome.STUCK),
        Case.RUNNING_LONG: ((14 * HOUR,), Outcome.STUCK),
    }.get(case, ((), Outcome.ORDINARY))
    return [Attempt(now - ago - JITTER, outcome) for ago in seconds]
