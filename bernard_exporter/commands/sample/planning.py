"""Plans the runs of a fleet by their schedules, for a number of days or a number of runs."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

from bernard_exporter.commands.sample.attempts import RunPlan, plan_job
from bernard_exporter.commands.sample.fleet import Fleet
from bernard_exporter.commands.sample.lanes import Lane, make_lanes
from bernard_exporter.domain.policy import DAY
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import SampleError

_EARLIEST = int(datetime(1971, 1, 1, tzinfo=UTC).timestamp())
# A history of this length contains the newest two successes of every case.
_REACH = int(45 * DAY)
# Runs that are closer together could overtake one another.
_CLOSEST = 300


def plan_lanes(fleet: Fleet, now: int, days: int, runs: int | None, seed: int) -> tuple[Lane, ...]:
    """Return the runs of the fleet by host and type.

    Args:
        fleet: the fleet.
        now: the current time in seconds since 1970.
        days: the minimum length of the history.
        runs: the minimum number of runs, instead of ``days``.
        seed: the random seed.

    Raises:
        SampleError: they do not fit between 1971 and now.
    """
    if runs is None:
        begin = now - int(days * DAY)
        if begin < _EARLIEST:
            raise SampleError(f"{days} days go back before 1971, expected at most {int((now - _EARLIEST) / DAY)}")
        return make_lanes(fleet, _plans(fleet, _calendars(fleet, now, begin), now), seed, now)
    return _enough(fleet, now, runs, seed)


def _enough(fleet: Fleet, now: int, runs: int, seed: int) -> tuple[Lane, ...]:
    """Extend the history until there are enough runs, and if that does not suffice, add runs between due times."""
    if runs > len(fleet.members) * (now - _EARLIEST) // _CLOSEST:
        raise _too_many(runs, fleet)
    reach = _REACH
    while (begin := now - reach) > _EARLIEST:
        lanes = make_lanes(fleet, _plans(fleet, _calendars(fleet, now, begin), now), seed, now)
        if (total := _total(lanes)) >= runs:
            return lanes
        reach = int(reach * max(1.5, min(30.0, 1.05 * runs / max(1, total))))
    calendars = _calendars(fleet, now, _EARLIEST)
    density = 1
    while True:
        plans = _plans(fleet, {schedule: _denser(due, density) for schedule, due in calendars.items()}, now)
        lanes = make_lanes(fleet, plans, seed, now)
        if (total := _total(lanes)) >= runs:
            return lanes
        if not total or min(plan.spacing for plan in plans) < 2 * _CLOSEST:
            raise _too_many(runs, fleet)
        density = max(density + 1, density * runs // total)


def _too_many(runs: int, fleet: Fleet) -> SampleError:
    jobs = len(fleet.members)
    return SampleError(f"{runs} runs of {jobs} jobs do not fit between 1971 and now, expected fewer runs or more jobs")


def _total(lanes: tuple[Lane, ...]) -> int:
    return sum(len(lane) for lane in lanes)


def _calendars(fleet: Fleet, now: int, begin: int) -> dict[Schedule, list[int]]:
    """Return the due times of each schedule from ``begin``, or from a little earlier if there would be too few."""
    start = datetime.fromtimestamp(max(_EARLIEST, min(begin, now - _REACH)), UTC)
    end = datetime.fromtimestamp(now, UTC)
    schedules = {member.limits.schedule for member in fleet.members}
    return {
        schedule: [int(moment.timestamp()) for moment in schedule.between(start, end)]
        for schedule in schedules
        if schedule is not None
    }


def _denser(due: list[int], density: int) -> list[int]:
    pairs = pairwise(due)
    between = [start + (end - start) * part // density for start, end in pairs for part in range(density)]
    return between + due[-1:]


def _plans(fleet: Fleet, calendars: dict[Schedule, list[int]], now: int) -> tuple[RunPlan, ...]:
    spacings = {schedule: _spacing(due) for schedule, due in calendars.items()}
    plans = []
    for member in fleet.members:
        schedule = member.limits.schedule
        due, spacing = (calendars[schedule], spacings[schedule]) if schedule else ([], int(DAY))
        plans.append(plan_job(member, due, spacing, now))
    return tuple(plans)


def _spacing(due: list[int]) -> int:
    return min((end - start for start, end in pairwise(due)), default=int(DAY))
