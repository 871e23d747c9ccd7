"""Judges what people are sent: each cause once, then reminders, and no word of an end that was none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from alerts.backups import REPEATED
from testing.trust.alertmanager import Notification
from testing.trust.evaluation import Alert
from testing.trust.story import DAY, HOUR, MINUTE
from testing.trust.tracks import Mark, Track

# The shortest time between reminders.
REMINDER, PAGE_REMINDER = DAY // MINUTE, 4 * HOUR // MINUTE
_SAME_CAUSE = (Mark.HOLDS, Mark.GAP)


def wrong_notices(
    notifications: Sequence[Notification], tracks: Sequence[Track], weaker: Mapping[Alert, Sequence[int]], until: int
) -> Iterator[tuple[str, Alert, int]]:
    """Yield the kind of fault, an alert and the minute of every notification that should not have been sent.

    Args:
        notifications: in the order in which they are sent.
        tracks: what is expected.
        weaker: the minutes in which an alert fires but stands back behind a stronger one; it may be sent again later.
        until: the minute from which on nothing is judged.
    """
    sent: dict[tuple[str, Alert], int] = {}

    def is_known(receiver: str, alert: Alert, minute: int) -> bool:
        """Return whether an alert was sent, and nothing has changed since."""
        before = sent.get((receiver, alert))
        if before is None or any(before < other < minute for other in weaker.get(alert, ())):
            return False
        return _lasts(alert, tracks, before, minute)

    for notification in notifications:
        minute, receiver, firing = notification.minute, notification.receiver, notification.firing
        if minute >= until:
            return
        # The rule that repeats a page says nothing new either, whenever it begins to.
        if notification.is_reminder or any(("cause", REPEATED) in alert for alert in firing):
            yield from (
                ("reminded too soon", alert, minute)
                for alert in firing
                if minute - sent.get((receiver, alert), minute - REMINDER) < _least(alert)
            )
        elif firing and not notification.resolved and all(is_known(receiver, alert, minute) for alert in firing):
            yield "told again", min(firing), minute
        for alert in notification.resolved:
            if is_known(receiver, alert, minute):
                yield "said to have ended", alert, minute
        sent.update({(receiver, alert): minute for alert in firing})


def _least(alert: Alert) -> int:
    """Return the shortest time between reminders of an alert, in minutes."""
    if ("alertname", "BernardWatchdog") in alert:
        # It is sent again and again, so that its absence shows.
        return 0
    return PAGE_REMINDER if ("severity", "page") in alert else REMINDER


def _lasts(alert: Alert, tracks: Sequence[Track], first: int, last: int) -> bool:
    """Return whether the condition of an alert held all the time, as far as it could be known."""
    return any(
        track.marks[first] is Mark.HOLDS and all(mark in _SAME_CAUSE for mark in track.marks[first : last + 1])
        for track in tracks
        if track.is_of(dict(alert))
    )
