"""Bring the inventory up to date: by what changed, or now and then by counting everything afresh."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.inventory.counts import Counts, StartKind, start_kind
from bernard_exporter.inventory.load import load
from bernard_exporter.inventory.record import Record
from bernard_exporter.model import Job, Run
from bernard_exporter.policy import Policy
from bernard_exporter.store import reader
from bernard_exporter.telemetry import ResyncReason

# Ids summed up by one statement: short enough for any sensible statement timeout.
_IDS_AT_ONCE = 250_000
_NEW_AT_ONCE = 5_000
# More new rows than this are cheaper counted than read.
_BACKLOG = 50_000
# Ids skipped by a transaction that has not committed yet, looked for until the next resynchronisation.
_MAX_GAPS = 2_000
# A purge that deletes in many small steps must not cause a resynchronisation at each.
_PURGE_PATIENCE = 600.0


def count_rows(connection: Connection, bounds: tuple[int, int] | None, policy: Policy, now: datetime) -> Counts:
    """Count the rows between two ids, whose starts are judged at ``now``, in passes over parts of the primary key.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    counts = Counts(policy)
    begin, high = bounds or (None, 0)
    while begin is not None:
        end = min(begin + _IDS_AT_ONCE - 1, high)
        counts.add_tallies(reader.tallies(connection, begin, end, now))
        begin = reader.next_id(connection, end)
    return counts


@dataclass(slots=True)
class Inventory:
    """What the exporter knows of the database; one poll reads into it, nothing else changes it.

    Attributes:
        records: what the runs of each job seen in the database add up to.
        counts: rows by kind.
        resyncs: how often everything was counted afresh, by reason.
        synced: when that was last, None before the first time.
    """

    policy: Policy
    resync_interval: float = 3600.0
    records: dict[Job, Record] = field(default_factory=dict)
    counts: Counts = field(init=False)
    resyncs: Counter[ResyncReason] = field(default_factory=Counter)
    synced: datetime | None = None
    _low: int | None = None
    _high: int = 0
    _watched: dict[int, tuple[Run, StartKind]] = field(default_factory=dict)
    _future: dict[int, Run] = field(default_factory=dict)
    _gaps: dict[int, None] = field(default_factory=dict)
    _next_reason: ResyncReason | None = "start"

    def __post_init__(self) -> None:
        """Start from no rows."""
        self.counts = Counts(self.policy)

    def adopt(self, policy: Policy, resync_interval: float) -> None:
        """Follow another policy from the next poll on; data centres and retention may differ, so count afresh."""
        self.policy = policy
        self.resync_interval = resync_interval
        self._next_reason = self._next_reason or "policy"

    def update(self, connection: Connection, now: datetime) -> None:
        """Read what changed since the last call.

        Either the whole update takes effect, or, when an error is raised, the next one counts afresh.

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

    def _due(self, now: datetime) -> ResyncReason | None:
        age = self._age(now)
        # A clock set back must not put the next one off.
        return "interval" if age >= self.resync_interval or age < 0 else None

    def _resync(self, connection: Connection, now: datetime) -> None:
        found = reader.bounds(connection)
        low, high = found or (None, 0)
        counts = count_rows(connection, found, self.policy, now)
        records, future = load(connection, counts.jobs(), counts, self.policy, now)
        self.counts, self.records, self.synced = counts, records, now
        self._low, self._high = low, high
        self._gaps.clear()
        self._future = {run.id: run for run in future}
        self._watch(now)

    def _watch(self, now: datetime) -> None:
        runs = {run.id: run for record in self.records.values() for run in record.watched()}
        runs.update(self._future)
        self._watched = {run_id: (run, start_kind(run, now)) for run_id, run in runs.items()}

    def _follow(self, connection: Connection, now: datetime) -> ResyncReason | None:
        """Apply what changed; return why everything must be counted afresh instead, None when it need not."""
        found = reader.bounds(connection)
        if found is None or found[1] < self._high:
            return "replaced" if self._high else None
        if self._low is None:
            return "start"
        if found[0] != self._low and self._age(now) >= _PURGE_PATIENCE:
            return "purged"
        changed = self._changes(connection, now)
        if isinstance(changed, str):
            return changed
        fresh = self._new(connection)
        if fresh is None:
            return "backlog"
        self._apply(connection, [*changed, *((None, run) for run in fresh)], now)
        return None

    def _age(self, now: datetime) -> float:
        return (now - self.synced).total_seconds() if self.synced else 0.0

    def _changes(self, connection: Connection, now: datetime) -> list[tuple[Run | None, Run]] | ResyncReason:
        """Return the watched runs that changed, old and new, or what happened when one is gone or another run now."""
        found = {run.id: run for run in reader.runs_by_id(connection, [*self._watched, *self._gaps])}
        changes: list[tuple[Run | None, Run]] = []
        for run_id, (old, kind) in self._watched.items():
            new = found.pop(run_id, None)
            if new is None:
                return "purged"
            if (new.name, new.type, new.section) != (old.name, old.type, old.section):
                return "replaced"
            if new != old or kind is not start_kind(new, now):
                changes.append((old, new))
        return changes + [(None, run) for run in found.values()]

    def _new(self, connection: Connection) -> list[Run] | None:
        """Return the runs with higher ids than any before; None when they are too many to read."""
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

    def _apply(self, connection: Connection, changes: Iterable[tuple[Run | None, Run]], now: datetime) -> None:
        touched: set[Job] = set()
        counts = self.counts.copy()
        for old, new in changes:
            if old is not None:
                counts.add_run(old, self._watched[old.id][1], -1)
                touched.add(self._job(old))
            counts.add_run(new, start_kind(new, now))
            touched.add(self._job(new))
            self._note_id(new.id)
            self._future.pop(new.id, None)
            if start_kind(new, now) is StartKind.FUTURE:
                self._future[new.id] = new
        if not touched:
            return
        records, future = load(connection, touched & counts.jobs(), counts, self.policy, now)
        kept = {job: record for job, record in self.records.items() if job not in touched}
        self.counts, self.records = counts, kept | records
        self._future.update((run.id, run) for run in future)
        self._watch(now)

    def _job(self, run: Run) -> Job:
        return Job(run.section, run.type, self.policy.datacenter(run.host))

    def _note_id(self, run_id: int) -> None:
        """Remember the ids a new one skipped: their transactions may commit later."""
        self._gaps.pop(run_id, None)
        if run_id <= self._high:
            return
        first = max(self._high + 1, run_id - _MAX_GAPS)
        self._gaps.update(dict.fromkeys(range(first, run_id)))
        while len(self._gaps) > _MAX_GAPS:
            del self._gaps[next(iter(self._gaps))]
        self._high = run_id
