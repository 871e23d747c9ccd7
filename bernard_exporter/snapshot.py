"""The inventory judged by the policy at one moment: what metrics, API and pages show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from bernard_exporter.contents import Contents
from bernard_exporter.inventory.record import Band, Retained
from bernard_exporter.model import RANK, Anomaly, Job, Rank, Rejection, Run, State, Status
from bernard_exporter.policy import Limits, Policy, Verdict

# From the worst; states of the same rank in the order in which the rules are tried.
_FROM_THE_WORST = sorted(State, key=lambda state: -RANK[state])


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What is known of a job, and what the policy says of it.

    Attributes:
        limits, verdict: None when the policy does not expect the job.
        runs: rows by status.
        ongoing: runs in progress, oldest first.
        abandoned: runs that say ongoing and can never end.
        contents: None while the newest success is not counted.
        retained: by destination host; None when the policy does not say how long successes are kept.
        oldest_retained: start in seconds since 1970 of the oldest success within retention.
    """

    job: Job
    limits: Limits | None
    verdict: Verdict | None
    newest: Run | None
    previous: Run | None
    attempt: Run | None
    consecutive_failures: int
    runs: Mapping[Status, int]
    ongoing: tuple[Run, ...]
    abandoned: int
    previous_run: datetime | None
    next_run: datetime | None
    contents: Contents | None
    retained: Mapping[str, Retained] | None
    oldest_retained: int | None
    band: Band | None

    @property
    def rank(self) -> Rank:
        """How bad its state is; a job that is not judged is not bad."""
        return RANK[self.verdict.state] if self.verdict else Rank.OK


class _Judged(Protocol):
    @property
    def job(self) -> Job: ...

    @property
    def verdict(self) -> Verdict | None: ...


J = TypeVar("J", bound=_Judged)


def worst_first(jobs: Iterable[J]) -> list[J]:
    """Return jobs from the worst state to the best, those that are not judged last, alike ones by name."""

    def order(status: J) -> tuple[int, Job]:
        place = _FROM_THE_WORST.index(status.verdict.state) if status.verdict else len(_FROM_THE_WORST)
        return place, status.job

    return sorted(jobs, key=order)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a poll found, as of one moment.

    Attributes:
        taken: when the jobs were judged; later than the poll while the database is away.
        jobs: by section, type and data centre.
        storage: what each destination host retains of each type.
        newest_start: the start of the newest run of all, seconds since 1970.
        hosts: runs recorded by destination host, '' for none.
        policy: by which the jobs were judged.
        synced: when everything was last counted afresh; None before the database was read once.
    """

    taken: datetime
    jobs: tuple[JobStatus, ...] = ()
    storage: Mapping[tuple[str, str], Retained] = field(default_factory=dict)
    rejected: Mapping[Rejection, int] = field(default_factory=dict)
    anomalies: Mapping[Anomaly, int] = field(default_factory=dict)
    newest_start: float | None = None
    hosts: Mapping[str, int] = field(default_factory=dict)
    policy: Policy = field(default_factory=Policy)
    synced: datetime | None = None
