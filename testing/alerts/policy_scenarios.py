"""Jobs that are added, planned or removed, and the teams that own them."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.backup_scenarios import (
    CODFW,
    ELSEWHERE,
    EQIAD,
    EVERYWHERE,
    FAILED,
    MISSING,
    STALE,
    VERY_OLD,
)
from testing.alerts.scenarios import (
    DAY,
    FAILED_ONCE,
    KEPT,
    MIB,
    NO_SUCCESS,
    SEEN_ONLY,
    Changes,
    Scenario,
    Series,
    job,
    of_all,
    parts,
    planned,
    series,
    target,
)

# Scenarios of more than a day have a sample every five minutes.
_EVERY = 5
_LATE = ((False, 12), (True, 400))
_LATER = ((False, 13), (True, 400))
_OLD_SMALL: Changes = {c.LAST_SUCCESS_START: -20 * DAY, c.LAST_SUCCESS_SIZE: 1, c.ONGOING_START: -2 * DAY}


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario."""
    yield from _added()
    yield from _planned()
    yield from _removed()
    yield _owned()


def _known() -> Series:
    """Return an exporter that expects another job since the beginning."""
    return of_all(target(), job(section="s2"))


def _added() -> Iterator[Scenario]:
    for spans, first, words in ((_LATE, 1516, "on the hour"), (_LATER, 1576, "after the hour")):
        yield Scenario(
            f"a job added {words} that never ran raises no alert for 24 hours, and is missing then",
            of_all(_known(), job(NO_SUCCESS, while_scraped=spans)),
            {60 + 16: (), 720: (), 1500: (), first - 1: (), first: (MISSING,), 1600: (MISSING,)},
            interval="5m",
        )
    yield Scenario(
        "a job added with an old, tiny and failed history raises no alert for 24 hours",
        of_all(
            _known(),
            job(_OLD_SMALL | FAILED_ONCE | {c.OVERDUE: 1, c.PREVIOUS_SUCCESS_SIZE: None}, while_scraped=_LATE),
        ),
        {60 + 16: (), 120: (), 720: (), 1500: ()},
        pending={720: (), 1500: ()},
        interval="5m",
    )
    yield Scenario(
        "a job added just before the database was away for ten hours is missing after 24 hours, not after ten",
        of_all(
            target(reads=parts((1, 36), (0, 120), (1, 400))),
            job(section="s2"),
            job(NO_SUCCESS, while_scraped=_LATE),
        ),
        {720: (), 800: (), 1500: (), 1516: (MISSING,), 1600: (MISSING,)},
        interval="5m",
    )
    yield Scenario(
        "a job of one exporter of several that share the jobs is not new after an outage of its exporter",
        of_all(
            target("b"),
            job(section="s2", instance="b"),
            target(reads=parts((1, 120), (None, 60), (1, 400))),
            job(NO_SUCCESS, while_scraped=((True, 120), (False, 60), (True, 400))),
        ),
        {599: (MISSING,), 900 + 14: (), 900 + 16: (MISSING,), 1000: (MISSING,)},
        interval="5m",
    )
    until_1500, from_1500 = ((True, 300), (False, 100)), ((False, 300), (True, 100))
    yield Scenario(
        "a job that moves from one exporter of the scrape job to another is not new",
        of_all(
            target("a"),
            job(section="s2"),
            job(while_scraped=until_1500),
            target("b"),
            job(section="s3", instance="b"),
            job(FAILED_ONCE, instance="b", while_scraped=from_1500),
        ),
        {1499: (), 1506: (FAILED,), 1600: (FAILED,)},
        interval="5m",
    )
    yield Scenario(
        "two jobs added to a policy of others are never stale everywhere while they never ran",
        of_all(
            _known(), job(NO_SUCCESS, while_scraped=_LATE), job(NO_SUCCESS, datacenter="codfw", while_scraped=_LATE)
        ),
        {
            1500: (),
            1600: (MISSING, MISSING.replace("eqiad", "codfw")),
            1900: (MISSING, MISSING.replace("eqiad", "codfw")),
        },
        interval="5m",
    )
    yield Scenario(
        "a fresh copy in a data centre that was added keeps its section from being stale everywhere",
        of_all(target(), job(VERY_OLD), job(datacenter="codfw", while_scraped=((False, 20), (True, 300)))),
        {19: (STALE, EVERYWHERE), 20 + KEPT: (STALE,), 120: (STALE,)},
        pending={25: (), 120: ()},
    )
    yield Scenario(
        "a data centre added without a copy leaves its section stale everywhere",
        of_all(target(), job(VERY_OLD), job(NO_SUCCESS, datacenter="codfw", while_scraped=((False, 60), (True, 300)))),
        {14: (), 15: (STALE, EVERYWHERE), 120: (STALE, EVERYWHERE)},
    )
    yield Scenario(
        "jobs that Prometheus knows as long as their exporter are not new, however young Prometheus is",
        of_all(target(), job(NO_SUCCESS), job(VERY_OLD, datacenter="codfw")),
        {15: (MISSING, f"BackupStale critical {CODFW}", EVERYWHERE)},
    )
    yield Scenario(
        "a job that was seen before the policy expects it is new when the policy does",
        of_all(
            _known(),
            job(
                NO_SUCCESS
                | {c.EXPECTED: parts((0, 12), (1, 400)), c.STATE: None, c.MAX_AGE: parts((None, 12), (9, 400))}
            ),
        ),
        {60 + 16: (), 1500: (), 1516: (MISSING,)},
        interval="5m",
    )


