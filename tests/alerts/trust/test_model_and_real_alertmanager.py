"""The model of Alertmanager agrees with a real one on random streams of alerts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bernard_exporter.metrics.metric import JOB_LABELS
from testing.trust import committed
from testing.trust.evaluation import Alert
from testing.trust.real_alertmanager import alertmanager, in_order, message, received, replay
from tests.alerts.receivers import inbox

pytestmark = pytest.mark.integration

STATES = 16
JOBS = [("s1", "dump", "eqiad"), ("s1", "dump", "codfw"), ("s2", "dump", "eqiad")]
# How likely an alert begins, and ends, from one state to the next.
BEGINS, ENDS = 0.12, 0.4


def alerts() -> Iterator[Alert]:
    """Yield an alert of each generated rule for each of its subjects, without those that take hours to be sent."""
    for rule in committed.rules():
        if rule.get("alert") not in (None, "BernardWatchdog") and rule["labels"].get("cause") != "repeated":
            yield from _subjects(rule)


def _subjects(rule: dict[str, Any]) -> Iterator[Alert]:
    fixed = {**rule["labels"], "alertname": rule["alert"], "team": "dba"}
    for job in JOBS if rule["alert"].startswith("Backup") else JOBS[:1]:
        labels = dict(zip(JOB_LABELS, job, strict=True)) if rule["alert"].startswith("Backup") else {}
        if rule["alert"] == "BackupStaleEverywhere":
            del labels["datacenter"]
        # The alerts on exporters are on the whole scrape job, or on one of it.
        on_one = {"instance": "a"} if rule["labels"]["severity"] != "critical" and not labels else {}
        yield tuple(sorted({**fixed, **labels, **on_one, "job": "bernard"}.items()))


def stream(seed: int) -> list[frozenset[Alert]]:
    """Return the alerts that fire in one state after the other; in the last, none."""
    chance, known = random.Random(seed), sorted(set(alerts()))
    states, fires = [], frozenset[Alert]()
    for _ in range(STATES):
        fires = frozenset(alert for alert in known if chance.random() < (1 - ENDS if alert in fires else BEGINS))
        states.append(fires)
    return [*states, frozenset()]


@pytest.mark.parametrize("seed", range(3))
def test_model_sends_what_a_real_alertmanager_sends(seed: int, tmp_path: Path) -> None:
    with inbox() as receivers, alertmanager(tmp_path, receivers.url, in_order) as address:
        predicted = replay(stream(seed), address, lambda: receivers.posted)
        assert Counter(received(receivers.posted)) == Counter(map(message, predicted))
        # All receivers, with reasons to stay silent: what is inhibited, and ends that a receiver is not sent.
        assert {one.receiver for one in predicted} == {"page", "critical", "warning", "task"}
        assert len(predicted) > STATES
