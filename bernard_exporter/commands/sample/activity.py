"""Simulates activity in a sample inventory: runs start, finish and fail, and sometimes a size jumps."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import cycle
from random import Random

from bernard_exporter.commands.sample.files import files_of
from bernard_exporter.commands.sample.fleet import SNAPSHOT, Case, Fleet, Member
from bernard_exporter.commands.sample.turns import usual_size
from bernard_exporter.domain.model import Job, Status
from bernard_exporter.store.writer import RunRow, Writer, ended, started

# Seconds; real runs take hours, but these should end while someone watches.
_SHORTEST, _LONGEST = 20, 60
_TRANSFER = timedelta(seconds=12)
_AT_ONCE = 3
_JUMP = 1.3
# The time for which a failure or a jump stays visible before another run of the job repairs it.
_SHOWN = timedelta(seconds=60)
# Runs in progress when the sample was generated are ended; older ones are meant to be stuck.
_STILL_ACTIVE = timedelta(hours=20)


class _Ending(Enum):
    FINISH = auto()
    JUMP = auto()
    FAIL = auto()
    NO_ROW = auto()


_ENDINGS = (_Ending.FINISH, _Ending.JUMP, _Ending.FAIL, *[_Ending.FINISH] * 3, _Ending.NO_ROW)


@dataclass(frozen=True, slots=True)
class _ActiveRun:
    """A run in progress, or the transfer of a snapshot before its run.

    Attributes:
        requested: the time in its name; the run of a snapshot starts later, after the transfer.
        until: the end of the transfer or of the run.
    """

    member: Member
    ending: _Ending
    requested: datetime
    until: datetime
    run: RunRow | None = None


@dataclass(slots=True)
class Activity:
    """Runs the healthy jobs of a fleet; the other jobs keep their case.

    A host runs at most two dumps at a time, and one snapshot, whose row appears when its transfer is complete.

    Attributes:
        files: the maximum number of files and directories of a run.
    """

    writer: Writer
    fleet: Fleet
    seed: int
    files: int = 30
    _random: Random = field(init=False)
    _endings: cycle[_Ending] = field(default_factory=lambda: cycle(_ENDINGS))
    _active: list[_ActiveRun] | None = None
    _disturbed: deque[tuple[datetime, Member]] = field(default_factory=deque)
    _jumped: set[Job] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Seed the random generator."""
        self._random = Random(self.seed)

    def step(self, now: datetime) -> None:
        """End runs that are over, and start another one; call it every few seconds.

        Args:
            now: the current time, with a time zone.

        Raises:
            SampleError: the database cannot be used.
        """
        if self._active is None:
            self._active = self._ongoing_in_sample(now)
        over = [active for active in self._active if active.until <= now]
        self._active = [active for active in self._active if active.until > now]
        for active in over:
            if active.run is not None:
                self._end(active, active.run, now)
            elif active.ending is not _Ending.NO_ROW:
                self._active.append(self._start(active, now))
        if len(self._active) < _AT_ONCE and (turn := self._next(now)):
            self._active.append(self._begin(*turn, now))

    def _members(self) -> list[Member]:
        return [m for m in self.fleet.members if m.case is Case.HEALTHY and not m.limits.read_only]

    def _ongoing_in_sample(self, now: datetime) -> list[_ActiveRun]:
        """Return the runs that were in progress in the sample, with staggered ends."""
        members = {(m.job.section, m.job.type, m.host): m for m in self._members()}
        ongoing: list[_ActiveRun] = []
        for run in self.writer.ongoing_runs(now - _STILL_ACTIVE):
            if member := members.get((run.section, run.type, run.host)):
                until = now + timedelta(seconds=_SHORTEST + 5 * len(ongoing))
                ongoing.append(_ActiveRun(member, _Ending.FINISH, now, until, run))
        return ongoing

    def _next(self, now: datetime) -> tuple[Member, _Ending] | None:
        """Return the next job to run and its outcome: a job to repair, or any that is not running."""
        if self._disturbed and now - self._disturbed[0][0] >= _SHOWN and self._has_room(self._disturbed[0][1]):
            return self._disturbed.popleft()[1], _Ending.FINISH
        busy = {active.member.job for active in self._active or ()} | {member.job for _, member in self._disturbed}
        idle = [member for member in self._members() if member.job not in busy and self._has_room(member)]
        return (self._random.choice(idle), next(self._endings)) if idle else None

    def _has_room(self, member: Member) -> bool:
        """Return whether the host can run another backup of the type; a case may occupy one of the two dump slots."""
        taken = Counter((active.member.host, active.member.job.type) for active in self._active or ())
        taken.update((m.host, m.job.type) for m in self.fleet.members if m.case in (Case.RUNNING, Case.RUNNING_LONG))
        return taken[member.host, member.job.type] < (1 if member.job.type == SNAPSHOT else 2)

    def _begin(self, member: Member, ending: _Ending, now: datetime) -> _ActiveRun:
        """Start the transfer of a snapshot, or the run of a dump."""
        if member.job.type != SNAPSHOT:
            return self._start(_ActiveRun(member, _Ending.FAIL if ending is _Ending.NO_ROW else ending, now, now), now)
        # A failed transfer is retried once.
        tries = 2 if ending is _Ending.NO_ROW else 1
        return _ActiveRun(member, ending, now, now + tries * _TRANSFER)

    def _start(self, active: _ActiveRun, now: datetime) -> _ActiveRun:
        member = active.member
        run = self.writer.start_run(started(member.job, member.source, member.host, now, active.requested))
        until = now + timedelta(seconds=self._random.uniform(_SHORTEST, _LONGEST))
        return _ActiveRun(member, active.ending, active.requested, until, run)

    def _end(self, active: _ActiveRun, run: RunRow, now: datetime) -> None:
        member = active.member
        if active.ending is not _Ending.FINISH:
            self._disturbed.append((now, member))
        if active.ending is _Ending.FAIL:
            self.writer.end_run(ended(run, Status.FAILED, now))
            return
        if active.ending is _Ending.JUMP:
            self._jumped ^= {member.job}
        scale = _JUMP if member.job in self._jumped else 1.0
        finished = ended(run, Status.FINISHED, now, usual_size(member, 0, self._random.random(), scale))
        self.writer.end_run(finished, files_of(finished, self.files))
