"""Error pages."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from bernard_exporter.errors import FilterError, NotFoundError, StoreError
from bernard_exporter.web.pages.rendering import PageContext

_log = logging.getLogger(__name__)
EXPECTED = (FilterError, NotFoundError, StoreError)
_AGAIN = 5
RETRY = {"retry-after": str(_AGAIN)}
BUSY = "Too many requests are being processed. Try again in a moment.\n"


@dataclass(frozen=True, slots=True)
class Message:
    """An error page.

    Attributes:
        status: the HTTP status.
        again: seconds after which the browser reloads the page; None for never.
    """

    status: int
    title: str
    text: str
    advice: str = ""
    again: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def log(error: StoreError) -> None:
    """Log an error; its message may contain users and hosts, which a page must not show."""
    _log.warning("cannot read the database for a page: %s", error, extra={"reason": error.reason})


def message_of(error: FilterError | NotFoundError | StoreError, path: str = "") -> Message:
    """Return the error page for an error; ``path`` is the path of the page."""
    if isinstance(error, FilterError):
        return Message(400, "Invalid request", f"{error}.", "Change the filters or the search and try again.")
    if isinstance(error, NotFoundError):
        return Message(
            404, "Not found", f"There is {error}.", "It may have been removed from the policy and the database."
        )
    log(error)
    return _of_store(error, path)


def _of_store(error: StoreError, path: str) -> Message:
    if error.reason == "timeout":
        text = f"The query took longer than {error.seconds:g} s." if error.seconds else "It does not respond."
        narrow = "Narrow the query: filter by section and type, which are indexed, or use the newest-first order."
        advice = narrow if path.endswith("/runs") else "Try again in a moment."
        return Message(503, "The database did not respond in time", text, advice, headers=RETRY)
    if error.is_away:
        text = f"The metadata database cannot be read at the moment ({error.reason})."
        advice = "Overview and jobs still show the last inventory. See the log of the exporter for the reason."
        return Message(503, "The database is unavailable", text, advice, headers=RETRY)
    advice = "A retry will fail until this is fixed; run bernard-exporter doctor for details."
    return Message(503, "The database returned an error", f"Error: {error.answer}.", advice)


def unread(context: PageContext) -> Message:
    """Return the page that is shown until the database has been read once."""
    polls = f"{context.failed_polls} polls failed" if context.failed_polls != 1 else "1 poll failed"
    reasons = ", ".join(f"{reason}: {count}" for reason, count in context.poll_errors)
    tried = f"{polls} ({reasons}); see the log of the exporter." if context.failed_polls else ""
    return Message(
        503,
        "Not read yet",
        "The exporter has not read the metadata database yet, so no backups are known. "
        "This page reloads automatically.",
        tried,
        _AGAIN,
        RETRY,
    )


def no_page(path: str) -> Message:
    """Return the page for an unknown path."""
    short_path = path if len(path) <= 100 else f"{path[:100]}…"
    return Message(404, "No such page", f"There is no page at {short_path}.", "Try one of these pages.")
