"""Plans the runs of one job, and the outcome of the last ones, so that the job shows its case."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from bernard_exporter.commands.sample.fleet import Case, Member
from bernard_exporter.domain.policy import DAY

HOUR = 3600
# A run that was due this long ago has ended even if it waited; less than a day, after which it would be missed.
SETTLED = 20 * HOUR
# The maximum wait for a slot, which keeps cases away from the edge of a limit.
_WAIT = 14 * HOUR
# The time after which a run is late; a late run starts a little after it.
_LATE = int(DAY)
_LATER = 600
# The number of last runs of a job, which must match its case.
_CERTAIN = 3


class PlannedOutcome(Enum):
    """The outcome of a run; ``ORDINARY`` is drawn at random."""

    ORDINARY = auto()
    FINISHED = auto()
    FAILED = auto()
    STUCK = auto()
    UNMEASURED = auto()


class PlannedAttempt(NamedTuple):
    """A planned run.

    Attributes:
        time: the requested time in seconds since 1970; it starts when a slot is free.
        scale: its size as a ratio of the usual size.
        by_hand: whether it is started manually, so that it does not wait.
    """

    time: int
    outcome: PlannedOutcome
    scale: float = 1.0
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The runs of a job: ordinary ones, then those that show its case.

    Attributes:
        due: the due times, shared by the jobs of a schedule.
        last: the number of due times, from the first, with ordinary runs.
        spacing: the minimum seconds between due times.
    """

    due: Sequence[int]
    last: int
    spacing: int
    tail: tuple[PlannedAttempt, ...] = ()


def plan_job(member: Member, due: Sequence[int], spacing: int, now: int) -> RunPlan:
    """Return the scheduled runs of a job, changed at the end to show its case.

    Args:
        member: the job.
        due: its due times in seconds since 1970, oldest first; empty for a job without a schedule.
        spacing: the minimum seconds between due times.
        now: the current time in seconds since 1970.
    """
    case = member.case
    if member.last_run is not None:
        return RunPlan(due, 0, spacing, (PlannedAttempt(now - member.last_run, PlannedOutcome.FINISHED, by_hand=True),))
    if case in (Case.MISSING, Case.PLANNED):
        return RunPlan(due, 0, spacing)
    last = _last(member, due, now)
    tail = [PlannedAttempt(time, PlannedOutcome.FINISHED) for time in due[max(0, last - _CERTAIN) : last]]
    if case is Case.ONLY_ONE:
        return RunPlan(due, 0, spacing, tuple(tail[-1:]))
    if case is Case.STALE:
        failed = due[last : bisect_right(due, now - SETTLED)]
        tail += [PlannedAttempt(time, PlannedOutcome.FAILED) for time in failed]
    ending = _altered(member, tail) + _extra(case, now)
    return RunPlan(due, max(0, last - _CERTAIN), spacing, tuple(ending))


def _last(member: Member, due: Sequence[int], now: int) -> int:
    """Return the number of due times with ordinary runs."""
    ago = {
        Case.HEALTHY: 0,
        Case.UNEXPECTED: 0,
        Case.DUE: 0,
        Case.NO_ROW: _LATE,
        Case.LATE: _LATE + 2 * _LATER,
        Case.STALE: member.limits.max_age + _WAIT,
        Case.VERY_STALE: 2 * member.limits.max_age + _WAIT,
    }.get(member.case, SETTLED)
    last = bisect_right(due, now - int(ago))
    return max(0, last - 1) if member.case in (Case.DUE, Case.NO_ROW) else last


def _altered(member: Member, tail: list[PlannedAttempt]) -> list[PlannedAttempt]:
    """Return the last runs, changed to show the case."""
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
            tail[0] = tail[0]._replace(outcome=PlannedOutcome.STUCK)
        case Case.UNMEASURED:
            tail[0] = tail[0]._replace(outcome=PlannedOutcome.UNMEASURED)
        case Case.LATE:
            tail[-1] = tail[-1]._replace(time=tail[-1].time + _LATE + _LATER, by_hand=True)
        case _:
            pass
    return tail


def _extra(case: Case, now: int) -> list[PlannedAttempt]:
    """Return the runs that were started manually in the last hours; failed ones have ended."""
    seconds, outcome = {
        Case.JUST_FAILED: ((9 * HOUR,), PlannedOutcome.FAILED),
        Case.FAILING: ((18 * HOUR, 14 * HOUR, 9 * HOUR), PlannedOutcome.FAILED),
        Case.RUNNING: ((70 * 60,), PlannedOutcome.STUCK),
        Case.RUNNING_LONG: ((14 * HOUR,), PlannedOutcome.STUCK),
    }.get(case, ((), PlannedOutcome.ORDINARY))
    return [PlannedAttempt(now - ago, outcome, by_hand=True) for ago in seconds]
