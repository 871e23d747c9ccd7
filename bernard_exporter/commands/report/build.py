"""Selects the contents of the report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.model import BackupType, Job, Rank, Run
from bernard_exporter.domain.policy import BUILT_IN, Limits, size_change
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot, worst_first
from bernard_exporter.queries.events import Event, EventOutcome
from bernard_exporter.queries.jobs import find_jobs
from bernard_exporter.queries.timeline import LONGEST, timeline

# The period in which wmfbackups' check_dbbackup_time.py looks for long runs.
WEEK = timedelta(days=7)
# The duration of a run that failed without an end is unknown.
_ONGOING = (EventOutcome.ONGOING, EventOutcome.ABANDONED)
# The limit for jobs that the policy does not expect.
_USUAL = BUILT_IN[BackupType.DUMP]


@dataclass(frozen=True, slots=True)
class LongRun:
    """A run that took or is taking longer than its limit.

    Attributes:
        outcome: its outcome.
        seconds: its duration so far.
        limit: the limit in seconds.
    """

    job: Job
    run: Run
    outcome: EventOutcome
    seconds: float
    limit: float

    @property
    def is_ongoing(self) -> bool:
        """Return whether it is still in progress."""
        return self.outcome in _ONGOING


@dataclass(frozen=True, slots=True)
class NotStarted:
    """A due time for which no run started in time.

    Attributes:
        late: the first late run; None if there is none.
        overdue: whether the job is still overdue.
    """

    job: Job
    due: datetime
    late: Run | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Resized:
    """A success whose size differs too much from the previous one.

    Attributes:
        change: the change as a ratio of the previous size.
    """

    job: Job
    newest: Run
    previous: Run
    change: float


@dataclass(frozen=True, slots=True)
class Report:
    """The contents of a report.

    Attributes:
        since: the start of the period for failures, missed runs and size changes.
        long_since: the start of the period for long runs.
        not_started: missed due times in the period, and those of jobs that are still overdue, however long ago.
        not_fresh: jobs that are not fresh, worst first.
        truncated: jobs that have far too many runs; only the newest are reported.
    """

    now: datetime
    since: datetime
    long_since: datetime
    long: tuple[LongRun, ...]
    failed: tuple[Event, ...]
    not_started: tuple[NotStarted, ...]
    resized: tuple[Resized, ...]
    not_fresh: tuple[JobStatus, ...]
    truncated: tuple[Job, ...] = ()

    @property
    def empty(self) -> bool:
        """Return whether there is nothing to report."""
        return not (self.long or self.failed or self.not_started or self.resized or self.not_fresh or self.truncated)


def make_report(
    connection: Connection,
    snapshot: Snapshot,
    now: datetime,
    since: datetime,
    longest: float | None = None,
    job_filter: NameFilter = NameFilter(),  # noqa: B008 - frozen
) -> Report:
    """Return the contents of the report.

    Args:
        connection: an open connection.
        snapshot: the inventory, evaluated.
        now: the current time, with a time zone.
        since: the start of the period, with a time zone, at most 31 days ago; at least a week is used for long runs.
        longest: seconds above which a run is long; None for the limit of each job.
        job_filter: the filter of jobs.

    Raises:
        FilterError: the period has too many due times or runs.
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    long_since = min(since, now - WEEK)
    jobs = find_jobs(snapshot, job_filter)
    end = now + timedelta(seconds=1)
    # A due time that was missed in the period may be before it.
    begin = max(min(long_since, since - _longest_wait(jobs)), end - LONGEST)
    events = timeline(connection, snapshot, job_filter, begin, end, now)
    limits = {status.job: status.limits or _USUAL for status in jobs}
    return Report(
        now=now,
        since=since,
        long_since=long_since,
        long=tuple(
            run for event in _begun(events, long_since) if (run := _long(event, limits[event.job], longest, now))
        ),
        failed=tuple(event for event in events if event.outcome is EventOutcome.FAILED and _ended(event) >= since),
        not_started=tuple(_not_started(jobs, events, since)),
        resized=tuple(_resized(jobs, since)),
        not_fresh=tuple(status for status in worst_first(jobs) if status.rank is not Rank.OK),
        truncated=tuple(sorted({event.job for event in events if event.truncated})),
    )


def _longest_wait(jobs: Iterable[JobStatus]) -> timedelta:
    return timedelta(seconds=max((status.due.start_within for status in jobs if status.due), default=0.0))


def _not_started(jobs: Iterable[JobStatus], events: Iterable[Event], since: datetime) -> list[NotStarted]:
    """Return the due times that were missed since then, and those of jobs that are overdue, oldest first."""
    expected = {status.job: status.due for status in jobs if status.due}
    late: dict[tuple[Job, datetime], Run] = {}
    missed = {(job, due.overdue) for job, due in expected.items() if due.overdue}
    for event in events:
        if event.late_for and event.run:
            late.setdefault((event.job, event.late_for), event.run)
        if event.outcome is EventOutcome.MISSED and event.due:
            deadline = event.due + timedelta(seconds=expected[event.job].start_within)
            missed |= {(event.job, event.due)} if deadline >= since else set()
    not_started = [NotStarted(job, due, late.get((job, due)), due == expected[job].overdue) for job, due in missed]
    return sorted(not_started, key=lambda one: (one.due, one.job))


def _begun(events: Iterable[Event], since: datetime) -> Iterator[Event]:
    return (event for event in events if event.run and event.run.start and event.run.start >= since)


def _long(event: Event, limits: Limits, longest: float | None, now: datetime) -> LongRun | None:
    run = event.run
    if run is None or run.start is None:
        return None
    seconds = (now - run.start).total_seconds() if event.outcome in _ONGOING else run.duration
    limit = limits.max_duration if longest is None else longest
    if seconds is None or seconds <= limit:
        return None
    return LongRun(event.job, run, event.outcome, seconds, limit)


def _ended(event: Event) -> datetime:
    return event.run.end if event.run and event.run.end else event.time


def _resized(jobs: Iterable[JobStatus], since: datetime) -> list[Resized]:
    resized = []
    for status in jobs:
        newest, previous, limits = status.newest, status.previous, status.limits
        if not (limits and newest and previous and newest.start and newest.start >= since):
            continue
        change, limit = size_change(newest.size, previous.size), limits.size_change_warning
        if change is not None and limit is not None and abs(change) > limit:
            resized.append(Resized(status.job, newest, previous, change))
    return sorted(resized, key=lambda item: -abs(item.change))
