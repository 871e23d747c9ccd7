"""The due times and runs in a time range, with their outcome."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from bernard_exporter.domain.due import EARLY
from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import FilterError
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.queries.events import Event, events_of
from bernard_exporter.queries.jobs import find_jobs
from bernard_exporter.queries.run_range import RunRange
from bernard_exporter.store.reader import Pair
from bernard_exporter.store.run_ranges import Starts

LONGEST = timedelta(days=31)
MOST_DUE = 20_000


def timeline(
    connection: Connection, snapshot: Snapshot, criteria: NameFilter, start: datetime, end: datetime, now: datetime
) -> list[Event]:
    """Return the due times and runs from ``start`` to before ``end``, oldest first.

    A run belongs to the newest due time not later than 15 minutes after its start. If several do, the due time gets the
    first success, or else the newest run in progress, or else the newest failed one; the others are separate events.
    If a job has far too many runs, only the newest of each status are listed, and its events are ``truncated``.

    Args:
        connection: an open connection.
        snapshot: the jobs, their schedules and data centres.
        criteria: the filter of jobs.
        start: the start of the range, with a time zone.
        end: the end of the range, at most 31 days later, with a time zone.
        now: the current time, with a time zone.

    Raises:
        FilterError: the range is invalid, or has too many due times or runs.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    _check(start, end)
    jobs = find_jobs(snapshot, criteria)
    due = _due(jobs, start, end)
    reading = _read(connection, snapshot, due, start, end, now)
    events: list[Event] = []
    for status in jobs:
        known, runs = reading.partial.get(status.job), reading.runs.get(status.job, [])
        listed = events_of(status, due[status.job], runs, now, known)
        is_cut = known is not None and known.after >= start
        events += (replace(event, truncated=True) if is_cut else event for event in listed)
    return sorted((event for event in events if event.is_between(start, end)), key=lambda event: event.order)


def _check(start: datetime, end: datetime) -> None:
    # Time zones and cron expressions are only computed within these years.
    for parameter, moment in (("from", start), ("to", end)):
        if not 1970 <= moment.year <= 9998:
            raise FilterError(parameter, f"found the year {moment.year}, expected a time between 1970 and 9998")
    if not timedelta(0) < end - start <= LONGEST:
        raise FilterError("to", f"found {(end - start).days} days after from, expected more than 0 s, at most 31 days")


def _due(jobs: Sequence[JobStatus], start: datetime, end: datetime) -> dict[Job, Sequence[datetime]]:
    """Return the due times of every job from the last before ``start`` to the first at or after ``end``."""
    users: dict[Schedule, int] = defaultdict(int)
    for status in jobs:
        if status.limits and status.limits.schedule:
            users[status.limits.schedule] += 1
    remaining = MOST_DUE
    times: dict[Schedule, list[datetime]] = {}
    for schedule, how_many in users.items():
        times[schedule] = _times(schedule, start, end, remaining // how_many)
        remaining -= len(times[schedule]) * how_many
    return {status.job: _expected(status, times) for status in jobs}


def _expected(status: JobStatus, times: Mapping[Schedule, list[datetime]]) -> Sequence[datetime]:
    """Return the due times that count for a job."""
    limits = status.limits
    if limits is None or limits.schedule is None:
        return ()
    due = times[limits.schedule]
    return due[bisect_left(due, limits.expected_from) :] if limits.expected_from else due


def _times(schedule: Schedule, start: datetime, end: datetime, most: int) -> list[datetime]:
    just_before = start - timedelta(microseconds=1)
    times = [schedule.next_after(just_before)]
    step = timedelta(days=1)
    while times[-1] < end:
        # Day by day, so that a schedule of every minute exceeds the limit early.
        times += schedule.between(times[-1], times[-1] + step) or [schedule.next_after(times[-1])]
        if len(times) > most:
            raise FilterError("to", f"found more than {MOST_DUE} runs due, expected fewer; narrow by section or time")
    first_after = min(time for time in times if time >= end)
    return [schedule.last_before(just_before), *(time for time in times if time < end), first_after]


def _read(
    connection: Connection,
    snapshot: Snapshot,
    due: Mapping[Job, Sequence[datetime]],
    start: datetime,
    end: datetime,
    now: datetime,
) -> RunRange:
    """Read the runs of each job that belong to one of its due times or started in the range."""
    last = max(end, *(times[-1] for times in due.values() if times)) if any(due.values()) else end
    until = int(min(last, now + EARLY).timestamp())
    begins: dict[Pair, datetime] = {}
    for job, times in due.items():
        begin, pair = min([start, *times[:1]]) - EARLY, Pair(job.type, job.section)
        begins[pair] = min(begin, begins.get(pair, begin))
    by_begin: dict[int, list[Pair]] = defaultdict(list)
    for pair in sorted(begins):
        by_begin[max(2, int(begins[pair].timestamp()))].append(pair)
    reading = RunRange(connection, snapshot, frozenset(due), end)
    for first, pairs in by_begin.items():
        if first <= until:
            reading.read(pairs, Starts(first, until))
    return reading
