"""The model of Alertmanager: inhibition, grouping, reminders and what is remembered of a group."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from testing.trust.alertmanager import Inhibition, Matcher, Notification, Notifier, seconds
from testing.trust.evaluation import Alert, Firing

CONFIGURATION: dict[str, Any] = yaml.safe_load(
    """
route:
  receiver: rest
  group_by: [section]
  group_wait: 1m
  group_interval: 5m
  repeat_interval: 1h
  routes:
  - matchers: ['severity="page"']
    receiver: pager
    group_wait: 15s
    routes:
    - {matchers: ['section="s3"'], repeat_interval: 2h, continue: true}
    - {matchers: ['section=~"s3|s4"'], receiver: office}
inhibit_rules:
- source_matchers: ['alertname="Down"']
  target_matchers: ['alertname=~"Down|Stale|Small"']
  equal: []
- source_matchers: ['alertname="VeryStale"']
  target_matchers: ['alertname="Stale"']
  equal: [section]
"""
)


def alert(name: str, section: str = "s1", **labels: str) -> Alert:
    found = {"alertname": name, "severity": "warning", "section": section, **labels}
    return tuple(sorted(found.items()))


def firing(*parts: tuple[int, tuple[Alert, ...]]) -> Firing:
    """Return what fires for so many minutes."""
    return [frozenset(alerts) for minutes, alerts in parts for _ in range(minutes)]


def sent(fired: Firing) -> list[tuple[int, str, int, int, bool]]:
    """Return minute and receiver of each notification, how many alerts fire and ended, and if it is a reminder."""

    def short(one: Notification) -> tuple[int, str, int, int, bool]:
        return one.minute, one.receiver, len(one.firing), len(one.resolved), one.is_reminder

    return [short(one) for one in Notifier(CONFIGURATION).notifications(fired)]


STALE, SMALL = alert("Stale"), alert("Small")
DOWN = alert("Down", section="")


@pytest.mark.parametrize(
    ("matcher", "value", "matches"),
    [
        ('a="b"', "b", True),
        ('a="b"', "bc", False),
        ('a=~"b|c.+"', "cd", True),
        ('a=~"b|c.+"', "xb", False),
        ('a!="b"', "", True),
        ('a!~"b.*"', "bc", False),
        ("a=b", "b", True),
    ],
)
def test_matcher_compares_the_whole_value(matcher: str, value: str, matches: bool) -> None:
    assert Matcher.parse(matcher).matches({"a": value}) is matches


def test_durations_are_read_in_any_unit() -> None:
    assert [seconds(text) for text in ("1d", "1h30m", "15s")] == [86400, 5400, 15]


@pytest.mark.parametrize(
    ("fired", "visible"),
    [
        ((STALE, alert("VeryStale")), (alert("VeryStale"),)),
        ((STALE, alert("VeryStale", "s2")), (STALE, alert("VeryStale", "s2"))),
        ((STALE, SMALL, DOWN), (DOWN,)),
        # An alert that matches both sides of a rule is not inhibited by itself.
        ((DOWN, alert("Down", "s2")), (DOWN, alert("Down", "s2"))),
    ],
)
def test_alert_is_inhibited_by_a_source_with_equal_labels(fired: tuple[Alert, ...], visible: tuple[Alert, ...]) -> None:
    assert Inhibition(CONFIGURATION).told(frozenset(fired)) == frozenset(visible)


def test_group_waits_then_reminds_and_reports_the_end() -> None:
    assert sent(firing((2, ()), (70, (STALE,)), (20, ()))) == [
        (3, "rest", 1, 0, False),
        (63, "rest", 1, 0, True),
        (73, "rest", 0, 1, False),
    ]


def test_second_alert_of_a_group_waits_for_the_interval_and_is_sent_with_the_first() -> None:
    assert sent(firing((3, (STALE,)), (20, (STALE, SMALL)))) == [(1, "rest", 1, 0, False), (6, "rest", 2, 0, False)]


def test_alerts_of_another_section_or_severity_are_sent_apart() -> None:
    fired = firing((10, (STALE, alert("Stale", "s2"), alert("Stale", severity="page"))))
    assert sorted(sent(fired)) == [
        (1, "pager", 1, 0, False),
        (1, "rest", 1, 0, False),
        (1, "rest", 1, 0, False),
    ]


def test_alert_that_ends_and_returns_while_it_is_inhibited_is_not_sent_again() -> None:
    fired = firing((10, (STALE,)), (10, (STALE, DOWN)), (20, (DOWN,)), (10, (STALE, DOWN)), (10, (STALE,)))
    assert [one for one in sent(fired) if one[0] > 12] == [(51, "rest", 0, 1, False)]


def test_route_inherits_and_the_next_one_is_tried_only_if_it_goes_on() -> None:
    fired = firing((130, (alert("Stale", "s3", severity="page"),)))
    assert sorted(sent(fired)) == [
        (1, "office", 1, 0, False),
        (1, "pager", 1, 0, False),
        (61, "office", 1, 0, True),
        (121, "office", 1, 0, True),
        (121, "pager", 1, 0, True),
    ]
