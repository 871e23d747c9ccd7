"""Alerts about backups: each compares numbers, so that no other problem of the same job hides it.

The metric ``bernard_backup_state`` has only the first state that applies; a backup that is both stale and too small
must raise both alerts. Every limit is read from the policy's metrics, which only expected jobs have. Every alert reads
the exporter that speaks for the job: all numbers that it compares come from one poll.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import AGE, EVERYWHERE, PERCENT, SUBJECT, THE_JOB, VALUE, Alert, bytes_shown, looked_up, shown
from alerts.recording import of_speaker
from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import Metric
from monitoring import boards
from monitoring.recorded import SPEAKER
from monitoring.settings import DAY, HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

_AGE = f"time() - {c.LAST_SUCCESS_START()}"
# There is no change relative to a size that is 0 or unknown.
_CHANGE = f"abs(({c.LAST_SUCCESS_SIZE()} - {c.PREVIOUS_SUCCESS_SIZE()}) / ({c.PREVIOUS_SUCCESS_SIZE()} > 0))"
_IS_EXPECTED = f"{c.EXPECTED()} == 1"
# A failed run says nothing about the backups of today after so long; the next run of a weekly dump is due by then.
_FAILED_LATELY = 7 * DAY
# Two failed runs in a row still matter when the run of the next week has not ended yet.
_FAILING_LATELY = 14 * DAY
# The page is repeated for so long, which gives five times at intervals of four hours; then there are daily reminders.
_REPEATED = 22 * HOUR
# The cause of the rule that repeats the page.
REPEATED = "repeated"


def alerts(settings: SiteSettings) -> Iterator[Alert]:
    """Yield every alert about backups."""
    yield from _age()
    yield from _size()
    yield _only_one()
    yield from _failures(settings)
    yield _running_long()
    yield _did_not_start()
    yield _not_in_policy()


def _limit(metric: Metric, form: str) -> str:
    """Return a template of a limit of the alert's job."""
    return looked_up(f"{metric.name}{{%s}} and {SPEAKER.name}{{%s}}", shown(".", form))


def _age() -> Iterator[Alert]:
    age, limit = shown(VALUE, AGE), _limit(c.MAX_AGE, AGE)
    yield Alert(
        "BackupMissing",
        Severity.CRITICAL,
        of_speaker(f"{_IS_EXPECTED}\nunless {c.LAST_SUCCESS_START()}"),
        15 * MINUTE,
        SUBJECT,
        "The policy expects the job, and the exporter that speaks for it has no start of a success.",
        f"No success of {THE_JOB} is recorded",
        "The policy expects this backup, and the metadata database has no success of it.",
    )
    yield Alert(
        "BackupStale",
        Severity.CRITICAL,
        of_speaker(f"{_AGE} > {c.MAX_AGE()}"),
        15 * MINUTE,
        SUBJECT,
        "The newest success started longer ago than max_age.",
        f"{THE_JOB} is {age} old",
        f"The newest success started {age} ago, expected at most {limit}. A restore from it would lack all later "
        "writes.",
    )
    yield Alert(
        "BackupVeryStale",
        Severity.PAGE,
        of_speaker(f"{_AGE} > 2 * {c.MAX_AGE()}"),
        15 * MINUTE,
        SUBJECT,
        "The newest success started longer ago than twice max_age.",
        f"{THE_JOB} is {age} old",
        f"The newest success started {age} ago, more than twice the maximum of {limit}.",
    )
    yield from _stale_everywhere()


