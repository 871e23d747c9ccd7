"""Alerts about backups: each judges by numbers, so that no other trouble of the same job hides it.

The metric ``bernard_backup_state`` names one state, the first that holds; a backup that is both stale and shrunken
must alert of both. Every limit is read from the policy's metrics, which only expected jobs have.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import EVERYWHERE, OVERVIEW_BOARD, RUNS_BOARD, THE_JOB, Alert, Severity, looked_up
from alerts.recording import (
    AGE,
    CONSECUTIVE_FAILURES,
    EXPECTED,
    FRESH,
    LAST_ATTEMPT_START,
    LAST_SUCCESS_SIZE,
    LAST_SUCCESS_START,
    MAX_AGE,
    MAX_DURATION,
    MIN_SIZE,
    ONGOING_START,
    PREVIOUS_RUN,
    PREVIOUS_SUCCESS_SIZE,
    READ_ONLY,
    SIZE_CHANGE,
    SIZE_CHANGE_CRITICAL,
    SIZE_CHANGE_WARNING,
)
from alerts.settings import HOUR, MINUTE, Settings
from bernard_exporter.metric import JOB_LABELS

_IS_EXPECTED = f"{EXPECTED()} == 1"


def alerts(settings: Settings) -> Iterator[Alert]:
    """Yield every alert about backups."""
    yield from _age()
    yield from _content()
    yield from _runs(settings)
    yield _not_in_policy()


def _age() -> Iterator[Alert]:
    yield Alert(
        "BackupMissing",
        Severity.CRITICAL,
        f"({_IS_EXPECTED})\nunless\n{LAST_SUCCESS_START()}",
        15 * MINUTE,
        JOB_LABELS,
        f"No {THE_JOB} has ever succeeded",
        "The policy expects this backup, and the inventory has no success of it: nothing can be restored from it.",
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
        f"The newest success started {age} ago, expected at most {limit}. A restore would lose what was written since.",
    )
    yield Alert(
        "BackupVeryStale",
        Severity.PAGE,
        f"{AGE()} > 2 * {MAX_AGE()}",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} is {age} old",
        f"The newest success started {age} ago, more than twice the {limit} expected: at least one run was lost, and "
        "nobody has mended it.",
    )
    yield Alert(
        "BackupStaleEverywhere",
        Severity.PAGE,
        f"count by (section, type) ({FRESH()})\nand\nmax by (section, type) ({FRESH()}) == 0",
        30 * MINUTE,
        ("section", "type"),
        f"No fresh {EVERYWHERE} in any data centre",
        "Out of {{ $value }} data centres that should have a young enough success, none has: there is no other copy "
        "to fall back on.",
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
        # The writer measures sizes in a step of its own.
        HOUR,
        JOB_LABELS,
        f"{THE_JOB} has no known size",
        "The newest success, started at {{ $value | humanizeTimestamp }}, was recorded without a size: whether it "
        "holds anything is unknown.",
        cause="unmeasured",
    )
    yield from _size_changed()
    yield Alert(
        "BackupOnlyOne",
        Severity.WARNING,
        f"({AGE()} and {READ_ONLY()} == 0)\nunless\n{PREVIOUS_SUCCESS_SIZE()} > 0",
        15 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} has nothing to compare with",
        "There is no earlier success of known size, so that a loss of tables in the newest, "
        "{{ $value | humanizeDuration }} old, would not show.",
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
            f"Against the success before it, the newest changed by {{{{ $value | humanizePercentage }}}}, expected at "
            f"most {looked_up(limit, 'humanizePercentage')} either way. A loss of tables looks like this, and so does "
            "planned work. The next success of about this size ends the alert.",
        )


def _runs(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        "BackupFailed",
        Severity.WARNING,
        f"({CONSECUTIVE_FAILURES()} > 0)\nand\n{_IS_EXPECTED}",
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
        f"({CONSECUTIVE_FAILURES()} >= {settings.repeated_failures})\nand\n{_IS_EXPECTED}",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} failed {{{{ $value }}}} times in a row",
        "{{ $value }} runs have failed since the newest success: trying again does not mend it.",
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
    yield _did_not_start(settings)


def _did_not_start(settings: Settings) -> Alert:
    """Return the alert on a due time that passed without a run.

    It looks at what was due one grace ago, so that it stays while one due time follows another. A run may seem to
    start before it was due, where the clock of the database is behind. A job that still runs cannot start.
    """
    due = f"{PREVIOUS_RUN()} offset {settings.window(settings.grace)}"
    started = f"({LAST_ATTEMPT_START()} or {EXPECTED()} * 0)"
    return Alert(
        "BackupDidNotStart",
        Severity.WARNING,
        f"({due} > {started} + {settings.clock_tolerance:.0f})\n"
        f"and\n{PREVIOUS_RUN()}\nand\n{_IS_EXPECTED}\nunless\n{ONGOING_START()}",
        5 * MINUTE,
        JOB_LABELS,
        f"{THE_JOB} did not start",
        "A run was due at {{ $value | humanizeTimestamp }}, and none has been recorded since.",
        RUNS_BOARD,
    )


def _not_in_policy() -> Alert:
    """Return the alert on a job that still runs but is not expected.

    A section that was given up leaves its rows behind for ever, so only one whose newest run is young counts: younger
    than the policy lets any backup of the type be, or of any type where it knows none of that type.
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
        "Its newest run started {{ $value | humanizeDuration }} ago, and the policy does not expect it: nobody would "
        "be told if it failed.",
        OVERVIEW_BOARD,
    )
