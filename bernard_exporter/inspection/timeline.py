"""The schedule between two times, and what became of each run that was due."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy.engine import Connection

from bernard_exporter.errors import FilterError
from bernard_exporter.filters import JobFilter, check_aware
from bernard_exporter.inspection.jobs import find_jobs
from bernard_exporter.inspection.words import run_document, time_text
from bernard_exporter.model import Job, Run, Status
from bernard_exporter.schedule import Schedule
from bernard_exporter.snapshot import JobStatus, Snapshot
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

LONGEST = timedelta(days=31)
MOST_DUE = 20_000
# Clocks of the scheduler and of the database may differ by this much.
EARLY = timedelta(minutes=5)
# A run may wait this long for the ones before it, before it counts as missed.
PATIENCE = timedelta(hours=1)
_STATUSES = [*(status.value for status in Status if status is not Status.UNKNOWN), ""]


class Outcome(StrEnum):
    """What became of a run; of one that was due, or of one that began at no set time."""

    FINISHED = "finished"
    FAILED = "failed"
    ONGOING = "ongoing"
    ABANDONED = "abandoned"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    MISSED = "missed"
    SCHEDULED = "scheduled"


# Of several runs that began at one due time, the one that says most of it.
_BEST = (
    Outcome.FINISHED,
    Outcome.DELETED,
    Outcome.ONGOING,
    Outcome.FAILED,
    Outcome.ABANDONED,
    Outcome.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Event:
    """A run that was due, that is due, or that began at no set time.

    Attributes:
        due: aware; None for a run that no due time waits for.
        run: the run that began; None while none has.
    """

    job: Job
    due: datetime | None
    outcome: Outcome
    run: Run | None

    @property
    def time(self) -> datetime:
        """When it was due, or began."""
        found = self.due or (self.run.start if self.run else None)
        assert found is not None, "an event is due or has a run that began"
        return found

    @property
    def order(self) -> tuple[datetime, Job, int]:
        """What a timeline is sorted by."""
        return self.time, self.job, self.run.id if self.run else 0


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as JSON has it."""
    return {
        **event.job._asdict(),
        "time": time_text(event.time),
        "due": time_text(event.due),
        "outcome": event.outcome.value,
        "run": run_document(event.run, event.job.datacenter) if event.run else None,
    }


def timeline(
    connection: Connection, snapshot: Snapshot, wanted: JobFilter, start: datetime, end: datetime, now: datetime
) -> list[Event]:
    """Return what was or is due, and what began, from ``start`` to before ``end``, oldest first.

    A run belongs to the last due time at its start. Where several do, the first success settles it, else the newest
    run that is going on, else the newest failed one; the others are told of as begun at no set time.

    Args:
        connection: an open connection.
        snapshot: the jobs, their schedules and data centres.
        wanted: which jobs.
        start: aware.
        end: aware, at most 31 days later.
        now: aware.

    Raises:
        FilterError: the times make no sense, or too many runs are due between them.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    _check(start, end)
    jobs = find_jobs(snapshot, wanted)
    due = _due(jobs, start, end)
    last = max((times[-1] for times in due.values() if times), default=end)
    runs = _runs(connection, snapshot, jobs, start - EARLY, min(max(last, end), now + EARLY))
    found: list[Event] = []
    for status in jobs:
        schedule = status.limits.schedule if status.limits else None
        times = due[schedule] if schedule else []
        found += _events(status, times, runs.get(status.job, []), now)
    return sorted((event for event in found if start <= event.time < end), key=lambda event: event.order)


def _check(start: datetime, end: datetime) -> None:
    check_aware("from", start)
    check_aware("to", end)
    # Calendars of time zones and of cron expressions end somewhere.
    for parameter, moment in (("from", start), ("to", end)):
        if not 1970 <= moment.year <= 9998:
            raise FilterError(parameter, f"found the year {moment.year}, expected a time between 1970 and 9998")
    if not timedelta(0) < end - start <= LONGEST:
        raise FilterError("to", f"found {(end - start).days} days after from, expected more than 0 s, at most 31 days")


def _due(jobs: Sequence[JobStatus], start: datetime, end: datetime) -> dict[Schedule, list[datetime]]:
    """Return the due times of every schedule from ``start`` on, up to the first that is not before ``end``."""
    users: dict[Schedule, int] = defaultdict(int)
    for status in jobs:
        if status.limits and status.limits.schedule:
            users[status.limits.schedule] += 1
    left = MOST_DUE
    found: dict[Schedule, list[datetime]] = {}
    for schedule, how_many in users.items():
        found[schedule] = _times(schedule, start, end, left // how_many)
        left -= len(found[schedule]) * how_many
    return found


def _times(schedule: Schedule, start: datetime, end: datetime, most: int) -> list[datetime]:
    times = [schedule.next_after(start - timedelta(microseconds=1))]
    step = timedelta(days=1)
    while times[-1] < end:
        # Day by day, so that a schedule of every minute is found out before it is worked out.
        times += schedule.between(times[-1], times[-1] + step) or [schedule.next_after(times[-1])]
        if len(times) > most:
            raise FilterError("to", f"found more than {MOST_DUE} runs due, expected fewer; narrow by section or time")
    return [time for time in times if time < end] + [min(time for time in times if time >= end)]


def _runs(
    connection: Connection, snapshot: Snapshot, jobs: Sequence[JobStatus], start: datetime, end: datetime
) -> Mapping[Job, list[Run]]:
    pairs = sorted({Pair(status.job.type, status.job.section) for status in jobs})
    found: dict[Job, list[Run]] = defaultdict(list)
    first, last = (max(2, int(moment.timestamp())) for moment in (start, end))
    for run in reader.runs_since(connection, pairs, _STATUSES, first, last + 1) if first <= last else ():
        found[Job(run.section, run.type, snapshot.policy.datacenter(run.host))].append(run)
    return found


def _events(status: JobStatus, due: Sequence[datetime], runs: Iterable[Run], now: datetime) -> list[Event]:
    began: dict[int, list[Event]] = defaultdict(list)
    opens = [time - EARLY for time in due]
    for run in sorted(runs, key=lambda run: run.order):
        window = bisect_right(opens, run.start) - 1 if run.start else -1
        began[window].append(Event(status.job, None, _outcome(status, run), run))
    found = began.pop(-1, [])
    for window, time in enumerate(due):
        mine = began.pop(window, [])
        settling = min(mine, key=_precedence, default=None)
        if settling is None:
            outcome = Outcome.SCHEDULED if now < time + PATIENCE else Outcome.MISSED
            found.append(Event(status.job, time, outcome, None))
            continue
        found += [replace(event, due=time) if event is settling else event for event in mine]
    return found


def _precedence(event: Event) -> tuple[int, float]:
    """Return what the event that settles a due time is the lowest of: the first success, or the newest other run."""
    start = event.run.order[0] if event.run else 0.0
    return _BEST.index(event.outcome), start if event.outcome is Outcome.FINISHED else -start


def _outcome(status: JobStatus, run: Run) -> Outcome:
    if run.status is Status.ONGOING:
        going = any(other.id == run.id for other in status.ongoing)
        return Outcome.ONGOING if going else Outcome.ABANDONED
    return Outcome(run.status.value)
