"""Several exporters: they count once, all facts of a job come from one of them, and a lagging one hides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from bernard_exporter.metrics import catalogue as c
from testing.alerts.backup_scenarios import CHANGED, EQIAD, EVERYWHERE, FAILED, STALE, VERY_OLD
from testing.alerts.scenarios import (
    DAY,
    FAILED_ONCE,
    KEPT,
    MIB,
    Changes,
    Scenario,
    Series,
    always,
    answering,
    job,
    of_all,
    parts,
    target,
)

# A replica that stands still since a week ago.
_OLD_EVENT = always(-7 * DAY)
_OLD: Changes = {c.LAST_SUCCESS_START: -7 * DAY, c.LAST_ATTEMPT_START: -7 * DAY}
_UNTIL_30 = ((True, 30), (False, 60))


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario."""
    yield from _alike()
    yield from _lagging()
    yield from _reading()
    yield from _leaving()
    yield _two_inventories()


def _stale(instance: str, spans: tuple[tuple[bool, int], ...] = ()) -> Series:
    return of_all(
        job(VERY_OLD, instance=instance, while_scraped=spans),
        job(datacenter="codfw", instance=instance, while_scraped=spans),
    )


def _alike() -> Iterator[Scenario]:
    yield Scenario(
        "two exporters alert once",
        of_all(target("a"), target("b"), _stale("a"), _stale("b")),
        {14: (), 15: (STALE,), 60: (STALE,)},
    )
    yield Scenario(
        "one of two exporters dies, and no alert changes",
        of_all(answering(*_UNTIL_30), _stale("a", _UNTIL_30), target("b"), _stale("b")),
        {29: (STALE,), 30: (STALE,), 50: (STALE,), 89: (STALE,)},
    )
    yield Scenario(
        "the word of a dead exporter does not outlast that of one that lives",
        of_all(
            answering(*_UNTIL_30),
            _stale("a", _UNTIL_30),
            target("b", event=parts((-DAY, 40), (2400, 60))),
            job(datacenter="codfw", instance="b"),
            job({c.LAST_SUCCESS_START: parts((-9 * DAY, 40), (2400, 60))}, instance="b"),
        ),
        {39: (STALE,), 40 + KEPT - 1: (STALE,), 40 + KEPT: ()},
    )


def _lagging() -> Iterator[Scenario]:
    lagging = of_all(target("b", event=_OLD_EVENT), job(_OLD, instance="b"))
    yield Scenario(
        "a dump that shrank is reported although a lagging exporter still has the size before",
        of_all(target("a"), job({c.LAST_SUCCESS_SIZE: 2 * MIB}), lagging),
        {14: (), 15: (CHANGED.format("critical"),)},
    )
    yield Scenario(
        "a dump of 1,000 bytes is reported although a lagging exporter still has the size before",
        of_all(target("a"), job({c.LAST_SUCCESS_SIZE: 1000, c.PREVIOUS_SUCCESS_SIZE: 1000}), lagging),
        {14: (), 15: (f"BackupTooSmall critical {EQIAD}",)},
    )
    yield Scenario(
        "a run that has ended does not run long although a lagging exporter still calls it ongoing",
        of_all(
            target("a"), job(), target("b", event=_OLD_EVENT), job(_OLD | {c.ONGOING_START: -7 * DAY}, instance="b")
        ),
        {60: ()},
        pending={30: ()},
    )
    yield Scenario(
        "a lagging exporter that alone answers speaks",
        of_all(
            answering(*_UNTIL_30),
            job(while_scraped=_UNTIL_30),
            target("b", event=_OLD_EVENT),
            job(FAILED_ONCE, instance="b"),
        ),
        {29: (), 34: (), 35: (FAILED,), 60: (FAILED,)},
    )


def _reading() -> Iterator[Scenario]:
    yield Scenario(
        "of two exporters with the same newest event the one that can read speaks",
        of_all(
            target("a", reads=always(0)),
            job(FAILED_ONCE, instance="a"),
            target("b"),
            job(instance="b"),
        ),
        {60: ()},
        pending={30: ()},
    )
    yield Scenario(
        "of two exporters the one with the newer event speaks although it cannot read any more",
        of_all(
            target("a", reads=always(0)),
            job(FAILED_ONCE, instance="a"),
            target("b", event=_OLD_EVENT),
            job(_OLD, instance="b"),
        ),
        {4: (), 5: (FAILED,), 60: (FAILED,)},
    )
    for ahead, other in (("a", "b"), ("b", "a")):
        yield Scenario(
            f"of exporters a and b, which know the same, {ahead}, a day ahead, does not say what is overdue",
            of_all(
                target(ahead, polled=f"{DAY}+60x400"),
                job({c.OVERDUE: 1}, instance=ahead),
                target(other),
                job({c.OVERDUE: 0}, instance=other),
            ),
            {60: ()},
        )


def _leaving() -> Iterator[Scenario]:
    yield Scenario(
        "a job removed from the policy is silent within 20 minutes although the other exporter is dead",
        of_all(
            answering((True, 10), (False, 90), instance="b"),
            _stale("b", ((True, 10), (False, 90))),
            target("a"),
            job(datacenter="codfw"),
            job(VERY_OLD, while_scraped=((True, 40), (False, 60))),
        ),
        {39: (STALE,), 40 + KEPT - 1: (STALE,), 40 + KEPT: (), 99: ()},
    )
    until_35, from_39 = ((True, 35), (False, 1)), ((False, 39), (True, 100))
    s2 = job(section="s2", changes=VERY_OLD, while_scraped=until_35, instance="pod-1")
    yield Scenario(
        "an exporter replaced by another under a new name is forgotten, and the alerts on what both tell stay",
        of_all(
            answering(*until_35, instance="pod-1"),
            job(VERY_OLD, while_scraped=until_35, instance="pod-1"),
            s2,
            answering(*from_39, instance="pod-2"),
            job(VERY_OLD, while_scraped=from_39, instance="pod-2"),
        ),
        {
            14: (),
            15: (STALE, STALE.replace("s1", "s2"), EVERYWHERE, EVERYWHERE.replace("s1", "s2")),
            38: (STALE, STALE.replace("s1", "s2"), EVERYWHERE, EVERYWHERE.replace("s1", "s2")),
            39: (STALE, STALE.replace("s1", "s2"), EVERYWHERE, EVERYWHERE.replace("s1", "s2")),
            35 + KEPT: (STALE, EVERYWHERE),
            90: (STALE, EVERYWHERE),
        },
    )


def _two_inventories() -> Scenario:
    """Return two scrape jobs with jobs of the same names; the one with the older events has a stale one."""
    return Scenario(
        "exporters of two scrape jobs have inventories of their own, and the newer one hides nothing of the other",
        of_all(
            target("a", event=_OLD_EVENT),
            _stale("a"),
            target("b", scrape_job="staging"),
            job(instance="b", scrape_job="staging"),
        ),
        {14: (), 15: (STALE,), 60: (STALE,)},
    )
