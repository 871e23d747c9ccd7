"""What the inventory knows of one job."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import NamedTuple

from bernard_exporter.model import Run, Status

# The writer looks for "its" ongoing row this far back (wmfbackups' BackupStatistics.py), so an older one never ends.
WRITER_FORGETS = timedelta(days=7)
# The successes before the newest that say which size to expect, and how many of them say too little.
BAND_RUNS = 10
BAND_MIN_RUNS = 4
# Makes the median absolute deviation of a normal distribution its standard deviation.
_MAD_TO_SIGMA = 1.4826
_UNKNOWN_SIZE = -1
_FORGET_AT_ONCE = 256


class Retained(NamedTuple):
    """Successes on one destination host: how many, and their bytes as far as sizes are known."""

    backups: int
    bytes: int


class Band(NamedTuple):
    """The sizes in bytes between which the next success is to be expected."""

    lower: float
    upper: float


class History:
    """The successes of a job by start, 28 bytes each: starts, ids, sizes and hosts.

    What is retained is summed up once and then followed as time goes on, so that asking costs what has changed.
    """

    __slots__ = ("_begin", "_end", "_hosts", "_ids", "_kept", "_names", "_sizes", "_starts")

    def __init__(self, successes: Iterable[Run] = ()) -> None:
        """Keep what is needed of ``successes``."""
        self._starts = array("q")
        self._ids = array("q")
        self._sizes = array("q")
        self._hosts = array("I")
        self._names: list[str] = []
        # The successes from _begin to before _end are those summed up in _kept.
        self._begin = self._end = 0
        self._kept: dict[str, Retained] = {}
        for run in successes:
            self.add(run)

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, run: Run) -> None:
        """Keep one more success, at its place by start and id."""
        start = int(run.start.timestamp()) if run.start else 0
        place = len(self)
        while place and (self._starts[place - 1], self._ids[place - 1]) > (start, run.id):
            place -= 1
        if run.host not in self._names:
            self._names.append(run.host)
        self._starts.insert(place, start)
        self._ids.insert(place, run.id)
        self._sizes.insert(place, _UNKNOWN_SIZE if run.size is None else run.size)
        self._hosts.insert(place, self._names.index(run.host))
        if place < self._begin:
            self._begin += 1
            self._end += 1
        elif place < self._end:
            self._end += 1
            self._count(range(place, place + 1), 1)

    def forget(self, since: datetime | None) -> None:
        """Drop the successes that started before ``since``, all for None, but those that the band needs."""
        first = len(self) if since is None else self._first(since)
        dropped = min(first, len(self) - BAND_RUNS - 1)
        # Now and then, for dropping moves all that stays.
        if dropped < max(_FORGET_AT_ONCE, len(self) // 2):
            return
        for values in (self._starts, self._ids, self._sizes, self._hosts):
            del values[:dropped]
        if dropped > self._begin:
            self._start_over(0)
        else:
            self._begin, self._end = self._begin - dropped, self._end - dropped

    def retained(self, since: datetime) -> dict[str, Retained]:
        """Return what each host keeps of the successes that started at ``since`` or later."""
        first = self._first(since)
        if not self._begin <= first <= self._end:
            self._start_over(first)
        if first > self._begin:
            self._count(range(self._begin, first), -1)
        if len(self) > self._end:
            self._count(range(self._end, len(self)), 1)
        self._begin, self._end = first, len(self)
        return self._kept

    def _start_over(self, place: int) -> None:
        self._begin = self._end = place
        self._kept = {}

    def _count(self, places: range, weight: int) -> None:
        """Add what is at ``places`` to what is summed up, or with a weight of -1 take it away."""
        backups, size = [0] * len(self._names), [0] * len(self._names)
        there = slice(places.start, places.stop)
        for host, known in zip(self._hosts[there], self._sizes[there], strict=True):
            backups[host] += weight
            size[host] += weight * max(known, 0)
        # Another mapping, for the last one is in somebody's hands.
        kept = dict(self._kept)
        for name, more, larger in zip(self._names, backups, size, strict=True):
            before = kept.get(name, Retained(0, 0))
            kept[name] = Retained(before.backups + more, before.bytes + larger)
        self._kept = {host: retained for host, retained in kept.items() if retained.backups}

    def oldest(self, since: datetime) -> int | None:
        """Return the start, in seconds since 1970, of the oldest success not older than ``since``."""
        first = self._first(since)
        return self._starts[first] if first < len(self) else None

    def band(self) -> Band | None:
        """Return the median of the sizes before the newest, three deviations to each side; None for too few."""
        sizes = [size for size in self._sizes[-BAND_RUNS - 1 : -1] if size > 0]
        if len(sizes) < BAND_MIN_RUNS:
            return None
        middle = median(sizes)
        spread = 3 * _MAD_TO_SIGMA * median(abs(size - middle) for size in sizes)
        return Band(max(0.0, middle - spread), middle + spread)

    def _first(self, since: datetime) -> int:
        return bisect_left(self._starts, int(since.timestamp()))


@dataclass(frozen=True, slots=True)
class Record:
    """What the runs of a job add up to.

    Attributes:
        newest: the newest success.
        previous: the success before it.
        attempt: the newest run of any status.
        consecutive_failures: failed runs since the newest success, or ever when there is none.
        ongoing: runs that say ongoing and are young enough to end, oldest first.
        last_end_order: the order of the newest run that has ended; an older ongoing one was abandoned.
    """

    newest: Run | None = None
    previous: Run | None = None
    attempt: Run | None = None
    consecutive_failures: int = 0
    ongoing: tuple[Run, ...] = ()
    last_end_order: tuple[float, int] = (0.0, 0)
    history: History = field(default_factory=History)
    band: Band | None = None

    def in_progress(self, now: datetime) -> tuple[Run, ...]:
        """Return the ongoing runs that can still end, oldest first.

        Not those older than the writer looks back, nor those that a newer run of the job has outlived.
        """
        return tuple(
            run
            for run in self.ongoing
            if run.start is not None and now - run.start <= WRITER_FORGETS and run.order > self.last_end_order
        )

    def watched(self) -> Iterable[Run]:
        """Yield the runs whose change or removal must be noticed at the next poll."""
        yield from (run for run in (self.newest, self.previous, self.attempt) if run)
        yield from self.ongoing


def has_ended(run: Run) -> bool:
    """Tell whether a run has come to an end of any kind."""
    return run.status in (Status.FINISHED, Status.FAILED, Status.DELETED)
