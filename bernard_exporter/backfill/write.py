"""Write the samples of a part of the past, step by step, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bernard_exporter.backfill.past import Past, runs_by_start
from bernard_exporter.backfill.picture import Picture
from bernard_exporter.backfill.rendering import HISTORICAL, OF_JOBS, preamble
from bernard_exporter.errors import BackfillError
from bernard_exporter.inventory.sync import count_rows
from bernard_exporter.model import Job
from bernard_exporter.policy import Policy
from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database

_EOF = b"# EOF\n"


@dataclass(frozen=True, slots=True)
class Request:
    """Which part of the past is wanted.

    Attributes:
        start: aware; None for the start of the first run.
        end: aware; the samples are earlier.
        step: whole seconds between samples; their times are multiples of it since 1970, wherever the part begins.
        sections, types, datacenters: of the jobs wanted; empty for all.
        labels: added to every series.
    """

    start: datetime | None
    end: datetime
    step: int = 300
    sections: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    datacenters: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def every_job(self) -> bool:
        """Tell whether no job is left out."""
        return not (self.sections or self.types or self.datacenters)

    def wants(self, job: Job) -> bool:
        """Tell whether a job is wanted."""
        return (
            (not self.sections or job.section in self.sections)
            and (not self.types or job.type in self.types)
            and (not self.datacenters or job.datacenter in self.datacenters)
        )

    def steps(self, start: float) -> range:
        """Return the times of the samples from ``start`` on, seconds since 1970."""
        return range(math.ceil(start / self.step) * self.step, math.ceil(self.end.timestamp()), self.step)


def write(
    database: Database,
    policy: Policy,
    request: Request,
    output: Callable[[bytes], object],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write OpenMetrics of what the exporter would have exposed at each step, judged by ``policy`` as it is.

    Args:
        database: where the inventory is; read in one transaction.
        policy: the jobs expected and their limits.
        request: which part of the past, which jobs.
        output: takes the text in parts.
        progress: called with the steps done and the steps in all.

    Raises:
        BackfillError: no such job is known, or no run to begin with.
        StoreError: the database cannot be read.
    """
    with database.connect() as connection:
        counts = count_rows(connection, reader.bounds(connection), policy, request.end)
        if not any(request.wants(job) for job in (*policy.expected, *counts.jobs())):
            raise BackfillError("no job of the policy or the inventory is meant; name sections, types and data centres")
        past = Past(runs_by_start(connection, counts, policy, request.wants), policy, request.wants)
        start = request.start.timestamp() if request.start else past.next_start
        if start is None:
            raise BackfillError("the inventory holds no run with a known start; say --start to write what was missing")
        steps = request.steps(start)
        if not steps:
            raise BackfillError(
                f"no step of {request.step} s lies between {datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ} and "
                f"{request.end:%Y-%m-%dT%H:%M:%SZ}; choose an earlier --start or a later --end"
            )
        output(preamble(HISTORICAL if request.every_job else OF_JOBS))
        for done, part in enumerate(_samples(past, request, steps), 1):
            output(part)
            progress(done, len(steps))
    output(_EOF)


def _samples(past: Past, request: Request, steps: range) -> Iterator[bytes]:
    """Yield all samples of each step."""
    picture = Picture(request.labels, request.every_job)
    for moment in steps:
        now = datetime.fromtimestamp(moment, UTC)
        past.advance(now)
        picture.look(past, now)
        yield f"{moment}\n".encode().join([*picture.lines, b""])
