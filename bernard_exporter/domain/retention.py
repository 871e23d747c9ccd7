"""Which successes are retained: the writer deletes old ones only when a newer success has ended.

The rule is that of wmfbackups' ``WMFBackup.py``, which purges at the end of a successful backup: a success is deleted
when a newer success of its job ends more than the retention after its start. The newest is always kept.
"""

from __future__ import annotations

from bisect import bisect_right

from bernard_exporter.domain.model import Order


class LatestEnds:
    """Finds the latest end of the successes that are newer than a given one.

    It keeps only successes that end after every newer one, usually just the newest.
    """

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        """Start without successes."""
        self._latest: list[tuple[Order, float]] = []

    def copy(self) -> LatestEnds:
        """Return an independent copy."""
        other = LatestEnds()
        other._latest = self._latest[:]
        return other

    def add(self, order: Order, end: float) -> None:
        """Add a success by its order and its end in seconds since 1970."""
        index = bisect_right(self._latest, (order, end))
        if index < len(self._latest) and self._latest[index][1] >= end:
            return
        first = index
        while first and self._latest[first - 1][1] <= end:
            first -= 1
        self._latest[first:index] = [(order, end)]

    def after(self, order: Order) -> float | None:
        """Return the latest end of the successes newer than ``order``; None if there is none."""
        index = bisect_right(self._latest, (order, float("inf")))
        return self._latest[index][1] if index < len(self._latest) else None


def is_expired(start: float, latest_end: float | None, retention: float) -> bool:
    """Return whether a success is no longer retained.

    Args:
        start: its start in seconds since 1970.
        latest_end: the latest end of the newer successes of its job; None if there is none.
        retention: the policy's retention in seconds.
    """
    return latest_end is not None and latest_end - start > retention
