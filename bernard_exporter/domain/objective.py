"""How long the recovery point objective of a job was met: its newest success was not older than ``max_age``."""

from __future__ import annotations


class ObjectiveMeter:
    """Measures a range of time, in seconds since 1970, from successes that are added by their start, oldest first.

    A success counts from its end, before which it is no success, until ``max_age`` after its start. So the objective is
    met in the union of these ranges, whatever the order in which runs ended.
    """

    def __init__(self, max_age: float, start: float, end: float) -> None:
        """Start without successes; the time from ``start`` to ``end`` is measured."""
        self._max_age, self._start, self._end = max_age, start, end
        self._settled = 0.0
        # Ranges that do not touch each other, by time, and that a later success may still extend.
        self._open: list[tuple[float, float]] = []

    def add(self, begun: float, ended: float) -> None:
        """Add a success that began no earlier than those before it."""
        # No later success ends before it began.
        while self._open and self._open[0][1] < begun:
            self._settled += self._within(*self._open.pop(0))
        first, last = max(begun, ended), begun + self._max_age
        if first > last:
            return
        while self._open and self._open[-1][1] >= first:
            first = min(first, self._open.pop()[0])
        self._open.append((first, last))

    @property
    def met(self) -> float:
        """The seconds in which the objective was met."""
        return self._settled + sum(self._within(*one) for one in self._open)

    @property
    def ratio(self) -> float | None:
        """The share of the time in which it was met; None of no time at all."""
        return self.met / (self._end - self._start) if self._end > self._start else None

    def _within(self, first: float, last: float) -> float:
        return max(0.0, min(last, self._end) - max(first, self._start))
