"""Each alert about backups at both sides of its limit, and what ends it."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.scenarios import (
    DAY,
    FAILED_ONCE,
    KEPT,
    MIB,
    NO_SUCCESS,
    SEEN_ONLY,
    Changes,
    Scenario,
    always,
    job,
    of_all,
    parts,
    series,
    target,
)

EQIAD = "job=bernard section=s1 type=dump datacenter=eqiad"
CODFW = "job=bernard section=s1 type=dump datacenter=codfw"
S1 = "job=bernard section=s1 type=dump"
MAX_AGE = 8 * DAY
# Goes stale after ten minutes: at minute 10 the age is the limit, at minute 11 it is above it.
VERY_OLD: Changes = {c.LAST_SUCCESS_START: -9 * DAY}
STALE_AT_11: Changes = {c.LAST_SUCCESS_START: -(MAX_AGE - 600)}
ELSEWHERE = job(datacenter="codfw")
MISSING = f"BackupMissing critical {EQIAD}"
MISSING_ELSEWHERE = f"BackupMissing critical {CODFW}"
ONLY_ONE = f"BackupOnlyOne warning {EQIAD}"
STALE = f"BackupStale critical {EQIAD}"
EVERYWHERE = f"BackupStaleEverywhere page {S1}"
AGAIN = f"{EVERYWHERE} cause=repeated"
FAILED = f"BackupFailed warning {EQIAD}"
LONG = f"BackupRunningLong warning {EQIAD}"
NOT_STARTED = f"BackupDidNotStart warning {EQIAD}"
CHANGED = "BackupSizeChanged {} " + EQIAD


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario of the file of alerts about backups."""
    yield from _age()
    yield from _size()
    yield from _attempts()
    yield from _schedule()
    yield from _not_in_policy()


def _age() -> Iterator[Scenario]:
    yield Scenario(
        "a job without a success is missing after 15 minutes, and does not page",
        of_all(target(), job(NO_SUCCESS)),
        {14: (), 15: (MISSING,), 60: (MISSING,)},
    )
    yield Scenario(
        "the first success ends BackupMissing",
        of_all(target(), job(NO_SUCCESS | {c.LAST_SUCCESS_START: parts((None, 30), (1800, 100))}), ELSEWHERE),
        {29: (MISSING,), 44: (MISSING,), 45: (MISSING, ONLY_ONE), 30 + KEPT: (ONLY_ONE,)},
    )
    yield Scenario(
        "a backup as old as its limit is not stale, and one minute later it is",
        of_all(target(), job(STALE_AT_11), ELSEWHERE),
        {10: (), 25: (), 26: (STALE,)},
        pending={10: (), 11: (STALE,)},
    )
    yield Scenario(
        "a new success ends BackupStale",
        of_all(target(), job({c.LAST_SUCCESS_START: parts((-9 * DAY, 30), (1200, 100))}), ELSEWHERE),
        {29: (STALE,), 30 + KEPT - 1: (STALE,), 30 + KEPT: ()},
    )
    yield Scenario(
        "a backup twice as old as its limit does not page, and one minute later it does",
        of_all(target(), job({c.LAST_SUCCESS_START: -(2 * MAX_AGE - 1200)}), ELSEWHERE),
        {20: (STALE,), 35: (STALE,), 36: (STALE, f"BackupVeryStale page {EQIAD}")},
        pending={20: (), 21: (f"BackupVeryStale page {EQIAD}",)},
    )
    yield Scenario(
        "stale in one data centre does not page; stale in all of them pages, as soon as the second is stale",
        of_all(target(), job({c.LAST_SUCCESS_START: -9 * DAY}), job(STALE_AT_11, datacenter="codfw")),
        {
            25: (STALE,),
            26: (STALE, f"BackupStale critical {CODFW}", EVERYWHERE, AGAIN),
        },
    )
    yield Scenario(
        "a job in one data centre only pages when it is stale there",
        of_all(target(), job(STALE_AT_11)),
        {25: (), 26: (STALE, EVERYWHERE, AGAIN)},
    )
    yield Scenario(
        "stale in one data centre and missing in the other is stale everywhere",
        of_all(target(), job(STALE_AT_11), job(NO_SUCCESS, datacenter="codfw")),
        {25: (MISSING_ELSEWHERE,), 26: (STALE, MISSING_ELSEWHERE, EVERYWHERE, AGAIN)},
    )
    yield from _page_again()
    yield Scenario(
        "a start five minutes ahead of the clock of Prometheus raises no alert",
        of_all(target(polled="300+60x2000"), job({c.LAST_SUCCESS_START: 300, c.LAST_ATTEMPT_START: 300})),
        {0: (), 60: ()},
        pending={0: (), 4: (), 60: ()},
    )
    yield Scenario(
        "a read-only section is judged by its own limit and needs no second success",
        of_all(
            target(),
            job(
                {
                    c.READ_ONLY: 1,
                    c.MAX_AGE: 1095 * DAY,
                    c.LAST_SUCCESS_START: -1095 * DAY + 600,
                    c.PREVIOUS_SUCCESS_SIZE: None,
                }
            ),
            ELSEWHERE,
        ),
        {25: (), 26: (STALE,)},
        pending={10: (), 11: (STALE,)},
    )
    yield Scenario(
        "a read-only section with one dump 100 days old and no schedule raises no alert",
        of_all(
            target(),
            job(
                {
                    c.READ_ONLY: 1,
                    c.MAX_AGE: 1095 * DAY,
                    c.LAST_SUCCESS_START: -100 * DAY,
                    c.LAST_ATTEMPT_START: -100 * DAY,
                    c.PREVIOUS_SUCCESS_SIZE: None,
                },
                section="es1",
            ),
        ),
        {120: ()},
        pending={60: ()},
    )


