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


class Retained(NamedTuple):
    """Successes on one destination host: how many, and their bytes as far as sizes are known."""

    backups: int
    bytes: int


class Band(NamedTuple):
    """The sizes in bytes between which the next success is to be expected."""

    lower: float
    upper: float


class History:
    """The successes of a job from the oldest, 24 bytes each: starts, sizes and hosts."""

    __slots__ = ("_hosts", "_names", "_sizes", "_starts")

    def __init__(self, successes: Iterable[Run] = ()) -> None:
        """Keep what is needed of ``successes``, given oldest first."""
        self._starts = array("q")
        self._sizes = array("q")
        self._hosts = array("q")
        self._names: list[str] = []
        for run in successes:
            self._starts.append(int(run.start.timestamp()) if run.start else 0)
            self._sizes.append(_UNKNOWN_SIZE if run.size is None else run.size)
            if run.host not in self._names:
                self._names.append(run.host)
            self._hosts.append(self._names.index(run.host))

    def __len__(self) -> int:
        return len(self._starts)

    def retained(self, since: datetime) -> dict[str, Retained]:
        """Return what each host keeps of the successes that started at ``since`` or later."""
        kept: dict[str, Retained] = {}
        for index in range(self._first(since), len(self)):
            host = self._names[self._hosts[index]]
            before = kept.get(host, Retained(0, 0))
            kept[host] = Retained(before.backups + 1, before.bytes + max(self._sizes[index], 0))
        return kept

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
