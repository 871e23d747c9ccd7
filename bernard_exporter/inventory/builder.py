"""Builds the record of a job from runs in any order, as they are read or as they change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from bernard_exporter.domain.model import WRITER_FORGETS, Order, Run, Status
from bernard_exporter.inventory.record import Record, SuccessHistory

# The maximum number of ongoing runs of a job that each poll reads; older ones are only counted.
FOLLOWED = 1_000


class Unfollowed(NamedTuple):
    """Ongoing runs of a job that are only counted: their number, and the start of the oldest."""

    runs: int = 0
    oldest: float = 0.0


class RecordBuilder:
    """Builds the record of one job; a record it starts from is not modified.

    Attributes:
        failures: failed runs since the newest success.
        last_failure: start of the newest failed run that was added, in seconds since 1970; None if there is none.
        failures_are_known: False after a success that is older than a run that had ended: then the failed runs since
            that success must be counted in the database.
    """

    def __init__(self, retention: float | None, now: datetime, record: Record | None = None) -> None:
        """Start from a record or without runs; successes are retained for ``retention`` seconds."""
        record = record or Record()
        self._now = now
        self._history = record.history.copy() if len(record.history) else SuccessHistory(retention)
        self._successes = [run for run in (record.previous, record.newest) if run]
        self._attempt = record.attempt
        self._last_end = record.last_end_order
        self._ongoing = {run.id: run for run in record.ongoing}
        self._unfollowed = Unfollowed(record.unfollowed, record.unfollowed_since)
        self.failures, self.last_failure = record.consecutive_failures, record.last_failure
        self.failures_are_known = True

    @property
    def newest(self) -> Run | None:
        """The newest success so far."""
        return self._successes[-1] if self._successes else None

    @property
    def successes(self) -> int:
        """The number of successes."""
        return len(self._history)

    @property
    def latest_end(self) -> float:
        """The latest end of the successes in seconds since 1970; minus infinity if there are none."""
        return self._history.latest_end

    @property
    def ongoing(self) -> int:
        """The number of ongoing runs that are followed."""
        return len(self._ongoing)

    @property
    def last_end(self) -> Order:
        """The order of the newest run that has ended."""
        return self._last_end

    def add(self, run: Run) -> None:
        """Add a run that has started, or the new status of one that was added as ongoing."""
        self._ongoing.pop(run.id, None)
        if run.is_success(self._now):
            self._add_success(run)
        elif run.status is Status.FAILED and (self.newest is None or run.order > self.newest.order):
            self.failures += 1
            self.last_failure = max(run.order[0], self.last_failure or 0.0)
        elif run.status is Status.ONGOING and run.start and self._now - run.start <= WRITER_FORGETS:
            self._ongoing[run.id] = run
        self.see(run)

    def see(self, run: Run) -> None:
        """Add a run that only matters if it is the newest."""
        if self._attempt is None or run.order >= self._attempt.order:
            self._attempt = run
        if run.has_ended:
            self._last_end = max(self._last_end, run.order)

    def _add_success(self, run: Run) -> None:
        self._history.add(run)
        is_newest = self.newest is None or run.order > self.newest.order
        if is_newest:
            self.failures, self.failures_are_known = 0, self._last_end <= run.order
        others = (success for success in self._successes if success.id != run.id)
        self._successes = sorted([*others, run], key=lambda success: success.order)[-2:]

    def leave(self, unfollowed: Unfollowed) -> None:
        """Set the number of ongoing runs that are not added, all older than those that are."""
        self._unfollowed = unfollowed

    def build(self) -> Record:
        """Return the record."""
        history = self._history
        history.forget()
        ongoing = sorted(self._young(self._ongoing.values()), key=lambda run: run.order)
        unfollowed = self._unfollowed
        if len(ongoing) > FOLLOWED:
            left = ongoing[:-FOLLOWED]
            ongoing = ongoing[-FOLLOWED:]
            oldest = unfollowed.oldest if unfollowed.runs else left[0].order[0]
            unfollowed = Unfollowed(unfollowed.runs + len(left), oldest)
        if unfollowed.runs and ongoing and self._last_end > ongoing[0].order:
            # Abandoned, as a newer run has ended.
            unfollowed = Unfollowed()
        return Record(
            newest=self.newest,
            previous=self._successes[-2] if len(self._successes) > 1 else None,
            attempt=self._attempt,
            consecutive_failures=self.failures,
            last_failure=self.last_failure if self.failures else None,
            ongoing=tuple(ongoing),
            last_end_order=self._last_end,
            history=history,
            band=history.band(),
            unfollowed=unfollowed.runs,
            unfollowed_since=unfollowed.oldest,
        )

    def _young(self, runs: Iterable[Run]) -> Iterable[Run]:
        return (run for run in runs if run.start and self._now - run.start <= WRITER_FORGETS)
