"""The evidence for an auditor: every run of a range of time, and how long each job met its objective."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy.engine import Connection

from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.model import Job, Run, Status
from bernard_exporter.domain.objective import ObjectiveMeter
from bernard_exporter.domain.policy import Policy
from bernard_exporter.queries.documents import run_document, time_text
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

# Runs of one status in memory at a time.
_HELD = 500


class JobEvidence:
    """The counts of runs of a job and its objective."""

    def __init__(self, job: Job, policy: Policy, since: datetime, now: datetime) -> None:
        """Start without runs."""
        self.job = job
        self._policy, self._now, self._since = policy, now, since
        limits = policy.expected.get(job)
        self._from = max(since, limits.expected_from or since) if limits else since
        self._objective = limits.max_age if limits else None
        self._meter = ObjectiveMeter(limits.max_age, self._from.timestamp(), now.timestamp()) if limits else None
        self._runs = dict.fromkeys(Status, 0)

    def add(self, run: Run) -> None:
        """Add the next run, by start."""
        if run.start and run.start >= self._since:
            self._runs[run.status] += 1
        if self._meter and run.start and run.end and run.is_success(self._now):
            self._meter.add(run.start.timestamp(), run.end.timestamp())

    def document(self) -> dict[str, Any]:
        """Return what was found; the objective of a job that the policy does not expect is None."""
        return {
            "section": self.job.section,
            "type": self.job.type,
            "datacenter": self.job.datacenter,
            "expected": self._objective is not None,
            "from": time_text(self._from),
            "to": time_text(self._now),
            "objective": self._objective,
            "met_ratio": self._meter.ratio if self._meter else None,
            "runs": sum(self._runs.values()),
            **{status.value: count for status, count in self._runs.items()},
        }


class Evidence:
    """Reads the runs of a range, which is the only pass, and measures the jobs meanwhile.

    Attributes:
        jobs: each job with its evidence; complete once all runs were read.
    """

    def __init__(
        self, connection: Connection, policy: Policy, since: datetime, now: datetime, job_filter: NameFilter
    ) -> None:
        """Read nothing yet.

        Args:
            connection: an open connection.
            policy: the expected jobs, and the data centres of hosts.
            since: the start of the range, with a time zone.
            now: its end.
            job_filter: the filter of jobs.
        """
        self._connection, self._policy, self._filter = connection, policy, job_filter
        self.since, self.now = since, now
        self.jobs = {job: self._evidence(job) for job in policy.expected if self._matches(job)}

    def runs(self) -> Iterator[dict[str, Any]]:
        """Yield the runs that started in the range, by type, section and start, as documents."""
        datacenter = cache(self._policy.datacenter)
        for pair, statuses in sorted(reader.statuses(self._connection).items()):
            if not self._may_match(pair):
                continue
            for run in self._of_pair(pair, statuses):
                job = Job(run.section, run.type, datacenter(run.host))
                if not self._matches(job) or run.start is None or run.start > self.now:
                    continue
                if job not in self.jobs and run.start >= self.since:
                    self.jobs[job] = self._evidence(job)
                if job in self.jobs:
                    self.jobs[job].add(run)
                if run.start >= self.since:
                    yield run_document(run, job.datacenter)

    def _of_pair(self, pair: Pair, statuses: set[str]) -> Iterator[Run]:
        """Yield the runs of a pair by start, from the first on that can still be fresh when the range begins."""
        longest = max(
            (limits.max_age for job, limits in self._policy.expected.items() if (job.type, job.section) == pair),
            default=0.0,
        )
        begin = self.since.timestamp()
        scans = [
            reader.runs_oldest_first(
                self._connection, pair, status, _HELD, max(2, int(begin - (longest if _may_succeed(status) else 0)))
            )
            for status in sorted(statuses)
        ]
        return heapq.merge(*scans, key=lambda run: run.order)

    def _evidence(self, job: Job) -> JobEvidence:
        return JobEvidence(job, self._policy, self.since, self.now)

    def _may_match(self, pair: Pair) -> bool:
        wanted = self._filter
        return (not wanted.section or pair.section in wanted.section) and (not wanted.type or pair.type in wanted.type)

    def _matches(self, job: Job) -> bool:
        wanted = self._filter.datacenter
        return self._may_match(Pair(job.type, job.section)) and (not wanted or job.datacenter in wanted)


def _may_succeed(status: str) -> bool:
    return status == Status.FINISHED.value
