"""The verdict that wmfbackups' ``check_mariadb_backups.py`` gives of one job, straight from the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice

from sqlalchemy.engine import Connection

from bernard_exporter.check.successes import finished
from bernard_exporter.model import RANK, Job, Rank, Run
from bernard_exporter.policy import Limits, Policy, Verdict, judge, size_change
from bernard_exporter.store.reader import Pair
from bernard_exporter.store.schema import UNKNOWN_START

# A start that nobody wrote is the schema's default, which is very old.
_NEVER_WRITTEN = datetime.fromtimestamp(UNKNOWN_START, UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a job.

    Attributes:
        age: seconds since the newest success started; None without one.
        size: bytes of the newest success; None while it is not known.
        change: ratio of the size before it; None without one to compare with.
    """

    job: Job
    limits: Limits
    verdict: Verdict
    age: float | None
    size: int | None
    change: float | None

    @property
    def rank(self) -> Rank:
        """How bad it is."""
        return RANK[self.verdict.state]


def check_job(connection: Connection, job: Job, limits: Limits, policy: Policy, now: datetime) -> Finding:
    """Return the predecessor's verdict of a job.

    It is the exporter's own, but for what the predecessor takes otherwise: a start that is unknown is very old, one
    in the future counts, and a size of NULL is 0 (which without a least size is not too small).

    Args:
        connection: an open connection.
        job: what to check.
        limits: what to hold it to.
        policy: says where hosts are.
        now: aware.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    runs = list(islice(_successes(connection, job, policy), 2))
    newest, previous = [*(_as_the_predecessor_reads(run, limits) for run in runs), None, None][:2]
    return Finding(
        job=job,
        limits=limits,
        verdict=judge(limits, newest, previous, now),
        age=(now - newest.start).total_seconds() if newest and newest.start else None,
        size=runs[0].size if runs else None,
        change=size_change(runs[0].size, runs[1].size) if len(runs) > 1 else None,
    )


def _successes(connection: Connection, job: Job, policy: Policy) -> Iterator[Run]:
    runs = finished(connection, Pair(job.type, job.section))
    return (run for run in runs if policy.datacenter(run.host) == job.datacenter)


def _as_the_predecessor_reads(run: Run, limits: Limits) -> Run:
    size = 0 if run.size is None and not limits.min_size else run.size
    return replace(run, start=run.start or _NEVER_WRITTEN, size=size)