def _page_again() -> Iterator[Scenario]:
    """Yield until when the page is repeated; a run takes up to 12 hours."""
    lately: Changes = {c.LAST_SUCCESS_START: -(MAX_AGE + 22 * 3600 - 1800)}
    yield Scenario(
        "a page is repeated for 22 hours",
        of_all(target(), job(lately)),
        {30 + KEPT - 1: (STALE, EVERYWHERE, AGAIN), 30 + KEPT: (STALE, EVERYWHERE)},
    )
    next_run: Changes = {c.LAST_SUCCESS_START: -MAX_AGE - 3600, c.NEXT_RUN: 12 * 3600 + 1800}
    yield Scenario(
        "a page is repeated while a run by hand can end before the next is due",
        of_all(target(), job(next_run)),
        {30 + KEPT: (STALE, EVERYWHERE, AGAIN), 31 + KEPT: (STALE, EVERYWHERE)},
    )
    yield Scenario(
        "a page is repeated while a run by hand can end in time in another data centre",
        of_all(target(), job(next_run), job({c.LAST_SUCCESS_START: None}, datacenter="codfw")),
        {31 + KEPT: (STALE, MISSING_ELSEWHERE, EVERYWHERE, AGAIN)},
    )
    started: Changes = {c.ONGOING_START: f"_x30 {30 * 60}x300", c.MAX_DURATION: 7200}
    yield Scenario(
        "a page is not repeated while a run is in progress, and again when it takes too long",
        of_all(target(), job({c.LAST_SUCCESS_START: -MAX_AGE - 3600} | started)),
        {
            30 + KEPT - 1: (STALE, EVERYWHERE, AGAIN),
            30 + KEPT: (STALE, EVERYWHERE),
            149 + 15: (STALE, EVERYWHERE),
            150 + 15: (STALE, EVERYWHERE, AGAIN),
            151 + 15: (STALE, EVERYWHERE, AGAIN, LONG),
        },
    )


