"""Choose what is worth a line in the report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.jobs import find_jobs
from bernard_exporter.inspection.timeline import Event, Outcome, timeline
from bernard_exporter.model import BackupType, Job, Rank, Run
from bernard_exporter.policy import BUILT_IN, Limits, size_change
from bernard_exporter.snapshot import JobStatus, Snapshot, worst_first

# As far back as wmfbackups' check_dbbackup_time.py looks for long runs.
WEEK = timedelta(days=7)
# A run that failed without an end took nobody knows how long.
_GOING = (Outcome.ONGOING, Outcome.ABANDONED)
# For jobs that the policy does not expect.
_USUAL = BUILT_IN[BackupType.DUMP]


@dataclass(frozen=True, slots=True)
class LongRun:
    """A run that took, or is taking, longer than it may.

    Attributes:
        outcome: what became of it.
        seconds: how long it took, or has taken.
        limit: seconds it may take.
    """

    job: Job
    run: Run
    outcome: Outcome
    seconds: float
    limit: float

    @property
    def going(self) -> bool:
        """Tell whether it has not ended."""
        return self.outcome in _GOING


@dataclass(frozen=True, slots=True)
class Resized:
    """A success whose size is far from that of the one before.

    Attributes:
        change: ratio of the size before.
    """

    job: Job
    newest: Run
    previous: Run
    change: float


@dataclass(frozen=True, slots=True)
class Report:
    """Everything worth a line.

    Attributes:
        since: when failures, missed runs and changes of size are told of from.
        long_since: the same for long runs.
        missed: runs that were due and did not start.
        bad: jobs that are not fresh, the worst first.
    """

    now: datetime
    since: datetime
    long_since: datetime
    long: tuple[LongRun, ...]
    failed: tuple[Event, ...]
    missed: tuple[Event, ...]
    resized: tuple[Resized, ...]
    bad: tuple[JobStatus, ...]

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to report."""
        return not (self.long or self.failed or self.missed or self.resized or self.bad)


def make_report(
    connection: Connection,
    snapshot: Snapshot,
    now: datetime,
    since: datetime,
    longest: float | None = None,
    wanted: JobFilter = JobFilter(),  # noqa: B008 - frozen
) -> Report:
    """Return what is worth a line.

    Args:
        connection: an open connection.
        snapshot: the inventory, judged.
        now: aware.
        since: aware, at most 31 days ago; long runs are looked for over a week at least.
        longest: seconds above which a run is long; None for what the policy says of its job.
        wanted: which jobs to report on.

    Raises:
        FilterError: too much was due since then.
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    long_since = min(since, now - WEEK)
    events = timeline(connection, snapshot, wanted, long_since, now + timedelta(seconds=1), now)
    jobs = find_jobs(snapshot, wanted)
    limits = {status.job: status.limits or _USUAL for status in jobs}
    return Report(
        now=now,
        since=since,
        long_since=long_since,
        long=tuple(run for event in events if (run := _long(event, limits[event.job], longest, now))),
        failed=tuple(event for event in events if event.outcome is Outcome.FAILED and _ended(event) >= since),
        missed=tuple(event for event in events if event.outcome is Outcome.MISSED and event.time >= since),
        resized=tuple(_resized(jobs, since)),
        bad=tuple(status for status in worst_first(jobs) if status.rank is not Rank.OK),
    )


def _long(event: Event, limits: Limits, longest: float | None, now: datetime) -> LongRun | None:
    run = event.run
    if run is None or run.start is None:
        return None
    seconds = (now - run.start).total_seconds() if event.outcome in _GOING else run.duration
    limit = limits.max_duration if longest is None else longest
    if seconds is None or seconds <= limit:
        return None
    return LongRun(event.job, run, event.outcome, seconds, limit)


def _ended(event: Event) -> datetime:
    return event.run.end if event.run and event.run.end else event.time


def _resized(jobs: Iterable[JobStatus], since: datetime) -> list[Resized]:
    found = []
    for status in jobs:
        newest, previous, limits = status.newest, status.previous, status.limits
        if not (limits and newest and previous and newest.start and newest.start >= since):
            continue
        change = size_change(newest.size, previous.size)
        if change is not None and abs(change) > limits.size_change_warning:
            found.append(Resized(status.job, newest, previous, change))
    return sorted(found, key=lambda resized: -abs(resized.change))
