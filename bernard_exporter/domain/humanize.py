"""Human-readable sizes, durations, changes and times."""

from __future__ import annotations

from datetime import UTC, datetime

NOTHING = "—"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SHORT = {"day": "d", "hour": "h", "minute": "min", "": "min"}


def size(count: float | None) -> str:
    """Return bytes in a suitable binary unit, such as ``1.5 GiB``; a dash for None."""
    if count is None:
        return NOTHING
    value, unit = float(count), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Return seconds in the two largest units, such as ``2 d 4 h``; a dash for None."""
    if seconds is None:
        return NOTHING
    whole = round(abs(seconds))
    sign = "-" if seconds < 0 and whole else ""
    for large, small, unit, part in ((_DAY, _HOUR, "d", "h"), (_HOUR, _MINUTE, "h", "min"), (_MINUTE, 1, "min", "s")):
        if whole >= large:
            count, rest = divmod(whole, large)
            return f"{sign}{count} {unit} {rest // small} {part}" if rest >= small else f"{sign}{count} {unit}"
    return f"{sign}{whole} s"


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a time is in its largest unit, as short as can be: ``3 d``, ``2 h``, ``5 min``."""
    count, unit = largest_unit(max(0.0, (now - moment).total_seconds()))
    return f"{count} {_SHORT[unit]}"


def largest_unit(seconds: float) -> tuple[int, str]:
    """Return seconds as whole days, hours or minutes with the name of the unit; '' for less than a minute."""
    for unit, length in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= length:
            return int(seconds // length), unit
    return 0, ""


def percent(ratio: float | None) -> str:
    """Return a change such as ``+2.5 %``, never ``-0.0 %``; a dash for None."""
    # Adding 0 to a negative 0 makes it positive.
    return NOTHING if ratio is None else f"{round(ratio * 100, 1) + 0.0:+.1f} %"


def time(moment: datetime | None) -> str:
    """Return a time as ``2026-03-10 12:00 UTC``; a dash for None."""
    return NOTHING if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def visible(text: str) -> str:
    """Return text from the database with control characters and line breaks escaped."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
