"""Writes the samples of a time range step by step, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bernard_exporter.commands.backfill.rendering import HISTORICAL, OF_JOBS, preamble
from bernard_exporter.commands.backfill.replay import Replay, runs_by_start
from bernard_exporter.commands.backfill.samples import ChangedSamples
from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.policy import Policy
from bernard_exporter.errors import BackfillError
from bernard_exporter.inventory.sync import count_rows
from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database

_EOF = b"# EOF\n"


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """The time range and the jobs to write.

    Attributes:
        start: the start of the range, with a time zone; None for the start of the first run.
        end: the end of the range, exclusive, with a time zone.
        step: whole seconds between samples; timestamps are multiples of it since 1970, whatever the start.
        jobs: the selected jobs.
        labels: labels added to every series.
    """

    start: datetime | None
    end: datetime
    step: int = 300
    jobs: NameFilter = NameFilter()  # noqa: RUF009 - frozen
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def every_job(self) -> bool:
        """Return whether all jobs are selected."""
        return self.jobs == NameFilter()

    def steps(self, start: float) -> range:
        """Return the timestamps from ``start`` on in seconds since 1970."""
        return range(math.ceil(start / self.step) * self.step, math.ceil(self.end.timestamp()), self.step)


def write(
    database: Database,
    policy: Policy,
    request: BackfillRequest,
    output: Callable[[bytes], object],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Write the OpenMetrics samples that the exporter would have exposed at each step with the current policy.

    Args:
        database: the database, which is read in one transaction.
        policy: the expected jobs and their limits.
        request: the time range and the jobs.
        output: called with each part of the text.
        progress: called with the number of steps done and the total.

    Raises:
        BackfillError: no job matches, or there is no run to start from.
        StoreError: the database cannot be read.
    """
    with database.connect() as connection:
        counts = count_rows(connection, reader.bounds(connection), policy, request.end)
        if not any(request.jobs.accepts(job) for job in (*policy.expected, *counts.jobs())):
            raise BackfillError(
                "no job of the policy or the inventory matches; check --section, --type and --datacenter"
            )
        replay = Replay(runs_by_start(connection, counts, policy, request.jobs.accepts), policy, request.jobs.accepts)
        start = request.start.timestamp() if request.start else replay.next_start
        if start is None:
            raise BackfillError("the inventory has no run with a known start; give --start to write missing jobs")
        steps = request.steps(start)
        if not steps:
            raise BackfillError(
                f"no step of {request.step} s lies between {datetime.fromtimestamp(start, UTC):%Y-%m-%dT%H:%M:%SZ} and "
                f"{request.end:%Y-%m-%dT%H:%M:%SZ}; choose an earlier --start or a later --end"
            )
        output(preamble(HISTORICAL if request.every_job else OF_JOBS))
        for done, part in enumerate(_samples(replay, request, steps), 1):
            output(part)
            progress(done, len(steps))
    output(_EOF)


def _samples(replay: Replay, request: BackfillRequest, steps: range) -> Iterator[bytes]:
    """Yield all samples of each step."""
    changed = ChangedSamples(request.labels, request.every_job)
    for moment in steps:
        now = datetime.fromtimestamp(moment, UTC)
        replay.advance(now)
        changed.update(replay, now)
        yield f"{moment}\n".encode().join([*changed.lines, b""])
