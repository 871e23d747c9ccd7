"""The history of a job as drawings: its sizes with the policy's band, and its durations with their limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.model import Run
from bernard_exporter.pages import wording
from bernard_exporter.pages.axis import Scale, byte_ticks, day_ticks, second_ticks
from bernard_exporter.policy import Limits

WIDTH, HEIGHT = 640, 230
_TOP, _BOTTOM, _SIDE = 20, 28, 8
# Room for the labels of the rows.
_LEFT = 70
_DAYS = 6
# A limit further above the values than this would flatten them; the legend names it instead.
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
    """A line of the grid or a limit, and what stands beside it."""

    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing of ``WIDTH`` by ``HEIGHT`` units.

    Attributes:
        line: through the dots, the ``d`` of a path.
        band, outer: what a change within the warning and the critical limit allows; '' where nothing is known.
        limit: None when it is not drawn.
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
    """Return the sizes of successes, given oldest first; None while fewer than two are known.

    Around each stands what the limits on change allowed it to be after the success before.
    """
    known = [run for run in successes if run.size is not None]
    if len(known) < 2:
        return None
    times = _times(known)
    sizes = [float(run.size or 0) for run in known]
    outer = limits.size_change_critical if limits else 0.0
    low, high = min(sizes) * (1 - outer), max(sizes) * (1 + outer)
    up = _upward(byte_ticks(0 if low < high / 2 else low, high))
    return Chart(
        title="Size of successes",
        description=_description("size", known, wording.size, sizes),
        dots=_dots(known, sizes, times, up, wording.size),
        line=_line([(times.at(_second(run)), up.at(size)) for run, size in zip(known, sizes, strict=True)]),
        rows=_rows(up, byte_ticks(up.low, up.high), wording.size),
        days=_days(known, times),
        band=_band(known, sizes, times, up, limits.size_change_warning) if limits else "",
        outer=_band(known, sizes, times, up, outer) if limits else "",
    )


def duration_chart(successes: Sequence[Run], limits: Limits | None) -> Chart | None:
    """Return the durations of successes, given oldest first; None while fewer than two are known."""
    known = [run for run in successes if run.duration is not None]
    if len(known) < 2:
        return None
    times = _times(known)
    seconds = [run.duration or 0.0 for run in known]
    longest = max(seconds)
    allowed = limits.max_duration if limits and limits.max_duration <= longest * _LIMIT_ROOM else None
    ticks = second_ticks(0, max(longest, allowed or 0))
    up = _upward(ticks)
    return Chart(
        title="Duration of successes",
        description=_description("duration", known, wording.duration, seconds),
        dots=_dots(known, seconds, times, up, wording.duration),
        line=_line([(times.at(_second(run)), up.at(value)) for run, value in zip(known, seconds, strict=True)]),
        rows=_rows(up, ticks, wording.duration),
        days=_days(known, times),
        limit=Mark(up.at(allowed), f"at most {wording.duration(allowed)}") if allowed else None,
    )


def _second(run: Run) -> float:
    return run.order[0]


def _times(known: Sequence[Run]) -> Scale:
    low, high = _second(known[0]), _second(known[-1])
    return Scale(low, max(high, low + 1), _LEFT, WIDTH - _SIDE)


def _upward(ticks: Sequence[float]) -> Scale:
    return Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)


def _description(what: str, known: Sequence[Run], text: Callable[[float], str], values: Sequence[float]) -> str:
    first, last = (f"{run.start:%Y-%m-%d}" for run in (known[0], known[-1]) if run.start)
    return (
        f"The {what} of {len(known)} successes from {first} to {last}: least {text(min(values))}, "
        f"most {text(max(values))}, newest {text(values[-1])}."
    )


def _dots(
    known: Sequence[Run], values: Sequence[float], times: Scale, up: Scale, text: Callable[[float], str]
) -> tuple[Dot, ...]:
    return tuple(
        Dot(times.at(_second(run)), up.at(value), run, f"{run.start:%Y-%m-%d %H:%M} UTC: {text(value)}")
        for run, value in zip(known, values, strict=True)
    )


def _rows(up: Scale, ticks: Sequence[float], text: Callable[[float], str]) -> tuple[Mark, ...]:
    return tuple(Mark(up.at(value), text(value).replace(".0 ", " ")) for value in ticks if up.low <= value <= up.high)


def _days(known: Sequence[Run], times: Scale) -> tuple[Mark, ...]:
    begin, end = (run.start for run in (known[0], known[-1]))
    days: list[datetime] = day_ticks(begin, end, _DAYS) if begin and end else []
    return tuple(Mark(times.at(day.timestamp()), f"{day:%d %b}") for day in days)


def _line(places: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in places)


def _band(known: Sequence[Run], sizes: Sequence[float], times: Scale, up: Scale, change: float) -> str:
    """Return the outline of what each size might have been after the one before it."""
    before = [(times.at(_second(run)), size) for run, size in zip(known[1:], sizes, strict=False)]
    above = [(x, up.at(min(size * (1 + change), up.high))) for x, size in before]
    below = [(x, up.at(max(size * (1 - change), up.low))) for x, size in before]
    return f"{_line([*above, *reversed(below)])}Z"