def _planned() -> Iterator[Scenario]:
    at_10 = planned(600)
    yield Scenario(
        "a planned job that never ran is missing 15 minutes after its first run may no longer start",
        of_all(target(), job(at_10 | NO_SUCCESS), job(section="s2")),
        {9: (), 24: (), 25: (MISSING,)},
        pending={9: (), 10: (MISSING,)},
    )
    ever = planned(10 * DAY)
    yield Scenario(
        "a job that is planned raises no alert, whatever was recorded of it",
        of_all(
            target(),
            job(ever | NO_SUCCESS | FAILED_ONCE | {c.OVERDUE: 0}),
            job(ever | _OLD_SMALL | {c.OVERDUE: 0}, section="s2"),
            job(ever | {c.PREVIOUS_SUCCESS_SIZE: None, c.OVERDUE: 1}, section="s3"),
            job(ever | {c.PREVIOUS_SUCCESS_SIZE: MIB, c.OVERDUE: 0}, section="s4"),
        ),
        {120: ()},
        pending={60: (), 120: ()},
    )


def _removed() -> Iterator[Scenario]:
    yield Scenario(
        "a job removed from the policy and the database is silent within 20 minutes",
        of_all(target(), job(VERY_OLD, while_scraped=((True, 30), (False, 1))), ELSEWHERE),
        {29: (STALE,), 30 + KEPT - 1: (STALE,), 30 + KEPT: (), 60: ()},
    )
    no_longer: Changes = {metric: parts((1, 30), (None, 60)) for metric, value in SEEN_ONLY.items() if value is None}
    yield Scenario(
        "a job that the policy no longer expects is silent within 20 minutes, though it is still seen",
        of_all(
            target(),
            job(VERY_OLD | no_longer | {c.LAST_ATTEMPT_START: -9 * DAY, c.EXPECTED: parts((1, 30), (0, 60))}),
            ELSEWHERE,
        ),
        {29: (STALE, NO_LONGER), 30 + KEPT: (), 80: ()},
    )


# Its limits of 1 s and so on are passed as well.
NO_LONGER = f"BackupVeryStale page {EQIAD}"


def _owned() -> Scenario:
    """Return two stale sections; one has an owner by the policy."""
    owner = series(
        c.OWNER, "1x100", section="s1", type="dump", datacenter="eqiad", team="web", job="bernard", instance="a"
    )
    stale = STALE.replace("s1", "{}") + " team={}"
    everywhere = EVERYWHERE.replace("s1", "{}") + " team={}"
    return Scenario(
        "alerts about a job go to the team that the policy names, and otherwise to that of the site",
        of_all(target(), owner, job(VERY_OLD | FAILED_ONCE), job(VERY_OLD, section="s2")),
        {
            14: (FAILED + " team=web",),
            15: (
                FAILED + " team=web",
                stale.format("s1", "web"),
                stale.format("s2", "data-persistence"),
                everywhere.format("s1", "web"),
                everywhere.format("s2", "data-persistence"),
            ),
        },
        with_team=True,
    )
