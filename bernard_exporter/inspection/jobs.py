"""Jobs as they are shown everywhere, and which of them are asked for."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from bernard_exporter.errors import NotFoundError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.words import run_document, time_text
from bernard_exporter.model import RANK, Job, Run, State
from bernard_exporter.policy import Limits, size_change
from bernard_exporter.snapshot import JobStatus, Snapshot


def state_of(status: JobStatus) -> State | None:
    """Return the state of a job, None when the policy does not expect it."""
    return status.verdict.state if status.verdict else None


def find_jobs(snapshot: Snapshot, wanted: JobFilter) -> list[JobStatus]:
    """Return the jobs that pass a filter, by section, type and data centre."""
    return [status for status in snapshot.jobs if wanted.accepts(status.job, state_of(status))]


def find_job(snapshot: Snapshot, job: Job) -> JobStatus:
    """Return what is known of one job.

    Raises:
        NotFoundError: neither the policy nor the database knows it.
    """
    for status in snapshot.jobs:
        if status.job == job:
            return status
    raise NotFoundError(f"no job {'/'.join(job)}; neither the policy nor the inventory knows it")


def job_document(status: JobStatus, now: datetime) -> dict[str, Any]:
    """Return a job as JSON has it, in the API and in ``status --json``; unknown is None.

    Args:
        status: what is known of the job.
        now: aware; ages are told as of then.
    """
    newest, datacenter = status.newest, status.job.datacenter
    state = state_of(status)

    def shown(run: Run | None) -> dict[str, Any] | None:
        return run_document(run, datacenter) if run else None

    return {
        **status.job._asdict(),
        "expected": status.limits is not None,
        "state": state.value if state else None,
        "rank": RANK[state].name.lower() if state else None,
        "reason": status.verdict.reason if status.verdict else "the policy does not expect this job",
        "limits": limits_document(status.limits) if status.limits else None,
        "age": (now - newest.start).total_seconds() if newest and newest.start else None,
        "size_change": size_change(newest.size, status.previous.size if status.previous else None) if newest else None,
        "newest_success": shown(newest),
        "previous_success": shown(status.previous),
        "last_attempt": shown(status.attempt),
        "consecutive_failures": status.consecutive_failures,
        "ongoing": [run_document(run, datacenter) for run in status.ongoing],
        "abandoned": status.abandoned,
        "previous_due": time_text(status.previous_run),
        "next_run": time_text(status.next_run),
        "runs": {kind.value: rows for kind, rows in sorted(status.runs.items())},
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
        else [{"host": host, **kept._asdict()} for host, kept in sorted(status.retained.items())],
    }


def limits_document(limits: Limits) -> dict[str, Any]:
    """Return what a job is held to; durations in seconds, sizes in bytes, None where the policy does not say."""
    found = asdict(limits)
    schedule = found.pop("schedule")
    return found | {
        "schedule": schedule["expression"] if schedule else None,
        "timezone": schedule["timezone"] if schedule else None,
    }
