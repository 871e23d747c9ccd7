"""Keep a sample inventory alive: runs that start, finish and fail, and now and then a size that jumps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from itertools import cycle
from random import Random

from bernard_exporter.model import Status
from bernard_exporter.sample.files import files_of
from bernard_exporter.sample.fleet import Case, Fleet, Member
from bernard_exporter.sample.history import usual_size
from bernard_exporter.store.writer import RunRow, Writer, run_name

# A run takes seconds here, for nobody watches for hours.
_SHORTEST = 12.0
_LONGEST = 45.0
_AT_ONCE = 3
_JUMP = 1.3
_FILES = 40


class _End(Enum):
    """How a run is to end."""

    FINISH = auto()
    FAIL = auto()
    JUMP = auto()


@dataclass(frozen=True, slots=True)
class _Going:
    """A run that goes on, when it is to end, and how."""

    id: int
    member: Member
    start: datetime
    due: datetime
    end: _End


class Activity:
    """The life of an inventory; each step does what is due by then."""

    def __init__(self, url: str, fleet: Fleet, seed: int) -> None:
        """Prepare to write to the inventory at ``url``, which holds the history of ``fleet``.

        Raises:
            SampleError: the URL is not one of a kind of store that the exporter reads.
        """
        self._writer = Writer(url)
        self._random = Random(seed)
        # Those that show something are left as they are.
        healthy = [member for member in fleet.members if member.case is Case.HEALTHY and not member.limits.read_only]
        self._random.shuffle(healthy)
        self._waiting: Iterator[Member] = cycle(healthy)
        self._ends = cycle([_End.FINISH, _End.FAIL, _End.JUMP, _End.FINISH])
        self._going: list[_Going] = []

    def step(self, now: datetime) -> None:
        """End the runs whose time has come, and start at most one.

        Raises:
            SampleError: the database cannot be written.
        """
        for run in [run for run in self._going if run.due <= now]:
            self._finish(run, now)
            self._going.remove(run)
        if len(self._going) < _AT_ONCE:
            self._going.append(self._start(now))

    def _start(self, now: datetime) -> _Going:
        busy = {run.member.job for run in self._going}
        member = next(member for member in self._waiting if member.job not in busy)
        run_id = self._writer.start_run(member.job, member.source, member.host, now)
        seconds = self._random.uniform(_SHORTEST, _LONGEST)
        return _Going(run_id, member, now, now + timedelta(seconds=seconds), next(self._ends))

    def _finish(self, run: _Going, now: datetime) -> None:
        if run.end is _End.FAIL:
            self._writer.fail_run(run.id, now)
            return
        size = usual_size(run.member, 0, self._random.random(), _JUMP if run.end is _End.JUMP else 1.0)
        job, start = run.member.job, f"{run.start:%Y-%m-%d %H:%M:%S}"
        row = RunRow(
            run.id,
            run_name(job, start),
            Status.FINISHED.value,
            run.member.source,
            run.member.host,
            job.type,
            job.section,
            start,
            f"{now:%Y-%m-%d %H:%M:%S}",
            size,
        )
        self._writer.finish_run(run.id, now, size, files_of(row, _FILES))
