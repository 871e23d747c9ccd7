"""What would change if another policy were in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.model import Job
from bernard_exporter.policy import Policy, Verdict
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.survey import survey

_NOT_EXPECTED = "not expected"


@dataclass(frozen=True, slots=True)
class Change:
    """A job that another policy would find in another state.

    Attributes:
        before, after: states, or ``not expected``.
        reason: why it would be in the state after.
    """

    job: Job
    before: str
    after: str
    reason: str


def changes(connection: Connection, present: Policy, candidate: Policy, now: datetime) -> list[Change]:
    """Return what would change if ``candidate`` were in force instead of ``present``, by job.

    Args:
        connection: an open connection; both policies judge what it sees.
        present: the policy in force.
        candidate: another.
        now: aware.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    before, after = (_verdicts(survey(connection, policy, now)) for policy in (present, candidate))
    found = []
    for job in sorted(before.keys() | after.keys()):
        old, new = before.get(job), after.get(job)
        if _state(old) != _state(new):
            reason = new.reason if new else "the candidate does not expect this job"
            found.append(Change(job, _state(old), _state(new), reason))
    return found


def _verdicts(snapshot: Snapshot) -> dict[Job, Verdict]:
    return {status.job: status.verdict for status in snapshot.jobs if status.verdict}


def _state(verdict: Verdict | None) -> str:
    return verdict.state.value if verdict else _NOT_EXPECTED
