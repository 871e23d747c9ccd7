"""The runs of one job, and how the last of them end, so that the job shows its case now."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from bernard_exporter.sample.fleet import Case, Member

HOUR = 3600
# Runs start up to this many seconds later than planned.
JITTER = 40
# A case begins after what ran long enough ago to have ended; short of a day, which a limit of eight days leaves.
_SETTLED = 20 * HOUR
# Keeps a case from being on the edge of a limit.
_MARGIN = 6 * HOUR
# The last runs of a job, which must be as its case says.
_CERTAIN = 3


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


def plan_job(member: Member, due: Sequence[int], spacing: int, now: int) -> Plan:
    """Return the runs of a job that its schedule says, changed at the end so that they show its case.

    Args:
        member: whose runs.
        due: when its runs are due, in seconds since 1970, oldest first.
        spacing: seconds from one of them to the next at least.
        now: seconds since 1970.
    """
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
