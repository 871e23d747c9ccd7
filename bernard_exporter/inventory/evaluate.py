"""Evaluate the inventory against the policy at a given time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Anomaly, Job, Rejection, Run, Status
from bernard_exporter.domain.policy import Limits, verdict
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.record import Record, Retained
from bernard_exporter.inventory.row_counts import CountKey, RowCounts, StartKind
from bernard_exporter.inventory.snapshot import ContentsCount, JobStatus, Snapshot
from bernard_exporter.inventory.sync import Inventory


def build(inventory: Inventory, contents_counter: ContentsCounter, calendar: Calendar, now: datetime) -> Snapshot:
    """Return the inventory evaluated against its policy at ``now``, without reading the database or the clock.

    Until the database has been read once, the snapshot has no jobs: unknown is not missing.
    """
    if inventory.synced is None or inventory.polled is None:
        return Snapshot(taken=now, policy=inventory.policy)
    policy = inventory.policy
    names = sorted({*policy.expected, *inventory.records})
    by_status = _runs_by_status(inventory.counts)
    empty = Record()
    jobs = []
    for job in names:
        record = inventory.records.get(job, empty)
        limits, contents = policy.expected.get(job), contents_counter.current(job, record)
        runs, coming = by_status.get(job, {}), inventory.counts.rows[CountKey(job, Status.ONGOING, StartKind.FUTURE)]
        jobs.append(evaluate(job, limits, record, runs, contents, calendar, inventory.polled, now, coming))
    return Snapshot(
        taken=now,
        jobs=tuple(jobs),
        storage=storage(jobs),
        rejected={reason: inventory.counts.rejected[reason] for reason in Rejection},
        anomalies=_anomalies(inventory.counts, jobs),
        newest_start=_newest_start(inventory.counts),
        newest_event=float(inventory.counts.newest_event),
        hosts=dict(inventory.counts.hosts),
        policy=policy,
        synced=inventory.synced,
    )


def _runs_by_status(counts: RowCounts) -> dict[Job, dict[Status, int]]:
    runs: dict[Job, dict[Status, int]] = {}
    for key, rows in counts.rows.items():
        runs_of_job = runs.setdefault(key.job, {})
        runs_of_job[key.status] = runs_of_job.get(key.status, 0) + rows
    return runs


def evaluate(
    job: Job,
    limits: Limits | None,
    record: Record,
    runs: Mapping[Status, int],
    contents: ContentsCount | None,
    calendar: Calendar,
    polled: datetime,
    now: datetime,
    coming: int = 0,
) -> JobStatus:
    """Return the status of a job at ``now``, judged by its limits.

    Args:
        job: the job.
        limits: None when the policy does not expect the job.
        record: the summary of its runs.
        runs: its rows by status.
        contents: the counts of its newest success; None until they are counted.
        calendar: the due times of the schedules.
        polled: end of the last successful poll; ``overdue`` is as of then.
        now: the current time, with a time zone.
        coming: ``ongoing`` rows whose start is in the future.
    """
    ongoing = record.in_progress(now)
    begun = record.attempt.start if record.attempt else None
    return JobStatus(
        job=job,
        limits=limits,
        verdict=verdict(limits, record.newest, record.previous, now),
        newest=record.newest,
        previous=record.previous,
        attempt=record.attempt,
        consecutive_failures=record.consecutive_failures,
        last_failure=record.last_failure,
        runs=runs,
        ongoing=ongoing,
        unlisted=record.unfollowed,
        ongoing_since=_ongoing_since(record, ongoing),
        abandoned=max(0, runs.get(Status.ONGOING, 0) - coming - len(ongoing) - record.unfollowed),
        newest_ended=record.last_end_order,
        due=calendar.of(limits, begun, polled, now) if limits else None,
        contents=contents,
        retained=record.history.retained(),
        oldest_retained=record.history.oldest(),
        band=record.band,
    )


def _ongoing_since(record: Record, ongoing: Sequence[Run]) -> float | None:
    if record.unfollowed:
        return record.unfollowed_since
    return ongoing[0].order[0] if ongoing else None


def storage(jobs: Iterable[JobStatus]) -> dict[tuple[str, str], Retained]:
    """Return the retained successes of each type on each destination host."""
    sums: dict[tuple[str, str], Retained] = {}
    for status in jobs:
        for host, retained in (status.retained or {}).items():
            key = (host, status.job.type)
            before = sums.get(key, Retained(0, 0))
            sums[key] = Retained(before.backups + retained.backups, before.bytes + retained.bytes)
    return sums


def _anomalies(counts: RowCounts, jobs: list[JobStatus]) -> dict[Anomaly, int]:
    rows = {anomaly: counts.anomalies[anomaly] for anomaly in Anomaly}
    rows[Anomaly.FILES_SIZE_MISMATCH] = sum(_sizes_differ(status) for status in jobs)
    return rows


def _sizes_differ(status: JobStatus) -> bool:
    newest, contents = status.newest, status.contents
    if newest is None or newest.size is None or contents is None or contents.bytes is None:
        return False
    return newest.size != contents.bytes


def _newest_start(counts: RowCounts) -> float | None:
    usable: list[int] = [start for key, start in counts.newest.items() if _usable(counts, key) and start]
    return max(usable, default=None)


def _usable(counts: RowCounts, key: CountKey) -> bool:
    return key.start is StartKind.USABLE and counts.rows[key] > 0
