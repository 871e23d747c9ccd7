"""Compares two policies on the same inventory."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot

_NOT_EXPECTED, _PLANNED = "not expected", "planned"


@dataclass(frozen=True, slots=True)
class Change:
    """A job whose state differs under another policy.

    Attributes:
        before, after: a state, ``planned`` or ``not expected``.
        reason: the reason for the state after.
    """

    job: Job
    before: str
    after: str
    reason: str


def changes(connection: Connection, present: Policy, candidate: Policy, now: datetime) -> list[Change]:
    """Return the jobs whose state would change with ``candidate`` instead of ``present``.

    Args:
        connection: an open connection; both policies are applied to the same data.
        present: the current policy.
        candidate: the other policy.
        now: the current time, with a time zone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    before, after = (_expected(read_once(connection, policy, now)) for policy in (present, candidate))
    changed = []
    for job in sorted(before.keys() | after.keys()):
        old, new = before.get(job), after.get(job)
        if _state(old) != _state(new):
            reason = new.reason if new else "the candidate policy does not expect this job"
            changed.append(Change(job, _state(old), _state(new), reason))
    return changed


def _expected(snapshot: Snapshot) -> dict[Job, JobStatus]:
    return {status.job: status for status in snapshot.jobs if status.limits}


def _state(status: JobStatus | None) -> str:
    if status is None:
        return _NOT_EXPECTED
    return status.verdict.state.value if status.verdict else _PLANNED
