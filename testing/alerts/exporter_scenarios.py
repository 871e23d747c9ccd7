"""Each alert about the exporter at both sides of its limit."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.scenarios import (
    DAY,
    INHIBITOR_KEPT,
    KEPT,
    NO_SUCCESS,
    Changes,
    Scenario,
    Series,
    always,
    answering,
    gap,
    job,
    of_all,
    parts,
    planned,
    series,
    target,
)

A = {"job": "bernard", "instance": "a"}
B = {"job": "bernard", "instance": "b"}
DOWN = "BernardDown critical job=bernard"
ONE_DOWN = "BernardDown warning job=bernard instance=a"
FAILING = "BernardPollFailing critical job=bernard"
ONE_FAILING = "BernardPollFailing warning job=bernard instance=a"
PART_FAILING = "BernardPollFailing critical job=bernard instance=a cause=part"
RELOAD = "BernardConfigReloadFailed warning job=bernard"
OLD = "BernardInventoryOld critical job=bernard cause={}"
DISAGREE = "BernardExportersDisagree warning job=bernard instance={}"
SKEWED = "BernardClockSkewed warning job=bernard instance=a"


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario of the file of alerts about the exporter."""
    yield from _down()
    yield from _poll_failing()
    yield from _inventory_old()
    yield from _disagree()
    yield from _clock()
    yield from _reload()
    yield from _rows()


def _down() -> Iterator[Scenario]:
    yield Scenario("no exporter at all is down after 15 minutes", {"other": "1x60"}, {14: (), 15: (DOWN,)})
    yield Scenario(
        "a gap of 15 minutes is not down",
        answering(*gap(10, 15)),
        {14: (), 24: (), 25: (), 60: ()},
    )
    yield Scenario(
        "an exporter that cannot be scraped is down after 15 minutes, until 20 minutes after it can",
        answering(*gap(10, 20)),
        {24: (), 25: (DOWN,), 30 + INHIBITOR_KEPT - 1: (DOWN,), 30 + INHIBITOR_KEPT: (), 90: ()},
    )
    yield Scenario(
        "one of two exporters down is a warning once it missed half of 15 minutes for 15 minutes",
        of_all(answering((True, 20), (False, 60)), target("b")),
        {42: (), 43: (ONE_DOWN,), 79: (ONE_DOWN,)},
    )
    yield Scenario(
        "an exporter that answers one scrape in five is a warning",
        answering((True, 20), *((False, 4), (True, 1)) * 20),
        {40: (), 60: (ONE_DOWN,), 110: (ONE_DOWN,)},
    )
    yield Scenario(
        "an exporter that answers every other scrape is no warning",
        answering((True, 20), *((False, 1), (True, 1)) * 50),
        {60: (), 110: ()},
    )
    yield Scenario("an exporter that is up raises no alert", target(), {0: (), 60: ()}, pending={0: (), 60: ()})
    yield Scenario(
        "BernardWatchdog fires from the first evaluation on, whatever else happens",
        {"other": "1x60"},
        {0: ()},
        watchdog=(0, 60),
    )


def _poll_failing() -> Iterator[Scenario]:
    yield Scenario(
        "an outage of the database for ten minutes raises no alert",
        target(reads=parts((1, 10), (0, 10), (1, 60))),
        {19: (), 20: (), 60: ()},
    )
    yield Scenario(
        "polls that fail are an alert 15 minutes after the last success, until 20 minutes after the next",
        target(reads=parts((1, 10), (0, 30), (1, 60))),
        {24: (), 25: (FAILING,), 40 + INHIBITOR_KEPT - 1: (FAILING,), 40 + INHIBITOR_KEPT: (), 99: ()},
    )
    spans = gap(40, 15)
    yield Scenario(
        "a gap of 15 minutes does not end BernardPollFailing",
        answering(*spans, reads=0),
        {39: (FAILING,), 40: (FAILING,), 54: (FAILING,), 55: (FAILING,), 90: (FAILING,)},
    )
    yield Scenario(
        "one of two exporters whose polls fail is a warning after 30 minutes",
        of_all(target(reads=parts((1, 60), (0, 90))), target("b")),
        {94: (), 95: (ONE_FAILING,), 120: (ONE_FAILING,)},
    )
    unread = of_all(target(reads=parts((1, 60), (0, 90))), target("b"), job(), job(section="s2", instance="b"))
    yield Scenario(
        "one of two exporters that divide the jobs is an alert 15 minutes after its last successful poll",
        unread,
        {74: (), 75: (PART_FAILING,), 94: (PART_FAILING,), 95: (PART_FAILING, ONE_FAILING)},
    )
    yield Scenario(
        "one of two exporters that divide the jobs is a warning only while another can read its jobs",
        of_all(unread, target("c"), job(instance="c")),
        {94: (), 95: (ONE_FAILING,)},
    )
    yield Scenario(
        "no exporter of one scrape job can read, and those of another can",
        of_all(target(reads=parts((1, 10), (0, 60))), target("b", scrape_job="staging")),
        {24: (), 25: (FAILING,), 60: (FAILING,)},
    )
    yield Scenario(
        "a poll in ten that fails raises no alert",
        target(reads="1x8 0 1x9 0 1x9 0 1x9 0 1x60"),
        {60: ()},
    )


