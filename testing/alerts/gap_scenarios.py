"""Missing samples and database outages: what they must not start, end or hide in alerts about backups."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.backup_scenarios import FAILED, LONG, STALE, STALE_AT_11, VERY_OLD
from testing.alerts.scenarios import (
    FAILED_ONCE,
    KEPT,
    Scenario,
    Series,
    answering,
    gap,
    job,
    of_all,
    parts,
    target,
)


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario."""
    yield from _short()
    yield from _long()
    yield from _database_away()


def _stale(spans: tuple[tuple[bool, int], ...]) -> Series:
    """Return a stale job, whose copy elsewhere is fresh, as an exporter that answers at times exports them."""
    return of_all(answering(*spans), job(VERY_OLD, while_scraped=spans), _elsewhere(spans))


def _elsewhere(spans: tuple[tuple[bool, int], ...]) -> Series:
    return job(datacenter="codfw", while_scraped=spans)


def _short() -> Iterator[Scenario]:
    for silent, words in (
        (1, "a missed scrape"),
        (4, "a restart of the exporter"),
        (15, "a gap of 15 minutes"),
        (16, "a gap of 15 minutes and the scrape before it"),
    ):
        yield Scenario(
            f"{words} ends no alert",
            _stale(gap(30, silent)),
            dict.fromkeys({29, 30, 29 + silent, 30 + silent, 60 + silent}, (STALE,)),
        )
    spans = gap(30, 15)
    yield Scenario(
        "a gap of 15 minutes starts no alert",
        of_all(answering(*spans), job(while_scraped=spans), _elsewhere(spans)),
        {29: (), 30: (), 44: (), 45: (), 120: ()},
        pending={30: (), 44: (), 45: (), 120: ()},
    )
    yield Scenario(
        "a restart of the exporter delays an alert that waits, and no more",
        _stale(gap(10, 5)),
        {14: (), 29: (), 30: (STALE,)},
        pending={9: (STALE,), 12: (), 15: (STALE,)},
    )
    seldom = ((True, 30), *((False, 4), (True, 1)) * 12)
    yield Scenario(
        "an exporter that answers one scrape in five ends no alert",
        _stale(seldom),
        {29: (STALE,), 40: (STALE,), 60: (STALE,), 89: (STALE,)},
    )


def _long() -> Iterator[Scenario]:
    yield Scenario(
        "a longer gap ends an alert after 16 minutes, and what still holds fires again 15 minutes after it",
        _stale(gap(30, 120)),
        {30 + KEPT - 1: (STALE,), 30 + KEPT: (), 149: (), 164: (), 165: (STALE,)},
    )
    spans = gap(5, 120)
    yield Scenario(
        "a backup that goes stale while the exporter is down is reported once it is back",
        of_all(answering(*spans), job(STALE_AT_11, while_scraped=spans), _elsewhere(spans)),
        {26: (), 124: (), 139: (), 140: (STALE,)},
    )
    yield Scenario(
        "a run that became overdue while the exporter was down is reported five minutes after it is back",
        of_all(answering(*spans), job({c.OVERDUE: parts((0, 5), (None, 120), (1, 60))}, while_scraped=spans)),
        {124: (), 129: (), 130: ("BackupDidNotStart warning job=bernard section=s1 type=dump datacenter=eqiad",)},
    )
    ended = parts((-50_000, 2), (None, 1))
    yield Scenario(
        "what was no longer true when the exporter fell silent does not come back",
        of_all(answering(*spans), job({c.ONGOING_START: ended}, while_scraped=spans), _elsewhere(spans)),
        {1: (), 6: (), 60: (), 130: ()},
        pending={1: (LONG,), 2: (), 6: (), 60: ()},
    )
    removed = ((True, 30), (False, 1))
    yield Scenario(
        "a job removed from the policy while the exporter is down is silent 16 minutes after the exporter fell silent",
        of_all(answering(*gap(30, 60)), job(VERY_OLD, while_scraped=removed), _elsewhere(gap(30, 60))),
        {29: (STALE,), 30 + KEPT - 1: (STALE,), 30 + KEPT: (), 150: ()},
    )


def _database_away() -> Iterator[Scenario]:
    reads = parts((1, 20), (0, 60), (1, 60))
    yield Scenario(
        "while the database is away the last inventory stays, and alerts on it too",
        of_all(target(reads=reads), job(VERY_OLD | FAILED_ONCE), job(datacenter="codfw")),
        {20: (STALE, FAILED), 50: (STALE, FAILED), 79: (STALE, FAILED), 120: (STALE, FAILED)},
    )
    yield Scenario(
        "while the database is away a backup goes on ageing",
        of_all(target(reads=parts((1, 5), (0, 90))), job(STALE_AT_11), job(datacenter="codfw")),
        {10: (), 25: (), 26: (STALE,)},
    )
    jobs = gap(30, 70)
    yield Scenario(
        "an exporter restarted while the database is away says nothing of jobs until it has read once",
        of_all(
            target(reads=parts((1, 20), (0, 80), (1, 60)), event=parts((-86_400, 30), (0, 70), (-86_400, 60))),
            job(VERY_OLD, while_scraped=jobs),
            _elsewhere(jobs),
        ),
        {29: (STALE,), 30 + KEPT - 1: (STALE,), 30 + KEPT: (), 99: (), 114: (), 115: (STALE,)},
        pending={60: (), 99: (), 100: (STALE,)},
    )
    yield Scenario(
        "an alert on what the first poll after an outage refutes ends before the inhibition by BernardPollFailing",
        of_all(
            target(reads=parts((1, 5), (0, 95), (1, 60))),
            job({c.LAST_SUCCESS_START: parts((-691_200 + 660, 100), (5400, 60))}),
            job(datacenter="codfw"),
        ),
        {99: (STALE,), 100: (STALE,), 100 + KEPT - 1: (STALE,), 100 + KEPT: ()},
    )
