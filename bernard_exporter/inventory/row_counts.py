"""Row counts by job and status: summed by the database once, then updated run by run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from bernard_exporter.domain.model import UNKNOWN_DATACENTER, Anomaly, Job, Rejection, Run, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.store.reader import Tally


class StartKind(IntEnum):
    """The usability of a start; the numbers are those of ``Tally.start_kind``."""

    USABLE = 0
    UNKNOWN = 1
    FUTURE = 2


class Times(NamedTuple):
    """The usability of the start and the end of a run."""

    start: StartKind
    end_is_future: bool


class CountKey(NamedTuple):
    """The key of a count."""

    job: Job
    status: Status
    start: StartKind


def times(run: Run, now: datetime) -> Times:
    """Return the usability of the start and the end of a run at ``now``."""
    end_is_future = run.end is not None and run.end > now
    if run.start is None:
        return Times(StartKind.UNKNOWN, end_is_future)
    return Times(StartKind.FUTURE if run.start > now else StartKind.USABLE, end_is_future)


class _Rows(NamedTuple):
    """The number of rows with a key, the number of successes among them, and the latest start."""

    rows: int
    successes: int
    newest: int


def newest_event(run: Run, usability: Times) -> int:
    """Return the later of start and end that is known and not in the future, in seconds since 1970; 0 if none is.

    The end of a run with status ``ongoing`` is ignored.
    """
    start = run.start if usability.start is StartKind.USABLE else None
    end = None if usability.end_is_future or run.status is Status.ONGOING else run.end
    return max((int(moment.timestamp()) for moment in (start, end) if moment), default=0)


class RowCounts:
    """Counts of rows by job, status and usability of the start, of rejected rows and of anomalies.

    Attributes:
        successes: the number of successes by job.
        newest: the latest start for each key in seconds since 1970.
        newest_event: the latest start or end of any row that is not in the future, in seconds since 1970; 0 if none is.
    """

    def __init__(self, policy: Policy) -> None:
        """Start without rows; the policy determines the data centre of hosts and the watched sections."""
        self._policy = policy
        self.rows: Counter[CountKey] = Counter()
        self.rejected: Counter[Rejection] = Counter()
        self.anomalies: Counter[Anomaly] = Counter()
        self.successes: Counter[Job] = Counter()
        self.newest: dict[CountKey, int] = {}
        self.newest_event = 0
        self.raw_unknown: set[str] = set()
        self.hosts: Counter[str] = Counter()

    def copy(self) -> RowCounts:
        """Return an independent copy."""
        other = RowCounts(self._policy)
        other.rows, other.rejected, other.anomalies = self.rows.copy(), self.rejected.copy(), self.anomalies.copy()
        other.newest, other.raw_unknown = self.newest.copy(), self.raw_unknown.copy()
        other.hosts, other.successes, other.newest_event = self.hosts.copy(), self.successes.copy(), self.newest_event
        return other

    def add_tallies(self, tallies: Iterable[Tally]) -> None:
        """Add sums that the database computed."""
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
        self.rejected[Rejection.END_FUTURE] += tally.end_future
        newest_start = tally.newest if start is StartKind.USABLE else 0
        newest_end = 0 if status is Status.ONGOING else tally.newest_end
        self.newest_event = max(self.newest_event, newest_start, newest_end)
        self.rejected[Rejection.BAD_SIZE] += tally.bad_size
        self.anomalies[Anomaly.ENDED_BEFORE_START] += tally.ended_before_start
        if status is Status.FINISHED:
            self.anomalies[Anomaly.FINISHED_WITHOUT_END] += tally.without_end
            self.anomalies[Anomaly.FINISHED_WITHOUT_SIZE] += tally.without_size
        rows = _Rows(tally.rows, tally.begun_and_ended if status is Status.FINISHED else 0, tally.newest)
        self._count_job(tally.type, tally.section, tally.host, status, start, rows)

    def add_run(self, run: Run, usability: Times, weight: int = 1) -> None:
        """Add one run, or subtract it with a weight of -1, exactly as it was added."""
        if not self._policy.watches(run.section):
            return
        start = usability.start
        self.rejected[Rejection.END_FUTURE] += weight * usability.end_is_future
        if weight > 0:
            self.newest_event = max(self.newest_event, newest_event(run, usability))
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
        is_success = run.status is Status.FINISHED and start is StartKind.USABLE
        is_success = is_success and run.end is not None and not usability.end_is_future
        rows = _Rows(weight, weight * is_success, int(run.start.timestamp()) if run.start else 0)
        self._count_job(run.type, run.section, run.host, run.status, start, rows)

    def _count_start(self, start: StartKind, rows: int) -> None:
        if start is StartKind.UNKNOWN:
            self.rejected[Rejection.START_UNKNOWN] += rows
        elif start is StartKind.FUTURE:
            self.rejected[Rejection.START_FUTURE] += rows

    def _count_job(self, type_: str, section: str, host: str, status: Status, start: StartKind, group: _Rows) -> None:
        datacenter, rows = self._policy.datacenter(host), group.rows
        self.hosts[host] += rows
        if not self.hosts[host]:
            del self.hosts[host]
        if datacenter == UNKNOWN_DATACENTER:
            self.anomalies[Anomaly.UNKNOWN_HOST] += rows
        if not type_ or not section:
            self.rejected[Rejection.NO_JOB] += rows
            return
        job = Job(section, type_, datacenter)
        key = CountKey(job, status, start)
        self.rows[key] += rows
        self.successes[job] += group.successes
        self.newest[key] = max(group.newest, self.newest.get(key, 0))
        if not self.rows[key]:
            del self.rows[key], self.newest[key]
        if not self.successes[job]:
            del self.successes[job]

    def jobs(self) -> set[Job]:
        """Return every job that has at least one row."""
        return {key.job for key in self.rows}

    def of_job(self, job: Job, status: Status) -> int:
        """Return the number of rows of a job with a status, whatever their start."""
        return sum(self.rows[CountKey(job, status, start)] for start in StartKind)