def _inventory_old() -> Iterator[Scenario]:
    polls, empty = OLD.format("polls"), OLD.format("empty")
    yield Scenario(
        "a next poll 15 minutes late is not old while the exporter says it is up, and one more minute is",
        target(polled="0+60x10 600x60"),
        {26: (), 31: (), 32: (polls,)},
        pending={26: (), 27: (polls,)},
    )
    yield Scenario(
        "polls every 45 minutes are no old inventory, and a next poll an hour late is",
        target(polled="60x45 2760x200", interval="2700x245"),
        {40: (), 106: (), 111: (), 112: (polls,)},
        pending={106: (), 107: (polls,)},
    )
    yield Scenario(
        "an old last poll of an exporter that says its polls fail is left to BernardPollFailing",
        target(reads=parts((1, 10), (0, 60)), polled="0+60x10 600x60"),
        {60: (FAILING,)},
    )
    runs, limits = OLD.format("runs"), of_all(job(), job(backup_type="snapshot", changes={c.MAX_AGE: 3 * DAY}))
    yield Scenario(
        "nothing recorded for the shortest limit of all is old, and for one minute less is not",
        of_all(target(), limits, series(c.NEWEST_START, always(600 - 3 * DAY), **A)),
        {10: (), 25: (), 26: (runs,)},
        pending={10: (), 11: (runs,)},
    )
    yield Scenario(
        "the shortest limit does not count before its planned job may be late",
        of_all(
            target(),
            of_all(job(), job(planned(60 * 60) | {c.MAX_AGE: 7200}, backup_type="snapshot")),
            series(c.NEWEST_START, always(-7200), **A),
        ),
        {20: (), 59: (), 60 + 14: (), 60 + 15: (runs,)},
        pending={59: (), 60: (runs,)},
    )
    yield Scenario(
        "of two exporters the newer run counts",
        of_all(
            target(),
            target("b"),
            limits,
            series(c.NEWEST_START, always(-4 * DAY), **A),
            series(c.NEWEST_START, always(-DAY), **B),
        ),
        {60: ()},
    )
    yield Scenario(
        "an inventory that was read and has no run is empty after 15 minutes",
        of_all(target(event=always(0), started=""), job(NO_SUCCESS)),
        {14: (), 15: (empty,)},
    )
    yield Scenario(
        "an inventory with a run is not empty, though the exporter misses some scrapes",
        of_all(
            answering(*gap(10, 14)),
            job(while_scraped=gap(10, 14)),
            series(c.NEWEST_START, parts((-600, 10), (None, 14), (-600, 60)), **A),
        ),
        {60: ()},
    )
    yield from _back_without_database(empty)


def _back_without_database(empty: str) -> Iterator[Scenario]:
    reads = parts((1, 10), (None, 40), (0, 60), (1, 60))
    scraped = parts((1, 10), (0, 40), (1, 120))
    yield Scenario(
        "an exporter that comes back after 40 minutes while the database is away does not call the inventory empty",
        of_all(
            target(scraped=scraped, reads=reads, event=parts((-DAY, 10), (None, 40), (0, 60), (-DAY, 60))),
            job(while_scraped=((True, 10), (False, 100), (True, 60))),
            series(c.NEWEST_START, parts((-DAY, 10), (None, 100), (-DAY, 60)), **A),
        ),
        {
            25: (DOWN,),
            54: (DOWN,),
            55: (DOWN, FAILING),
            50 + INHIBITOR_KEPT: (FAILING,),
            109: (FAILING,),
            110 + INHIBITOR_KEPT: (),
        },
        pending={45: (), 60: (), 100: (), 115: ()},
    )
    yield Scenario(
        "an empty inventory of an exporter that cannot read is not called empty",
        of_all(target(reads=always(0), event=always(0), started=""), job(NO_SUCCESS)),
        {60: (FAILING,)},
        pending={30: ()},
    )


