"""How states and statuses look: always a word and a symbol, and a colour only beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bernard_exporter.model import RANK, Rank, Run, State, Status
from bernard_exporter.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Sign:
    """A word, and the tone that gives it symbol and colour.

    Attributes:
        tone: the class in ``pages.css`` that is made of it: ok, warning, critical, running, planned or none.
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

STATE_SIGNS = {state: Sign(state.replace("_", " ").capitalize(), _RANK_TONES[RANK[state]]) for state in State}
NOT_IN_POLICY = Sign("Not in policy", "none")
STATUS_SIGNS = {status: Sign(status.capitalize(), _STATUS_TONES[status]) for status in Status}
OUTCOME_SIGNS = {status.value: sign for status, sign in STATUS_SIGNS.items()} | {
    "abandoned": Sign("Abandoned", "warning"),
    "missed": Sign("Missed", "critical"),
    "scheduled": Sign("Scheduled", "planned"),
}
MEANINGS = {
    State.MISSING: "no run of it ever succeeded",
    State.VERY_STALE: "the newest success is more than twice as old as it may be",
    State.STALE: "the newest success is older than it may be",
    State.TOO_SMALL: "the newest success is smaller than it may be, or its size is unknown",
    State.ONLY_ONE: "there is no earlier success to compare the newest with",
    State.VERY_WRONG_SIZE: "the size changed by more than the critical limit",
    State.WRONG_SIZE: "the size changed by more than the warning limit",
    State.FRESH: "young enough, large enough, and about as large as the one before",
}


def state_sign(state: State | None) -> Sign:
    """Return how a state looks; None is a job that the policy does not know."""
    return STATE_SIGNS[state] if state else NOT_IN_POLICY


def run_signs(snapshot: Snapshot) -> Callable[[Run], Sign]:
    """Return how runs look: one that says ongoing, and was not in progress at the last poll, is abandoned."""
    going = {run.id for status in snapshot.jobs for run in status.ongoing}

    def sign(run: Run) -> Sign:
        begun = run.start is None or run.start <= snapshot.taken
        abandoned = run.status is Status.ONGOING and run.id not in going and begun
        return OUTCOME_SIGNS["abandoned" if abandoned else run.status.value]

    return sign
