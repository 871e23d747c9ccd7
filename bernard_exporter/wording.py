"""Sizes, durations, changes and times as people read them, in plain text."""

from __future__ import annotations

from datetime import UTC, datetime

NOTHING = "—"
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def size(found: float | None) -> str:
    """Return bytes in the binary unit that suits, such as ``1.5 GiB``; a dash for None."""
    if found is None:
        return NOTHING
    value, unit = float(found), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} B" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


def duration(seconds: float | None) -> str:
    """Return seconds in the two largest units that tell, such as ``2 d 4 h``; a dash for None."""
    if seconds is None:
        return NOTHING
    whole = round(abs(seconds))
    for large, small, unit, part in ((_DAY, _HOUR, "d", "h"), (_HOUR, _MINUTE, "h", "min"), (_MINUTE, 1, "min", "s")):
        if whole >= large:
            count, rest = divmod(whole, large)
            return f"{count} {unit} {rest // small} {part}" if rest >= small else f"{count} {unit}"
    return f"{whole} s"


def percent(ratio: float | None) -> str:
    """Return a change such as ``+2.5 %``; a dash for None."""
    return NOTHING if ratio is None else f"{ratio * 100:+.1f} %"


def time(moment: datetime | None) -> str:
    """Return a time as ``2026-03-10 12:00 UTC``; a dash for None."""
    return NOTHING if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def visible(text: str) -> str:
    """Return a text of the database with what would steer a terminal, or end a line, written out."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
