"""The outcome of due times and runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from bernard_exporter.domain.due import EARLY, is_late, is_missed, met_by, start_within
from bernard_exporter.domain.model import Job, Order, Run
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.queries.documents import run_document, time_text


class EventOutcome(StrEnum):
    """The outcome of a due time, or of a run that belongs to none."""

    FINISHED = "finished"
    FAILED = "failed"
    ONGOING = "ongoing"
    ABANDONED = "abandoned"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    DUE = "due"
    MISSED = "missed"
    SCHEDULED = "scheduled"


# If several runs belong to a due time, the order in which one of them is chosen.
_BEST = (
    EventOutcome.FINISHED,
    EventOutcome.DELETED,
    EventOutcome.ONGOING,
    EventOutcome.FAILED,
    EventOutcome.ABANDONED,
    EventOutcome.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Event:
    """A due time with its run if there is one, or a run that belongs to no due time.

    Attributes:
        due: the due time; None for a run that belongs to none or started too late.
        run: the run; None if none has started.
        late_for: the missed due time of a late run; None for every other event.
        truncated: whether the job has more runs in the range than there are events.
    """

    job: Job
    due: datetime | None
    outcome: EventOutcome
    run: Run | None
    late_for: datetime | None = None
    truncated: bool = False

    @property
    def time(self) -> datetime:
        """The due time, or the start of the run."""
        moment = self.due or (self.run.start if self.run else None)
        assert moment is not None, "an event is due or has a run that began"
        return moment

    @property
    def order(self) -> tuple[datetime, Job, int]:
        """The sort key of a timeline."""
        return self.time, self.job, self.run.id if self.run else 0

    def is_between(self, start: datetime, end: datetime) -> bool:
        """Return whether its time is from ``start`` to before ``end``."""
        began = self.run.start if self.run else None
        return any(start <= moment < end for moment in (self.due, began) if moment)


class Known(NamedTuple):
    """The runs of a job that were read: those that started after a time, and not later than another."""

    after: datetime
    until: datetime

    def has_all(self, due: datetime, within: timedelta, now: datetime) -> bool:
        """Return whether it includes every run that can have met a due time."""
        return self.after < due - EARLY and min(due + within, now) <= self.until


def event_document(event: Event) -> dict[str, Any]:
    """Return an event as a JSON document."""
    return {
        **event.job._asdict(),
        "time": time_text(event.time),
        "due": time_text(event.due),
        "outcome": event.outcome.value,
        "late": event.late_for is not None,
        "truncated": event.truncated,
        "run": run_document(event.run, event.job.datacenter) if event.run else None,
    }


def events_of(
    status: JobStatus, due: Sequence[datetime], runs: Iterable[Run], now: datetime, known: Known | None = None
) -> Iterator[Event]:
    """Yield the outcome of the due times and runs of a job.

    Args:
        status: the status of the job.
        due: its due times, oldest first.
        runs: its runs that started at or after the first due time.
        now: the current time, with a time zone.
        known: which of them ``runs`` contains; None for all. A due time for which a run may be missing is left out.
    """
    ordered = sorted(runs, key=lambda run: run.order)
    ended = max((run.order for run in ordered if run.has_ended), default=status.newest_ended)
    newest_ended = max(ended, status.newest_ended)
    met: dict[int, list[Event]] = defaultdict(list)
    for run in ordered:
        # A start in the future is ignored.
        index = met_by(run.start, due) if run.start and run.start <= now else -1
        met[index].append(Event(status.job, None, _outcome(run, newest_ended, now), run))
    yield from met.pop(-1, [])
    within = (start_within(status.limits) if status.limits else None) or timedelta(0)
    for index, time in enumerate(due):
        began = met.get(index, [])
        if known and not known.has_all(time, within, now) and _are_late(began, time, within):
            yield from began
        else:
            yield from _at(status.job, time, within, began, now)


def _at(job: Job, due: datetime, within: timedelta, began: Sequence[Event], now: datetime) -> Iterator[Event]:
    """Yield the outcome of one due time, and the runs that belong to it."""
    if _are_late(began, due, within):
        missed = EventOutcome.MISSED if is_missed(due, within, now) else EventOutcome.DUE
        yield Event(job, due, EventOutcome.SCHEDULED if now < due else missed, None)
        yield from (replace(event, late_for=due) for event in began)
        return
    settling = min(began, key=_precedence)
    yield from (replace(event, due=due) if event is settling else event for event in began)


def _are_late(began: Iterable[Event], due: datetime, within: timedelta) -> bool:
    return all(event.run and event.run.start and is_late(due, within, event.run.start) for event in began)


def _precedence(event: Event) -> tuple[int, float]:
    """Return the sort key by which the run of a due time is chosen: the first success, or else the newest other run."""
    start = event.run.order[0] if event.run else 0.0
    return _BEST.index(event.outcome), start if event.outcome is EventOutcome.FINISHED else -start


def _outcome(run: Run, newest_ended: Order, now: datetime) -> EventOutcome:
    return EventOutcome.ABANDONED if run.is_abandoned(newest_ended, now) else EventOutcome(run.status.value)
