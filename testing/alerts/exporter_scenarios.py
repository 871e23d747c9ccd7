"""Each alert about the exporter at both sides of its limit."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from monitoring import recorded
from testing.alerts.scenarios import DAY, Scenario, Series, always, of_all, parts, series

WHERE = {"job": "bernard", "instance": "a"}
OTHER = {"job": "bernard", "instance": "b"}
JOB = {"section": "s1", "type": "dump", "datacenter": "eqiad"}
DOWN = "BernardDown critical job=bernard"
ONE_DOWN = "BernardDown warning job=bernard instance=a"
FAILING = "BernardPollFailing critical job=bernard"
ONE_FAILING = "BernardPollFailing warning job=bernard instance=a"
RELOAD = "BernardConfigReloadFailed warning job=bernard"
OLD = "BernardInventoryOld critical cause={}"


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario of the file of alerts about the exporter."""
    yield from _down()
    yield from _poll_failing()
    yield from _inventory_old()
    yield from _reload()
    yield from _rows()


def _exporter(up: str = "", own: str = "", where: dict[str, str] = WHERE) -> Series:
    """Return whether an exporter can be scraped, and whether its polls succeed."""
    scraped = {f'up{{job="bernard",instance="{where["instance"]}"}}': up or always(1)}
    return scraped | series(c.UP, own or always(1), **where)


def _down() -> Iterator[Scenario]:
    yield Scenario("no exporter at all is down after five minutes", {"other": "1x60"}, {4: (), 5: (DOWN,)})
    yield Scenario(
        "a missed scrape, or four, are not down",
        _exporter(parts((1, 10), (0, 4), (1, 60)), parts((1, 10), (None, 4), (1, 60))),
        {14: (), 15: (), 60: ()},
    )
    yield Scenario(
        "an exporter that cannot be scraped is down after five minutes, until it can",
        _exporter(parts((1, 10), (0, 20), (1, 60)), parts((1, 10), (None, 20), (1, 60))),
        {14: (), 15: (DOWN,), 29: (DOWN,), 30: ()},
    )
    yield Scenario(
        "one of two exporters down is a warning after 15 minutes",
        of_all(
            _exporter(parts((1, 10), (0, 50)), parts((1, 10), (None, 50))),
            _exporter(where=OTHER),
        ),
        {24: (), 25: (ONE_DOWN,)},
    )
    yield Scenario("an exporter that is up raises no alert", _exporter(), {0: (), 60: ()}, pending={0: (), 60: ()})


def _polls(success: str, failure: str, where: dict[str, str] = WHERE) -> Series:
    return series(c.POLLS, success, outcome="success", **where) | series(c.POLLS, failure, outcome="failure", **where)


def _poll_failing() -> Iterator[Scenario]:
    yield Scenario(
        "an outage of the database for ten minutes raises no alert",
        of_all(_exporter(own=parts((1, 10), (0, 10), (1, 60))), _polls("0+1x9 9x9 10+1x60", "0x9 1+1x9 10x60")),
        {19: (), 20: (), 60: ()},
    )
    yield Scenario(
        "polls that fail are an alert 15 minutes after the last success, until the next",
        of_all(_exporter(own=parts((1, 10), (0, 30), (1, 60))), _polls("0+1x9 9x29 10+1x60", "0x9 1+1x29 30x60")),
        {24: (), 25: (FAILING,), 39: (FAILING,), 40: (), 99: ()},
    )
    yield Scenario(
        "a restart of the exporter does not end BernardPollFailing",
        _exporter(parts((1, 40), (0, 2), (1, 60)), parts((1, 5), (0, 35), (None, 2), (0, 60))),
        {39: (FAILING,), 40: (FAILING,), 41: (FAILING,), 42: (FAILING,), 60: (FAILING,)},
    )
    yield Scenario(
        "one of two exporters whose polls fail is a warning once most of an hour's did",
        of_all(
            _exporter(own=parts((1, 60), (0, 90))),
            _polls("0+1x59 59x90", "0x59 1+1x90"),
            _exporter(where=OTHER),
            _polls("0+1x150", "0x150", OTHER),
        ),
        {90: (), 100: (), 120: (ONE_FAILING,)},
    )
    yield Scenario(
        "a poll in ten that fails raises no alert",
        of_all(_exporter(own="1x8 0 1x9 0 1x9 0 1x9 0 1x60"), _polls("0+0.9x100", "0+0.1x100")),
        {60: ()},
    )


