"""The jobs that have far too many rows, whose runs are read by ranges of the primary key."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Order, Run, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.row_counts import RowCounts, StartKind
from bernard_exporter.inventory.spans import JobStatusKey, Span, read_spans
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Newer, Pair
from bernard_exporter.store.schema import UNKNOWN_START

# A section with more runs of a type and status in the relevant time is a crowd: the index does not help there, as each
# row must be looked up for its data centre. A job has no more rows that are not finished runs.
CROWD = 20_000


class Crowd(NamedTuple):
    """A job that has far more rows with something in common than a backup can have.

    Attributes:
        reason: what the rows have in common, as a predicate.
    """

    job: Job
    rows: int
    reason: str


# Of these a job may have any number of old ones.
_KEPT = (Status.FINISHED, Status.DELETED)
_UNUSABLE = {StartKind.UNKNOWN: "have no known start", StartKind.FUTURE: "have a start in the future"}


class CrowdReader:
    """Tells which pairs of type and section are crowds, and reads the runs of their jobs.

    Attributes:
        rows: the number of rows of each pair.
    """

    def __init__(
        self, connection: Connection, counts: RowCounts, bounds: tuple[int, int] | None, policy: Policy, until: int
    ) -> None:
        """Prepare to read.

        Args:
            connection: an open connection.
            counts: the row counts, from the same transaction.
            bounds: the lowest and the highest id.
            policy: the data centres of hosts.
            until: the last start to read, in seconds since 1970.
        """
        self._connection = connection
        self._counts = counts
        self._bounds = bounds
        self._policy = policy
        self._until = until
        self.rows: dict[Pair, int] = defaultdict(int)
        for key, rows in counts.rows.items():
            self.rows[Pair(key.job.type, key.job.section)] += rows
        self._crowds: set[tuple[Pair, Status]] = set()

    def crowds(self) -> list[Crowd]:
        """Return the jobs that have far too many rows, as of the load, each with what most of them have in common."""
        rows: Counter[tuple[Job, str]] = Counter()
        for key, count in self._counts.rows.items():
            rows[key.job, _UNUSABLE.get(key.start) or _reason(key.status)] += count
        of_pairs = {(pair, _reason(status)) for pair, status in self._crowds}
        kept = {_reason(status) for status in _KEPT}
        crowds: dict[Job, Crowd] = {}
        for (job, reason), count in rows.most_common():
            pair = Pair(job.type, job.section)
            if (pair, reason) in of_pairs or (count > CROWD and reason not in kept):
                crowds.setdefault(job, Crowd(job, count, reason))
            # Of the data centres of a section the one with the most rows.
            of_pairs.discard((pair, reason))
        return [crowd for _, crowd in sorted(crowds.items())]

    def is_crowd(self, pair: Pair, status: Status) -> bool:
        """Return whether :meth:`note_crowd` was true of a pair and status."""
        return (pair, status) in self._crowds

    def note_crowd(self, pair: Pair, status: Status, since: int) -> bool:
        """Return whether too many runs of a pair and status started since a time, and remember it if so."""
        is_crowd = self.are_many(pair, status, since)
        if is_crowd:
            self._crowds.add((pair, status))
        return is_crowd

    def are_many(self, pair: Pair, status: str, since: int) -> bool:
        """Return whether too many runs of a pair and status started since a time to look up each of them."""
        if self.rows[pair] <= CROWD:
            return False
        return reader.are_more(self._connection, pair, str(status), max(since, UNKNOWN_START + 1), self._until, CROWD)

    def newer(self, job: Job, status: Status, after: Order) -> Newer:
        """Count the runs of a job and status that are newer than ``after``."""
        pair = Pair(job.type, job.section)
        total = Newer(0, self._until)
        if not self.are_many(pair, status, int(after[0])):
            return self._counted(total, job, status, after, None)
        for span in self._spans[JobStatusKey(job, status.value)]:
            if span.first > after:
                total = Newer(total.runs + span.runs, min(total.oldest, int(span.first[0])))
            elif span.last > after:
                total = self._counted(total, job, status, after, span.ids)
        return total

    def _counted(self, total: Newer, job: Job, status: Status, after: Order, ids: tuple[int, int] | None) -> Newer:
        """Return a total with the runs that the database counts, among all or by a range of the primary key."""
        pair = Pair(job.type, job.section)
        for host, newer in reader.newer(self._connection, pair, status.value, after, self._until, ids).items():
            if self._policy.datacenter(host) == job.datacenter:
                total = Newer(total.runs + newer.runs, min(total.oldest, newer.oldest))
        return total

    def newest_of(self, job: Job, status: str, times: tuple[int, int], limit: int, *, ended: bool = False) -> list[Run]:
        """Return the newest runs of a job and status, by the spans that can have them; see ``reader.newest_of``."""
        pair, until = Pair(job.type, job.section), self._until if ended else None
        hosts = [host for host in self._counts.hosts if self._policy.datacenter(host) == job.datacenter]
        newest: list[Run] = []
        for span in sorted(self._spans[JobStatusKey(job, str(status))], key=lambda span: span.last, reverse=True):
            if span.last[0] < times[0] or (len(newest) == limit and span.last < newest[-1].order):
                break
            runs = reader.newest_of(self._connection, pair, str(status), hosts, times, span.ids, limit, until)
            mine = (run for run in runs if Job(run.section, run.type, self._policy.datacenter(run.host)) == job)
            newest = list(islice(heapq.merge(newest, mine, key=lambda run: run.order, reverse=True), limit))
        return newest

    @cached_property
    def _spans(self) -> Mapping[JobStatusKey, Sequence[Span]]:
        pairs = {pair for pair, rows in self.rows.items() if rows > CROWD}
        return read_spans(self._connection, self._bounds, pairs, self._policy, self._until)


def _reason(status: Status) -> str:
    return "have an unknown status" if status is Status.UNKNOWN else f"are {status}"
