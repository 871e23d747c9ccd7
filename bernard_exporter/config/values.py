"""Parses and formats the values of the configuration: durations, sizes, ratios, times, cron expressions and others."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from bernard_exporter.domain.schedule import Schedule

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_BYTES = {"": 1, "B": 1} | {
    f"{prefix}{suffix}": base ** (power + 1)
    for base, suffix in ((1000, "B"), (1024, "iB"))
    for power, prefix in enumerate(("k" if base == 1000 else "K", "M", "G", "T", "P"))
}
_BYTES |= {"KB": 1000}
DURATION = "a duration such as 90s, 5m, 8d or 2w"
SIZE = "a size such as 300KiB, 2GB or whole bytes"
MOMENT = "a date or a time such as 2027-01-31 or 2027-01-31T12:00:00Z, of the years 2000 to 2199"
PATTERN = r"a regular expression such as s[1-4] or \.eqiad\.wmnet$"
LABEL = "a text of up to 100 printable characters"
RATIO = "a ratio such as 5% or 0.05; above 1 with a %, and at most 1000%"
TIMEZONE = "a time zone such as UTC or Europe/Madrid"
CRON = "a cron expression of five fields that comes due, such as '0 0 * * 2', or none"
NONE = "none"
# What an error says of a value that may be a secret.
HIDDEN = "a value that is not shown"
_LARGEST_RATIO = 10.0
_LONGEST_PATTERN = 1000
# Digits, names of days and months, and punctuation; not R and H, which croniter replaces with random times.
_CRON_NAMES = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|sun|mon|tue|wed|thu|fri|sat"
_CRON_FIELD = re.compile(f"(?:[0-9*,/?#l-]|{_CRON_NAMES})+")


class InvalidValueError(ValueError):
    """A value is invalid.

    Attributes:
        expected: what was expected.
        found: what was found, without secrets; None for the value itself.
        loc: its place below the value that was validated: keys, and indexes of lists.
    """

    def __init__(self, expected: str, found: str | None = None, loc: tuple[int | str, ...] = ()) -> None:
        """Set what was expected, what was found, and the place."""
        super().__init__(expected)
        self.expected, self.found, self.loc = expected, found, loc


def duration(value: object) -> float:
    """Parse a duration such as ``8d`` or ``1h30m`` into seconds (> 0).

    Raises:
        ValueError: the value is not a duration; the message says what was expected.
    """
    parts = re.findall(r"([0-9]{1,15}(?:\.[0-9]{1,15})?)(ms|[smhdw])", value) if isinstance(value, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != value:
        raise ValueError(DURATION)
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if not 0 < seconds <= 1000 * 366 * _SECONDS["d"]:
        raise ValueError(f"{DURATION}, more than 0 and at most 1000 years")
    return seconds


def duration_within(shortest: str, longest: str) -> Callable[[object], float]:
    """Return a parser for durations within a range.

    Args:
        shortest: the minimum, such as ``1s``.
        longest: the maximum, in the same notation.
    """

    def read(value: object) -> float:
        try:
            seconds = duration(value)
        except ValueError:
            seconds = math.nan
        if not duration(shortest) <= seconds <= duration(longest):
            raise ValueError(f"{DURATION}, from {shortest} to {longest}")
        return seconds

    return read


def size(value: object) -> int:
    """Parse a size such as ``300KiB``, or a whole number, into bytes (>= 0).

    Raises:
        ValueError: the value is not a size; the message says what was expected.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63:
        return value
    match = re.fullmatch(r"([0-9]{1,20}(?:\.[0-9]{1,15})?) ?([A-Za-z]*)", value) if isinstance(value, str) else None
    if not match or match[2] not in _BYTES:
        raise ValueError(SIZE)
    found = int(float(match[1]) * _BYTES[match[2]])
    if found >= 1 << 63:
        raise ValueError(f"{SIZE}, less than 8 EiB")
    return found


