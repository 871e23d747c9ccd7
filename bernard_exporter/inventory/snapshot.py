"""The inventory evaluated against the policy at a given time: the source of metrics, API and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from bernard_exporter.domain.due import Due
from bernard_exporter.domain.humanize import time as time_text
from bernard_exporter.domain.model import RANK, Anomaly, Job, Order, Rank, Rejection, Run, State, Status
from bernard_exporter.domain.policy import Limits, Policy, Verdict
from bernard_exporter.inventory.record import Band, Retained

# Worst first; states of the same rank in the order in which the rules are tried.
_FROM_THE_WORST = sorted(State, key=lambda state: -RANK[state])


@dataclass(frozen=True, slots=True)
class ContentsCount:
    """The counts of a backup's files and objects.

    Attributes:
        files: files and directories recorded.
        bytes: the sum of their sizes; None if any is unknown.
        objects: databases and tables; None if they cannot be derived from the file names, as for a single tarball.
        added, removed: databases and tables compared with the previous success; None if either side is unknown.
    """

    run_id: int
    files: int
    bytes: int | None
    objects: int | None
    added: int | None = None
    removed: int | None = None


@dataclass(frozen=True, slots=True)
class JobStatus:
    """The status of a job: its runs, its limits and its state.

    Attributes:
        limits: None if the policy does not expect the job.
        verdict: None if the policy does not expect the job, or only from a later time (planned).
        runs: the number of rows by status.
        ongoing: runs in progress, oldest first; if there are very many, only the newest.
        last_failure: start of the newest failed run since the newest success in seconds since 1970; None without one.
        unlisted: the number of older runs in progress that are not in ``ongoing``.
        ongoing_since: start of the oldest run in progress in seconds since 1970; None if there is none.
        abandoned: the number of runs with status ``ongoing`` that can no longer end.
        newest_ended: the order of the newest run that has ended.
        due: the due times around now; None without a schedule.
        contents: the counts of the newest success; None until counted.
        retained: by destination host; None if the policy sets no retention.
        oldest_retained: start of the oldest retained success in seconds since 1970.
    """

    job: Job
    limits: Limits | None
    verdict: Verdict | None
    newest: Run | None
    previous: Run | None
    attempt: Run | None
    consecutive_failures: int
    last_failure: float | None
    runs: Mapping[Status, int]
    ongoing: tuple[Run, ...]
    unlisted: int
    ongoing_since: float | None
    abandoned: int
    newest_ended: Order
    due: Due | None
    contents: ContentsCount | None
    retained: Mapping[str, Retained] | None
    oldest_retained: int | None
    band: Band | None

    @property
    def rank(self) -> Rank:
        """The severity of its state; ok for a job without a state."""
        return RANK[self.verdict.state] if self.verdict else Rank.OK

    @property
    def planned(self) -> bool:
        """Whether the policy expects the job only from a later time."""
        return self.limits is not None and self.verdict is None

    @property
    def reason(self) -> str:
        """The reason for its state, or for having none, as a sentence."""
        if self.verdict:
            return self.verdict.reason
        if self.limits:
            return f"planned: expected from {time_text(self.limits.expected_from)}"
        return "the policy does not expect this job"

    @property
    def previous_run(self) -> datetime | None:
        """The last due time."""
        return self.due.previous if self.due else None

    @property
    def next_run(self) -> datetime | None:
        """The next due time."""
        return self.due.next if self.due else None

    @property
    def overdue(self) -> bool | None:
        """Whether no run started within ``start_within`` of its due time; None without a schedule."""
        return self.due.overdue is not None if self.due else None


class _Judged(Protocol):
    @property
    def job(self) -> Job: ...

    @property
    def verdict(self) -> Verdict | None: ...


J = TypeVar("J", bound=_Judged)


def worst_first(jobs: Iterable[J]) -> list[J]:
    """Return jobs from the worst state to the best, then those without a state; equal ones by name."""

    def order(status: J) -> tuple[int, Job]:
        severity = _FROM_THE_WORST.index(status.verdict.state) if status.verdict else len(_FROM_THE_WORST)
        return severity, status.job

    return sorted(jobs, key=order)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The result of a poll, evaluated at a given time.

    Attributes:
        taken: the time of the evaluation; later than the last poll while the database is unavailable.
        jobs: the jobs by section, type and data centre.
        storage: the retained successes of each type on each destination host.
        newest_start: the start of the newest run of all jobs in seconds since 1970.
        newest_event: the newest start or end of any run that is not in the future; 0 if there is none.
        hosts: the number of recorded runs by destination host, '' for rows without one.
        policy: the policy that was applied.
        synced: the time of the last full read; None until the database has been read once.
    """

    taken: datetime
    jobs: tuple[JobStatus, ...] = ()
    storage: Mapping[tuple[str, str], Retained] = field(default_factory=dict)
    rejected: Mapping[Rejection, int] = field(default_factory=dict)
    anomalies: Mapping[Anomaly, int] = field(default_factory=dict)
    newest_start: float | None = None
    newest_event: float = 0.0
    hosts: Mapping[str, int] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    synced: datetime | None = None
