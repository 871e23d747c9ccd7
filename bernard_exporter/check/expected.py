"""The state of every job that the policy expects, by its newest successes alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.check.successes import finished
from bernard_exporter.model import RANK, Job, Rank, Run
from bernard_exporter.policy import Policy, Verdict, judge
from bernard_exporter.store.reader import Pair


@dataclass(frozen=True, slots=True)
class Judged:
    """A job and what the policy says of it."""

    job: Job
    verdict: Verdict

    @property
    def rank(self) -> Rank:
        """How bad its state is."""
        return RANK[self.verdict.state]


def judge_expected(connection: Connection, policy: Policy, now: datetime) -> list[Judged]:
    """Return the state of each expected job, the same that a survey of the whole inventory finds.

    A survey counts every run. Here a few rows of each type and section are read, and more of those alone that expect a
    backup in a data centre where there is none.

    Args:
        connection: an open connection.
        policy: says what is expected, and where hosts are.
        now: aware.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    pairs: dict[Pair, list[Job]] = defaultdict(list)
    for job in policy.expected:
        pairs[Pair(job.type, job.section)].append(job)
    judged = []
    for pair, jobs in pairs.items():
        for job, runs in _newest_two(connection, pair, jobs, policy, now).items():
            newest, previous = [*runs, None, None][:2]
            judged.append(Judged(job, judge(policy.expected[job], newest, previous, now)))
    return judged


def _newest_two(
    connection: Connection, pair: Pair, jobs: list[Job], policy: Policy, now: datetime
) -> dict[Job, list[Run]]:
    """Return the newest successes of jobs of one type and section: two, or as many as there are."""
    found: dict[Job, list[Run]] = {job: [] for job in jobs}
    wanted = 2 * len(jobs)
    for run in finished(connection, pair):
        mine = found.get(Job(pair.section, pair.type, policy.datacenter(run.host)))
        if mine is not None and len(mine) < 2 and run.is_success(now):
            mine.append(run)
            wanted -= 1
            if not wanted:
                break
    return found
