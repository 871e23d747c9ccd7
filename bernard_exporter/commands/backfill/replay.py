"""Replays the history: every run starts and ends at its recorded times and is unknown before."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy.engine import Connection

from bernard_exporter.commands.backfill.job import JobReplay
from bernard_exporter.domain.model import Job, Run, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.row_counts import RowCounts, StartKind
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

# Runs held in memory for all merged index scans, and the minimum that one statement fetches.
_HELD = 8_000
_LEAST_PAGE = 20


def runs_by_start(
    connection: Connection, counts: RowCounts, policy: Policy, is_included: Callable[[Job], bool]
) -> Iterator[tuple[Job, Run]]:
    """Yield all runs of the selected jobs with a known start, oldest first, each with its job.

    It merges one index scan for each pair and status, so that no statement sorts.
    """
    scans: dict[Pair, set[str]] = defaultdict(set)
    for key in counts.rows:
        if key.start is StartKind.USABLE and is_included(key.job):
            unknown = key.status is Status.UNKNOWN
            scans[Pair(key.job.type, key.job.section)] |= counts.raw_unknown if unknown else {key.status.value}
    limit = max(_LEAST_PAGE, _HELD // max(1, sum(map(len, scans.values()))))
    streams = [
        reader.runs_oldest_first(connection, pair, status, limit)
        for pair, statuses in scans.items()
        for status in sorted(statuses)
    ]
    datacenter = cache(policy.datacenter)
    for run in heapq.merge(*streams, key=lambda run: run.order):
        job = Job(run.section, run.type, datacenter(run.host))
        if is_included(job):
            yield job, run


class Replay:
    """The jobs as of a time in the past, which only moves forward."""

    def __init__(self, runs: Iterator[tuple[Job, Run]], policy: Policy, is_included: Callable[[Job], bool]) -> None:
        """Start before the first of ``runs``, which must be sorted oldest first."""
        self._policy = policy
        self._runs = runs
        self._next = next(runs, None)
        self._ends: list[tuple[float, int, Job, Run]] = []
        self.jobs = {job: JobReplay(limits) for job, limits in policy.expected.items() if is_included(job)}
        self.newest_start: float | None = None
        self.newest_event = 0.0

    @property
    def next_start(self) -> float | None:
        """The start of the next run in seconds since 1970; None if all have started."""
        return self._next[1].order[0] if self._next else None

    def advance(self, now: datetime) -> None:
        """Apply all starts and ends up to ``now``."""
        moment = now.timestamp()
        while True:
            begins = self._next and self._next[1].order[0] <= moment
            ends = self._ends and self._ends[0][0] <= moment
            # Within a second, starts come before ends, so that a run that ends has been added.
            if self._next and begins and not (ends and self._ends[0][0] < self._next[1].order[0]):
                job, run = self._next
                self._begin(job, run, now)
                self._next = next(self._runs, None)
            elif ends:
                _, _, job, run = heapq.heappop(self._ends)
                self._note_event(run.end)
                self.jobs[job].end(run, now)
            else:
                return

    def _begin(self, job: Job, run: Run, now: datetime) -> None:
        if job not in self.jobs:
            self.jobs[job] = JobReplay()
        self.newest_start = run.order[0]
        self._note_event(run.start)
        ends_later = run.status is not Status.ONGOING and bool(run.duration)
        if ends_later and run.end:
            heapq.heappush(self._ends, (run.end.timestamp(), run.id, job, run))
            run = replace(run, status=Status.ONGOING, end=None, size=None, rejected=frozenset(), recorded_status="")
        elif run.status is not Status.ONGOING:
            self._note_event(run.end)
        self.jobs[job].begin(run, now, ends_later)

    def _note_event(self, moment: datetime | None) -> None:
        if moment is not None:
            self.newest_event = max(self.newest_event, moment.timestamp())
