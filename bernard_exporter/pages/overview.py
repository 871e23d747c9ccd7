"""The fleet on one page: its verdict, the matrix of its jobs, what failed, what runs, what comes and what did not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.inspection.timeline import EARLY, PATIENCE
from bernard_exporter.model import RANK, Job, Rank, Run, State
from bernard_exporter.pages.signs import state_sign
from bernard_exporter.pages.wording import age
from bernard_exporter.snapshot import JobStatus, Snapshot

Column = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A job in the matrix.

    Attributes:
        age: of its newest success, in words; '' while there is none.
        why: the reason of its state.
    """

    job: Job
    label: str
    tone: str
    age: str
    why: str


@dataclass(frozen=True, slots=True)
class Row:
    """A section in the matrix, with a cell or None for each column."""

    section: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A run in progress.

    Attributes:
        seconds: for how long it has run.
        allowed: seconds the policy lets it run; None when the policy does not know the job.
    """

    job: Job
    run: Run
    seconds: float
    allowed: float | None

    @property
    def too_long(self) -> bool:
        """Tell whether it has run for longer than it may."""
        return self.allowed is not None and self.seconds > self.allowed


@dataclass(frozen=True, slots=True)
class Due:
    """The jobs of a type that are due at the same time."""

    at: datetime
    type: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the overview shows.

    Attributes:
        verdict: the worst rank of all jobs; None while the policy expects none.
        counts: jobs by state, every state present.
        not_in_policy: jobs that were only seen.
        columns: type and data centre of each column of the matrix.
        failing: jobs whose newest ended run failed, the newest attempt first.
        missed: jobs whose last due time passed without a run, the longest ago first.
    """

    verdict: Rank | None
    counts: dict[State, int]
    ranks: dict[Rank, int]
    not_in_policy: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    failing: tuple[JobStatus, ...]
    running: tuple[Running, ...]
    missed: tuple[JobStatus, ...]
    coming: tuple[Due, ...]


def overview(snapshot: Snapshot, now: datetime) -> Overview:
    """Return what the overview shows of a snapshot; ages are told as of ``now``."""
    states = Counter(status.verdict.state for status in snapshot.jobs if status.verdict)
    ranks = Counter(RANK[status.verdict.state] for status in snapshot.jobs if status.verdict)
    columns = tuple(sorted({(status.job.type, status.job.datacenter) for status in snapshot.jobs}))
    return Overview(
        verdict=max(ranks, default=None),
        counts={state: states[state] for state in State},
        ranks={rank: ranks[rank] for rank in reversed(Rank)},
        not_in_policy=len(snapshot.jobs) - states.total(),
        columns=columns,
        rows=tuple(_matrix(snapshot, columns, now)),
        failing=failing(snapshot.jobs),
        running=running(snapshot, now),
        missed=missed(snapshot.jobs, now),
        coming=coming(snapshot.jobs),
    )


def natural(text: str) -> list[tuple[int, str]]:
    """Return what a name sorts by, so that s2 comes before s10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _matrix(snapshot: Snapshot, columns: Sequence[Column], now: datetime) -> Iterable[Row]:
    """Yield a row a section, those in the worst states first."""
    sections: dict[str, dict[Column, JobStatus]] = {}
    for status in snapshot.jobs:
        sections.setdefault(status.job.section, {})[status.job.type, status.job.datacenter] = status
    for section in sorted(sections, key=lambda name: (_badness(sections[name].values()), natural(name))):
        found = sections[section]
        yield Row(section, tuple(_cell(found[key], now) if key in found else None for key in columns))


def _badness(statuses: Iterable[JobStatus]) -> tuple[int, ...]:
    """Return how many jobs are in each state from the worst, negative so that many come first."""
    found = Counter(status.verdict.state for status in statuses if status.verdict)
    return tuple(-found[state] for state in State if RANK[state] is not Rank.OK)


def _cell(status: JobStatus, now: datetime) -> Cell:
    sign = state_sign(status.verdict.state if status.verdict else None)
    newest = status.newest
    old = age(newest.start, now) if newest and newest.start else ""
    why = status.verdict.reason if status.verdict else "the policy does not expect it"
    return Cell(status.job, sign.label, sign.tone, old, why)


def failing(jobs: Iterable[JobStatus]) -> tuple[JobStatus, ...]:
    """Return the jobs whose newest ended run failed, the newest attempt first."""
    found = [status for status in jobs if status.consecutive_failures and status.attempt]
    return tuple(sorted(found, key=lambda status: status.attempt.order if status.attempt else (0.0, 0), reverse=True))


def running(snapshot: Snapshot, now: datetime) -> tuple[Running, ...]:
    """Return the runs in progress, the oldest first."""
    found = [
        Running(
            status.job,
            run,
            (now - run.start).total_seconds(),
            status.limits.max_duration if status.limits else None,
        )
        for status in snapshot.jobs
        for run in status.ongoing
        if run.start
    ]
    return tuple(sorted(found, key=lambda one: one.run.order))


def missed(jobs: Iterable[JobStatus], now: datetime) -> tuple[JobStatus, ...]:
    """Return the jobs whose last due time passed without a run, the longest ago first.

    By the rules of the timeline; a job that still runs cannot start.
    """
    found = [
        status
        for status in jobs
        if status.previous_run
        and not status.ongoing
        and now >= status.previous_run + PATIENCE
        and not (status.attempt and status.attempt.start and status.attempt.start >= status.previous_run - EARLY)
    ]
    return tuple(sorted(found, key=lambda status: (status.previous_run, status.job)))


def coming(jobs: Iterable[JobStatus]) -> tuple[Due, ...]:
    """Return the next due time of each schedule with its jobs, the soonest first."""
    found: dict[tuple[datetime, str], list[Job]] = {}
    for status in jobs:
        if status.next_run:
            found.setdefault((status.next_run, status.job.type), []).append(status.job)
    return tuple(Due(at, type_, tuple(jobs)) for (at, type_), jobs in sorted(found.items()))
