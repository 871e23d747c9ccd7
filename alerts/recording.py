"""The recording rule: which exporter speaks for a job, made of the exporter's metrics alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from alerts.alert import SKEW, SUBJECT
from bernard_exporter.metrics import catalogue as c
from monitoring.promql import TARGET_LABELS
from monitoring.recorded import SPEAKER, Recorded
from monitoring.settings import HOUR, SiteSettings

_JOB = ", ".join(SUBJECT)
_TARGET = ", ".join(TARGET_LABELS)
# A job that was added to the policy raises no alert for a day; looked at once an hour, so for up to an hour more.
_ADDED = 25 * HOUR
_STEP = HOUR


@dataclass(frozen=True, slots=True)
class Recording:
    """A rule that records a series.

    Attributes:
        meaning: the expression in words.
    """

    series: Recorded
    expr: str
    meaning: str


def recordings(settings: SiteSettings) -> Iterator[Recording]:
    """Yield every recording rule, in the order of evaluation."""
    yield Recording(
        SPEAKER,
        _speaker(settings),
        "Of each job, the exporter with the newest event, of equals one that can read, of those one whose clock agrees "
        "with Prometheus; not for a job that is planned, nor for one that was expected for fewer of the last 25 hours "
        "than its exporter read the database or expected another job.",
    )


def of_speaker(expr: str) -> str:
    """Return an expression about jobs as the exporter that speaks for each of them exports it."""
    lines = f"{expr}\nand {SPEAKER()}".replace("\n", "\n  ")
    return f"max by ({_JOB}) (\n  {lines}\n)"


def _speaker(settings: SiteSettings) -> str:
    window = f"[{settings.window(_ADDED)}:{settings.window(_STEP)}]"
    # Whichever exporter expected it: a job that moves from one exporter to another is not new.
    hours = f"(sum_over_time((max by ({_JOB}) ({c.EXPECTED()})){window}) or max by ({_JOB}) ({c.EXPECTED()}) * 0)"
    known = f"max by ({_TARGET}) (sum_over_time({c.EXPECTED()}{window}) or sum_over_time({c.UP()}{window}))"
    right_clock = f"(abs({c.LAST_POLL()} - time()) <= bool {SKEW:.0f})"
    return f"""\
topk by ({_JOB}) (1,
  {c.EXPECTED()} * 0
  + on ({_TARGET}) group_left () max by ({_TARGET}) ({c.NEWEST_EVENT()} + {c.UP()} / 2 + {right_clock} / 4)
)
unless on ({_JOB}) {c.ALERTS_FROM()} > time()
unless on ({_JOB}) (
  {hours}
  < max by ({_JOB}) ({c.EXPECTED()} * 0 + on ({_TARGET}) group_left () {known})
  and on ({_JOB}) {c.EXPECTED()} == 1
)"""
