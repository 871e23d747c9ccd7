"""Sizes, durations and times as pages show them."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

# Pages take every word from here.
from bernard_exporter.wording import duration as duration
from bernard_exporter.wording import percent as percent
from bernard_exporter.wording import size as size

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_SHORT = {"day": "d", "hour": "h", "minute": "min", "": "min"}
NOTHING = Markup('<span class="quiet" title="unknown">—</span>')


def exact_size(found: int | None) -> Markup:
    """Return bytes in a binary unit, with the exact number of bytes as the title."""
    if found is None:
        return NOTHING
    return Markup('<data value="{}" title="{} bytes">{}</data>').format(found, f"{found:,}", size(found))


def exact_duration(seconds: float | None) -> Markup:
    """Return a duration with its seconds as the value that tables sort by."""
    if seconds is None:
        return NOTHING
    return Markup('<data value="{}">{}</data>').format(f"{seconds:.0f}", duration(seconds))


def distance(moment: datetime, now: datetime) -> str:
    """Return how far a time is from now in its largest unit: ``3 days ago``, ``in 2 hours``, ``just now``."""
    seconds = (moment - now).total_seconds()
    count, unit = _largest(abs(seconds))
    if not unit:
        return "now" if seconds > 0 else "just now"
    words = f"{count} {unit}{'s' if count > 1 else ''}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def age(moment: datetime, now: datetime) -> str:
    """Return how long ago a time is in its largest unit, as short as can be: ``3 d``, ``2 h``, ``5 min``."""
    count, unit = _largest(max(0.0, (now - moment).total_seconds()))
    return f"{count} {_SHORT[unit]}"


def _largest(seconds: float) -> tuple[int, str]:
    for unit, length in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= length:
            return int(seconds // length), unit
    return 0, ""


def iso(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def when(moment: datetime | None, now: datetime) -> Markup:
    """Return a time in UTC as a ``time`` element, and beside it how far it is from now; a dash for None."""
    if moment is None:
        return NOTHING
    return Markup('<time datetime="{}" title="{} UTC">{}</time> <small class="ago">{}</small>').format(
        iso(moment),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}",
        distance(moment, now),
    )


def limit(ratio: float) -> str:
    """Return a ratio that is a limit, such as ``5 %``."""
    return f"{ratio:.2%}".rstrip("%").rstrip("0").rstrip(".") + " %"


def sentence(text: str) -> str:
    """Return a reason as a sentence: a capital first, a full stop last."""
    return f"{text[:1].upper()}{text[1:]}."
