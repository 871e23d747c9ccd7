"""The attempts of a job that are newer than its newest success."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from bernard_exporter.domain.humanize import age
from bernard_exporter.domain.model import Status
from bernard_exporter.inventory.snapshot import JobStatus


class AttemptOutcome(StrEnum):
    """The outcome of an attempt."""

    FAILED = "failed"
    RUNNING = "running"
    RUNNING_LONG = "running long"
    ABANDONED = "abandoned"
    DELETED = "deleted"
    UNKNOWN = "unknown"
    NOT_USABLE = "not usable"


class AttemptSummary(NamedTuple):
    """Attempts with the same outcome.

    Attributes:
        text: the outcome and how often or for how long, such as ``failed 3x`` and ``running 1 h``.
    """

    outcome: AttemptOutcome
    text: str


_OUTCOMES = {
    Status.ONGOING: AttemptOutcome.ABANDONED,
    Status.DELETED: AttemptOutcome.DELETED,
    Status.UNKNOWN: AttemptOutcome.UNKNOWN,
    # Without a usable end.
    Status.FINISHED: AttemptOutcome.NOT_USABLE,
}


def newer_attempts(status: JobStatus, now: datetime) -> list[AttemptSummary]:
    """Return what was attempted since the newest success of a job, nothing if that is the last attempt.

    Args:
        status: the job.
        now: the current time, with a time zone.
    """
    attempts = []
    failures, last, newest = status.consecutive_failures, status.attempt, status.newest
    if failures:
        attempts.append(AttemptSummary(AttemptOutcome.FAILED, "failed" if failures == 1 else f"failed {failures}x"))
    if status.ongoing_since is not None:
        since = datetime.fromtimestamp(status.ongoing_since, UTC)
        allowed = status.limits.max_duration if status.limits else None
        is_long = allowed is not None and (now - since).total_seconds() > allowed
        outcome = AttemptOutcome.RUNNING_LONG if is_long else AttemptOutcome.RUNNING
        attempts.append(AttemptSummary(outcome, f"{outcome} {age(since, now)}"))
    elif last and last.status in _OUTCOMES and (newest is None or last.order > newest.order):
        outcome = _OUTCOMES[last.status]
        attempts.append(AttemptSummary(outcome, outcome.value))
    return attempts
