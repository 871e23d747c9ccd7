"""How many rows there are of each kind: summed up by the database once, kept up to date by single runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from bernard_exporter.model import UNKNOWN_DATACENTER, Anomaly, Job, Rejection, Run, Status
from bernard_exporter.policy import Policy
from bernard_exporter.store.reader import Tally


class StartKind(IntEnum):
    """What a start is good for; the numbers are those of ``Tally.start_kind``."""

    USABLE = 0
    UNKNOWN = 1
    FUTURE = 2


class Key(NamedTuple):
    """What rows are counted by."""

    job: Job
    status: Status
    start: StartKind


def start_kind(run: Run, now: datetime) -> StartKind:
    """Return what the start of a run is good for at ``now``."""
    if run.start is None:
        return StartKind.UNKNOWN
    return StartKind.FUTURE if run.start > now else StartKind.USABLE


class Counts:
    """Rows by job, status and kind of start; rows rejected; rows that contradict themselves."""

    def __init__(self, policy: Policy) -> None:
        """Start from no rows; the policy finds the data centre of a host, and says which sections are watched."""
        self._policy = policy
        self.rows: Counter[Key] = Counter()
        self.rejected: Counter[Rejection] = Counter()
        self.anomalies: Counter[Anomaly] = Counter()
        self.newest: dict[Key, int] = {}
        self.raw_unknown: set[str] = set()
        self.hosts: Counter[str] = Counter()

    def copy(self) -> Counts:
        """Return a copy that can be changed apart from this one."""
        other = Counts(self._policy)
        other.rows, other.rejected, other.anomalies = self.rows.copy(), self.rejected.copy(), self.anomalies.copy()
        other.newest, other.raw_unknown = self.newest.copy(), self.raw_unknown.copy()
        other.hosts = self.hosts.copy()
        return other

    def add_tallies(self, tallies: Iterable[Tally]) -> None:
        """Add what the database has summed up."""
        for tally in tallies:
            self._add_tally(tally)

    def _add_tally(self, tally: Tally) -> None:
        if not self._policy.watches(tally.section):
            return
        status = Status.parse(tally.status)
        start = StartKind(tally.start_kind)
        if status is Status.UNKNOWN:
            self.raw_unknown.add(tally.status)
            self.rejected[Rejection.STATUS_UNKNOWN] += tally.rows
        self._count_start(start, tally.rows)
        self.rejected[Rejection.BAD_SIZE] += tally.bad_size
        self.anomalies[Anomaly.ENDED_BEFORE_START] += tally.ended_before_start
        if status is Status.FINISHED:
            self.anomalies[Anomaly.FINISHED_WITHOUT_END] += tally.without_end
            self.anomalies[Anomaly.FINISHED_WITHOUT_SIZE] += tally.without_size
        self._count_job(tally.type, tally.section, tally.host, status, start, tally.rows, tally.newest)

    def add_run(self, run: Run, start: StartKind, weight: int = 1) -> None:
        """Add one run, or with a weight of -1 take it away as it was when it was added."""
        if not self._policy.watches(run.section):
            return
        for rejection in run.rejected & {Rejection.STATUS_UNKNOWN, Rejection.BAD_SIZE}:
            self.rejected[rejection] += weight
        if run.status is Status.UNKNOWN:
            self.raw_unknown.add(run.recorded_status)
        self._count_start(start, weight)
        if start is StartKind.USABLE and run.end is not None and run.start is not None and run.end < run.start:
            self.anomalies[Anomaly.ENDED_BEFORE_START] += weight
        if run.status is Status.FINISHED:
            self.anomalies[Anomaly.FINISHED_WITHOUT_END] += weight * (run.end is None)
            self.anomalies[Anomaly.FINISHED_WITHOUT_SIZE] += weight * (run.size is None)
        newest = int(run.start.timestamp()) if run.start else 0
        self._count_job(run.type, run.section, run.host, run.status, start, weight, newest)

    def _count_start(self, start: StartKind, rows: int) -> None:
        if start is StartKind.UNKNOWN:
            self.rejected[Rejection.START_UNKNOWN] += rows
        elif start is StartKind.FUTURE:
            self.rejected[Rejection.START_FUTURE] += rows

    def _count_job(
        self, type_: str, section: str, host: str, status: Status, start: StartKind, rows: int, newest: int
    ) -> None:
        datacenter = self._policy.datacenter(host)
        self.hosts[host] += rows
        if not self.hosts[host]:
            del self.hosts[host]
        if datacenter == UNKNOWN_DATACENTER:
            self.anomalies[Anomaly.UNKNOWN_HOST] += rows
        if not type_ or not section:
            self.rejected[Rejection.NO_JOB] += rows
            return
        key = Key(Job(section, type_, datacenter), status, start)
        self.rows[key] += rows
        if not self.rows[key]:
            del self.rows[key]
        self.newest[key] = max(newest, self.newest.get(key, 0))

    def jobs(self) -> set[Job]:
        """Return every job that has at least one row."""
        return {key.job for key in self.rows}

    def of_job(self, job: Job, status: Status) -> int:
        """Return how many rows of a job have a status, whatever their start."""
        return sum(self.rows[Key(job, status, start)] for start in StartKind)
