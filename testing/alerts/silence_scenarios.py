"""Missing samples, database outages and several exporters must not change alerts about backups."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.backup_scenarios import ELSEWHERE, EVERYWHERE, FAILED, LONG, STALE, STALE_AT_11, VERY_OLD
from testing.alerts.scenarios import DAY, Scenario, always, job, of_all, parts, target


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario."""
    yield from _silence()
    yield from _several_exporters()


def _stale(while_scraped: tuple[tuple[bool, int], ...] = (), instance: str = "a") -> dict[str, str]:
    return job(VERY_OLD, while_scraped=while_scraped, instance=instance)


def _elsewhere(while_scraped: tuple[tuple[bool, int], ...]) -> dict[str, str]:
    return job(datacenter="codfw", while_scraped=while_scraped)


def _silent(first: int, silent: int, later: int = 60) -> tuple[dict[str, str], tuple[tuple[bool, int], ...]]:
    """Return an exporter that Prometheus cannot scrape for some minutes, and when it answers."""
    up = f"{parts((1, first), (0, silent), (1, later))}"
    polls = f"0+60x{first - 1} stale _x{silent - 1} {60 * (first + silent)}+60x{later}"
    return target(up=up, last_poll=polls), ((True, first), (False, silent), (True, later))


def _silence() -> Iterator[Scenario]:
    for silent, words in (
        (1, "a missed scrape"),
        (4, "a restart of the exporter"),
        (120, "an exporter down for hours"),
    ):
        exporter, answers = _silent(30, silent)
        yield Scenario(
            f"{words} resolves no alert",
            of_all(exporter, _stale(answers), _elsewhere(answers)),
            dict.fromkeys({29, 30, 29 + silent, 30 + silent, 60 + silent}, (STALE,)),
        )
    exporter, answers = _silent(10, 5)
    yield Scenario(
        "a restart of the exporter does not let an alert wait from the beginning",
        of_all(exporter, _stale(answers), _elsewhere(answers)),
        {14: (), 15: (STALE,)},
    )
    exporter, answers = _silent(5, 120)
    yield Scenario(
        "a backup goes stale while the exporter is down",
        of_all(exporter, job(STALE_AT_11, while_scraped=answers), _elsewhere(answers)),
        {25: (), 26: (STALE,), 124: (STALE,), 130: (STALE,)},
    )
    removed = tuple(answers[:1])
    yield Scenario(
        "a job removed from the policy while the exporter is down alerts until the exporter is back",
        of_all(
            exporter, job({c.LAST_SUCCESS_START: -9 * DAY}, while_scraped=(*removed, (False, 1))), _elsewhere(answers)
        ),
        {15: (STALE,), 124: (STALE,), 125: (), 180: ()},
    )
    ended = parts((-50_000, 2), (None, 1))
    yield Scenario(
        "what was no longer true when the exporter fell silent does not come back",
        of_all(exporter, job({c.ONGOING_START: ended}, while_scraped=answers), _elsewhere(answers)),
        {1: (), 6: (), 60: (), 130: ()},
        pending={1: (LONG,), 2: (), 6: (), 60: ()},
    )
    frozen = "0+60x20 1200x10 1860+60x2000"
    yield Scenario(
        "an outage of the database for ten minutes neither resolves an alert nor starts one",
        of_all(
            target(last_poll=frozen),
            {'bernard_up{job="bernard",instance="a"}': "1x20 0x9 1x60"},
            _stale(),
            ELSEWHERE,
            job(section="s2"),
        ),
        {20: (STALE,), 25: (STALE,), 31: (STALE,), 60: (STALE,)},
        pending={25: (), 31: ()},
    )
    yield Scenario(
        "an exporter that restarts while the database is away holds on to what it said",
        of_all(
            target(last_poll=f"0+60x29 stale _x59 5400+60x{60}"),
            _stale(((True, 30), (False, 60), (True, 60))),
            _elsewhere(((True, 30), (False, 60), (True, 60))),
        ),
        {29: (STALE,), 60: (STALE,), 120: (STALE,)},
    )


def _several_exporters() -> Iterator[Scenario]:
    both = of_all(target("a"), target("b"), ELSEWHERE, job(datacenter="codfw", instance="b"))
    yield Scenario(
        "two exporters scraped at once alert once",
        of_all(both, _stale(instance="a"), _stale(instance="b")),
        {14: (), 15: (STALE,)},
    )
    polls = "0+60x29 stale"
    dead = of_all(target("a", up=parts((1, 30), (0, 60)), last_poll=polls), _stale(((True, 30), (False, 60))))
    yield Scenario(
        "one of two exporters dies, and no alert changes",
        of_all(dead, target("b"), job(datacenter="codfw", instance="b"), _stale(instance="b")),
        {29: (STALE,), 30: (STALE,), 80: (STALE,)},
    )
    yield Scenario(
        "the word of a dead exporter does not outlast that of one that lives",
        of_all(
            dead,
            target("b"),
            job(datacenter="codfw", instance="b"),
            job({c.LAST_SUCCESS_START: parts((-9 * DAY, 40), (2400, 60))}, instance="b"),
        ),
        {39: (STALE,), 40: ()},
    )
    yield Scenario(
        "an exporter that cannot read the database is not believed where another can",
        of_all(
            target("a", last_poll="0+60x29 1740x100"),
            job({c.CONSECUTIVE_FAILURES: 1}, instance="a"),
            target("b"),
            job({c.CONSECUTIVE_FAILURES: parts((1, 30), (0, 100))}, instance="b"),
        ),
        {29: (FAILED,), 35: (), 90: ()},
    )
    until_30, from_34 = ((True, 30), (False, 1)), ((False, 34), (True, 100))
    yield Scenario(
        "an exporter replaced by another under a new name is forgotten, and the alerts on what both tell stay",
        of_all(
            target("pod-1", up=parts((1, 30), (None, 1)), last_poll=polls),
            _stale(until_30, "pod-1"),
            job(section="s2", changes={c.LAST_SUCCESS_START: -9 * DAY}, while_scraped=until_30, instance="pod-1"),
            target("pod-2", up=f"_x34 {always(1)}", last_poll="_x34 2040+60x100"),
            _stale(from_34, "pod-2"),
        ),
        {
            29: (STALE, STALE.replace("s1", "s2")),
            33: (STALE, STALE.replace("s1", "s2"), EVERYWHERE, EVERYWHERE.replace("s1", "s2")),
            34: (STALE, EVERYWHERE),
            90: (STALE, EVERYWHERE),
        },
    )
