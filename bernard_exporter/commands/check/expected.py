"""The state of jobs from their newest successes alone, which is all that a plugin reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.commands.check.successes import newest_two
from bernard_exporter.domain.model import RANK, Job, Rank, Run
from bernard_exporter.domain.policy import Limits, Policy, Verdict, judge, size_change
from bernard_exporter.store.reader import Pair


@dataclass(frozen=True, slots=True)
class JudgedJob:
    """A job, its newest two successes, and its verdict.

    Attributes:
        newest, previous: the newest two successes; None if there is no such success.
    """

    job: Job
    limits: Limits
    verdict: Verdict
    newest: Run | None
    previous: Run | None

    @property
    def rank(self) -> Rank:
        """The severity of its state."""
        return RANK[self.verdict.state]

    @property
    def size(self) -> int | None:
        """Size of the newest success in bytes; None if unknown."""
        return self.newest.size if self.newest else None

    @property
    def change(self) -> float | None:
        """Size change from the previous success as a ratio; None if there is nothing to compare with."""
        return size_change(self.size, self.previous.size if self.previous else None)

    def age(self, now: datetime) -> float | None:
        """Return the seconds since the start of the newest success; None without one."""
        return (now - self.newest.start).total_seconds() if self.newest and self.newest.start else None


def judge_jobs(connection: Connection, jobs: Mapping[Job, Limits], policy: Policy, now: datetime) -> list[JudgedJob]:
    """Return the state of each job, the same as that from the whole inventory.

    Only a few rows of each type and section are read; the server searches the others if a data centre lacks successes.

    Args:
        connection: an open connection.
        jobs: the jobs and their limits.
        policy: determines the data centre of hosts.
        now: the current time, with a time zone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    pairs: dict[Pair, list[Job]] = defaultdict(list)
    for job in jobs:
        pairs[Pair(job.type, job.section)].append(job)
    judged = []
    for pair, alike in pairs.items():
        for job, runs in newest_two(connection, pair, alike, policy, now).items():
            newest, previous = [*runs, None, None][:2]
            judged.append(JudgedJob(job, jobs[job], judge(jobs[job], newest, previous, now), newest, previous))
    return judged
