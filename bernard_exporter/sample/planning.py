"""When the runs of the fleet start: as their schedules say, as far back as asked, or as often as asked."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from bernard_exporter.errors import SampleError
from bernard_exporter.policy import DAY
from bernard_exporter.sample.attempts import Plan, plan_job
from bernard_exporter.sample.fleet import Fleet
from bernard_exporter.schedule import Schedule

_EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
# How far back is enough for the newest two successes of any case; the read-only ones run every quarter.
_REACH = int(45 * DAY)
_REACH_READ_ONLY = int(200 * DAY)
# Runs closer together than this could overtake one another.
_CLOSEST = 300


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
        if begin < _EARLIEST:
            raise SampleError(f"{days} days go back before 1971, expected at most {int((now - _EARLIEST) / DAY)}")
        return _plans(fleet, _calendars(fleet, now, begin), now)
    return _enough(fleet, now, runs)


def _enough(fleet: Fleet, now: int, runs: int) -> tuple[Plan, ...]:
    """Go back further and further, and where that does not do put more and more runs between those that are due."""
    if runs > len(fleet.members) * (now - _EARLIEST) // _CLOSEST:
        raise _too_many(runs, fleet)
    reach = _REACH
    while (begin := now - reach) > _EARLIEST:
        plans = _plans(fleet, _calendars(fleet, now, begin), now)
        if _total(plans) >= runs:
            return plans
        reach = int(reach * max(1.5, min(30.0, 1.05 * runs / max(1, _total(plans)))))
    calendars = _calendars(fleet, now, _EARLIEST)
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
            start = datetime.fromtimestamp(max(_EARLIEST, min(begin, now - reach)), UTC)
            due = member.schedule.between(start, datetime.fromtimestamp(now, UTC))
            found[member.schedule] = [int(moment.timestamp()) for moment in due]
    return found


def _denser(due: list[int], density: int) -> list[int]:
    pairs = pairwise(due)
    between = [start + (end - start) * part // density for start, end in pairs for part in range(density)]
    return between + due[-1:]


def _plans(fleet: Fleet, calendars: dict[Schedule, list[int]], now: int) -> tuple[Plan, ...]:
    spacings = {schedule: _spacing(due) for schedule, due in calendars.items()}
    return tuple(
        plan_job(member, calendars[member.schedule], spacings[member.schedule], now) for member in fleet.members
    )


def _spacing(due: list[int]) -> int:
    return min((end - start for start, end in pairwise(due)), default=int(DAY))
