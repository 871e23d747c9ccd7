"""Charts of a job: its sizes with the policy's band, and its durations with the limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.domain.model import Run
from bernard_exporter.domain.policy import Limits
from bernard_exporter.web.pages import formatting
from bernard_exporter.web.pages.axis import Scale, byte_ticks, day_ticks, second_ticks

WIDTH, HEIGHT = 640, 230
_TOP, _BOTTOM, _SIDE = 20, 28, 8
# Space for the labels of the rows.
_LEFT = 70
_DAYS = 6
# A limit further above the values than this would flatten the chart; it is only in the legend.
_LIMIT_ROOM = 2.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A run on a chart."""

    x: float
    y: float
    run: Run
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of the grid or a limit, with its label."""

    position: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of ``WIDTH`` by ``HEIGHT`` units.

    Attributes:
        line: the line through the dots, the ``d`` of a path.
        band, outer: the areas of changes within the warning and critical limits; '' if unknown.
        limit: the limit; None if it is not drawn.
    """

    title: str
    description: str
    dots: tuple[Dot, ...]
    line: str
    rows: tuple[Mark, ...]
    days: tuple[Mark, ...]
    band: str = ""
    outer: str = ""
    limit: Mark | None = None


def size_chart(successes: Sequence[Run], limits: Limits | None) -> Chart | None:
    """Return a chart of the sizes of successes, given oldest first; None for fewer than two known sizes.

    The band around each size is the range that the limits allow after the previous success.
    """
    runs = [run for run in successes if run.size is not None]
    if len(runs) < 2:
        return None
    times = _times(runs)
    sizes = [float(run.size or 0) for run in runs]
    inner, outer = (limits.size_change_warning, limits.size_change_critical) if limits else (None, None)
    low, high = min(sizes) * (1 - (outer or 0.0)), max(sizes) * (1 + (outer or 0.0))
    up = _upward(byte_ticks(0 if low < high / 2 else low, high))
    return Chart(
        title="Size of successes",
        description=_description("size", runs, formatting.size, sizes),
        dots=_dots(runs, sizes, times, up, formatting.size),
        line=_line([(times.at(_second(run)), up.at(size)) for run, size in zip(runs, sizes, strict=True)]),
        rows=_rows(up, byte_ticks(up.low, up.high), formatting.size),
        days=_days(runs, times),
        band=_band(runs, sizes, times, up, inner),
        outer=_band(runs, sizes, times, up, outer),
    )


def duration_chart(successes: Sequence[Run], limits: Limits | None) -> Chart | None:
    """Return a chart of the durations of successes, given oldest first; None for fewer than two known durations."""
    runs = [run for run in successes if run.duration is not None]
    if len(runs) < 2:
        return None
    times = _times(runs)
    seconds = [run.duration or 0.0 for run in runs]
    longest = max(seconds)
    allowed = limits.max_duration if limits and limits.max_duration <= longest * _LIMIT_ROOM else None
    ticks = second_ticks(0, max(longest, allowed or 0))
    up = _upward(ticks)
    return Chart(
        title="Duration of successes",
        description=_description("duration", runs, formatting.duration, seconds),
        dots=_dots(runs, seconds, times, up, formatting.duration),
        line=_line([(times.at(_second(run)), up.at(value)) for run, value in zip(runs, seconds, strict=True)]),
        rows=_rows(up, ticks, formatting.duration),
        days=_days(runs, times),
        limit=Mark(up.at(allowed), f"at most {formatting.duration(allowed)}") if allowed else None,
    )


def _second(run: Run) -> float:
    return run.order[0]


def _times(runs: Sequence[Run]) -> Scale:
    low, high = _second(runs[0]), _second(runs[-1])
    return Scale(low, max(high, low + 1), _LEFT, WIDTH - _SIDE)


def _upward(ticks: Sequence[float]) -> Scale:
    return Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)


def _description(measure: str, runs: Sequence[Run], text: Callable[[float], str], values: Sequence[float]) -> str:
    first, last = (f"{run.start:%Y-%m-%d}" for run in (runs[0], runs[-1]) if run.start)
    return (
        f"The {measure} of {len(runs)} successes from {first} to {last}: least {text(min(values))}, "
        f"most {text(max(values))}, newest {text(values[-1])}."
    )


def _dots(
    runs: Sequence[Run], values: Sequence[float], times: Scale, up: Scale, text: Callable[[float], str]
) -> tuple[Dot, ...]:
    return tuple(
        Dot(times.at(_second(run)), up.at(value), run, f"{run.start:%Y-%m-%d %H:%M} UTC: {text(value)}")
        for run, value in zip(runs, values, strict=True)
    )


def _rows(up: Scale, ticks: Sequence[float], text: Callable[[float], str]) -> tuple[Mark, ...]:
    return tuple(Mark(up.at(value), text(value).replace(".0 ", " ")) for value in ticks if up.low <= value <= up.high)


def _days(runs: Sequence[Run], times: Scale) -> tuple[Mark, ...]:
    begin, end = (run.start for run in (runs[0], runs[-1]))
    days: list[datetime] = day_ticks(begin, end, _DAYS) if begin and end else []
    return tuple(Mark(times.at(day.timestamp()), f"{day:%d %b}") for day in days)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points)


def _band(runs: Sequence[Run], sizes: Sequence[float], times: Scale, up: Scale, change: float | None) -> str:
    """Return the outline of the range that each size may have after the previous one, '' if any is allowed."""
    if change is None:
        return ""
    before = [(times.at(_second(run)), size) for run, size in zip(runs[1:], sizes, strict=False)]
    above = [(x, up.at(min(size * (1 + change), up.high))) for x, size in before]
    below = [(x, up.at(max(size * (1 - change), up.low))) for x, size in before]
    return f"{_line([*above, *reversed(below)])}Z"