def _disagree() -> Iterator[Scenario]:
    same: Changes = {c.LAST_ATTEMPT_ID: 7}
    newer = job({c.LAST_ATTEMPT_ID: parts((7, 10), (8, 300))})
    yield Scenario(
        "an exporter on a replica that stands still is reported an hour after the next run",
        of_all(target("a"), newer, target("b"), job(same, instance="b")),
        {69: (), 70: (DISAGREE.format("b"),), 120: (DISAGREE.format("b"),)},
        pending={9: (), 10: (DISAGREE.format("b"),)},
    )
    yield Scenario(
        "a replica that lags for less than an hour is no alert",
        of_all(target("a"), newer, target("b"), job({c.LAST_ATTEMPT_ID: parts((7, 69), (8, 300))}, instance="b")),
        {70: (), 120: ()},
        pending={68: (DISAGREE.format("b"),), 69: ()},
    )
    yield Scenario(
        "an exporter on a replica that stands still between start and end of a run is reported after an hour",
        of_all(
            target("a"),
            job(same | {c.LAST_SUCCESS_ID: parts((6, 10), (7, 300))}),
            target("b"),
            job(same | {c.LAST_SUCCESS_ID: 6}, instance="b"),
        ),
        {69: (), 70: (DISAGREE.format("b"),), 120: (DISAGREE.format("b"),)},
        pending={9: (), 10: (DISAGREE.format("b"),)},
    )
    yield Scenario(
        "an exporter that reads an empty database is reported after an hour",
        of_all(target("a"), job(same), target("b", started=""), job(NO_SUCCESS, instance="b")),
        {59: (), 60: (DISAGREE.format("b"),)},
    )
    yield Scenario(
        "an exporter with another policy is reported after an hour",
        of_all(target("a"), target("b"), job(), job(section="s2"), job(instance="b")),
        {59: (), 60: (DISAGREE.format("a"),)},
    )
    yield Scenario(
        "two exporters that know and expect the same agree",
        of_all(
            target("a"),
            target("b"),
            job(same),
            job(same, instance="b"),
            job(section="s2"),
            job(section="s2", instance="b"),
        ),
        {120: ()},
        pending={60: ()},
    )
    yield Scenario(
        "exporters that share an inventory by sections agree, whatever each of them knows",
        of_all(
            target("a"),
            target("b", event=always(-3 * DAY)),
            job(same),
            job({c.LAST_ATTEMPT_ID: 9}, section="s2", instance="b"),
            job(section="s3", instance="b"),
        ),
        {120: ()},
        pending={60: ()},
    )
    yield Scenario(
        "an exporter that starts again without a word on jobs agrees",
        of_all(target("a"), job(same), target("b", reads=always(0), event=always(0))),
        {120: (ONE_FAILING.replace("instance=a", "instance=b"),)},
    )


def _clock() -> Iterator[Scenario]:
    yield Scenario(
        "a clock five minutes ahead is no alert",
        target(polled="300+60x400"),
        {60: ()},
        pending={30: ()},
    )
    for ahead, words in ((301, "five minutes and a second"), (DAY, "a day")):
        yield Scenario(
            f"a clock {words} ahead is an alert after 15 minutes",
            target(polled=f"{ahead}+60x400"),
            {14: (), 15: (SKEWED,), 60: (SKEWED,)},
        )
    yield Scenario(
        "a clock 16 minutes behind is an alert, and not polling that hangs",
        target(polled="-960+60x400"),
        {15: (), 16: (SKEWED,), 60: (SKEWED,)},
    )
    yield Scenario(
        "a clock a day ahead does not hide from the other exporter what it knows",
        of_all(target("a", polled=f"{DAY}+60x400"), target("b"), job(), job(instance="b")),
        {60: (SKEWED,)},
    )


def _reload() -> Iterator[Scenario]:
    yield Scenario(
        "a refused configuration is a warning after five minutes, until one is accepted",
        of_all(target(), series(c.RELOAD_SUCCESSFUL, parts((1, 10), (0, 50), (1, 60)), **A)),
        {14: (), 15: (RELOAD,), 60 + KEPT - 1: (RELOAD,), 60 + KEPT: ()},
    )
    yield Scenario(
        "a gap of 15 minutes does not end BernardConfigReloadFailed, and of two exporters one is enough",
        of_all(
            answering(*gap(30, 15)),
            series(c.RELOAD_SUCCESSFUL, parts((0, 30), (None, 15), (0, 60)), **A),
            target("b"),
            series(c.RELOAD_SUCCESSFUL, always(1), **B),
        ),
        {29: (RELOAD,), 31: (RELOAD,), 44: (RELOAD,), 45: (RELOAD,), 60: (RELOAD,)},
    )


def _rejected(values: str, reason: str, where: dict[str, str]) -> Series:
    return series(c.ROWS_REJECTED, values, reason=reason, **where)


def _rows() -> Iterator[Scenario]:
    rejected = "BernardRowsRejected task job=bernard reason=start_unknown"
    day = 24 * 60
    both = [_rejected(f"7x29 8x{day + 100}", "start_unknown", where) for where in (A, B)]
    up = of_all(target(reads=always(1, day + 100), scraped=always(1, day + 100), polled=f"0+60x{day + 100}"))
    yield Scenario(
        "a row that cannot be used is a task for a day, and old ones are none",
        of_all(up, *both, _rejected(always(40, day + 100), "bad_size", A)),
        {29: (), 44: (), 45: (rejected,), day + 28: (rejected,), day + 31 + KEPT: ()},
    )
    yield Scenario(
        "rows that an exporter knows before and after a restart are no task",
        of_all(answering(*gap(30, 10)), _rejected(parts((40, 30), (None, 10), (40, 60)), "bad_size", A)),
        {29: (), 45: (), 60: (), 80: ()},
        pending={75: ()},
    )
