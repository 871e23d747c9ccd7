"""Where the runs of each job are in the table, so that few rows must be read of a job that has far too many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Order
from bernard_exporter.domain.policy import Policy
from bernard_exporter.store import reader, run_ranges
from bernard_exporter.store.reader import Pair


class JobStatusKey(NamedTuple):
    """A job, and a status as the database calls it."""

    job: Job
    status: str


class Span(NamedTuple):
    """The runs of a job and status in one range of the primary key.

    Attributes:
        runs: their number.
        first: the oldest start and the lowest id; no run is before.
        last: the newest start and the highest id; no run is after.
    """

    runs: int
    first: Order
    last: Order

    @property
    def ids(self) -> tuple[int, int]:
        """The lowest and the highest id."""
        return self.first[1], self.last[1]


def read_spans(
    connection: Connection, bounds: tuple[int, int] | None, pairs: Collection[Pair], policy: Policy, until: int
) -> Mapping[JobStatusKey, Sequence[Span]]:
    """Return the spans of the jobs of some pairs in one pass over the table.

    Args:
        connection: an open connection.
        bounds: the lowest and the highest id.
        pairs: types and sections.
        policy: the data centres of hosts.
        until: only runs that started then or earlier; seconds since 1970.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    spans: dict[JobStatusKey, list[Span]] = defaultdict(list)
    for ids in reader.id_ranges(connection, bounds):
        in_range: dict[JobStatusKey, Span] = {}
        for group in run_ranges.groups(connection, ids, until):
            if Pair(group.type, group.section) in pairs:
                job = Job(group.section, group.type, policy.datacenter(group.host))
                key, span = JobStatusKey(job, group.status), Span(group.runs, group.first, group.last)
                in_range[key] = _joined(in_range[key], span) if key in in_range else span
        for key, span in in_range.items():
            spans[key].append(span)
    return spans


def _joined(one: Span, other: Span) -> Span:
    """Return the span of the runs of two hosts of a data centre."""
    first = min(one.first[0], other.first[0]), min(one.first[1], other.first[1])
    last = max(one.last[0], other.last[0]), max(one.last[1], other.last[1])
    return Span(one.runs + other.runs, first, last)
