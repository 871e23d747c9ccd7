"""Keep a sample inventory alive: runs start, finish and fail while one watches, and now and then a size jumps."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import cycle
from random import Random

from bernard_exporter.model import Job, Status
from bernard_exporter.sample.files import files_of
from bernard_exporter.sample.fleet import Case, Fleet, Member
from bernard_exporter.sample.history import usual_size
from bernard_exporter.store.writer import RunRow, Writer, ended, started

# Real runs take hours; these are to be seen through. Seconds.
_SHORTEST, _LONGEST = 20, 60
_AT_ONCE = 3
_JUMP = 1.3
# How long a failure or a jump can be looked at before another run of the job puts it right.
_SHOWN = timedelta(seconds=60)
# Runs that were going when the sample was made are brought to an end; older ones than this are meant to be stuck.
_STILL_GOING = timedelta(hours=20)


class _Ending(Enum):
    FINISH = auto()
    JUMP = auto()
    FAIL = auto()


_ENDINGS = (_Ending.FINISH, _Ending.JUMP, _Ending.FAIL, *[_Ending.FINISH] * 4)


@dataclass(frozen=True, slots=True)
class _Going:
    run: RunRow
    member: Member
    until: datetime
    ending: _Ending


@dataclass(slots=True)
class Activity:
    """Runs of the healthy jobs of a fleet; the others keep what they are there to show.

    Attributes:
        files: how many files and directories a run has at most.
    """

    writer: Writer
    fleet: Fleet
    seed: int
    files: int = 30
    _random: Random = field(init=False)
    _endings: cycle[_Ending] = field(default_factory=lambda: cycle(_ENDINGS))
    _going: list[_Going] | None = None
    _disturbed: deque[tuple[datetime, Member]] = field(default_factory=deque)
    _jumped: set[Job] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Seed what is drawn."""
        self._random = Random(self.seed)

    def step(self, now: datetime) -> None:
        """End the runs that are over, and start another one; to be called every few seconds.

        Args:
            now: aware.

        Raises:
            SampleError: the database cannot be used.
        """
        if self._going is None:
            self._going = self._found(now)
        over = [going for going in self._going if going.until <= now]
        self._going = [going for going in self._going if going.until > now]
        for going in over:
            self._end(going, now)
        if len(self._going) < _AT_ONCE and (turn := self._next(now)):
            self._going.append(self._start(*turn, now))

    def _members(self) -> list[Member]:
        return [m for m in self.fleet.members if m.case is Case.HEALTHY and not m.limits.read_only]

    def _found(self, now: datetime) -> list[_Going]:
        """Return the runs that the sample left going, to end one after the other."""
        members = {(m.job.section, m.job.type, m.host): m for m in self._members()}
        found: list[_Going] = []
        for run in self.writer.ongoing_runs(now - _STILL_GOING):
            if member := members.get((run.section, run.type, run.host)):
                until = now + timedelta(seconds=_SHORTEST + 5 * len(found))
                found.append(_Going(run, member, until, _Ending.FINISH))
        return found

    def _next(self, now: datetime) -> tuple[Member, _Ending] | None:
        """Return whose turn it is, and how it will end: a job to put right, or any that does not run."""
        if self._disturbed and now - self._disturbed[0][0] >= _SHOWN:
            return self._disturbed.popleft()[1], _Ending.FINISH
        busy = {going.member.job for going in self._going or ()} | {member.job for _, member in self._disturbed}
        idle = [member for member in self._members() if member.job not in busy]
        return (self._random.choice(idle), next(self._endings)) if idle else None

    def _start(self, member: Member, ending: _Ending, now: datetime) -> _Going:
        run = self.writer.start_run(started(member.job, member.source, member.host, now))
        return _Going(run, member, now + timedelta(seconds=self._random.uniform(_SHORTEST, _LONGEST)), ending)

    def _end(self, going: _Going, now: datetime) -> None:
        member = going.member
        if going.ending is not _Ending.FINISH:
            self._disturbed.append((now, member))
        if going.ending is _Ending.FAIL:
            self.writer.end_run(ended(going.run, Status.FAILED, now))
            return
        if going.ending is _Ending.JUMP:
            self._jumped ^= {member.job}
        scale = _JUMP if member.job in self._jumped else 1.0
        run = ended(going.run, Status.FINISHED, now, usual_size(member, 0, self._random.random(), scale))
        self.writer.end_run(run, files_of(run, self.files))
