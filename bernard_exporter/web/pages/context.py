"""Values for every page: the time of the inventory, and whether the database can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bernard_exporter.polling.poller import Poller


@dataclass(frozen=True, slots=True)
class PageContext:
    """The time of a page, and the state of the polls.

    Attributes:
        now: the time at which the page was rendered.
        last_poll: the end of the last successful poll; None before the first.
        up: whether the last poll succeeded.
        failed_polls: the number of failed polls since the start of the exporter.
        poll_errors: the number of failed polls by reason.
    """

    now: datetime
    last_poll: datetime | None
    up: bool
    failed_polls: int
    poll_errors: tuple[tuple[str, int], ...]


def page_context(poller: Poller) -> PageContext:
    """Return the context of a page that is rendered now."""
    own = poller.self_metrics
    return PageContext(
        now=poller.now,
        last_poll=None if own.last_poll is None else datetime.fromtimestamp(own.last_poll, UTC),
        up=own.up,
        failed_polls=own.polls["failure"],
        poll_errors=tuple(sorted((str(reason), count) for reason, count in own.errors.items() if count)),
    )