def _size() -> Iterator[Scenario]:
    for size, severity, words in (
        (105, "", "5 % larger raises no alert"),
        (106, "warning", "6 % larger is a warning"),
        (94, "warning", "6 % smaller is a warning"),
        (115, "warning", "15 % larger is no more than a warning"),
        (116, "critical", "16 % larger is critical alone"),
        (84, "critical", "16 % smaller is critical alone"),
    ):
        yield Scenario(
            f"a backup {words}",
            of_all(target(), job({c.LAST_SUCCESS_SIZE: size * MIB, c.PREVIOUS_SUCCESS_SIZE: 100 * MIB})),
            {14: (), 15: (CHANGED.format(severity),) if severity else ()},
        )
    yield Scenario(
        "where the policy has no limit of a change, no change raises an alert",
        of_all(
            target(),
            job({c.LAST_SUCCESS_SIZE: 99 * MIB, c.SIZE_CHANGE_WARNING: None, c.SIZE_CHANGE_CRITICAL: None}),
        ),
        {60: ()},
    )
    yield Scenario(
        "a changed size is judged once, and the next success of about that size ends the alert",
        of_all(
            target(),
            job(
                {
                    c.LAST_SUCCESS_SIZE: parts((100 * MIB, 10), (140 * MIB, 60), (141 * MIB, 60)),
                    c.PREVIOUS_SUCCESS_SIZE: parts((100 * MIB, 70), (140 * MIB, 60)),
                }
            ),
        ),
        {
            24: (),
            25: (CHANGED.format("critical"),),
            70 + KEPT - 1: (CHANGED.format("critical"),),
            70 + KEPT: (),
            129: (),
        },
    )
    for previous, words in ((0, "an empty"), (None, "an unmeasured")):
        yield Scenario(
            f"after {words} success there is nothing to compare with, and no change",
            of_all(target(), job({c.PREVIOUS_SUCCESS_SIZE: previous})),
            {14: (), 15: (ONLY_ONE,)},
        )
    yield Scenario(
        "a backup as large as it must be raises no alert",
        of_all(target(), job({c.LAST_SUCCESS_SIZE: MIB, c.PREVIOUS_SUCCESS_SIZE: MIB})),
        {60: ()},
    )
    yield Scenario(
        "a backup one byte smaller than it must be is too small",
        of_all(target(), job({c.LAST_SUCCESS_SIZE: MIB - 1, c.PREVIOUS_SUCCESS_SIZE: MIB})),
        {14: (), 15: (f"BackupTooSmall critical {EQIAD}",)},
    )
    unmeasured = f"BackupTooSmall critical {EQIAD} cause=unmeasured"
    yield Scenario(
        "a success without a size is given an hour to be measured",
        of_all(target(), job({c.LAST_SUCCESS_SIZE: None})),
        {59: (), 60: (unmeasured,)},
    )
    yield Scenario(
        "a success measured within the hour raises no alert",
        of_all(target(), job({c.LAST_SUCCESS_SIZE: parts((None, 59), (10 * MIB, 60))})),
        {59: (), 110: ()},
    )
    yield Scenario(
        "a backup both stale and shrunken alerts of both",
        of_all(target(), job({c.LAST_SUCCESS_START: -9 * DAY, c.LAST_SUCCESS_SIZE: 5 * MIB}), ELSEWHERE),
        {15: (STALE, CHANGED.format("critical"))},
    )


