"""Formats sizes, durations and times for pages."""

from __future__ import annotations

from datetime import UTC, datetime

from markupsafe import Markup

# Re-exported, so that pages import all formatting from here.
from bernard_exporter.domain.humanize import age as age
from bernard_exporter.domain.humanize import duration as duration
from bernard_exporter.domain.humanize import largest_unit
from bernard_exporter.domain.humanize import percent as percent
from bernard_exporter.domain.humanize import size as size

NOTHING = Markup('<span class="quiet" title="unknown">—</span>')


def exact_size(count: int | None) -> Markup:
    """Return bytes in a binary unit, with the exact number as the title."""
    if count is None:
        return NOTHING
    return Markup('<data value="{}" title="{} bytes">{}</data>').format(count, f"{count:,}", size(count))


def exact_duration(seconds: float | None) -> Markup:
    """Return a duration, with its seconds as the sort value."""
    if seconds is None:
        return NOTHING
    return Markup('<data value="{}">{}</data>').format(f"{seconds:.0f}", duration(seconds))


def distance(moment: datetime, now: datetime) -> str:
    """Return the distance of a time from now in its largest unit: ``3 days ago``, ``in 2 hours``, ``just now``."""
    seconds = (moment - now).total_seconds()
    count, unit = largest_unit(abs(seconds))
    if not unit:
        return "now" if seconds > 0 else "just now"
    words = f"{count} {unit}{'s' if count > 1 else ''}"
    return f"in {words}" if seconds > 0 else f"{words} ago"


def iso(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def precise(moment: datetime) -> str:
    """Return a time as RFC 3339 in UTC, with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def when(moment: datetime | None, now: datetime) -> Markup:
    """Return a time in UTC as a ``time`` element with its distance from now; a dash for None."""
    if moment is None:
        return NOTHING
    return Markup('<time datetime="{}" title="{} UTC">{}</time> <small class="ago">{}</small>').format(
        iso(moment),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}",
        distance(moment, now),
    )


def limit(ratio: float) -> str:
    """Format a limit of a ratio, such as ``5 %``."""
    return f"{ratio:.2%}".rstrip("%").rstrip("0").rstrip(".") + " %"


def sentence(text: str) -> str:
    """Return a reason as a sentence with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."
