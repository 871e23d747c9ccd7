"""A real Alertmanager with the generated routes and inhibition rules, at a pace that a test can wait for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml

from testing import plain_http
from testing.servers import eventually, free_port, need, process
from testing.trust import committed
from testing.trust.alertmanager import Notification, Notifier, seconds
from testing.trust.evaluation import Alert, Firing

# What the intervals of groups become, in seconds, where only the order of events matters.
GROUP_INTERVAL = 0.2
# How long the model holds each state: longer than any group waits, except those that repeat a page.
HELD = 20
# What a day becomes, in seconds, where times matter.
DAY = 6.0
_TIMES = ("group_wait", "group_interval", "repeat_interval")

# Receiver, firing alerts, and those that ended.
Message = tuple[str, frozenset[Alert], frozenset[Alert]]
# Returns what was posted so far: path and body.
Posted = Callable[[], list[tuple[str, Any]]]
Pace = Callable[[str, str], str]


def in_order(name: str, value: str) -> str:
    """Return a time that is as short as possible; nothing is repeated."""
    return {"group_wait": "100ms", "group_interval": f"{GROUP_INTERVAL * 1000:.0f}ms"}.get(name, "1d")


def in_time(name: str, value: str) -> str:
    """Return a time on the scale of ``DAY``, at least a millisecond."""
    return f"{max(seconds(value) * DAY / 86.4, 1):.0f}ms"


def predict(states: Iterable[frozenset[Alert]]) -> list[Notification]:
    """Return what the model sends if every state lasts long enough to be reported."""
    held: Firing = [state for state in states for _ in range(HELD)]
    return [one for one in Notifier(committed.configuration()).notifications(held) if not one.is_reminder]


def message(one: Notification) -> Message:
    """Return what a notification of the model says."""
    return one.receiver, one.firing, one.resolved


def received(posted: Iterable[tuple[str, Any]]) -> list[Message]:
    """Return what the notifications of the real one say."""

    def of(body: Any, status: str) -> frozenset[Alert]:
        alerts = [alert["labels"] for alert in body["alerts"] if alert["status"] == status]
        return frozenset(tuple(sorted(labels.items())) for labels in alerts)

    return [(path.strip("/"), of(body, "firing"), of(body, "resolved")) for path, body in posted]


def replay(states: list[frozenset[Alert]], address: str, posted: Posted) -> list[Notification]:
    """Send each state to Alertmanager, and wait until it has sent what the model predicts; return that."""
    before: frozenset[Alert] = frozenset()
    predicted = predict(states)
    for number, state in enumerate(states):
        post(address, [*((alert, False) for alert in state), *((alert, True) for alert in before - state)])
        expected = sum(one.minute < (number + 1) * HELD for one in predicted)
        eventually(lambda expected=expected: len(posted()) >= expected, f"state {number} is reported")  # type: ignore[misc]
        # Every group gets a chance to send what is not expected.
        time.sleep(3 * GROUP_INTERVAL)
        before = state
    return predicted


def post(address: str, alerts: Iterable[tuple[Alert, bool]]) -> None:
    """Send alerts, each with whether it has ended."""
    now = datetime.now(UTC)
    body = [
        {"labels": dict(alert), "endsAt": (now if ended else now + timedelta(hours=1)).isoformat()}
        for alert, ended in alerts
    ]
    assert plain_http.post(f"http://{address}/api/v2/alerts", json=body).status_code == 200


def _paced(node: Mapping[str, Any], pace: Pace) -> dict[str, Any]:
    """Return a route with other times; its matchers and groups stay."""
    changed = {**node, **{name: pace(name, node[name]) for name in _TIMES if name in node}}
    return {**changed, "routes": [_paced(child, pace) for child in node.get("routes", [])]}


def _webhook(receiver: Mapping[str, Any], url: str) -> dict[str, Any]:
    """Return a receiver as a webhook of its name, which is sent the end of alerts if the receiver is."""
    ways = [one for name, configs in receiver.items() if name.endswith("_configs") for one in configs]
    ends = any(one.get("send_resolved", True) for one in ways)
    return {
        "name": receiver["name"],
        "webhook_configs": [{"url": f"{url}/{receiver['name']}", "send_resolved": ends}],
    }


def _is_ready(address: str) -> bool:
    try:
        return plain_http.get(f"http://{address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def alertmanager(folder: Path, url: str, pace: Pace) -> Iterator[str]:
    """Run Alertmanager, which posts to a URL; yield its address."""
    address, generated = f"127.0.0.1:{free_port()}", committed.configuration()
    document = {
        "route": _paced(generated["route"], pace),
        "inhibit_rules": generated["inhibit_rules"],
        "receivers": [_webhook(one, url) for one in generated["receivers"]],
    }
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(document))
    flags = [f"--config.file={file}", f"--web.listen-address={address}", f"--storage.path={folder / 'am'}"]
    command = [need("prometheus-alertmanager"), *flags, "--cluster.listen-address="]
    with process(command, folder / "alertmanager.log"):
        eventually(lambda: _is_ready(address), "Alertmanager answers")
        yield address
