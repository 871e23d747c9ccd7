"""The notifications of ten named episodes: the documentation's table, and a real Alertmanager."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from testing import plain_http
from testing.servers import eventually, free_port, need, process
from testing.trust import committed
from testing.trust.alertmanager import Notification, Notifier
from testing.trust.episodes import EPISODES, Count, count, told
from testing.trust.evaluation import Alert, Firing, firing
from testing.trust.exporters import scraped
from testing.trust.mutation import text_of
from tests.alerts.receivers import Inbox, inbox

# promtool evaluates the rules, and Alertmanager sends notifications.
pytestmark = pytest.mark.integration

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "trust.md"
HEADER = "| episode | new | reminders | ended | of these, pages |"
# With it an alert that is kept for 16 minutes still ends before one that is kept for 20.
EVALUATED_EVERY = 4
# What the generated intervals become in the real Alertmanager, in seconds.
GROUP_INTERVAL = 0.2
# How long the model holds each state: longer than any group waits.
HELD = 20

# Receiver, firing alerts, and those that ended.
Message = tuple[str, frozenset[Alert], frozenset[Alert]]


def table() -> list[str]:
    """Return the rows of the documentation's table."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rest = lines[lines.index(HEADER) + 2 :]
    return rest[: rest.index("")]


def row(name: str, counted: Count) -> str:
    return f"| {name} | {counted.new} | {counted.reminders} | {counted.ended} | {counted.pages} |"


def test_table_has_a_row_for_each_episode() -> None:
    assert [line.split("|")[1].strip() for line in table()] == list(EPISODES)


@pytest.mark.parametrize("name", EPISODES)
def test_episode_has_the_notifications_of_the_table_and_of_a_real_alertmanager(name: str, tmp_path: Path) -> None:
    rules, story = text_of(committed.rules()), EPISODES[name]
    fired = told(firing(rules, scraped(story, rules), story.minutes, EVALUATED_EVERY))
    counted = count(Notifier(committed.configuration()).notifications(fired))
    assert row(name, counted) == table()[list(EPISODES).index(name)]
    states = [state for state, _ in groupby(fired)]
    predicted = predict(states)
    # Changes that are closer than a group waits are rare: none of the episodes has any that alter the count.
    assert (count(predicted).new, count(predicted).ended) == (counted.new, counted.ended)
    with alertmanager(tmp_path, repeat="1d") as (address, receivers):
        replay(states, predicted, address, receivers)
        time.sleep(3 * GROUP_INTERVAL)
        assert sorted(received(receivers), key=str) == sorted(map(message, predicted), key=str)


def test_reminders_of_a_real_alertmanager_are_at_least_the_generated_interval_apart(tmp_path: Path) -> None:
    """A day of the configuration is a second here."""
    stale: Alert = (("alertname", "BackupStale"), ("section", "s1"), ("severity", "critical"), ("team", "dba"))
    begin = time.monotonic()
    with alertmanager(tmp_path, repeat="1s") as (address, receivers):
        post(address, [(stale, False)])
        eventually(lambda: len(receivers.posted) >= 4, "three reminders have arrived")
        taken = time.monotonic() - begin
        assert set(received(receivers)) == {("critical", frozenset({stale}), frozenset())}
    assert taken > 3
    days = [frozenset({stale})] * (3 * 24 * 60 + 30)
    sent = list(Notifier(committed.configuration()).notifications(days))
    assert [one.is_reminder for one in sent] == [False, True, True, True]


def predict(states: Iterable[frozenset[Alert]]) -> list[Notification]:
    """Return what the model sends if every state lasts long enough to be reported."""
    held: Firing = [state for state in states for _ in range(HELD)]
    return [one for one in Notifier(committed.configuration()).notifications(held) if not one.is_reminder]


def message(one: Notification) -> Message:
    return one.receiver, one.firing, one.resolved


def received(receivers: Inbox) -> list[Message]:
    def of(body: Any, status: str) -> frozenset[Alert]:
        alerts = [alert["labels"] for alert in body["alerts"] if alert["status"] == status]
        return frozenset(tuple(sorted(labels.items())) for labels in alerts)

    return [(path.strip("/"), of(body, "firing"), of(body, "resolved")) for path, body in list(receivers.posted)]


def replay(states: list[frozenset[Alert]], predicted: list[Notification], address: str, receivers: Inbox) -> None:
    """Send each state to Alertmanager, and wait until it has sent what is expected of it."""
    before: frozenset[Alert] = frozenset()
    for number, state in enumerate(states):
        post(address, [*((alert, False) for alert in state), *((alert, True) for alert in before - state)])
        expected = sum(one.minute < (number + 1) * HELD for one in predicted)
        eventually(lambda expected=expected: len(receivers.posted) >= expected, f"state {number} is reported")  # type: ignore[misc]
        # Every group gets a chance to send what is not expected.
        time.sleep(3 * GROUP_INTERVAL)
        before = state


def post(address: str, alerts: Iterable[tuple[Alert, bool]]) -> None:
    """Send alerts, each with whether it has ended."""
    now = datetime.now(UTC)
    body = [
        {"labels": dict(alert), "endsAt": (now if ended else now + timedelta(hours=1)).isoformat()}
        for alert, ended in alerts
    ]
    assert plain_http.post(f"http://{address}/api/v2/alerts", json=body).status_code == 200


def scaled(node: Mapping[str, Any], repeat: str) -> dict[str, Any]:
    """Return a route with short waiting times; its matchers and groups stay."""
    times = {"group_wait": "100ms", "group_interval": f"{GROUP_INTERVAL * 1000:.0f}ms", "repeat_interval": repeat}
    changed = {**node, **{name: value for name, value in times.items() if name in node}}
    return {**changed, "routes": [scaled(child, repeat) for child in node.get("routes", [])]}


def is_ready(address: str) -> bool:
    try:
        return plain_http.get(f"http://{address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def alertmanager(folder: Path, repeat: str) -> Iterator[tuple[str, Inbox]]:
    """Run Alertmanager with the generated routes and inhibition; each receiver is a webhook of its name."""
    address, generated = f"127.0.0.1:{free_port()}", committed.configuration()
    with inbox() as receivers:
        hooks = [
            {"name": one["name"], "webhook_configs": [{"url": f"{receivers.url}/{one['name']}"}]}
            for one in generated["receivers"]
        ]
        document = {
            "route": scaled(generated["route"], repeat),
            "inhibit_rules": generated["inhibit_rules"],
            "receivers": hooks,
        }
        file = folder / "alertmanager.yml"
        file.write_text(yaml.safe_dump(document))
        flags = [f"--config.file={file}", f"--web.listen-address={address}", f"--storage.path={folder / 'am'}"]
        command = [need("prometheus-alertmanager"), *flags, "--cluster.listen-address="]
        with process(command, folder / "alertmanager.log"):
            eventually(lambda: is_ready(address), "Alertmanager answers")
            yield address, receivers
