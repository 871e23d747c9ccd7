"""What the runs of one job added up to, at the moment the walk through the past has reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bernard_exporter.inventory.record import WRITER_FORGETS, Band, History, Record, has_ended
from bernard_exporter.model import Run, Status
from bernard_exporter.policy import Limits


@dataclass(slots=True)
class JobPast:
    """A record that grows with time, fed with what happened to the job in the order in which it happened.

    Attributes:
        limits: what the policy expects, None for a job that it does not.
        runs: rows by status.
    """

    limits: Limits | None = None
    runs: Mapping[Status, int] = field(default_factory=dict)
    _record: Record | None = field(default_factory=Record)
    _newest: Run | None = None
    _previous: Run | None = None
    _attempt: Run | None = None
    _ongoing: list[Run] = field(default_factory=list)
    # How many of the runs that began are known to end later on.
    _awaited: int = 0
    _failed: list[tuple[float, int]] = field(default_factory=list)
    # Failures newer than the newest success and older than any that is still to come: only their number counts.
    _settled: int = 0
    _last_end: tuple[float, int] = (0.0, 0)
    _history: History = field(default_factory=History)
    _band: Band | None = None

    @property
    def record(self) -> Record:
        """What the runs add up to now."""
        if self._record is None:
            self._record = Record(
                newest=self._newest,
                previous=self._previous,
                attempt=self._attempt,
                consecutive_failures=self._settled + len(self._failed),
                ongoing=tuple(self._ongoing),
                last_end_order=self._last_end,
                history=self._history,
                band=self._band,
            )
        return self._record

    def begin(self, run: Run, now: datetime, awaited: bool) -> None:
        """Note a run that begins, which ``awaited`` says will end later; runs begin in their order."""
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
        """Note the outcome of a run that began earlier."""
        self._record = None
        self._count(Status.ONGOING, -1)
        self._count(run.status, 1)
        self._awaited -= 1
        self._ongoing = [old for old in self._ongoing if old.id != run.id]
        if self._attempt and self._attempt.id == run.id:
            self._attempt = run
        self._note_outcome(run, now)

    def _count(self, status: Status, rows: int) -> None:
        # Another mapping, for the last one is in somebody's hands.
        self.runs = {**self.runs, status: self.runs.get(status, 0) + rows}

    def _note_outcome(self, run: Run, now: datetime) -> None:
        if has_ended(run):
            self._last_end = max(self._last_end, run.order)
        if run.is_success(now):
            self._note_success(run, now)
        elif run.status is Status.FAILED and (self._newest is None or run.order > self._newest.order):
            self._failed.append(run.order)
        if not self._awaited:
            self._settled += len(self._failed)
            self._failed.clear()

    def _note_success(self, run: Run, now: datetime) -> None:
        if self._newest is None or run.order > self._newest.order:
            self._newest, self._previous = run, self._newest
            self._failed = [order for order in self._failed if order > run.order]
            self._settled = 0
        elif self._previous is None or run.order > self._previous.order:
            self._previous = run
        retention = self.limits.retention if self.limits else None
        self._history.add(run)
        self._history.forget(now - timedelta(seconds=retention) if retention else None)
        self._band = self._history.band()
