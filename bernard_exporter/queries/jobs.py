"""Finds jobs by filters, and formats them for API and ``status --json``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bernard_exporter.domain.due import start_within
from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.model import RANK, Job, Run, State
from bernard_exporter.domain.policy import Limits, size_change
from bernard_exporter.errors import NotFoundError
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.queries.documents import run_document, time_text


def state_of(status: JobStatus) -> State | None:
    """Return the state of a job; None if it has none."""
    return status.verdict.state if status.verdict else None


def find_jobs(snapshot: Snapshot, criteria: NameFilter) -> list[JobStatus]:
    """Return the jobs that match a filter, sorted by section, type and data centre."""
    return [status for status in snapshot.jobs if criteria.accepts(status.job, state_of(status))]


def find_job(snapshot: Snapshot, job: Job) -> JobStatus:
    """Return the status of one job.

    Raises:
        NotFoundError: the job is neither in the policy nor in the database.
    """
    for status in snapshot.jobs:
        if status.job == job:
            return status
    raise NotFoundError(f"no job {'/'.join(job)} in the policy or the inventory")


def job_document(status: JobStatus, now: datetime) -> dict[str, Any]:
    """Return a job as a JSON document for API and ``status --json``; unknown values are None.

    Args:
        status: the status of the job.
        now: the current time, with a time zone, for ages.
    """
    newest, datacenter, limits = status.newest, status.job.datacenter, status.limits
    state = state_of(status)

    def document(run: Run | None) -> dict[str, Any] | None:
        return run_document(run, datacenter) if run else None

    return {
        **status.job._asdict(),
        "expected": status.limits is not None,
        "state": state.value if state else None,
        "rank": RANK[state].name.lower() if state else None,
        "reason": status.reason,
        "team": limits.team if limits else None,
        "expected_from": time_text(limits.expected_from) if limits else None,
        "limits": limits_document(limits) if limits else None,
        "age": (now - newest.start).total_seconds() if newest and newest.start else None,
        "size_change": size_change(newest.size, status.previous.size if status.previous else None) if newest else None,
        "newest_success": document(newest),
        "previous_success": document(status.previous),
        "last_attempt": document(status.attempt),
        "consecutive_failures": status.consecutive_failures,
        "ongoing": [run_document(run, datacenter) for run in status.ongoing],
        "abandoned": status.abandoned,
        "previous_due": time_text(status.previous_run),
        "next_run": time_text(status.next_run),
        "start_within": status.due.start_within if status.due else None,
        "overdue": status.overdue,
        "runs": {run_status.value: rows for run_status, rows in sorted(status.runs.items())},
        **_history(status),
    }


def _history(status: JobStatus) -> dict[str, Any]:
    contents, oldest = status.contents, status.oldest_retained
    return {
        "contents": {
            "files": contents.files,
            "size": contents.bytes,
            "objects": contents.objects,
            "added": contents.added,
            "removed": contents.removed,
        }
        if contents
        else None,
        "size_expected": status.band._asdict() if status.band else None,
        "oldest_retained": None if oldest is None else time_text(datetime.fromtimestamp(oldest, UTC)),
        "retained": None
        if status.retained is None
        else [{"host": host, **retained._asdict()} for host, retained in sorted(status.retained.items())],
    }


def limits_document(limits: Limits) -> dict[str, Any]:
    """Return the limits of a job: durations in seconds, sizes in bytes, None if not set."""
    document = asdict(limits)
    schedule, within = document.pop("schedule"), start_within(limits)
    return document | {
        "start_within": within.total_seconds() if within else None,
        "expected_from": time_text(limits.expected_from),
        "schedule": schedule["expression"] if schedule else None,
        "timezone": schedule["timezone"] if schedule else None,
    }
