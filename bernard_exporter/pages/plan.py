"""The schedule as a drawing: a row a job, a bar a run, a mark where a run is or was due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bernard_exporter.inspection.timeline import Event, Outcome
from bernard_exporter.model import Job
from bernard_exporter.pages.axis import Scale
from bernard_exporter.pages.signs import OUTCOME_SIGNS
from bernard_exporter.pages.wording import duration

WIDTH = 1200
LEFT = 210
ROW = 22
_HEAD = 34
_BAR = 12
_LEAST = 5.0
# What is marked with a sign has room for it.
_MARKED = 12.0
_MOST_ROWS = 150
_HOURS_APART = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Bar:
    """An event in a row, ``_BAR`` units high.

    Attributes:
        outcome: the class that gives it its look.
        label: everything it says, for those who do not see it.
    """

    x: float
    y: float
    width: float
    outcome: str
    label: str
    run_id: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """The row of a job; ``y`` is its top."""

    job: Job
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Hour:
    """A line of the grid."""

    x: float
    label: str
    is_day: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing of ``width`` by ``height`` units.

    Attributes:
        now: the place of the moment; None when it is not between the ends.
        left_out: jobs that there was no room for.
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    hours: tuple[Hour, ...]
    now: float | None
    left_out: int


def plan(events: Sequence[Event], start: datetime, end: datetime, now: datetime) -> Plan:
    """Return events, given oldest first, as a drawing from ``start`` to ``end``."""
    across = Scale(start.timestamp(), end.timestamp(), LEFT, WIDTH - 4)
    by_job: dict[Job, list[Event]] = {}
    for event in events:
        by_job.setdefault(event.job, []).append(event)
    jobs = list(by_job)[:_MOST_ROWS]
    lines = tuple(
        Line(job, _HEAD + index * ROW, tuple(_bar(event, _HEAD + index * ROW, across, now) for event in by_job[job]))
        for index, job in enumerate(jobs)
    )
    return Plan(
        width=WIDTH,
        height=_HEAD + len(jobs) * ROW + 4,
        lines=lines,
        hours=tuple(_hours(start, end, across)),
        now=across.at(now.timestamp()) if start <= now <= end else None,
        left_out=len(by_job) - len(jobs),
    )


def _bar(event: Event, y: float, across: Scale, now: datetime) -> Bar:
    run = event.run
    begin = run.start if run and run.start else event.time
    finish = (run.end or (now if event.outcome is Outcome.ONGOING else None)) if run else None
    x = min(max(across.at(begin.timestamp()), across.begin), across.end - _MARKED)
    right = min(across.at(finish.timestamp()), across.end) if finish else x
    took = f", {duration((finish - begin).total_seconds())}" if finish and finish >= begin else ""
    label = f"{' '.join(event.job)}: {OUTCOME_SIGNS[event.outcome].label}, {begin:%Y-%m-%d %H:%M} UTC{took}"
    least = _MARKED if event.outcome in (Outcome.FAILED, Outcome.MISSED) else _LEAST
    width = round(max(right - x, least), 1)
    return Bar(x, y + (ROW - _BAR) / 2, width, event.outcome.value, label, run.id if run else None)


def _hours(start: datetime, end: datetime, across: Scale) -> list[Hour]:
    found = []
    moment = start.astimezone(UTC)
    while moment < end:
        is_day = moment.hour == 0
        found.append(Hour(across.at(moment.timestamp()), f"{moment:%a %d %b}" if is_day else f"{moment:%H:%M}", is_day))
        moment += _HOURS_APART
    return found
