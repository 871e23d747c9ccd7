"""The record of one job at the time that the replay has reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bernard_exporter.domain.model import WRITER_FORGETS, Run, Status
from bernard_exporter.domain.policy import Limits
from bernard_exporter.inventory.record import Band, Record, SuccessHistory


@dataclass(slots=True)
class JobReplay:
    """A record of a job that is updated with its starts and ends in chronological order.

    Attributes:
        limits: the job's limits; None if the policy does not expect it.
        runs: the number of rows by status.
    """

    limits: Limits | None = None
    runs: Mapping[Status, int] = field(default_factory=dict)
    _record: Record | None = field(default_factory=Record)
    _newest: Run | None = None
    _previous: Run | None = None
    _attempt: Run | None = None
    _ongoing: list[Run] = field(default_factory=list)
    # The number of started runs whose end is known to be later.
    _awaited: int = 0
    _failed: list[tuple[float, int]] = field(default_factory=list)
    # Failures after the newest success and before any later one; only their number is needed.
    _settled: int = 0
    _last_failure: float = 0.0
    _last_end: tuple[float, int] = (0.0, 0)
    _history: SuccessHistory = field(init=False)
    _band: Band | None = None

    def __post_init__(self) -> None:
        """Start without successes, with the policy's retention."""
        self._history = SuccessHistory(self.limits.retention if self.limits else None)

    @property
    def record(self) -> Record:
        """The current record."""
        if self._record is None:
            failures = self._settled + len(self._failed)
            self._record = Record(
                newest=self._newest,
                previous=self._previous,
                attempt=self._attempt,
                consecutive_failures=failures,
                last_failure=self._last_failure if failures else None,
                ongoing=tuple(self._ongoing),
                last_end_order=self._last_end,
                history=self._history,
                band=self._band,
            )
        return self._record

    def begin(self, run: Run, now: datetime, awaited: bool) -> None:
        """Add a run that starts; ``awaited`` if it will end later. Runs must be added in order of start."""
        self._record = None
        self._count(run.status, 1)
        self._attempt = run
        self._awaited += awaited
        if run.status is Status.ONGOING:
            self._ongoing = [old for old in self._ongoing if old.start and now - old.start <= WRITER_FORGETS]
            self._ongoing.append(run)
        else:
            self._note_outcome(run, now)

    def end(self, run: Run, now: datetime) -> None:
        """Record the end of a run that started earlier."""
        self._record = None
        self._count(Status.ONGOING, -1)
        self._count(run.status, 1)
        self._awaited -= 1
        self._ongoing = [old for old in self._ongoing if old.id != run.id]
        if self._attempt and self._attempt.id == run.id:
            self._attempt = run
        self._note_outcome(run, now)

    def _count(self, status: Status, rows: int) -> None:
        # Copy on write: earlier snapshots still reference the old mapping.
        self.runs = {**self.runs, status: self.runs.get(status, 0) + rows}

    def _note_outcome(self, run: Run, now: datetime) -> None:
        if run.has_ended:
            self._last_end = max(self._last_end, run.order)
        if run.is_success(now):
            self._note_success(run)
        elif run.status is Status.FAILED and (self._newest is None or run.order > self._newest.order):
            self._failed.append(run.order)
            self._last_failure = max(self._last_failure, run.order[0])
        if not self._awaited:
            self._settled += len(self._failed)
            self._failed.clear()

    def _note_success(self, run: Run) -> None:
        if self._newest is None or run.order > self._newest.order:
            self._newest, self._previous = run, self._newest
            self._failed = [order for order in self._failed if order > run.order]
            self._settled = 0
        elif self._previous is None or run.order > self._previous.order:
            self._previous = run
        self._history.add(run)
        self._history.forget()
        self._band = self._history.band()
