"""The record of one job in the inventory."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import NamedTuple

from bernard_exporter.domain.model import Order, Run
from bernard_exporter.domain.retention import LatestEnds, is_expired

# The number of successes before the newest that the expected size is computed from, and the minimum number for it.
BAND_RUNS = 10
BAND_MIN_RUNS = 4
# Scales the median absolute deviation to the standard deviation of a normal distribution.
_MAD_TO_SIGMA = 1.4826
_UNKNOWN_SIZE = -1
_FORGET_AT_ONCE = 256


class Retained(NamedTuple):
    """The number of successes on a destination host, and the sum of their known sizes in bytes."""

    backups: int
    bytes: int


class Band(NamedTuple):
    """The expected range of the size of the next success, in bytes."""

    lower: float
    upper: float


class SuccessHistory:
    """The successes of a job sorted by start; 28 bytes each for start, id, size and host.

    The sums of retained successes are updated incrementally.
    """

    __slots__ = (
        "_begin",
        "_end",
        "_ends",
        "_host_names",
        "_hosts",
        "_ids",
        "_latest_end",
        "_retained",
        "_retained_by_host",
        "_retention",
        "_sizes",
        "_starts",
    )

    def __init__(self, retention: float | None = None, successes: Iterable[Run] = ()) -> None:
        """Add ``successes``, which are retained for ``retention`` seconds; None if the policy sets no retention."""
        self._retention = retention
        self._starts = array("q")
        self._ids = array("q")
        self._sizes = array("q")
        self._hosts = array("I")
        self._host_names: list[str] = []
        # The index of the oldest retained success.
        self._retained = 0
        self._ends = LatestEnds()
        self._latest_end = -math.inf
        # _retained_by_host has the sums of the successes from _begin to before _end.
        self._begin = self._end = 0
        self._retained_by_host: dict[str, Retained] = {}
        for run in successes:
            self.add(run)

    def __len__(self) -> int:
        return len(self._starts)

    def copy(self) -> SuccessHistory:
        """Return a copy that can be changed apart from this one."""
        other = SuccessHistory(self._retention)
        for name in ("_starts", "_ids", "_sizes", "_hosts", "_host_names"):
            setattr(other, name, getattr(self, name)[:])
        other._ends, other._latest_end = self._ends.copy(), self._latest_end
        other._retained, other._begin, other._end, other._retained_by_host = (
            self._retained,
            self._begin,
            self._end,
            self._retained_by_host,
        )
        return other

    def add(self, run: Run) -> None:
        """Add a success, sorted by start and id, or the new size of one that was added before."""
        start = int(run.start.timestamp()) if run.start else 0
        index = bisect_right(self._starts, start)
        while index and self._starts[index - 1] == start and self._ids[index - 1] > run.id:
            index -= 1
        if index and self._ids[index - 1] == run.id:
            self._resize(index - 1, run)
            return
        if run.host not in self._host_names:
            self._host_names.append(run.host)
        self._starts.insert(index, start)
        self._ids.insert(index, run.id)
        self._sizes.insert(index, _UNKNOWN_SIZE if run.size is None else run.size)
        self._hosts.insert(index, self._host_names.index(run.host))
        if index < self._begin:
            self._begin += 1
            self._end += 1
        elif index < self._end:
            self._end += 1
            self._count(range(index, index + 1), 1)
        self._expire(index, run)

    def _resize(self, index: int, run: Run) -> None:
        """Change the size of a success."""
        is_counted = self._begin <= index < self._end
        if is_counted:
            self._count(range(index, index + 1), -1)
        self._sizes[index] = _UNKNOWN_SIZE if run.size is None else run.size
        if is_counted:
            self._count(range(index, index + 1), 1)

    def _expire(self, index: int, run: Run) -> None:
        """Update the index of the oldest retained success after ``run`` was inserted."""
        if run.end is None:
            return
        end = run.end.timestamp()
        self._latest_end = max(self._latest_end, end)
        if self._retention is None:
            return
        # Successes older than an expired one have expired as well.
        newer = self._ends.after(run.order)
        if index < self._retained or (
            index == self._retained and is_expired(self._starts[index], newer, self._retention)
        ):
            self._retained += 1
        self._ends.add(run.order, end)
        first = bisect_left(self._starts, end - self._retention, 0, index)
        self._retained = max(self._retained, first)

    def forget(self) -> None:
        """Remove successes that are not retained and not needed for the band."""
        first = len(self) if self._retention is None else self._retained
        dropped = min(first, len(self) - BAND_RUNS - 1)
        # Only now and then, as removing moves all that remain.
        if dropped < max(_FORGET_AT_ONCE, len(self) // 2):
            return
        for values in (self._starts, self._ids, self._sizes, self._hosts):
            del values[:dropped]
        self._retained = max(0, self._retained - dropped)
        if dropped > self._begin:
            self._reset(0)
        else:
            self._begin, self._end = self._begin - dropped, self._end - dropped

    def retained(self) -> dict[str, Retained] | None:
        """Return the retained successes of each host; None if the policy sets no retention."""
        if self._retention is None:
            return None
        first = self._retained
        if not self._begin <= first <= self._end:
            self._reset(first)
        if first > self._begin:
            self._count(range(self._begin, first), -1)
        if len(self) > self._end:
            self._count(range(self._end, len(self)), 1)
        self._begin, self._end = first, len(self)
        return self._retained_by_host

    def _reset(self, index: int) -> None:
        self._begin = self._end = index
        self._retained_by_host = {}

    def _count(self, indexes: range, weight: int) -> None:
        """Add the successes at ``indexes`` to the sums, or subtract them with a weight of -1."""
        backups, sizes = [0] * len(self._host_names), [0] * len(self._host_names)
        span = slice(indexes.start, indexes.stop)
        for host, size in zip(self._hosts[span], self._sizes[span], strict=True):
            backups[host] += weight
            sizes[host] += weight * max(size, 0)
        # Copy on write: published snapshots still reference the old mapping.
        by_host = dict(self._retained_by_host)
        for name, count, size in zip(self._host_names, backups, sizes, strict=True):
            before = by_host.get(name, Retained(0, 0))
            by_host[name] = Retained(before.backups + count, before.bytes + size)
        self._retained_by_host = {host: retained for host, retained in by_host.items() if retained.backups}

    @property
    def latest_end(self) -> float:
        """The latest end of all added successes in seconds since 1970; minus infinity if there are none."""
        return self._latest_end

    def oldest(self) -> int | None:
        """Return the start of the oldest retained success in seconds since 1970; None if unknown."""
        is_known = self._retention is not None and len(self) > self._retained
        return self._starts[self._retained] if is_known else None

    def band(self) -> Band | None:
        """Return the median size before the newest, plus and minus three deviations; None for too few successes."""
        sizes = [size for size in self._sizes[-BAND_RUNS - 1 : -1] if size > 0]
        if len(sizes) < BAND_MIN_RUNS:
            return None
        middle = median(sizes)
        spread = 3 * _MAD_TO_SIGMA * median(abs(size - middle) for size in sizes)
        return Band(max(0.0, middle - spread), middle + spread)


@dataclass(frozen=True, slots=True)
class Record:
    """The summary of the runs of a job.

    Attributes:
        newest: the newest success.
        previous: the success before it.
        attempt: the newest run of any status.
        consecutive_failures: failed runs since the newest success, or in total if there is none.
        last_failure: start of the newest of them in seconds since 1970; None if there are none.
        ongoing: runs with status ``ongoing`` that are recent enough to end, oldest first.
        last_end_order: the order of the newest run that has ended; older ongoing runs are abandoned.
        unfollowed: the number of ongoing runs that can still end, are older than those in ``ongoing``, and are too many
            to follow; as of the last resync.
        unfollowed_since: the start of the oldest of them in seconds since 1970.
    """

    newest: Run | None = None
    previous: Run | None = None
    attempt: Run | None = None
    consecutive_failures: int = 0
    last_failure: float | None = None
    ongoing: tuple[Run, ...] = ()
    last_end_order: Order = (0.0, 0)
    history: SuccessHistory = field(default_factory=SuccessHistory)
    band: Band | None = None
    unfollowed: int = 0
    unfollowed_since: float = 0.0

    def in_progress(self, now: datetime) -> tuple[Run, ...]:
        """Return the ongoing runs that can still end, oldest first.

        It excludes runs that are older than the writer looks back, and runs older than one that has ended.
        """
        return tuple(run for run in self.ongoing if not run.is_abandoned(self.last_end_order, now))

    def watched(self) -> Iterable[Run]:
        """Yield the runs that the next poll must check for changes."""
        yield from (run for run in (self.newest, self.previous, self.attempt) if run)
        yield from self.ongoing
