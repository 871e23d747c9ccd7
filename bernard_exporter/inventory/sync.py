"""Updates the inventory: by the changes since the last poll, or by a resync that reads everything again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Rejection, Run, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.builder import RecordBuilder
from bernard_exporter.inventory.crowds import Crowd
from bernard_exporter.inventory.load import Loader
from bernard_exporter.inventory.record import Record
from bernard_exporter.inventory.resync import ResyncReason
from bernard_exporter.inventory.row_counts import RowCounts, StartKind, Times, newest_event, times
from bernard_exporter.store import reader

_NEW_AT_ONCE = 5_000
# With more new rows than this, a resync is cheaper than reading them.
_BACKLOG = 50_000
# The number of newest ids that are checked for gaps: a transaction may commit later than one with a higher id.
_MAX_GAPS = 2_000
# The number of runs with a start or end in the future that each poll reads; a resync reads the others.
_MAX_FUTURE = 10_000
# A purge that deletes rows in many small steps must not cause a resync for each step.
_PURGE_PATIENCE = 600.0


def count_rows(connection: Connection, bounds: tuple[int, int] | None, policy: Policy, now: datetime) -> RowCounts:
    """Count the rows between two ids by ranges of the primary key; the usability of their starts is as of ``now``.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    counts = RowCounts(policy)
    for low, high in reader.id_ranges(connection, bounds):
        counts.add_tallies(reader.tallies(connection, low, high, now))
    return counts