def _inventory_old() -> Iterator[Scenario]:
    polls = OLD.format("polls") + " job=bernard"
    yield Scenario(
        "a last poll 15 minutes old is not old while the exporter says it is up, and one more minute is",
        of_all(_exporter(), series(c.LAST_POLL, "0+60x10 600x60", **WHERE)),
        {25: (), 30: (), 31: (polls,)},
        pending={25: (), 26: (polls,)},
    )
    yield Scenario(
        "an old last poll of an exporter that says its polls fail is left to BernardPollFailing",
        of_all(_exporter(own=parts((1, 10), (0, 60))), series(c.LAST_POLL, "0+60x10 600x60", **WHERE)),
        {60: (FAILING,)},
    )
    yield from _nothing_recorded()
    expected = series(recorded.EXPECTED, always(1), **JOB) | series(
        recorded.EXPECTED, always(1), **JOB | {"datacenter": "codfw"}
    )
    yield Scenario(
        "an inventory without any run is empty after 15 minutes",
        of_all(_exporter(), expected),
        {14: (), 15: (OLD.format("empty"),)},
    )
    yield Scenario(
        "an inventory with a run is not empty, though the exporter misses some scrapes",
        of_all(_exporter(), expected, series(c.NEWEST_START, parts((-600, 10), (None, 14), (-600, 60)), **WHERE)),
        {60: ()},
    )


def _nothing_recorded() -> Iterator[Scenario]:
    runs = OLD.format("runs")
    limits = series(recorded.MAX_AGE, always(8 * DAY), **JOB) | series(
        recorded.MAX_AGE, always(3 * DAY), **JOB | {"type": "snapshot"}
    )
    yield Scenario(
        "nothing recorded for the shortest limit of all is old, and for one minute less is not",
        of_all(_exporter(), limits, series(c.NEWEST_START, always(600 - 3 * DAY), **WHERE)),
        {10: (), 25: (), 26: (runs,)},
        pending={10: (), 11: (runs,)},
    )

    def due(*sections: str) -> Series:
        """Three jobs that are due at minute 10, some of them overdue from minute 70 on."""
        samples: Series = {}
        for name in ("s1", "s2", "s3"):
            where = JOB | {"section": name}
            samples |= series(recorded.PREVIOUS_RUN, parts((-7 * DAY, 10), (600, 200)), **where)
            samples |= series(recorded.OVERDUE, parts((0, 70), (float(name in sections), 140)), **where)
        return samples

    newest = series(c.NEWEST_START, always(-DAY), **WHERE)
    yield Scenario(
        "nothing recorded although most backups are overdue is old",
        of_all(_exporter(), due("s1", "s2"), newest),
        {69: (), 84: (), 85: (runs,)},
        pending={69: (), 70: (runs,)},
    )
    yield Scenario(
        "one backup of three that did not start is not an old inventory",
        of_all(_exporter(), due("s1"), newest),
        {120: ()},
        pending={120: ()},
    )
    yield Scenario(
        "a run of any backup shows that runs are recorded",
        of_all(_exporter(), due("s1", "s2"), series(c.NEWEST_START, parts((-DAY, 60), (3000, 200)), **WHERE)),
        {120: ()},
    )


def _reload() -> Iterator[Scenario]:
    yield Scenario(
        "a refused configuration is a warning after five minutes, until one is accepted",
        of_all(_exporter(), series(c.RELOAD_SUCCESSFUL, parts((1, 10), (0, 50), (1, 60)), **WHERE)),
        {14: (), 15: (RELOAD,), 59: (RELOAD,), 60: ()},
    )
    yield Scenario(
        "missed scrapes do not end BernardConfigReloadFailed, and of two exporters one is enough",
        of_all(
            _exporter(parts((1, 30), (0, 4), (1, 60)), parts((1, 30), (None, 4), (1, 60))),
            series(c.RELOAD_SUCCESSFUL, parts((0, 30), (None, 4), (0, 60)), **WHERE),
            series(c.RELOAD_SUCCESSFUL, always(1), **OTHER),
        ),
        {29: (RELOAD,), 31: (RELOAD,), 33: (RELOAD,), 34: (RELOAD,), 60: (RELOAD,)},
    )


def _rows() -> Iterator[Scenario]:
    rejected = "BernardRowsRejected task reason=start_unknown"
    day = 24 * 60
    both = [
        series(c.ROWS_REJECTED, f"7x{29} 8x{day + 100}", reason="start_unknown", **where) for where in (WHERE, OTHER)
    ]
    yield Scenario(
        "a row that cannot be used is a task for a day, and old ones are none",
        of_all(
            _exporter(own=always(1, day + 100)),
            *both,
            series(c.ROWS_REJECTED, always(40, day + 100), reason="bad_size", **WHERE),
        ),
        {29: (), 44: (), 45: (rejected,), day + 28: (rejected,), day + 31: ()},
    )
