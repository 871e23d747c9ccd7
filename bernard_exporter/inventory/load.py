"""Reads the records of all jobs by range scans of the index, or of the primary key if a job has too many runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import WRITER_FORGETS, Job, Run, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory import crowds
from bernard_exporter.inventory.builder import FOLLOWED, RecordBuilder, Unfollowed
from bernard_exporter.inventory.crowds import Crowd, CrowdReader
from bernard_exporter.inventory.record import BAND_RUNS, Record
from bernard_exporter.inventory.row_counts import CountKey, RowCounts, StartKind
from bernard_exporter.store import reader
from bernard_exporter.store.reader import IndexPosition, Pair
from bernard_exporter.store.schema import UNKNOWN_START

# The number of newest successes that are read for a job in a crowd.
_MOST_SUCCESSES = 10_000
_PAIRS_AT_ONCE = 50
_PAGE, _LARGEST_PAGE = 100, 6_400
# Enough for the verdict and for the band, which leaves out the newest success.
_ENOUGH_SUCCESSES = BAND_RUNS + 1
# The maximum number of rows of other data centres that are skipped for the band alone.
_BAND_SEARCH = 1000


class Loader:
    """Reads the records of jobs after the rows have been counted."""

    def __init__(
        self, connection: Connection, counts: RowCounts, bounds: tuple[int, int] | None, policy: Policy, now: datetime
    ) -> None:
        """Prepare to read.

        Args:
            connection: an open connection.
            counts: the row counts, from the same transaction.
            bounds: the lowest and the highest id.
            policy: the retention of successes, and the data centres of hosts.
            now: the current time, with a time zone.
        """
        self._connection = connection
        self._counts = counts
        self._policy = policy
        self._now = now
        self._recent = int((now - WRITER_FORGETS).timestamp())
        self._until = int(now.timestamp())
        self._crowds = CrowdReader(connection, counts, bounds, policy, self._until)
        # The start from which on all finished runs of a pair were read.
        self._read_from: dict[Pair, int] = {}

    def load(self, jobs: Iterable[Job]) -> dict[Job, Record]:
        """Return the records of jobs, which must have at least one row each.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed.
        """
        pairs: dict[Pair, list[Job]] = defaultdict(list)
        for job in jobs:
            pairs[Pair(job.type, job.section)].append(job)
        records: dict[Job, Record] = {}
        for chunk in self._chunks(sorted(pairs)):
            builders = {job: self._builder(job) for pair in chunk for job in pairs[pair]}
            self._read_recent({pair: pairs[pair] for pair in chunk}, builders)
            for job, builder in builders.items():
                self._complete(job, builder)
                records[job] = builder.build()
        return records

    def _chunks(self, pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
        """Yield pairs in chunks that one statement can read."""
        chunk: list[Pair] = []
        rows = 0
        for pair in pairs:
            rows += self._crowds.rows[pair]
            if chunk and (rows > crowds.CROWD or len(chunk) == _PAIRS_AT_ONCE):
                yield chunk
                chunk, rows = [], self._crowds.rows[pair]
            chunk.append(pair)
        if chunk:
            yield chunk

    def crowds(self) -> list[Crowd]:
        """Return the jobs that have far too many rows, as of the load, each with what most of them have in common."""
        return self._crowds.crowds()

    def count_failures(self, job: Job, builder: RecordBuilder) -> None:
        """Set the number and the last of the failed runs since the newest success of ``builder``.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed.
        """
        builder.failures = self.failures(job, builder.newest)
        builder.last_failure = float(self._counts.newest.get(_usable(job, Status.FAILED), 0))

    def failures(self, job: Job, newest: Run | None) -> int:
        """Count the failed runs of a job since its newest success, or in total if there is none.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed.
        """
        key = _usable(job, Status.FAILED)
        if newest is None or not self._counts.rows[key]:
            return self._counts.rows[key]
        if self._counts.newest[key] < newest.order[0]:
            return 0
        return self._crowds.newer(job, Status.FAILED, newest.order).runs

    def _builder(self, job: Job) -> RecordBuilder:
        return RecordBuilder(self._retention(job), self._now)

    def _read_recent(self, pairs: Mapping[Pair, Sequence[Job]], builders: Mapping[Job, RecordBuilder]) -> None:
        """Read finished runs that may be retained, and ongoing runs that can still end."""
        by_start: dict[tuple[int, str], list[Pair]] = defaultdict(list)
        for pair, jobs in pairs.items():
            self._read_from[pair] = min(self._recent, *map(self._retained_since, jobs))
            for status, since in ((Status.FINISHED, self._read_from[pair]), (Status.ONGOING, self._recent)):
                if self._crowds.note_crowd(pair, status, since):
                    for job in jobs:
                        self._read_crowd(job, status, since, builders[job])
                else:
                    by_start[since, status.value].append(pair)
            # Deleted runs are not read, but a crowd of them is reported.
            self._crowds.note_crowd(pair, Status.DELETED, self._recent)
        for (since, text), alike in by_start.items():
            for run in reader.runs_since(self._connection, alike, [text], since, self._until + 1):
                builders[self._job(run)].add(run)

    def _read_crowd(self, job: Job, status: Status, since: int, builder: RecordBuilder) -> None:
        limit = FOLLOWED if status is Status.ONGOING else _MOST_SUCCESSES
        times = since, self._until
        for run in reversed(self._crowds.newest_of(job, status, times, limit, ended=status is Status.FINISHED)):
            builder.add(run)

    def _retained_since(self, job: Job) -> int:
        """Return a time before which no success is retained, provided that the newest finished run is a success."""
        retention = self._retention(job)
        newest = self._counts.newest.get(CountKey(job, Status.FINISHED, StartKind.USABLE))
        return self._recent if retention is None or newest is None else max(0, int(newest - retention))

    def _retention(self, job: Job) -> float | None:
        limits = self._policy.expected.get(job)
        return limits.retention if limits else None

    def _job(self, run: Run) -> Job:
        return Job(run.section, run.type, self._policy.datacenter(run.host))

    def _complete(self, job: Job, builder: RecordBuilder) -> None:
        """Add older runs as far as they matter, and count the runs that were not read."""
        if self._lacks(job, builder):
            for run in reversed(self._older_successes(job, builder)):
                builder.add(run)
        for run in self._newest_of_each_other_status(job, builder):
            builder.see(run)
        self.count_failures(job, builder)
        if self._crowds.is_crowd(Pair(job.type, job.section), Status.ONGOING):
            ongoing = self._crowds.newer(job, Status.ONGOING, max(builder.last_end, (float(self._recent), -1)))
            builder.leave(Unfollowed(max(0, ongoing.runs - builder.ongoing), ongoing.oldest))

    def _lacks(self, job: Job, builder: RecordBuilder) -> bool:
        """Return whether older successes must be read, for the band or because they are retained."""
        if self._counts.successes[job] <= builder.successes or builder.successes >= _MOST_SUCCESSES:
            return False
        if builder.successes < _ENOUGH_SUCCESSES:
            return True
        retention = self._retention(job)
        return retention is not None and self._read_from[Pair(job.type, job.section)] > builder.latest_end - retention

    def _older_successes(self, job: Job, builder: RecordBuilder) -> list[Run]:
        """Return the newest successes of a job that are older than those read, including all that are retained.

        Two successes are always searched for; more, for the band, only while few rows must be read.
        """
        successes: list[Run] = []
        retention, latest = self._retention(job), builder.latest_end
        read_from = self._read_from[Pair(job.type, job.section)]
        before = min(read_from, self._counts.newest[_usable(job, Status.FINISHED)] + 1)
        for skipped, run in enumerate(self._scan(Pair(job.type, job.section), Status.FINISHED, before)):
            if self._job(run) == job and run.is_success(self._now) and run.end:
                successes.append(run)
                latest = max(latest, run.end.timestamp())
            have = builder.successes + len(successes)
            enough = have >= _ENOUGH_SUCCESSES or (have >= 2 and skipped > _BAND_SEARCH)
            if enough and (retention is None or run.order[0] < latest - retention):
                break
            if skipped > crowds.CROWD:
                times = UNKNOWN_START + 1, before - 1
                return self._crowds.newest_of(job, Status.FINISHED, times, _MOST_SUCCESSES, ended=True)
        return successes

    def _newest_of_each_other_status(self, job: Job, builder: RecordBuilder) -> list[Run]:
        """Return the newest run of each status that was not read, if it may be newer than the newest success."""
        newest = builder.newest.order if builder.newest else (0.0, 0)
        runs: list[Run] = []
        for status in Status:
            latest = self._counts.newest.get(_usable(job, status), 0)
            if latest < newest[0] or self._was_read(job, status, latest):
                continue
            # All that started in the same second; of the finished ones a success was read.
            for text in self._texts(status):
                runs += self._newest_at(job, text, latest)
        return runs

    def _was_read(self, job: Job, status: Status, start: int) -> bool:
        """Return whether the runs of a status that started at ``start`` or later were read."""
        pair = Pair(job.type, job.section)
        if status is Status.ONGOING:
            return start >= self._recent
        return status is Status.FINISHED and start >= self._read_from[pair] and not self._crowds.is_crowd(pair, status)

    def _texts(self, status: Status) -> list[str]:
        """Return what the database calls a status."""
        return sorted(self._counts.raw_unknown) if status is Status.UNKNOWN else [status.value]

    def _newest_at(self, job: Job, status: str, start: int) -> list[Run]:
        """Return the newest run of a job and status, at most one, if it started in a second and none started later."""
        pair = Pair(job.type, job.section)
        if self._crowds.are_many(pair, status, start):
            return self._crowds.newest_of(job, status, (start, start), 1)
        return list(islice((run for run in self._scan(pair, status, start + 1, start) if self._job(run) == job), 1))

    def _scan(self, pair: Pair, status: str, before: int, since: int = UNKNOWN_START + 1) -> Iterator[Run]:
        """Yield the runs of a pair and status that started in a range of seconds, newest first."""
        position, since, limit = IndexPosition.after(before - 1), max(since, UNKNOWN_START + 1), _PAGE
        while page := reader.runs_newest_first(self._connection, pair, status, position, limit, since):
            yield from (run for _, run in page if reader.is_of(run, pair, status) and run.start is not None)
            if len(page) < limit:
                return
            position, limit = page[-1][0], min(4 * limit, _LARGEST_PAGE)


def _usable(job: Job, status: Status) -> CountKey:
    return CountKey(job, status, StartKind.USABLE)
