"""Scales and ticks of charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, floor

_DAY = 86400
_BYTE_STEPS = tuple(step * 1024**unit for unit in range(7) for step in (1, 2, 5, 10, 20, 50, 100, 200, 500))
_SECOND_STEPS = (
    1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200,
    *(days * _DAY for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)),
)  # fmt: skip
_MOST_TICKS = 5


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to coordinates.

    Attributes:
        low, high: the values at the ends; high is larger.
        begin, end: their coordinates in the units of the drawing.
    """

    low: float
    high: float
    begin: float
    end: float

    def at(self, value: float) -> float:
        """Return the coordinate of a value, to a tenth of a unit."""
        ratio = (value - self.low) / (self.high - self.low)
        return round(self.begin + ratio * (self.end - self.begin), 1)


def rounded(low: float, high: float, steps: Sequence[int]) -> list[float]:
    """Return a few multiples of a step, from at or below ``low`` to at or above ``high``."""
    step = next((step for step in steps if (high - low) / step <= _MOST_TICKS), steps[-1])
    return [float(step * index) for index in range(floor(low / step), ceil(high / step) + 1)]


def byte_ticks(low: float, high: float) -> list[float]:
    """Return ticks in bytes that enclose a range."""
    return rounded(low, max(high, low + 1), _BYTE_STEPS)


def second_ticks(low: float, high: float) -> list[float]:
    """Return ticks in seconds that enclose a range."""
    return rounded(low, max(high, low + 1), _SECOND_STEPS)


def day_ticks(begin: datetime, end: datetime, most: int) -> list[datetime]:
    """Return up to about ``most`` midnights in UTC between two times, evenly spaced."""
    first = begin.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    days = max(0, (end - first).days + 1)
    step = max(1, ceil(days / most))
    return [first + timedelta(days=day) for day in range(0, days, step)]