@dataclass(slots=True)
class Inventory:
    """The exporter's copy of the database state, which only polls change.

    Attributes:
        records: the record of each job with rows in the database.
        counts: the row counts.
        crowds: the jobs that had far more runs than expected at the last resync.
        resyncs: the number of resyncs by reason.
        synced: the time of the last resync; None before the first.
        polled: the time of the last successful update; None before the first.
    """

    policy: Policy
    resync_interval: float = 3600.0
    records: dict[Job, Record] = field(default_factory=dict)
    counts: RowCounts = field(init=False)
    crowds: list[Crowd] = field(default_factory=list)
    resyncs: Counter[ResyncReason] = field(default_factory=Counter)
    synced: datetime | None = None
    polled: datetime | None = None
    _low: int | None = None
    _high: int = 0
    _watched: dict[int, tuple[Run, Times]] = field(default_factory=dict)
    _future: dict[int, Run] = field(default_factory=dict)
    _gaps: dict[int, None] = field(default_factory=dict)
    _next_reason: ResyncReason | None = "start"

    def __post_init__(self) -> None:
        """Start without rows."""
        self.counts = RowCounts(self.policy)

    def adopt(self, policy: Policy, resync_interval: float, *, recount: bool = True) -> None:
        """Apply another policy from the next poll on.

        Args:
            policy: the new policy, which may have other data centres and retention.
            resync_interval: seconds after which a resync is due.
            recount: whether the next poll must resync, as for another policy or database.
        """
        self.policy = policy
        self.resync_interval = resync_interval
        if recount:
            self._next_reason = self._next_reason or "policy"

    def update(self, connection: Connection, now: datetime) -> None:
        """Read the changes since the last call.

        If an error is raised, no part of the update takes effect, and the next one is a resync.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed.
        """
        reason = self._next_reason or self._due(now)
        self._next_reason = reason or "replaced"
        reason = reason or self._follow(connection, now)
        if reason:
            self._resync(connection, now)
            self.resyncs[reason] += 1
        self._next_reason = None
        self.polled = now

    def _due(self, now: datetime) -> ResyncReason | None:
        # After the clock was set back, times that were read may be in the future.
        is_back = self.polled is not None and now < self.polled
        return "interval" if self._age(now) >= self.resync_interval or is_back else None

    def _resync(self, connection: Connection, now: datetime) -> None:
        bounds = reader.bounds(connection)
        low, high = bounds or (None, 0)
        counts = count_rows(connection, bounds, self.policy, now)
        loader = Loader(connection, counts, bounds, self.policy, now)
        records = loader.load(counts.jobs())
        future = self._read_future(connection, bounds, counts, now)
        gaps = _gaps(connection, low or 0, high)
        self.counts, self.records, self.synced, self.crowds = counts, records, now, loader.crowds()
        self._low, self._high, self._gaps, self._future = low, high, gaps, future
        self._watch(now)

    def _read_future(
        self, connection: Connection, bounds: tuple[int, int] | None, counts: RowCounts, now: datetime
    ) -> dict[int, Run]:
        """Return the runs with a start or end in the future."""
        future: dict[int, Run] = {}
        if counts.rejected[Rejection.START_FUTURE] + counts.rejected[Rejection.END_FUTURE]:
            for ids in reader.id_ranges(connection, bounds):
                runs = reader.future_runs(connection, ids, int(now.timestamp()), _MAX_FUTURE - len(future))
                future.update((run.id, run) for run in runs if self.policy.watches(run.section))
        return future

    def _watch(self, now: datetime) -> None:
        runs = {run.id: run for record in self.records.values() for run in record.watched()}
        runs.update(self._future)
        self._watched = {run_id: (run, times(run, now)) for run_id, run in runs.items()}

    def _follow(self, connection: Connection, now: datetime) -> ResyncReason | None:
        """Apply the changes, or return the reason for a resync; None if none is needed."""
        bounds = reader.bounds(connection)
        if bounds is None or bounds[1] < self._high:
            return "replaced" if self._high else None
        if self._low is None:
            return "start"
        if bounds[0] != self._low and self._age(now) >= _PURGE_PATIENCE:
            return "purged"
        changed = self._changes(connection, now)
        if isinstance(changed, str):
            return changed
        fresh = self._new(connection)
        if fresh is None:
            return "backlog"
        return self._apply(connection, [*changed, *((None, run) for run in fresh)], now)

    def _age(self, now: datetime) -> float:
        return (now - self.synced).total_seconds() if self.synced else 0.0

    def _changes(self, connection: Connection, now: datetime) -> list[tuple[Run | None, Run]] | ResyncReason:
        """Return the watched runs that changed, old and new, or why a resync is needed: a row was removed or reused."""
        runs = {run.id: run for run in reader.runs_by_id(connection, [*self._watched, *self._gaps])}
        changes: list[tuple[Run | None, Run]] = []
        for run_id, (old, usability) in self._watched.items():
            new = runs.pop(run_id, None)
            if new is None:
                return "purged"
            if _identity(new) != _identity(old) or newest_event(new, times(new, now)) < newest_event(old, usability):
                return "replaced"
            if new != old or usability != times(new, now):
                changes.append((old, new))
        return changes + [(None, run) for run in runs.values()]

    def _new(self, connection: Connection) -> list[Run] | None:
        """Return the runs with new ids; None if there are too many to read."""
        fresh: list[Run] = []
        last = self._high
        while page := reader.runs_after(connection, last, _NEW_AT_ONCE):
            fresh += page
            last = page[-1].id
            if len(fresh) > _BACKLOG:
                return None
            if len(page) < _NEW_AT_ONCE:
                break
        return fresh

    def _apply(
        self, connection: Connection, changes: Sequence[tuple[Run | None, Run]], now: datetime
    ) -> ResyncReason | None:
        """Apply new and changed runs, or return the reason for a resync."""
        if not changes:
            return None
        if not all(old is None or self._is_followed(old, new, now) for old, new in changes):
            return "replaced"
        counts, builders = self.counts.copy(), dict[Job, RecordBuilder]()
        for old, new in changes:
            usability = times(new, now)
            if old is not None:
                counts.add_run(old, self._watched[old.id][1], -1)
            counts.add_run(new, usability)
            self._note_id(new.id)
            self._future.pop(new.id, None)
            if (usability.start is StartKind.FUTURE or usability.end_is_future) and len(self._future) < _MAX_FUTURE:
                self._future[new.id] = new
            job = self._job(new)
            if job.type and job.section and self.policy.watches(job.section):
                if job not in builders:
                    builders[job] = RecordBuilder(self._retention(job), now, self.records.get(job))
                if usability.start is StartKind.USABLE:
                    builders[job].add(new)
        loader = Loader(connection, counts, None if self._low is None else (self._low, self._high), self.policy, now)
        for job, builder in builders.items():
            if not builder.failures_are_known:
                loader.count_failures(job, builder)
        self.records = self.records | {job: builder.build() for job, builder in builders.items()}
        self.counts = counts
        self._watch(now)
        return None

    def _is_followed(self, old: Run, new: Run, now: datetime) -> bool:
        """Return whether a change to a run can be applied to its record without a resync."""
        before = self._watched[old.id][1]
        if self._job(old) != self._job(new):
            return False
        if old.status is Status.ONGOING or before.start is not StartKind.USABLE:
            return True
        return new.is_success(now) and (before.end_is_future or (old.end == new.end and old.host == new.host))

    def _retention(self, job: Job) -> float | None:
        limits = self.policy.expected.get(job)
        return limits.retention if limits else None

    def _job(self, run: Run) -> Job:
        return Job(run.section, run.type, self.policy.datacenter(run.host))

    def _note_id(self, run_id: int) -> None:
        """Remember the ids that a new one skipped, as their transactions may commit later."""
        self._gaps.pop(run_id, None)
        if run_id <= self._high:
            return
        first = max(self._high + 1, run_id - _MAX_GAPS)
        self._gaps.update(dict.fromkeys(range(first, run_id)))
        while len(self._gaps) > _MAX_GAPS:
            del self._gaps[next(iter(self._gaps))]
        self._high = run_id


def _identity(run: Run) -> tuple[object, ...]:
    """Return the values of a run that the writer never changes: if they differ, it is another run."""
    return run.name, run.type, run.section, run.start


def _gaps(connection: Connection, low: int, high: int) -> dict[int, None]:
    """Return the missing ids among the newest."""
    after = max(low - 1, high - _MAX_GAPS)
    existing = reader.ids_after(connection, after)
    return dict.fromkeys(sorted(set(range(after + 1, high)).difference(existing)))
