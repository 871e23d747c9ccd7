"""Judge the inventory by the policy at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bernard_exporter.contents import Contents
from bernard_exporter.inventory.counting import Counting
from bernard_exporter.inventory.counts import Counts, Key, StartKind
from bernard_exporter.inventory.record import Record, Retained
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.model import Anomaly, Job, Rejection, Status
from bernard_exporter.policy import Limits, judge
from bernard_exporter.schedule import Schedule
from bernard_exporter.snapshot import JobStatus, Snapshot


class Calendar:
    """The due times around now of every schedule, worked out again only when one has passed."""

    def __init__(self) -> None:
        """Start with nothing worked out."""
        self._known: dict[Schedule, tuple[datetime, datetime]] = {}

    def around(self, schedule: Schedule, now: datetime) -> tuple[datetime, datetime]:
        """Return the last due time not later than ``now`` and the first later one."""
        known = self._known.get(schedule)
        if known is None or not known[0] <= now < known[1]:
            known = schedule.last_before(now), schedule.next_after(now)
            self._known[schedule] = known
        return known


def build(inventory: Inventory, counting: Counting, calendar: Calendar, now: datetime) -> Snapshot:
    """Return the inventory judged by its policy at ``now``; reads no database and no clock.

    Nothing is said of any job before the database was read once: unknown is not missing.
    """
    if inventory.synced is None:
        return Snapshot(taken=now, policy=inventory.policy)
    policy = inventory.policy
    names = sorted({*policy.expected, *inventory.records})
    by_status = _runs_by_status(inventory.counts)
    empty = Record()
    jobs = []
    for job in names:
        record = inventory.records.get(job, empty)
        limits, contents = policy.expected.get(job), counting.current(job, record)
        jobs.append(assess(job, limits, record, by_status.get(job, {}), contents, calendar, now))
    return Snapshot(
        taken=now,
        jobs=tuple(jobs),
        storage=storage(jobs),
        rejected={reason: inventory.counts.rejected[reason] for reason in Rejection},
        anomalies=_anomalies(inventory.counts, jobs),
        newest_start=_newest_start(inventory.counts),
        hosts=dict(inventory.counts.hosts),
        policy=policy,
        synced=inventory.synced,
    )


def _runs_by_status(counts: Counts) -> dict[Job, dict[Status, int]]:
    found: dict[Job, dict[Status, int]] = {}
    for key, rows in counts.rows.items():
        of_job = found.setdefault(key.job, {})
        of_job[key.status] = of_job.get(key.status, 0) + rows
    return found


def assess(
    job: Job,
    limits: Limits | None,
    record: Record,
    runs: Mapping[Status, int],
    contents: Contents | None,
    calendar: Calendar,
    now: datetime,
) -> JobStatus:
    """Return what is known of a job at ``now``, and what its limits say of it.

    Args:
        job: which.
        limits: None when the policy does not expect the job.
        record: what its runs add up to.
        runs: its rows by status.
        contents: what was counted in its newest success, None while it is not counted.
        calendar: where due times are looked up.
        now: aware.
    """
    ongoing = record.in_progress(now)
    due = calendar.around(limits.schedule, now) if limits and limits.schedule else (None, None)
    since = now - timedelta(seconds=limits.retention) if limits and limits.retention else None
    return JobStatus(
        job=job,
        limits=limits,
        verdict=judge(limits, record.newest, record.previous, now) if limits else None,
        newest=record.newest,
        previous=record.previous,
        attempt=record.attempt,
        consecutive_failures=record.consecutive_failures,
        runs=runs,
        ongoing=ongoing,
        abandoned=max(0, runs.get(Status.ONGOING, 0) - len(ongoing)),
        previous_run=due[0],
        next_run=due[1],
        contents=contents,
        retained=record.history.retained(since) if since else None,
        oldest_retained=record.history.oldest(since) if since else None,
        band=record.band,
    )


def storage(jobs: Iterable[JobStatus]) -> dict[tuple[str, str], Retained]:
    """Return what each destination host retains of each type."""
    found: dict[tuple[str, str], Retained] = {}
    for status in jobs:
        for host, retained in (status.retained or {}).items():
            key = (host, status.job.type)
            before = found.get(key, Retained(0, 0))
            found[key] = Retained(before.backups + retained.backups, before.bytes + retained.bytes)
    return found


def _anomalies(counts: Counts, jobs: list[JobStatus]) -> dict[Anomaly, int]:
    found = {kind: counts.anomalies[kind] for kind in Anomaly}
    found[Anomaly.FILES_SIZE_MISMATCH] = sum(_sizes_differ(status) for status in jobs)
    return found


def _sizes_differ(status: JobStatus) -> bool:
    newest, contents = status.newest, status.contents
    if newest is None or newest.size is None or contents is None or contents.bytes is None:
        return False
    return newest.size != contents.bytes


def _newest_start(counts: Counts) -> float | None:
    usable: list[int] = [start for key, start in counts.newest.items() if _usable(counts, key) and start]
    return max(usable, default=None)


def _usable(counts: Counts, key: Key) -> bool:
    return key.start is StartKind.USABLE and counts.rows[key] > 0
