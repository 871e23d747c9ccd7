"""The history of a fleet's runs; seeded, so that the same arguments give the same rows."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from bernard_exporter.commands.sample.fleet import Fleet, Member
from bernard_exporter.commands.sample.lanes import Lane
from bernard_exporter.commands.sample.planning import plan_lanes
from bernard_exporter.commands.sample.turns import GeneratedRun
from bernard_exporter.store.writer import RunRow, run_name, time_text


@dataclass(frozen=True, slots=True)
class GeneratedHistory:
    """The runs of a fleet.

    Attributes:
        lanes: the runs of each host and type.
        skipped: the number of oldest runs that are left out.
    """

    fleet: Fleet
    lanes: tuple[Lane, ...]
    skipped: int

    def __len__(self) -> int:
        """Return the number of runs."""
        return sum(len(lane) for lane in self.lanes) - self.skipped

    def __iter__(self) -> Iterator[RunRow]:
        """Yield the runs in the order in which their rows appear, with ids from 1, in constant memory."""
        members = self.fleet.members
        runs = heapq.merge(*self.lanes)
        for run_id, run in enumerate(islice(runs, self.skipped, None), start=1):
            yield _row(run_id, members[run.member], run)


def make_history(
    fleet: Fleet, *, now: datetime, seed: int, days: int = 90, runs: int | None = None
) -> GeneratedHistory:
    """Return the history of a fleet.

    Args:
        fleet: the fleet.
        now: the end of the history, with a time zone.
        seed: the random seed.
        days: the minimum length; some cases need a few weeks.
        runs: the exact number of runs, instead of ``days``.

    Raises:
        SampleError: that many runs or days do not fit between 1971 and now.
    """
    lanes = plan_lanes(fleet, int(now.timestamp()), days, runs, seed)
    skipped = max(0, sum(len(lane) for lane in lanes) - runs) if runs else 0
    return GeneratedHistory(fleet, lanes, skipped)


def _row(run_id: int, member: Member, run: GeneratedRun) -> RunRow:
    job = member.job
    start = time_text(run.start)
    end = None if run.end is None else time_text(run.end)
    name = run_name(job, start if run.named == run.start else time_text(run.named))
    return RunRow(run_id, name, run.status, member.source, member.host, job.type, job.section, start, end, run.size)