def _stale_everywhere() -> Iterator[Alert]:
    """Yield the page on a section and type without a fresh copy, and the rule that repeats it.

    A job that never succeeded is BackupMissing: it cannot have gone stale, and may never have been due.
    """
    subject = ("job", "section", "type")
    fresh = f"{_AGE} <= bool {c.MAX_AGE()}"
    known = f"{c.LAST_SUCCESS_START()} and {c.MAX_AGE()} and {SPEAKER()}"
    of = ", ".join(subject)
    newest = f"max({c.LAST_SUCCESS_START.name}{{%s}})"
    stale = f"max by ({of}) ({fresh}) == 0\nand on ({of}) ({known})"
    lately = f"min by ({of}) ({_AGE} - {c.MAX_AGE()}) < {_REPEATED / HOUR:.0f} * 3600"
    in_time = f"{c.MAX_AGE()} unless {c.NEXT_RUN()} - time() < {c.MAX_DURATION()}"
    acted = f"time() - {c.ONGOING_START()} < {c.MAX_DURATION()}"
    yield Alert(
        "BackupStaleEverywhere",
        Severity.PAGE,
        stale,
        15 * MINUTE,
        subject,
        "In no data centre did a success start within max_age, and in one at least there was a success.",
        f"No fresh {EVERYWHERE} in any data centre",
        "Of all data centres of the policy, none has a success younger than max_age; the newest success of all started "
        f"at {looked_up(newest, shown('.', 'humanizeTimestamp'), subject)}.",
        boards.OVERVIEW,
    )
    yield Alert(
        "BackupStaleEverywhere",
        Severity.PAGE,
        f"{stale}\nand on ({of}) {lately}\nand on ({of}) ({in_time})\nunless on ({of}) {acted}",
        15 * MINUTE,
        subject,
        "The page has held for less than 22 hours, a run that starts now in one of the data centres can take "
        "max_duration before the next is due, and none is in progress.",
        f"Still no fresh {EVERYWHERE} in any data centre, and no run in progress",
        "A run that is started by hand now can end before the next one is due. None is in progress.",
        boards.OVERVIEW,
        REPEATED,
    )


def _size() -> Iterator[Alert]:
    size, least = bytes_shown(VALUE), looked_up(f"{c.MIN_SIZE.name}{{%s}} and {SPEAKER.name}{{%s}}", bytes_shown("."))
    yield Alert(
        "BackupTooSmall",
        Severity.CRITICAL,
        of_speaker(f"{c.LAST_SUCCESS_SIZE()} < {c.MIN_SIZE()}"),
        15 * MINUTE,
        SUBJECT,
        "The newest success is smaller than min_size.",
        f"{THE_JOB} has only {size}",
        f"The newest success has {size}, expected at least {least}.",
    )
    yield Alert(
        "BackupTooSmall",
        Severity.CRITICAL,
        of_speaker(f"{c.LAST_SUCCESS_START()} and {c.MIN_SIZE()}\nunless {c.LAST_SUCCESS_SIZE()}"),
        # The writer records sizes in a separate step.
        HOUR,
        SUBJECT,
        "There is a newest success and a min_size, and no size of the success.",
        f"{THE_JOB} has no recorded size",
        "The newest success, started at {{ $value | humanizeTimestamp }}, was recorded without a size, expected at "
        f"least {least}.",
        cause="unmeasured",
    )
    yield from _size_changed()


def _size_changed() -> Iterator[Alert]:
    critical = f"{_CHANGE} > {c.SIZE_CHANGE_CRITICAL()}"
    warning = f"{_CHANGE} > {c.SIZE_CHANGE_WARNING()}\nunless {critical}"
    change = shown(VALUE, PERCENT)
    for severity, expr, limit, meaning in (
        (Severity.CRITICAL, critical, c.SIZE_CHANGE_CRITICAL, "by more than the critical limit"),
        (Severity.WARNING, warning, c.SIZE_CHANGE_WARNING, "by more than the warning limit, and not the critical one"),
    ):
        yield Alert(
            "BackupSizeChanged",
            severity,
            of_speaker(expr),
            15 * MINUTE,
            SUBJECT,
            f"The newest success is larger or smaller than the one before it {meaning}.",
            f"Size of {THE_JOB} changed by {change}",
            f"The newest success has {_job_size(c.LAST_SUCCESS_SIZE)}, the previous one "
            f"{_job_size(c.PREVIOUS_SUCCESS_SIZE)}: a change of {change}, expected {_allowed(limit)}. Tables may be "
            "missing, or the data changed as planned. The next success of about this size ends the alert.",
        )


def _job_size(metric: Metric) -> str:
    return looked_up(f"{metric.name}{{%s}} and {SPEAKER.name}{{%s}}", bytes_shown("."))


def _allowed(limit: Metric) -> str:
    """Return a template of the sizes that the limit allows, in whole bytes: unlike ratios these never look alike."""
    previous, ratio = f"{c.PREVIOUS_SUCCESS_SIZE.name}{{%s}}", f"{limit.name}{{%s}}"
    least, most = (
        looked_up(f"{bound}({previous} * (1 {sign} {ratio})) and {SPEAKER.name}{{%s}}", shown(".", 'printf "%.0f"'))
        for bound, sign in (("ceil", "-"), ("floor", "+"))
    )
    return f"{least} to {most} B"


