"""The overview: the worst state, the matrix of jobs, failed, current, next and overdue runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.domain.model import RANK, Job, Rank, Run, State
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.web.pages.badges import Badge, attempt_badges, job_badge
from bernard_exporter.web.pages.formatting import age

Column = tuple[str, str]
# A matrix of more sections folds those that are entirely fresh.
_MANY_SECTIONS = 40


@dataclass(frozen=True, slots=True)
class Cell:
    """A job in the matrix.

    Attributes:
        since: the start of its newest success; None if there is none.
        age: the age of its newest success as text; '' if there is none.
        why: the reason for its state.
        attempts: the attempts since the newest success.
    """

    job: Job
    label: str
    tone: str
    since: datetime | None
    age: str
    why: str
    attempts: tuple[Badge, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A section in the matrix, with a cell (or None) for each column."""

    section: str
    cells: tuple[Cell | None, ...]

    @property
    def is_quiet(self) -> bool:
        """Return whether all its jobs are fresh and nothing was attempted since."""
        return all(cell.tone == "ok" and not cell.attempts for cell in self.cells if cell)


@dataclass(frozen=True, slots=True)
class Running:
    """A run in progress.

    Attributes:
        seconds: its duration so far.
        allowed: the policy's maximum duration in seconds; None if the job is not in the policy.
        usual: the duration of the newest success in seconds; None if unknown.
    """

    job: Job
    run: Run
    seconds: float
    allowed: float | None
    usual: float | None

    @property
    def too_long(self) -> bool:
        """Return whether it has exceeded the maximum duration."""
        return self.allowed is not None and self.seconds > self.allowed


@dataclass(frozen=True, slots=True)
class DueJob:
    """The jobs of a type with the same due time."""

    at: datetime
    type: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The values of the overview.

    Attributes:
        verdict: the worst rank of all jobs; None if the policy expects no jobs.
        counts: the number of jobs by state, for every state.
        not_in_policy: the number of jobs that are not in the policy.
        planned: the number of planned jobs.
        columns: type and data centre of each column of the matrix.
        rows: the sections of the matrix, worst first.
        folded: the quiet sections of a long matrix, which are not among the rows.
        failing: jobs whose newest ended run failed, newest attempt first.
        overdue: overdue jobs with their due times, oldest first.
    """

    verdict: Rank | None
    counts: dict[State, int]
    ranks: dict[Rank, int]
    not_in_policy: int
    planned: int
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    folded: tuple[Row, ...]
    failing: tuple[JobStatus, ...]
    running: tuple[Running, ...]
    overdue: tuple[tuple[datetime, Job], ...]
    coming: tuple[DueJob, ...]


def overview(snapshot: Snapshot, now: datetime) -> Overview:
    """Return the overview of a snapshot; ages are as of ``now``."""
    states = Counter(status.verdict.state for status in snapshot.jobs if status.verdict)
    ranks = Counter(RANK[status.verdict.state] for status in snapshot.jobs if status.verdict)
    columns: tuple[Column, ...] = tuple(sorted({(status.job.type, status.job.datacenter) for status in snapshot.jobs}))
    rows = tuple(_matrix(snapshot, columns, now))
    folded = tuple(row for row in rows if row.is_quiet) if len(rows) > _MANY_SECTIONS else ()
    return Overview(
        verdict=max(ranks, default=None),
        counts={state: states[state] for state in State},
        ranks={rank: ranks[rank] for rank in reversed(Rank)},
        not_in_policy=sum(status.limits is None for status in snapshot.jobs),
        planned=sum(status.planned for status in snapshot.jobs),
        columns=columns,
        rows=tuple(row for row in rows if not folded or not row.is_quiet),
        folded=folded,
        failing=failing(snapshot.jobs),
        running=running(snapshot, now),
        overdue=overdue(snapshot.jobs),
        coming=coming(snapshot.jobs),
    )


def natural(text: str) -> list[tuple[int, str]]:
    """Return the sort key of a name, with which s2 comes before s10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)]


def _matrix(snapshot: Snapshot, columns: Sequence[Column], now: datetime) -> Iterable[Row]:
    """Yield a row per section, worst states first."""
    sections: dict[str, dict[Column, JobStatus]] = {}
    for status in snapshot.jobs:
        sections.setdefault(status.job.section, {})[status.job.type, status.job.datacenter] = status
    for section in sorted(sections, key=lambda name: (_badness(sections[name].values()), natural(name))):
        section_jobs = sections[section]
        yield Row(section, tuple(_cell(section_jobs[key], now) if key in section_jobs else None for key in columns))


def _badness(statuses: Iterable[JobStatus]) -> tuple[int, ...]:
    """Return the negated numbers of jobs in each state, worst state first, as a sort key."""
    counts = Counter(status.verdict.state for status in statuses if status.verdict)
    return tuple(-counts[state] for state in State if RANK[state] is not Rank.OK)


def _cell(status: JobStatus, now: datetime) -> Cell:
    badge = job_badge(status)
    newest = status.newest
    since = newest.start if newest else None
    old = age(since, now) if since else ""
    return Cell(status.job, badge.label, badge.tone, since, old, status.reason, attempt_badges(status, now))


def failing(jobs: Iterable[JobStatus]) -> tuple[JobStatus, ...]:
    """Return the jobs whose newest ended run failed, newest attempt first."""
    failed = [status for status in jobs if status.consecutive_failures and status.attempt]
    return tuple(sorted(failed, key=lambda status: status.attempt.order if status.attempt else (0.0, 0), reverse=True))


def running(snapshot: Snapshot, now: datetime) -> tuple[Running, ...]:
    """Return the runs in progress, oldest first."""
    runs = [
        Running(
            status.job,
            run,
            (now - run.start).total_seconds(),
            status.limits.max_duration if status.limits else None,
            status.newest.duration if status.newest else None,
        )
        for status in snapshot.jobs
        for run in status.ongoing
        if run.start
    ]
    return tuple(sorted(runs, key=lambda one: one.run.order))


def overdue(jobs: Iterable[JobStatus]) -> tuple[tuple[datetime, Job], ...]:
    """Return the overdue jobs with their due times, oldest first."""
    return tuple(sorted((status.due.overdue, status.job) for status in jobs if status.due and status.due.overdue))


def coming(jobs: Iterable[JobStatus]) -> tuple[DueJob, ...]:
    """Return the next due time of each schedule with its jobs, earliest first."""
    by_due: dict[tuple[datetime, str], list[Job]] = {}
    for status in jobs:
        if status.next_run:
            by_due.setdefault((status.next_run, status.job.type), []).append(status.job)
    return tuple(DueJob(at, type_, tuple(jobs)) for (at, type_), jobs in sorted(by_due.items()))
