"""Badges of states and statuses: a word with a symbol and a colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bernard_exporter.domain.model import RANK, Job, Rank, Run, State, Status
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.queries.attempts import AttemptOutcome, newer_attempts


@dataclass(frozen=True, slots=True)
class Badge:
    """A word, and the tone that determines its symbol and colour.

    Attributes:
        tone: part of a class in ``pages.css``: ok, warning, critical, running, planned or none.
    """

    label: str
    tone: str


_RANK_TONES = {Rank.OK: "ok", Rank.WARNING: "warning", Rank.CRITICAL: "critical"}
_STATUS_TONES = {
    Status.FINISHED: "ok",
    Status.FAILED: "critical",
    Status.ONGOING: "running",
    Status.DELETED: "none",
    Status.UNKNOWN: "none",
}
_ATTEMPT_TONES = {
    AttemptOutcome.FAILED: "critical",
    AttemptOutcome.RUNNING: "running",
    AttemptOutcome.RUNNING_LONG: "critical",
    AttemptOutcome.ABANDONED: "warning",
    AttemptOutcome.NOT_USABLE: "warning",
}

STATE_BADGES = {state: Badge(state.replace("_", " ").capitalize(), _RANK_TONES[RANK[state]]) for state in State}
NOT_IN_POLICY = Badge("Not in policy", "none")
PLANNED = Badge("Planned", "planned")
STATUS_BADGES = {status: Badge(status.capitalize(), _STATUS_TONES[status]) for status in Status}
OUTCOME_BADGES = {status.value: badge for status, badge in STATUS_BADGES.items()} | {
    "abandoned": Badge("Abandoned", "warning"),
    "due": Badge("Due", "planned"),
    "missed": Badge("Missed", "critical"),
    "scheduled": Badge("Scheduled", "planned"),
}
# Messages for a run without recorded files; the writer records files when a backup is complete.
WITHOUT_FILES = {
    OUTCOME_BADGES["ongoing"]: "It is still running; its files are recorded when it ends.",
    OUTCOME_BADGES["abandoned"]: "It never ended, and its files were not recorded.",
    OUTCOME_BADGES["finished"]: "It has finished, but no file of it is recorded.",
    OUTCOME_BADGES["failed"]: "It failed before its files were recorded.",
    OUTCOME_BADGES["deleted"]: "It was deleted, and no file of it is recorded.",
    OUTCOME_BADGES["unknown"]: "No file of it is recorded.",
}
MEANINGS = {
    State.MISSING: "no run has ever succeeded",
    State.VERY_STALE: "the newest success is older than twice max_age",
    State.STALE: "the newest success is older than max_age",
    State.TOO_SMALL: "the newest success is smaller than min_size, or its size is unknown",
    State.ONLY_ONE: "there is no earlier success to compare the newest with",
    State.VERY_WRONG_SIZE: "the size changed by more than the critical limit",
    State.WRONG_SIZE: "the size changed by more than the warning limit",
    State.FRESH: "the newest success is recent enough, large enough, and about as large as the previous one",
}


def state_badge(state: State | None) -> Badge:
    """Return the badge of a state; None for a job that is not in the policy."""
    return STATE_BADGES[state] if state else NOT_IN_POLICY


def job_badge(status: JobStatus) -> Badge:
    """Return the badge of a job: its state, or why it has none."""
    if status.planned:
        return PLANNED
    return state_badge(status.verdict.state if status.verdict else None)


def attempt_badges(status: JobStatus, now: datetime) -> tuple[Badge, ...]:
    """Return the badges of the attempts since the newest success of a job."""
    attempts = newer_attempts(status, now)
    return tuple(Badge(attempt.text, _ATTEMPT_TONES.get(attempt.outcome, "none")) for attempt in attempts)


def run_badges(snapshot: Snapshot, now: datetime) -> Callable[[Run], Badge]:
    """Return the function for the badges of runs, which also marks abandoned runs."""
    newest_ended = {status.job: status.newest_ended for status in snapshot.jobs}

    def badge(run: Run) -> Badge:
        job = Job(run.section, run.type, snapshot.policy.datacenter(run.host))
        abandoned = run.is_abandoned(newest_ended.get(job, (0.0, 0)), now)
        return OUTCOME_BADGES["abandoned" if abandoned else run.status.value]

    return badge