def ratio(value: object) -> float:
    """Parse ``5%`` or ``0.05`` into a ratio (>= 0).

    Raises:
        ValueError: the value cannot be parsed; the message says what was expected.
    """
    found = math.nan
    if isinstance(value, str) and (match := re.fullmatch(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?%", value)):
        found = float(match[1]) / 100
    elif isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        found = float(value)
    if not 0 <= found <= _LARGEST_RATIO:
        raise ValueError(RATIO)
    return found


def pattern(value: object) -> re.Pattern[str]:
    """Compile a regular expression.

    Raises:
        ValueError: the pattern is invalid or too long; the message says what was expected.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError(PATTERN)
    if len(value) > _LONGEST_PATTERN:
        raise ValueError(f"{PATTERN}, of at most {_LONGEST_PATTERN} characters")
    try:
        return re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{PATTERN} ({error})") from error


def moment(value: object) -> datetime:
    """Parse a date or a time; a date alone means midnight, and the default time zone is UTC.

    Raises:
        ValueError: the value cannot be parsed; the message says what was expected.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(MOMENT) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if not isinstance(value, datetime) or not 2000 <= value.year < 2200:
        raise ValueError(MOMENT)
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def label(value: object) -> str:
    """Check a string that is used as a label value.

    Raises:
        ValueError: the value is not a valid label value; the message says what was expected.
    """
    if isinstance(value, str) and value.strip() and len(value) <= 100 and value.isprintable():
        return value.strip()
    raise ValueError(LABEL)


def text(expected: str) -> Callable[[object], str]:
    """Return a parser for strings of one or more printable characters.

    Args:
        expected: what was expected, for the error.
    """

    def read(value: object) -> str:
        if not isinstance(value, str) or not value:
            raise ValueError(expected)
        if not value.isprintable():
            raise ValueError(f"{expected}, of printable characters")
        return value

    return read


def timezone(value: object) -> str:
    """Check the name of a time zone.

    Raises:
        ValueError: there is no such time zone; the message says what was expected.
    """
    name = text(TIMEZONE)(value)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise ValueError(TIMEZONE) from None
    return name


def cron(value: object) -> str | None:
    """Check a cron expression; None for ``none``.

    Raises:
        ValueError: it is invalid or never comes due; the message says what was expected.
    """
    expression = text(CRON)(value)
    if expression == NONE:
        return None
    fields = expression.lower().split()
    if len(fields) != 5 or not all(_CRON_FIELD.fullmatch(field) for field in fields):
        raise ValueError(CRON)
    try:
        Schedule(expression).next_after(datetime.now(UTC))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        raise ValueError(CRON) from None
    return expression


def moment_text(moment_: datetime) -> str:
    """Format a time for :func:`moment`, as a date if it is midnight in UTC."""
    found = moment_.astimezone(UTC)
    return f"{found:%Y-%m-%d}" if found.time() == time() else f"{found:%Y-%m-%dT%H:%M:%SZ}"


def duration_text(seconds: float) -> str:
    """Format seconds (> 0) for :func:`duration`, in the largest unit that divides them."""
    units = sorted(_SECONDS.items(), key=lambda unit: -unit[1])
    name, length = next((unit for unit in units[:-1] if seconds % unit[1] == 0 and unit[0] != "w"), ("s", 1.0))
    return f"{seconds / length:.15g}{name}"


def size_text(size_: int) -> str:
    """Format bytes (>= 0) for :func:`size`, in the largest unit that divides them."""
    units = sorted(((length, name) for name, length in _BYTES.items() if name != "KB"), reverse=True)
    length, name = next(unit for unit in units if size_ % unit[0] == 0 and (size_ or not unit[1]))
    return f"{size_ // length}{name}"


def ratio_text(value: float | None) -> str:
    """Format a ratio (>= 0) as a percentage for :func:`ratio`; ``none`` for None."""
    if value is None:
        return NONE
    return f"{value * 100:.12f}".rstrip("0").rstrip(".") + "%"