def _only_one() -> Alert:
    return Alert(
        "BackupOnlyOne",
        Severity.WARNING,
        of_speaker(f"{_AGE} and {c.READ_ONLY()} == 0\nunless {c.PREVIOUS_SUCCESS_SIZE()} > 0"),
        15 * MINUTE,
        SUBJECT,
        "There is a success, the section is not read-only, and there is no earlier success of known size above 0.",
        f"{THE_JOB} has no earlier success to compare with",
        "No earlier success of known size is recorded, so a loss of tables in the newest success, "
        f"{shown(VALUE, AGE)} old, would not be detected.",
    )


def _failures(settings: SiteSettings) -> Iterator[Alert]:
    def failed(least: int, lately: float) -> str:
        recent = f"time() - {c.LAST_FAILURE_START()} < {lately / DAY:.0f} * 86400"
        return of_speaker(f"{c.CONSECUTIVE_FAILURES()} >= {least} and {_IS_EXPECTED}\nand {recent}")

    yield Alert(
        "BackupFailed",
        Severity.WARNING,
        failed(1, _FAILED_LATELY),
        5 * MINUTE,
        SUBJECT,
        "At least one run failed since the newest success, the last of them started less than 7 days ago, and the "
        "policy expects the job.",
        f"{THE_JOB} failed",
        "Failed runs since the newest success: {{ $value }}. A success that starts later ends the alert; so do 7 days "
        "without a failed run.",
        boards.RUNS,
    )
    yield Alert(
        "BackupFailingRepeatedly",
        Severity.CRITICAL,
        failed(settings.repeated_failures, _FAILING_LATELY),
        5 * MINUTE,
        SUBJECT,
        f"At least {settings.repeated_failures} runs failed since the newest success, the last of them started less "
        "than 14 days ago, and the policy expects the job.",
        f"{THE_JOB} failed {{{{ $value }}}} times in a row",
        "Failed runs since the newest success: {{ $value }}. A success that starts later ends the alert; so do 14 days "
        "without a failed run.",
        boards.RUNS,
    )


def _running_long() -> Alert:
    return Alert(
        "BackupRunningLong",
        Severity.WARNING,
        of_speaker(f"time() - {c.ONGOING_START()} > {c.MAX_DURATION()}"),
        # A run that ends while the database is away for a short time is not long.
        15 * MINUTE,
        SUBJECT,
        "The oldest run in progress started longer ago than max_duration.",
        f"{THE_JOB} has run for {shown(VALUE, AGE)}",
        f"A run in progress started {shown(VALUE, AGE)} ago, expected to take at most {_limit(c.MAX_DURATION, AGE)}.",
        boards.RUNS,
    )


def _did_not_start() -> Alert:
    """Return the alert on a due time without a run; the exporter decides when a job is overdue."""
    return Alert(
        "BackupDidNotStart",
        Severity.WARNING,
        of_speaker(f"{c.OVERDUE()} == 1"),
        5 * MINUTE,
        SUBJECT,
        "The exporter calls the job overdue: start_within has passed since its due time, and no run started.",
        f"{THE_JOB} did not start",
        f"A run was due more than {_limit(c.START_WITHIN, AGE)} ago, and none is recorded since. The alert ends when a "
        "run is recorded.",
        boards.RUNS,
    )


def _not_in_policy() -> Alert:
    """Return the alert on a job that still runs but is not expected.

    The rows of an abandoned section are never deleted, so only jobs with a recent newest run count: younger than the
    largest ``max_age`` of the type in the policy, or of any type if the policy has no job of that type.
    """
    age = of_speaker(f"time() - {c.LAST_ATTEMPT_START()} and {c.EXPECTED()} == 0")
    usual = f"{c.MAX_AGE()} unless {c.READ_ONLY()} == 1"
    return Alert(
        "BackupNotInPolicy",
        Severity.TASK,
        f"{age}\n<= on (job, type) group_left () (\n"
        f"  max by (job, type) ({usual})\n"
        f"  or max by (job, type) ({c.EXPECTED()} == 0) * 0 + on (job) group_left () max by (job) ({usual})\n)",
        HOUR,
        SUBJECT,
        "The newest run of a job that the policy does not expect is younger than the largest max_age of its type, "
        "read-only sections aside, or of all types where the policy has none of its type.",
        f"{THE_JOB} is not in the policy",
        f"Its newest run started {shown(VALUE, AGE)} ago, and the policy does not expect the job: there is no alert if "
        "it fails.",
        boards.OVERVIEW,
    )