def _attempts() -> Iterator[Scenario]:
    yield Scenario(
        "a newer failed run does not hide a fresh success, and a newer success ends BackupFailed",
        of_all(
            target(),
            job(
                {
                    c.CONSECUTIVE_FAILURES: parts((0, 10), (1, 50), (0, 60)),
                    c.LAST_FAILURE_START: parts((None, 10), (0, 50), (None, 60)),
                    c.LAST_ATTEMPT_START: parts((-DAY, 10), (0, 50), (3600, 60)),
                    c.LAST_SUCCESS_START: parts((-DAY, 60), (3600, 60)),
                }
            ),
        ),
        {14: (), 15: (FAILED,), 60 + KEPT - 1: (FAILED,), 60 + KEPT: (), 119: ()},
    )
    yield Scenario(
        "a failed run without any later run is reported for seven days",
        of_all(target(), job(FAILED_ONCE | {c.LAST_FAILURE_START: 1800 - 7 * DAY})),
        {5: (FAILED,), 29: (FAILED,), 30 + KEPT - 1: (FAILED,), 30 + KEPT: (), 120: ()},
    )
    yield Scenario(
        "a newer run in progress hides neither a stale success nor a failure",
        of_all(
            target(),
            job(
                FAILED_ONCE
                | {
                    c.LAST_SUCCESS_START: -9 * DAY,
                    c.LAST_ATTEMPT_START: 0,
                    c.ONGOING_START: parts((None, 20), (1200, 60)),
                }
            ),
            ELSEWHERE,
        ),
        {19: (STALE, FAILED), 20: (STALE, FAILED), 60: (STALE, FAILED)},
    )
    again = f"BackupFailingRepeatedly critical {EQIAD}"
    yield Scenario(
        "the second failure in a row is critical",
        of_all(target(), job(FAILED_ONCE | {c.CONSECUTIVE_FAILURES: parts((1, 30), (2, 30), (0, 60))})),
        {34: (FAILED,), 35: (FAILED, again), 59: (FAILED, again), 60 + KEPT: ()},
    )
    yield Scenario(
        "two failed runs of a weekly dump stay critical until the run of the next week has ended",
        of_all(target(), job({c.CONSECUTIVE_FAILURES: 2, c.LAST_FAILURE_START: 1800 - 14 * DAY})),
        {5: (again,), 29: (again,), 30 + KEPT: ()},
    )
    yield Scenario(
        "a failed run of a job that is not expected alerts of the policy alone",
        of_all(target(), job(SEEN_ONLY | FAILED_ONCE), job(section="s2")),
        {59: (), 60: (f"BackupNotInPolicy task {EQIAD}",)},
    )
    limit = 12 * 3600
    yield Scenario(
        "a run that takes as long as it may raises no alert, and one minute more is too long until it ends",
        of_all(target(), job({c.ONGOING_START: parts((600 - limit, 40), (None, 60))})),
        {10: (), 25: (), 26: (LONG,), 40 + KEPT - 1: (LONG,), 40 + KEPT: ()},
        pending={10: (), 11: (LONG,)},
    )
    yield Scenario(
        "a run that ends while the database is away for 12 minutes is not running long",
        of_all(target(), job({c.ONGOING_START: parts((660 - limit, 25), (None, 60))})),
        {12: (), 20: (), 25: (), 40: ()},
        pending={11: (), 12: (LONG,), 24: (LONG,), 25: ()},
    )
    yield Scenario(
        "one pair of exporter and target with two sets of other labels blinds no alert",
        of_all(
            target(),
            series(c.NEWEST_EVENT, always(-DAY), job="bernard", instance="a", cluster="x"),
            series(c.UP, always(1), job="bernard", instance="a", cluster="x"),
            job(NO_SUCCESS),
            ELSEWHERE,
        ),
        {14: (), 15: (MISSING,)},
    )
    yield Scenario(
        "an abandoned run is not running long",
        of_all(target(), job({c.ABANDONED: 1})),
        {60: ()},
    )


def _schedule() -> Iterator[Scenario]:
    """Yield what follows from the exporter's own rule; the rule itself is tested with the exporter."""
    yield Scenario(
        "a run that is overdue for five minutes did not start, until one does",
        of_all(target(), job({c.OVERDUE: parts((0, 10), (1, 60), (0, 60))})),
        {14: (), 15: (NOT_STARTED,), 70 + KEPT - 1: (NOT_STARTED,), 70 + KEPT: ()},
        pending={9: (), 10: (NOT_STARTED,)},
    )
    yield Scenario(
        "a job that is not overdue, or has no schedule, has started",
        of_all(target(), job({c.OVERDUE: 0}), job(section="s2")),
        {120: ()},
        pending={120: ()},
    )


def _not_in_policy() -> Iterator[Scenario]:
    other = "job=bernard section=old type=dump datacenter=eqiad"
    seen = SEEN_ONLY | {c.LAST_ATTEMPT_START: -MAX_AGE + 5400}
    yield Scenario(
        "a job seen but not expected is a task while its runs are younger than the type's limit",
        of_all(target(), job(seen, section="old"), job()),
        {
            59: (),
            60: (f"BackupNotInPolicy task {other}",),
            91 + KEPT - 1: (f"BackupNotInPolicy task {other}",),
            91 + KEPT: (),
        },
    )
    yield Scenario(
        "a job of a type that the policy does not know is held to the longest limit of any other",
        of_all(
            target(),
            job(seen, section="old", backup_type="cold"),
            job(),
            job({c.READ_ONLY: 1, c.MAX_AGE: 1095 * DAY}, section="es1"),
        ),
        {91 + KEPT - 1: ("BackupNotInPolicy task job=bernard section=old type=cold datacenter=eqiad",), 91 + KEPT: ()},
    )
    yield Scenario(
        "nothing is judged where there is no policy",
        of_all(target(), job(SEEN_ONLY | NO_SUCCESS), job(SEEN_ONLY, section="s2")),
        {120: ()},
        pending={60: ()},
    )
