"""The runs of jobs that started in a time range, of each job at most a bounded number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Run, Status
from bernard_exporter.errors import FilterError
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.events import Known
from bernard_exporter.store import run_ranges
from bernard_exporter.store.reader import Pair, as_time
from bernard_exporter.store.run_ranges import Starts

# Of a job that has more runs of a status, the newest are listed.
MOST_OF_STATUS = 1_000
MOST_RUNS = 100_000
# The number of rows that one statement reads; sections that have more of a type are read separately.
_ROWS_AT_ONCE = 10_000
_SECTIONS_AT_ONCE = 500
_STATUSES = [*(status.value for status in Status if status is not Status.UNKNOWN), ""]


@dataclass(frozen=True, slots=True)
class RunRange:
    """Reads the runs of jobs.

    Attributes:
        jobs: the jobs whose runs are read.
        end: later runs are not read of jobs that have too many runs.
        runs: the runs that were read.
        partial: of jobs that have too many runs, which were read.
    """

    connection: Connection
    snapshot: Snapshot
    jobs: frozenset[Job]
    end: datetime
    runs: dict[Job, list[Run]] = field(default_factory=lambda: defaultdict(list))
    partial: dict[Job, Known] = field(default_factory=dict)

    def read(self, pairs: Sequence[Pair], starts: Starts) -> None:
        """Read the runs of pairs of type and section that started in a range.

        Raises:
            FilterError: all jobs together have too many runs.
            sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
        """
        by_type: dict[str, list[str]] = defaultdict(list)
        for pair in pairs:
            by_type[pair.type].append(pair.section)
        for type_, sections in by_type.items():
            for begin in range(0, len(sections), _SECTIONS_AT_ONCE):
                self._read(type_, sections[begin : begin + _SECTIONS_AT_ONCE], starts)

    def _read(self, type_: str, sections: Sequence[str], starts: Starts) -> None:
        runs = run_ranges.runs_between(self.connection, type_, sections, _STATUSES, starts, _ROWS_AT_ONCE)
        if runs is not None:
            self._add(runs)
        elif len(sections) == 1:
            self._read_many(Pair(type_, sections[0]), starts)
        else:
            for part in self._parts(type_, sections, starts):
                self._read(type_, part, starts)

    def _parts(self, type_: str, sections: Sequence[str], starts: Starts) -> Iterator[Sequence[str]]:
        """Yield sections in parts that one statement can read; a section with too many runs is a part of its own."""
        middle = len(sections) // 2
        for half in (sections[:middle], sections[middle:]):
            if len(half) > 1 and run_ranges.are_more(self.connection, type_, half, _STATUSES, starts, _ROWS_AT_ONCE):
                yield from self._parts(type_, half, starts)
            else:
                yield half

    def _read_many(self, pair: Pair, starts: Starts) -> None:
        """Read the runs of a pair that has too many for one statement."""
        for status in _STATUSES:
            section = [pair.section]
            runs = run_ranges.runs_between(self.connection, pair.type, section, [status], starts, MOST_OF_STATUS)
            if runs is None:
                self._read_newest(pair, status, starts)
            else:
                self._add(runs)

    def _read_newest(self, pair: Pair, status: str, starts: Starts) -> None:
        """Read the newest runs of each job of a pair that has too many of a status."""
        limit = MOST_OF_STATUS + 1
        starts = Starts(starts.first, min(starts.last, int(self.end.timestamp())))
        runs: dict[Job, list[Run]] = {job: [] for job in self.jobs if (job.type, job.section) == pair}
        for run in run_ranges.newest_of_all(self.connection, pair, status, starts, limit):
            runs.get(self._job(run), []).append(run)
        lacking = [job for job, newest in runs.items() if len(newest) < min(limit, self._counted(job, status))]
        ids = run_ranges.ids_between(self.connection, pair, status, starts) if lacking else None
        for job in lacking:
            hosts = [host for host in self.snapshot.hosts if self.snapshot.policy.datacenter(host) == job.datacenter]
            runs[job] = run_ranges.newest_of_hosts(self.connection, pair, status, hosts, starts, ids, limit)
        for job, newest in runs.items():
            self._add(newest[:MOST_OF_STATUS])
            self._limit(job, newest[MOST_OF_STATUS - 1].order[0] if len(newest) == limit else starts.first - 1, starts)

    def _counted(self, job: Job, status: str) -> int:
        """Return how many runs of a job and status the last poll counted, whenever they started."""
        runs = next((known.runs for known in self.snapshot.jobs if known.job == job), {})
        return runs.get(Status.parse(status), 0)

    def _limit(self, job: Job, after: float, starts: Starts) -> None:
        """Note that not all runs of a job were read, or not all that started at ``after`` or earlier."""
        known = Known(as_time(after), as_time(starts.last))
        self.partial[job] = max(known, self.partial.get(job, known))

    def _add(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self.runs[self._job(run)].append(run)
        if sum(map(len, self.runs.values())) > MOST_RUNS:
            raise FilterError("to", f"found more than {MOST_RUNS} runs, expected fewer; narrow by section or time")

    def _job(self, run: Run) -> Job:
        return Job(run.section, run.type, self.snapshot.policy.datacenter(run.host))
