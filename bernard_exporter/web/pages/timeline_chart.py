"""The timeline chart of the schedule: a row per job, a bar per run, a mark per due time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bernard_exporter.domain.model import Job
from bernard_exporter.queries.events import Event, EventOutcome
from bernard_exporter.web.pages.axis import Scale
from bernard_exporter.web.pages.badges import OUTCOME_BADGES
from bernard_exporter.web.pages.formatting import duration

WIDTH = 1200
LEFT = 210
ROW = 22
_HEAD = 34
_BAR = 12
_LEAST = 5.0
# The minimum width of a bar with a symbol.
_MARKED = 12.0
_MOST_ROWS = 150
_HOURS_APART = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Bar:
    """An event in a row, ``_BAR`` units high.

    Attributes:
        outcome: its CSS class.
        label: a description, for screen readers.
        is_long: whether the run takes longer than the policy allows.
    """

    x: float
    y: float
    width: float
    outcome: str
    label: str
    run_id: int | None
    is_long: bool = False


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
class TimelineChart:
    """A drawing of ``width`` by ``height`` units.

    Attributes:
        now: the coordinate of the current time; None if it is out of range.
        left_out: the number of jobs that did not fit.
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    hours: tuple[Hour, ...]
    now: float | None
    left_out: int


def plan(
    events: Sequence[Event], start: datetime, end: datetime, now: datetime, longest: Mapping[Job, float]
) -> TimelineChart:
    """Return a chart of events, given oldest first, from ``start`` to ``end``.

    Args:
        events: the events, oldest first.
        start: the start of the chart.
        end: the end of the chart.
        now: the current time, with a time zone.
        longest: the maximum duration of each job of the policy, in seconds.
    """
    across = Scale(start.timestamp(), end.timestamp(), LEFT, WIDTH - 4)
    by_job: dict[Job, list[Event]] = {}
    for event in events:
        by_job.setdefault(event.job, []).append(event)
    jobs = list(by_job)[:_MOST_ROWS]
    lines = []
    for index, job in enumerate(jobs):
        y = _HEAD + index * ROW
        lines.append(Line(job, y, _visible(_bar(event, y, across, now, longest.get(job)) for event in by_job[job])))
    return TimelineChart(
        width=WIDTH,
        height=_HEAD + len(jobs) * ROW + 4,
        lines=tuple(lines),
        hours=tuple(_hours(start, end, across)),
        now=across.at(now.timestamp()) if start <= now <= end else None,
        left_out=len(by_job) - len(jobs),
    )


def _visible(bars: Iterable[Bar]) -> tuple[Bar, ...]:
    """Return the bars without those that a longer bar of the same outcome covers at the same place."""
    longest: dict[tuple[str, int], Bar] = {}
    for bar in bars:
        position = bar.outcome, round(bar.x)
        if position not in longest or bar.width >= longest[position].width:
            longest[position] = bar
    return tuple(longest.values())


def _bar(event: Event, y: float, across: Scale, now: datetime, allowed: float | None) -> Bar:
    run = event.run
    begin = run.start if run and run.start else event.time
    finish = (run.end or (now if event.outcome is EventOutcome.ONGOING else None)) if run else None
    x = min(max(across.at(begin.timestamp()), across.begin), across.end - _MARKED)
    right = min(across.at(finish.timestamp()), across.end) if finish else x
    took = f", {duration((finish - begin).total_seconds())}" if finish and finish >= begin else ""
    is_long = allowed is not None and finish is not None and (finish - begin).total_seconds() > allowed
    took += f", longer than {duration(allowed)}" if is_long else ""
    late = f", late, was due {event.late_for:%Y-%m-%d %H:%M} UTC" if event.late_for else ""
    label = f"{' '.join(event.job)}: {OUTCOME_BADGES[event.outcome].label}, {begin:%Y-%m-%d %H:%M} UTC{took}{late}"
    least = _MARKED if event.outcome in (EventOutcome.FAILED, EventOutcome.MISSED) else _LEAST
    width = round(max(right - x, least), 1)
    return Bar(x, y + (ROW - _BAR) / 2, width, event.outcome.value, label, run.id if run else None, is_long)


def _hours(start: datetime, end: datetime, across: Scale) -> list[Hour]:
    hours = []
    moment = start.astimezone(UTC)
    while moment < end:
        is_day = moment.hour == 0
        hours.append(Hour(across.at(moment.timestamp()), f"{moment:%a %d %b}" if is_day else f"{moment:%H:%M}", is_day))
        moment += _HOURS_APART
    return hours
