"""The notifications of ten named episodes: the documentation's table, and a real Alertmanager."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

from alerts.backups import REPEATED
from testing.trust import committed
from testing.trust.alertmanager import Notifier
from testing.trust.episodes import EPISODES, Count, count, told
from testing.trust.evaluation import Alert, firing
from testing.trust.exporters import scraped
from testing.trust.mutation import text_of
from testing.trust.real_alertmanager import (
    DAY,
    GROUP_INTERVAL,
    alertmanager,
    in_order,
    in_time,
    message,
    post,
    received,
    replay,
)
from tests.alerts.receivers import inbox

# promtool evaluates the rules, and Alertmanager sends notifications.
pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "trust.md"
HEADER = "| episode | new | reminders | ended | of these, pages |"
# With it an alert that is kept for 16 minutes still ends before one that is kept for 20.
EVALUATED_EVERY = 4
MINUTES_A_DAY = 24 * 60
WARNINGS_WAIT = 15
STALE: Alert = (("alertname", "BackupStaleEverywhere"), ("section", "s1"), ("severity", "page"), ("team", "dba"))
AGAIN: Alert = tuple(sorted((*STALE, ("cause", REPEATED))))


def table() -> list[str]:
    """Return the rows of the documentation's table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rest = lines[lines.index(HEADER) + 2 :]
    return rest[: rest.index("")]


def row(name: str, counted: Count) -> str:
    return f"| {name} | {counted.new} | {counted.reminders} | {counted.ended} | {counted.pages} |"


def test_table_has_a_row_for_each_episode() -> None:
    assert [line.split("|")[1].strip() for line in table()] == list(EPISODES)


def at_once(state: frozenset[Alert]) -> frozenset[Alert]:
    """Return the alerts that are sent when they begin to fire, not hours later."""
    return frozenset(alert for alert in state if ("cause", REPEATED) not in alert)


def lasting(fired: Iterable[frozenset[Alert]]) -> list[frozenset[Alert]]:
    """Return the states that last as long as a warning waits; others are not reported by themselves."""
    spans = [(state, sum(1 for _ in minutes)) for state, minutes in groupby(fired)]
    return [state for state, minutes in spans if minutes >= WARNINGS_WAIT]


@pytest.mark.parametrize("name", EPISODES)
def test_episode_has_the_notifications_of_the_table_and_of_a_real_alertmanager(name: str, tmp_path: Path) -> None:
    rules, story = text_of(committed.rules()), EPISODES[name]
    fired = told(firing(rules, scraped(story, rules), story.minutes, EVALUATED_EVERY))
    counted = count(Notifier(committed.configuration()).notifications(fired))
    assert row(name, counted) == table()[list(EPISODES).index(name)]
    states = lasting(map(at_once, fired))
    with inbox() as receivers, alertmanager(tmp_path, receivers.url, in_order) as address:
        predicted = replay(states, address, lambda: receivers.posted)
        assert (count(predicted).new, count(predicted).ended) == (counted.new, counted.ended)
        assert Counter(received(receivers.posted)) == Counter(map(message, predicted))


def test_real_alertmanager_repeats_a_page_every_four_hours_and_then_once_a_day(tmp_path: Path) -> None:
    """A day of the configuration is six seconds here."""
    hours = DAY / 24
    with inbox() as receivers, alertmanager(tmp_path, receivers.url, in_time) as address:
        begin = time.monotonic()
        post(address, [(STALE, False), (AGAIN, False)])
        time.sleep(22 * hours)
        post(address, [(AGAIN, True)])
        time.sleep(begin + 2 * DAY + 2 * hours - time.monotonic())
        post(address, [(STALE, True)])
        time.sleep(2 * hours + GROUP_INTERVAL)
        sent = received(list(receivers.posted))
    first, second = [frozenset({STALE, AGAIN})] * (22 * 60), [frozenset({STALE})] * (MINUTES_A_DAY + 4 * 60)
    model = list(Notifier(committed.configuration()).notifications([*first, *second, *[frozenset[Alert]()] * 60]))
    assert sent == [message(one) for one in model]
    page, again = (("page", STALE), ()), (("page-again", AGAIN), ())
    ended = (("page",), (STALE,))
    assert [((receiver, *firing), (*resolved,)) for receiver, firing, resolved in sent] == [
        *(page, *[again] * 5, page, page, ended),
    ]
