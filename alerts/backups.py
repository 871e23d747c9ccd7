"""Alerts about backups: each compares numbers, so that no other problem of the same job hides it.

The metric ``bernard_backup_state`` has only the first state that applies; a backup that is both stale and too small
must raise both alerts. Every limit is read from the policy's metrics, which only expected jobs have.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import EVERYWHERE, OVERVIEW_BOARD, RUNS_BOARD, THE_JOB, Alert, looked_up
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring.recorded import (
    AGE,
    CONSECUTIVE_FAILURES,
    EXPECTED,
    FRESH,
    JUDGED,
    LAST_ATTEMPT_START,
    LAST_SUCCESS_SIZE,
    LAST_SUCCESS_START,
    MAX_AGE,
    MAX_DURATION,
    MIN_SIZE,
    ONGOING_START,
    OVERDUE,
    PREVIOUS_SUCCESS_SIZE,
    READ_ONLY,
    SIZE_CHANGE,
    SIZE_CHANGE_CRITICAL,
    SIZE_CHANGE_WARNING,
    START_WITHIN,
)
from monitoring.settings import HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

# A job that has a state is expected now; a planned job has none.
_IS_JUDGED = f"{JUDGED()} == 1"


def alerts(settings: SiteSettings) -> Iterator[Alert]:
    """Yield every alert about backups."""
    yield from _age()
    yield from _content()
    yield from _runs(settings)
    yield _not_in_policy()


def _age() -> Iterator[Alert]:
    yield Alert(
        "BackupMissing",
        Severity.CRITICAL,
        f"({_IS_JUDGED})\nunless\n{LAST_SUCCESS_START()}",
        15 * MINUTE,
        JOB_LABELS,
        f"No {THE_JOB} has ever succeeded",
        "The policy expects this backup, and the inventory has no success of it: it cannot be restored.",
    )
    age = "{{ $value | humanizeDuration }}"
    limit = looked_up(MAX_AGE, "humanizeDuration")
    yield Alert(
        "BackupStale",
        Severity.CRITICAL,
        f"{AGE()} > {MAX_AGE()}",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} is {age} old",
        f"The newest success started {age} ago, expected at most {limit}. A restore would lose all later writes.",
    )
    yield Alert(
        "BackupVeryStale",
        Severity.PAGE,
        f"{AGE()} > 2 * {MAX_AGE()}",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} is {age} old",
        f"The newest success started {age} ago, more than twice the maximum of {limit}: at least one run was lost, and "
        "the cause has not been fixed.",
    )
    yield Alert(
        "BackupStaleEverywhere",
        Severity.PAGE,
        f"count by (section, type) ({FRESH()})\nand\nmax by (section, type) ({FRESH()}) == 0",
        30 * MINUTE,
        ("section", "type"),
        f"No fresh {EVERYWHERE} in any data centre",
        "Of {{ $value }} data centres that should have a fresh success, none has one: there is no other copy to "
        "restore from.",
        OVERVIEW_BOARD,
    )


def _content() -> Iterator[Alert]:
    yield Alert(
        "BackupTooSmall",
        Severity.CRITICAL,
        f"{LAST_SUCCESS_SIZE()} < {MIN_SIZE()}",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} has only {{{{ $value | humanize1024 }}}}B",
        f"The newest success has {{{{ $value | humanize1024 }}}}B, expected at least "
        f"{looked_up(MIN_SIZE, 'humanize1024')}B: it is most likely empty.",
    )
    yield Alert(
        "BackupTooSmall",
        Severity.CRITICAL,
        f"({LAST_SUCCESS_START()} and {MIN_SIZE()})\nunless\n{LAST_SUCCESS_SIZE()}",
        # The writer records sizes in a separate step.
        HOUR,
        JOB_LABELS,
        f"{THE_JOB} has no known size",
        "The newest success, started at {{ $value | humanizeTimestamp }}, was recorded without a size: it may be "
        "empty.",
        cause="unmeasured",
    )
    yield from _size_changed()
    yield Alert(
        "BackupOnlyOne",
        Severity.WARNING,
        f"({AGE()} and {READ_ONLY()} == 0)\nunless\n{PREVIOUS_SUCCESS_SIZE()} > 0",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} has no earlier success to compare with",
        "There is no earlier success of known size, so a loss of tables in the newest success, "
        "{{ $value | humanizeDuration }} old, would not be detected.",
    )


def _size_changed() -> Iterator[Alert]:
    changed = {
        limit: f"{SIZE_CHANGE()}\nand\nabs({SIZE_CHANGE()}) > {limit()}"
        for limit in (SIZE_CHANGE_WARNING, SIZE_CHANGE_CRITICAL)
    }
    beyond = f"abs({SIZE_CHANGE()}) > {SIZE_CHANGE_CRITICAL()}"
    for severity, expr, limit in (
        (Severity.CRITICAL, changed[SIZE_CHANGE_CRITICAL], SIZE_CHANGE_CRITICAL),
        (Severity.WARNING, f"{changed[SIZE_CHANGE_WARNING]}\nunless\n{beyond}", SIZE_CHANGE_WARNING),
    ):
        yield Alert(
            "BackupSizeChanged",
            severity,
            expr,
            15 * MINUTE,
            JOB_LABELS,
            f"Size of {THE_JOB} changed by {{{{ $value | humanizePercentage }}}}",
            f"The size of the newest success changed by {{{{ $value | humanizePercentage }}}} from the previous one, "
            f"expected at most {looked_up(limit, 'humanizePercentage')} up or down. Tables may have been lost, or the "
            "data changed as planned. The next success of about this size ends the alert.",
        )


def _runs(settings: SiteSettings) -> Iterator[Alert]:
    yield Alert(
        "BackupFailed",
        Severity.WARNING,
        f"({CONSECUTIVE_FAILURES()} > 0)\nand\n{_IS_JUDGED}",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} failed",
        "Failed runs since the newest success: {{ $value }}. A success that starts later ends the alert; a run in "
        "progress does not.",
        RUNS_BOARD,
    )
    yield Alert(
        "BackupFailingRepeatedly",
        Severity.CRITICAL,
        f"({CONSECUTIVE_FAILURES()} >= {settings.repeated_failures})\nand\n{_IS_JUDGED}",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} failed {{{{ $value }}}} times in a row",
        "{{ $value }} runs have failed since the newest success: the next one will most likely fail too.",
        RUNS_BOARD,
    )
    yield Alert(
        "BackupRunningLong",
        Severity.WARNING,
        f"time() - {ONGOING_START()} > {MAX_DURATION()}",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} has run for {{{{ $value | humanizeDuration }}}}",
        f"A run in progress started {{{{ $value | humanizeDuration }}}} ago, expected to take at most "
        f"{looked_up(MAX_DURATION, 'humanizeDuration')}.",
        RUNS_BOARD,
    )
    yield _did_not_start()


def _did_not_start() -> Alert:
    """Return the alert on a due time without a run; the exporter decides when a job is overdue."""
    return Alert(
        "BackupDidNotStart",
        Severity.WARNING,
        f"{OVERDUE()} == 1",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} did not start",
        f"A run was due more than {looked_up(START_WITHIN, 'humanizeDuration')} ago, and none has been recorded since. "
        "The alert ends when a run starts.",
        RUNS_BOARD,
    )


def _not_in_policy() -> Alert:
    """Return the alert on a job that still runs but is not expected.

    The rows of an abandoned section are never deleted, so only jobs with a recent newest run count: younger than the
    largest ``max_age`` of the type in the policy, or of any type if the policy has no job of that type.
    """
    age = f"((time() - {LAST_ATTEMPT_START()}) and {EXPECTED()} == 0)"
    usual = f"{MAX_AGE()} unless {READ_ONLY()} == 1"
    return Alert(
        "BackupNotInPolicy",
        Severity.TASK,
        f"{age} <= on (type) group_left () max by (type) ({usual})\n"
        f"or\n({age} unless on (type) ({usual})) <= scalar(max({usual}))",
        HOUR,
        JOB_LABELS,
        f"{THE_JOB} is not in the policy",
        "Its newest run started {{ $value | humanizeDuration }} ago, and the policy does not expect it: there is no "
        "alert if it fails.",
        OVERVIEW_BOARD,
    )
