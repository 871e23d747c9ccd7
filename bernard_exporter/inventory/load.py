"""Read what the runs of some jobs add up to, by range scans of the index alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from sqlalchemy.engine import Connection

from bernard_exporter.inventory.counts import Counts, Key, StartKind
from bernard_exporter.inventory.record import BAND_RUNS, WRITER_FORGETS, History, Record, has_ended
from bernard_exporter.model import Job, Run, Status
from bernard_exporter.policy import Policy
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

_PAIRS_AT_ONCE = 50
_PAGE = 100
# Enough for the verdict, for the band, and for the success the band leaves out.
_WANTED = BAND_RUNS + 1
# How many rows of other data centres are skipped for the sake of the band alone.
_BAND_SEARCH = 1000
_HIGHEST_ID = 1 << 62


@dataclass(slots=True)
class _Rows:
    """The runs of a job that were read: successes, failed runs, ongoing ones, and the newest that says otherwise."""

    successes: list[Run] = field(default_factory=list)
    others: list[Run] = field(default_factory=list)


def load(
    connection: Connection, jobs: Iterable[Job], counts: Counts, policy: Policy, now: datetime
) -> tuple[dict[Job, Record], list[Run]]:
    """Return the records of ``jobs``, and the runs among them whose start is still to come.

    Args:
        connection: an open connection.
        jobs: which to load; each has at least one row in ``counts``.
        counts: how many rows of each kind there are, as of the same transaction.
        policy: says how far back successes are retained, and where hosts are.
        now: aware.
    """
    pairs: dict[Pair, list[Job]] = defaultdict(list)
    for job in jobs:
        pairs[Pair(job.type, job.section)].append(job)
    records: dict[Job, Record] = {}
    future: list[Run] = []
    ordered = iter(sorted(pairs))
    while chunk := list(islice(ordered, _PAIRS_AT_ONCE)):
        loader = _Loader(connection, counts, policy, now)
        loader.read_recent(chunk)
        future += loader.future
        for pair in chunk:
            for job in pairs[pair]:
                records[job] = loader.record(job)
    return records, future


class _Loader:
    """Reads the runs of a chunk of pairs, and fetches older ones for the jobs that need them."""

    def __init__(self, connection: Connection, counts: Counts, policy: Policy, now: datetime) -> None:
        self._connection = connection
        self._counts = counts
        self._policy = policy
        self._now = now
        self._rows: dict[Job, _Rows] = defaultdict(_Rows)
        self._recent = int((now - WRITER_FORGETS).timestamp())
        self.future: list[Run] = []

    def read_recent(self, pairs: Sequence[Pair]) -> None:
        """Read the finished runs within retention, and all others of the last days."""
        by_start: dict[int, list[Pair]] = defaultdict(list)
        for pair in pairs:
            by_start[self._retained_since(pair)].append(pair)
        for since, alike in by_start.items():
            for run in reader.runs_since(self._connection, alike, [Status.FINISHED.value], since):
                self._add(run)
        for run in reader.runs_since(self._connection, pairs, self._unfinished(), self._recent):
            self._add(run)

    def _retained_since(self, pair: Pair) -> int:
        jobs = (Job(pair.section, pair.type, datacenter) for datacenter in self._policy.datacenters)
        expected = (limits for job in jobs if (limits := self._policy.expected.get(job)))
        longest = max((limits.retention or 0.0 for limits in expected), default=0.0)
        return min(int(self._now.timestamp() - longest), self._recent)

    def _unfinished(self) -> list[str]:
        known = [status.value for status in (Status.ONGOING, Status.FAILED, Status.DELETED)]
        return known + sorted(self._counts.raw_unknown)

    def _job(self, run: Run) -> Job:
        return Job(run.section, run.type, self._policy.datacenter(run.host))

    def _add(self, run: Run) -> None:
        if run.start is not None and run.start > self._now:
            self.future.append(run)
            return
        rows = self._rows[self._job(run)]
        (rows.successes if run.is_success(self._now) else rows.others).append(run)

    def record(self, job: Job) -> Record:
        """Return what the runs of a job add up to."""
        rows = self._rows.pop(job, _Rows())
        rows.successes.sort(key=lambda run: run.order)
        if len(rows.successes) < _WANTED and self._has_older(job, len(rows.successes)):
            rows.successes = self._older_successes(job)
        newest = rows.successes[-1] if rows.successes else None
        failures = self._failures_since(job, newest, rows.others)
        others = rows.others + self._newest_of_each_other_status(job, newest)
        seen = others + rows.successes[-1:]
        history = History(rows.successes)
        return Record(
            newest=newest,
            previous=rows.successes[-2] if len(rows.successes) > 1 else None,
            attempt=max(seen, key=lambda run: run.order, default=None),
            consecutive_failures=failures,
            ongoing=self._ongoing(rows.others),
            last_end_order=max((run.order for run in seen if has_ended(run)), default=(0.0, 0)),
            history=history,
            band=history.band(),
        )

    def _has_older(self, job: Job, loaded: int) -> bool:
        return self._counts.rows[Key(job, Status.FINISHED, StartKind.USABLE)] > loaded

    def _older_successes(self, job: Job) -> list[Run]:
        """Return the newest successes of a job from as far back as they are; two at any cost, more at a small one."""
        found: list[Run] = []
        for skipped, run in enumerate(self._walk(job, Status.FINISHED)):
            if self._job(run) == job and run.is_success(self._now):
                found.append(run)
            if len(found) >= _WANTED or (len(found) >= 2 and skipped > _BAND_SEARCH):
                break
        return sorted(found, key=lambda run: run.order)

    def _failures_since(self, job: Job, newest: Run | None, recent: list[Run]) -> int:
        if newest is None:
            return self._counts.rows[Key(job, Status.FAILED, StartKind.USABLE)]
        if newest.order[0] >= self._recent:
            return sum(run.status is Status.FAILED and run.order > newest.order for run in recent)
        return sum(self._job(run) == job for run in self._walk(job, Status.FAILED, stop=newest.order))

    def _newest_of_each_other_status(self, job: Job, newest: Run | None) -> list[Run]:
        """Return the newest run of each status but success, where it may be newer than the newest success."""
        if newest is not None and newest.order[0] >= self._recent:
            return []
        stop = newest.order if newest else (0.0, 0)
        found: list[Run] = []
        for status in Status:
            if self._counts.newest.get(Key(job, status, StartKind.USABLE), 0) >= stop[0]:
                mine = (run for run in self._walk(job, status, stop) if self._job(run) == job)
                found += islice((run for run in mine if not run.is_success(self._now)), 1)
        return found

    def _ongoing(self, others: list[Run]) -> tuple[Run, ...]:
        return tuple(sorted((r for r in others if r.status is Status.ONGOING), key=lambda run: run.order))

    def _walk(self, job: Job, status: Status, stop: tuple[float, int] = (0.0, 0)) -> Iterator[Run]:
        """Yield the runs of the job's pair with a status and a usable start, newest first, down to ``stop``."""
        newest = self._counts.newest.get(Key(job, status, StartKind.USABLE))
        if newest is None:
            return
        raw = sorted(self._counts.raw_unknown) if status is Status.UNKNOWN else [status.value]
        for text in raw:
            before = (newest, _HIGHEST_ID)
            while page := reader.walk(self._connection, Pair(job.type, job.section), text, before, _PAGE):
                for run in page:
                    if run.start is None or run.order <= stop:
                        break
                    yield run
                else:
                    before = (int(page[-1].order[0]), page[-1].id)
                    continue
                break
