"""The runs of one type on one host, which wait for one another like those of wmfbackups.

Dumps of a host run two at a time. Snapshots of a destination run one after the other: first the transfer, then the run,
whose row appears when the transfer is complete and has the start of the transfer in its name. A failed transfer is
retried once, and leaves no row if it fails again.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from bernard_exporter.commands.sample.attempts import PlannedAttempt, PlannedOutcome, RunPlan
from bernard_exporter.commands.sample.fleet import Fleet
from bernard_exporter.commands.sample.turns import JITTER, NOISE, GeneratedRun, HostQueue, PlannedJob
from bernard_exporter.domain.policy import DAY

# One in this many snapshots of a job fails its transfer twice; not random, so that the number of rows is known.
_LOST = 97
# One of the two slots of a host is reserved for manual dumps for this long.
_BY_HAND = int(2 * DAY)
# The share of the time between due times in which all runs of a host take place.
_ROOM = 0.8


@dataclass(frozen=True, slots=True)
class Lane:
    """The runs of a host and type, in the order in which their rows appear.

    Attributes:
        regulars: the jobs that run at every due time until ``common``.
        due: the due times in seconds since 1970.
        recent: the runs after that.
    """

    regulars: tuple[PlannedJob, ...]
    due: Sequence[int]
    common: int
    recent: tuple[GeneratedRun, ...]
    seed: str
    pace: float
    now: int

    def __len__(self) -> int:
        """Return the number of runs with a row."""
        lost = sum(_lost_until(runner, self.common) for runner in self.regulars)
        return len(self.regulars) * self.common - lost + len(self.recent)

    def __iter__(self) -> Iterator[GeneratedRun]:
        """Yield the runs by start, in constant memory."""
        run = HostQueue(Random(self.seed), self.pace, self.now).run
        for index, time in enumerate(islice(self.due, self.common)):
            attempt = PlannedAttempt(time, PlannedOutcome.ORDINARY)
            for runner in self.regulars:
                if (generated := run(runner, attempt, _is_lost(runner, index))) is not None:
                    yield generated
        yield from self.recent


def make_lanes(fleet: Fleet, plans: Sequence[RunPlan], seed: int, now: int) -> tuple[Lane, ...]:
    """Return the runs of a fleet by host and type.

    Args:
        fleet: the fleet.
        plans: the plan of each member.
        seed: the random seed.
        now: the latest start in seconds since 1970.
    """
    lanes: dict[tuple[str, str], list[PlannedJob]] = defaultdict(list)
    for number, (member, plan) in enumerate(zip(fleet.members, plans, strict=True)):
        lanes[member.host, member.job.type].append(PlannedJob(number, member, plan))
    return tuple(_lane(runners, f"{seed} {' '.join(key)}", now) for key, runners in lanes.items())


def _lane(runners: list[PlannedJob], seed: str, now: int) -> Lane:
    regulars = tuple(runner for runner in runners if runner.plan.last)
    shared = any(runner.member.by_hand for runner in runners)
    due = runners[0].plan.due
    pace = min(1.0, _ROOM * runners[0].plan.spacing / _longest(runners, shared))
    common = _common(runners, regulars, due, now - _BY_HAND if shared else now)
    turns = HostQueue(Random(f"{seed} recent"), pace, now, now - _BY_HAND if shared else now)
    runs = [turns.run(runner, attempt, lost) for attempt, runner, lost in _requests(runners, common)]
    recent = tuple(sorted(run for run in runs if run is not None and run.start <= now))
    return Lane(regulars, due, common, recent, seed, pace, now)


def _common(runners: list[PlannedJob], regulars: Sequence[PlannedJob], due: Sequence[int], until: int) -> int:
    """Return the number of due times at which all regulars run and nothing else does."""
    tails = [attempt.time for runner in runners for attempt in runner.plan.tail]
    last = min((runner.plan.last for runner in regulars), default=0)
    return min(last, bisect_left(due, min([until, *tails])))


def _longest(runners: list[PlannedJob], shared: bool) -> float:
    """Return the maximum seconds until all have run, with one slot if the other is taken."""
    times = [(runner.member.duration + 1.5 * runner.member.transfer) * (1 + NOISE) for runner in runners]
    two_at_a_time = not shared and not runners[0].member.transfer
    return JITTER * len(times) + (sum(times) / 2 + max(times) if two_at_a_time else sum(times))


def _requests(runners: list[PlannedJob], common: int) -> list[tuple[PlannedAttempt, PlannedJob, bool]]:
    """Return the attempts from a due time on, oldest first, and whether their transfer fails twice."""
    requests = []
    for runner in runners:
        plan = runner.plan
        for index in range(common, plan.last):
            requests.append((PlannedAttempt(plan.due[index], PlannedOutcome.ORDINARY), runner, _is_lost(runner, index)))
        requests += [(attempt, runner, False) for attempt in plan.tail]
    return sorted(requests, key=lambda request: request[0].time)


def _is_lost(runner: PlannedJob, index: int) -> bool:
    return not (index + runner.number) % _LOST and runner.member.transfer > 0


def _lost_until(runner: PlannedJob, index: int) -> int:
    if not runner.member.transfer:
        return 0
    return (runner.number + index - 1) // _LOST - (runner.number - 1) // _LOST
