"""What stands around every page: as of when it is, and whether the database could be read since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from bernard_exporter.poller import Poller


@dataclass(frozen=True, slots=True)
class Frame:
    """The moment a page speaks of, and the state of the inventory at it.

    Attributes:
        now: when the page was made.
        read: the end of the last successful poll; None before the first.
        up: the last poll succeeded.
        failed_polls: since the exporter started.
        troubles: why polls failed, with how often.
    """

    now: datetime
    read: datetime | None
    up: bool
    failed_polls: int
    troubles: tuple[tuple[str, int], ...]


def frame_of(poller: Poller) -> Frame:
    """Return the frame of a page that is made now."""
    own = poller.telemetry
    return Frame(
        now=poller.now,
        read=None if own.last_poll is None else datetime.fromtimestamp(own.last_poll, UTC),
        up=own.up,
        failed_polls=own.polls["failure"],
        troubles=tuple(sorted((str(reason), count) for reason, count in own.errors.items() if count)),
    )
