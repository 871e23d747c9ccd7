"""Draws the start, duration, size and outcome of the runs of a host from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from bernard_exporter.commands.sample.attempts import PlannedAttempt, PlannedOutcome, RunPlan
from bernard_exporter.commands.sample.fleet import Member
from bernard_exporter.domain.model import Status
from bernard_exporter.domain.policy import DAY

# Runs start up to this many seconds after their slot is free.
JITTER = 40
# The maximum deviation of durations and of sizes from their trend; neighbours differ by less than twice that.
NOISE = 0.15
_SIZE_NOISE = 0.008
_YEAR = 365.25 * DAY
_FAILED = 0.02
_STUCK = 0.001
_FAILED_WITH_SIZE = 0.3
_RETRIED = 0.03
# Durations grow more slowly than sizes; past ones are at least a tenth of today's.
_DURATION_TREND = 0.5
_SHORTEST = math.log(10) / _DURATION_TREND
# The minimum size of old backups: small, but not so small that they look broken.
_SMALLEST = 1 << 20


class PlannedJob(NamedTuple):
    """A member of the fleet, its number and its plan."""

    number: int
    member: Member
    plan: RunPlan


class GeneratedRun(NamedTuple):
    """A generated run, sorted by start, then by member. All times are in seconds since 1970.

    Attributes:
        named: the time in its name: the start of a dump, or of a snapshot's transfer.
    """

    start: int
    member: int
    named: int
    end: int | None
    status: str
    size: int | None


@dataclass(slots=True)
class HostQueue:
    """The two slots of a host for dumps, or the one slot for snapshots.

    Attributes:
        pace: the factor for all durations.
        now: the current time in seconds since 1970.
        one_slot_from: the time from which on the second slot is reserved for manual runs.
    """

    random: Random
    pace: float
    now: int
    one_slot_from: float = math.inf
    _free: list[int] = field(default_factory=lambda: [0, 0])
    _last: int = 0

    def run(self, runner: PlannedJob, attempt: PlannedAttempt, lost: bool) -> GeneratedRun | None:
        """Return the run of an attempt; None if its transfer fails twice."""
        member, draw = runner.member, self.random.random
        slot = self._slot(member, attempt)
        begin = max(attempt.time, self._free[slot])
        if not attempt.by_hand:
            # Waiting attempts start in the order of their requests.
            begin = self._last = max(begin, self._last) + int(draw() * JITTER * self.pace)
        pace = self.pace * math.exp(_DURATION_TREND * max(-_SHORTEST, member.growth * (begin - self.now) / _YEAR))
        named = begin
        if member.transfer:
            transfer = int(member.transfer * pace * (1 + (2 * draw() - 1) * NOISE)) + 1
            named += transfer // 2 if lost or draw() < _RETRIED else 0
            begin = named + transfer
        length = int(member.duration * pace * (1 + (2 * draw() - 1) * NOISE)) + 1
        self._free[slot] = begin + 1 if lost else begin + length + 1
        return None if lost else self._generated(runner, attempt, begin, named, length)

    def _slot(self, member: Member, attempt: PlannedAttempt) -> int:
        if attempt.by_hand:
            return 1
        if member.transfer or attempt.time >= self.one_slot_from or self._free[0] <= self._free[1]:
            return 0
        return 1

    def _generated(
        self, runner: PlannedJob, attempt: PlannedAttempt, start: int, named: int, length: int
    ) -> GeneratedRun:
        random, now, member = self.random, self.now, runner.member
        outcome = _drawn(random.random()) if attempt.outcome is PlannedOutcome.ORDINARY else attempt.outcome
        size: int | None = usual_size(member, start - now, random.random(), attempt.scale)
        end = start + length
        draw = random.random()
        if outcome is PlannedOutcome.FAILED:
            end = start + max(1, int(length * draw))
            size = size if draw < _FAILED_WITH_SIZE else None
        elif outcome is PlannedOutcome.UNMEASURED:
            size = None
        if outcome is PlannedOutcome.STUCK or end > now:
            return GeneratedRun(start, runner.number, named, None, Status.ONGOING.value, None)
        status = Status.FAILED if outcome is PlannedOutcome.FAILED else Status.FINISHED
        return GeneratedRun(start, runner.number, named, end, status.value, size)


def _drawn(chance: float) -> PlannedOutcome:
    if chance < _FAILED:
        return PlannedOutcome.FAILED
    return PlannedOutcome.STUCK if chance > 1 - _STUCK else PlannedOutcome.FINISHED


def usual_size(member: Member, seconds: int, chance: float, scale: float = 1.0) -> int:
    """Return the size in bytes of a backup ``seconds`` from now; ``chance`` from 0 to 1 selects the deviation."""
    if member.limits.read_only:
        return member.size
    trend = math.exp(member.growth * seconds / _YEAR)
    noise = 1 + (2 * chance - 1) * _SIZE_NOISE
    return int(max(_SMALLEST, member.size * trend) * noise * scale)
