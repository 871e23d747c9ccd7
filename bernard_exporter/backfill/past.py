"""Walk through the past: every run begins when it began, ends when it ended, and is not known before."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy.engine import Connection

from bernard_exporter.backfill.job import JobPast
from bernard_exporter.inventory.counts import Counts, StartKind
from bernard_exporter.model import Job, Run, Status
from bernard_exporter.policy import Policy
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

# Runs held in memory, over all the scans of the index that are merged; and the least that one statement fetches.
_HELD = 8_000
_LEAST_PAGE = 20


def runs_by_start(
    connection: Connection, counts: Counts, policy: Policy, wanted: Callable[[Job], bool]
) -> Iterator[tuple[Job, Run]]:
    """Yield the runs of all wanted jobs that have a known start, oldest first, each with its job.

    One scan of the index for each pair and status, merged: no statement sorts.
    """
    scans: dict[Pair, set[str]] = defaultdict(set)
    for key in counts.rows:
        if key.start is StartKind.USABLE and wanted(key.job):
            unknown = key.status is Status.UNKNOWN
            scans[Pair(key.job.type, key.job.section)] |= counts.raw_unknown if unknown else {key.status.value}
    limit = max(_LEAST_PAGE, _HELD // max(1, sum(map(len, scans.values()))))
    streams = [
        reader.climb(connection, pair, status, limit) for pair, statuses in scans.items() for status in sorted(statuses)
    ]
    datacenter = cache(policy.datacenter)
    for run in heapq.merge(*streams, key=lambda run: run.order):
        job = Job(run.section, run.type, datacenter(run.host))
        if wanted(job):
            yield job, run


class Past:
    """The jobs as they were at one moment, which only moves forward."""

    def __init__(self, runs: Iterator[tuple[Job, Run]], policy: Policy, wanted: Callable[[Job], bool]) -> None:
        """Stand before the first of ``runs``, which come oldest first."""
        self._policy = policy
        self._runs = runs
        self._next = next(runs, None)
        self._ends: list[tuple[float, int, Job, Run]] = []
        self.jobs = {job: JobPast(limits) for job, limits in policy.expected.items() if wanted(job)}
        self.newest_start: float | None = None

    @property
    def next_start(self) -> float | None:
        """When the next run begins, seconds since 1970; None when all have."""
        return self._next[1].order[0] if self._next else None

    def advance(self, now: datetime) -> None:
        """Let everything happen that happened until ``now``."""
        moment = now.timestamp()
        while True:
            begins = self._next and self._next[1].order[0] <= moment
            ends = self._ends and self._ends[0][0] <= moment
            # Of one second the beginnings first, so that a run that begins is known to one that ends.
            if self._next and begins and not (ends and self._ends[0][0] < self._next[1].order[0]):
                job, run = self._next
                self._begin(job, run, now)
                self._next = next(self._runs, None)
            elif ends:
                _, _, job, run = heapq.heappop(self._ends)
                self.jobs[job].end(run, now)
            else:
                return

    def _begin(self, job: Job, run: Run, now: datetime) -> None:
        if job not in self.jobs:
            self.jobs[job] = JobPast()
        self.newest_start = run.order[0]
        ends_later = run.status is not Status.ONGOING and bool(run.duration)
        if ends_later and run.end:
            heapq.heappush(self._ends, (run.end.timestamp(), run.id, job, run))
            run = replace(run, status=Status.ONGOING, end=None, size=None, rejected=frozenset(), recorded_status="")
        self.jobs[job].begin(run, now, ends_later)
