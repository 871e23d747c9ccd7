"""What became of every run of the fleet up to now: seeded, so that the same arguments make the same rows."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from random import Random
from typing import NamedTuple

from bernard_exporter.model import Status
from bernard_exporter.policy import DAY
from bernard_exporter.sample.attempts import JITTER, Attempt, Outcome, Plan
from bernard_exporter.sample.fleet import Fleet, Member
from bernard_exporter.sample.planning import plan_runs
from bernard_exporter.store.writer import RunRow, run_name, time_text

_YEAR = 365.25 * DAY
_FAILED = 0.02
_STUCK = 0.001
_FAILED_WITH_SIZE = 0.3
# The spread of sizes around their trend: neighbours differ by less than twice that.
_SIZE_NOISE = 0.008
_DURATION_NOISE = 0.15
# Durations grow more slowly than sizes do.
_DURATION_TREND = 0.5
# However far back sizes shrink to: small, but nothing that looks like a broken backup.
_SMALLEST = 1 << 20


class _Made(NamedTuple):
    """A run as it is drawn; sorted by start, then by member. All times in seconds since 1970."""

    start: int
    member: int
    end: int | None
    status: str
    size: int | None


@dataclass(frozen=True, slots=True)
class History:
    """The runs of a fleet.

    Attributes:
        plans: when the runs of each member start.
        skipped: how many of the oldest runs are left out.
        now: seconds since 1970.
    """

    fleet: Fleet
    plans: tuple[Plan, ...]
    skipped: int
    seed: int
    now: int

    def __len__(self) -> int:
        """Return the number of runs."""
        return sum(len(plan) for plan in self.plans) - self.skipped

    def __iter__(self) -> Iterator[RunRow]:
        """Yield the runs by start, with ids from 1; needs no more memory for more of them."""
        made = heapq.merge(*(self._of(number) for number in range(len(self.plans))))
        members = self.fleet.members
        for run_id, run in enumerate(islice(made, self.skipped, None), start=1):
            yield _row(run_id, members[run.member], run)

    def _of(self, number: int) -> Iterator[_Made]:
        member, plan = self.fleet.members[number], self.plans[number]
        rng = Random(f"{self.seed} {' '.join(member.job)}")
        for attempt in chain(plan.ordinary(), plan.tail):
            yield _made(number, member, attempt, plan.spacing, rng, self.now)


def make_history(fleet: Fleet, *, now: datetime, seed: int, days: int = 90, runs: int | None = None) -> History:
    """Return the history of a fleet.

    Args:
        fleet: whose runs.
        now: aware; no time is later.
        seed: of everything drawn.
        days: how far back it goes at least; what a job has to show can need a few weeks.
        runs: exactly how many runs instead, as far back and as close together as that takes.

    Raises:
        SampleError: there is no room for so many runs or days since 1971.
    """
    seconds = int(now.timestamp())
    plans = plan_runs(fleet, seconds, days, runs)
    skipped = max(0, sum(len(plan) for plan in plans) - runs) if runs else 0
    return History(fleet, plans, skipped, seed, seconds)


def _row(run_id: int, member: Member, run: _Made) -> RunRow:
    job = member.job
    start = time_text(run.start)
    end = None if run.end is None else time_text(run.end)
    name = run_name(job, start)
    return RunRow(run_id, name, run.status, member.source, member.host, job.type, job.section, start, end, run.size)


def _made(number: int, member: Member, attempt: Attempt, spacing: int, rng: Random, now: int) -> _Made:
    start = attempt.start + int(rng.random() * JITTER)
    outcome = _drawn(rng.random()) if attempt.outcome is Outcome.ORDINARY else attempt.outcome
    size: int | None = usual_size(member, start - now, rng.random(), attempt.scale)
    end = start + _duration(member, start - now, rng.random(), spacing)
    left = rng.random()
    if outcome is Outcome.FAILED:
        end = start + max(1, int((end - start) * left))
        size = size if left < _FAILED_WITH_SIZE else None
    elif outcome is Outcome.UNMEASURED:
        size = None
    if outcome is Outcome.STUCK or end > now:
        return _Made(start, number, None, Status.ONGOING.value, None)
    status = Status.FAILED if outcome is Outcome.FAILED else Status.FINISHED
    return _Made(start, number, end, status.value, size)


def _drawn(chance: float) -> Outcome:
    if chance < _FAILED:
        return Outcome.FAILED
    return Outcome.STUCK if chance > 1 - _STUCK else Outcome.FINISHED


def usual_size(member: Member, seconds: int, chance: float, scale: float = 1.0) -> int:
    """Return the bytes of a backup made ``seconds`` from now; ``chance`` from 0 to 1 says which of the usual ones."""
    if member.limits.read_only:
        return member.size
    trend = math.exp(member.growth * seconds / _YEAR)
    noise = 1 + (2 * chance - 1) * _SIZE_NOISE
    return int(max(_SMALLEST, member.size * trend) * noise * scale)


def _duration(member: Member, seconds: int, chance: float, spacing: int) -> int:
    trend = math.exp(_DURATION_TREND * member.growth * seconds / _YEAR)
    noise = 1 + (2 * chance - 1) * _DURATION_NOISE
    return max(1, int(min(member.duration * max(trend, 0.1) * noise, 0.8 * spacing)))
