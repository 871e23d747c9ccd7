"""What a page says instead when it cannot say what was asked for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from bernard_exporter.errors import BernardError, BusyError, FilterError, NotFoundError, StoreError
from bernard_exporter.pages.frame import Frame

_log = logging.getLogger(__name__)
EXPECTED = (BusyError, FilterError, NotFoundError, StoreError)
_AGAIN = 5
_RETRY = {"retry-after": str(_AGAIN)}


@dataclass(frozen=True, slots=True)
class Message:
    """A page that says why there is no other.

    Attributes:
        status: the HTTP status.
        again: seconds after which a browser asks again by itself; None for never.
    """

    status: int
    title: str
    text: str
    advice: str = ""
    again: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def log(error: StoreError) -> None:
    """Note an error whose text may name users and hosts, which a page does not show."""
    _log.warning("a page could not be made from the database: %s", error, extra={"reason": error.reason})


def message_of(error: BernardError) -> Message:
    """Return what a page says of an error."""
    if isinstance(error, FilterError):
        return Message(400, "This cannot be asked", f"{error}.", "Change the filters or the search and try again.")
    if isinstance(error, NotFoundError):
        return Message(404, "Not found", f"There is {error}.", "It may have been removed from policy and database.")
    if isinstance(error, StoreError):
        log(error)
        return _away(error)
    return Message(503, "Too busy", "Too many pages are being made already.", "Try again in a moment.", headers=_RETRY)


def _away(error: StoreError) -> Message:
    if error.reason == "timeout":
        text = "The question takes it too long, or it hangs."
        advice = "Narrow the question: by section and type, which an index serves, or by the newest-first order."
        return Message(503, "The database did not answer in time", text, advice, headers=_RETRY)
    text = f"The metadata database cannot be read now ({error.reason})."
    advice = "Overview and jobs go on working from what was read last. The log of the exporter says why."
    return Message(503, "The database is away", text, advice, headers=_RETRY)


def unread(frame: Frame) -> Message:
    """Return what every page says before the database was read once."""
    polls = f"{frame.failed_polls} polls failed" if frame.failed_polls != 1 else "1 poll failed"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in frame.troubles)
    tried = f"{polls} ({reasons}); the log of the exporter says why." if frame.failed_polls else ""
    return Message(
        503,
        "Not read yet",
        "The exporter runs, but has not read the metadata database yet, so that nothing is known of any backup. "
        "This page tries again by itself.",
        tried,
        _AGAIN,
        _RETRY,
    )


def no_page(path: str) -> Message:
    """Return what is said of an address that leads nowhere."""
    shown = path if len(path) <= 100 else f"{path[:100]}…"
    return Message(404, "No such page", f"There is nothing at {shown}.", "One of these may be what you look for.")
