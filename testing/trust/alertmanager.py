"""A small model of Alertmanager: its inhibition and, for each route, grouping, waiting and reminders.

It reads the configuration that is generated with the rules. Alertmanager's own states that last less than a minute are
left out, and so are silences and clusters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from testing.trust.evaluation import Alert, Firing

_MATCHER = re.compile(r"^(\w+)\s*(=~|!~|!=|=)\s*\"?(.*?)\"?$")
_PART = re.compile(r"(\d+)([dhms])")
# What a route passes on to those below it.
_INHERITED = ("receiver", "group_by", "group_wait", "group_interval", "repeat_interval")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def seconds(duration: str) -> int:
    """Return a duration such as ``1d`` or ``1h30m`` in seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(duration))


@dataclass(frozen=True, slots=True)
class Matcher:
    """A condition on one label; a label that is absent is the empty string."""

    label: str
    pattern: re.Pattern[str]
    negated: bool

    @classmethod
    def parse(cls, text: str) -> Matcher:
        """Read a matcher such as ``alertname=~"Backup.+"``."""
        parts = _MATCHER.match(text.strip())
        if parts is None:
            raise ValueError(f"{text!r} is no matcher")
        label, operator, value = parts.groups()
        pattern = value if "~" in operator else re.escape(value)
        return cls(label, re.compile(pattern), operator.startswith("!"))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels meet the condition."""
        return (self.pattern.fullmatch(labels.get(self.label, "")) is not None) != self.negated


def _matchers(texts: Iterable[str]) -> tuple[Matcher, ...]:
    return tuple(Matcher.parse(text) for text in texts)


def _all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    return all(matcher.matches(labels) for matcher in matchers)


class Inhibition:
    """Which of the firing alerts are visible, and which are inhibited by another one."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        """Read the inhibition rules."""
        self._rules = [
            (_matchers(rule["source_matchers"]), _matchers(rule["target_matchers"]), tuple(rule.get("equal", ())))
            for rule in configuration["inhibit_rules"]
        ]
        self._seen: dict[frozenset[Alert], frozenset[Alert]] = {}

    def told(self, firing: frozenset[Alert]) -> frozenset[Alert]:
        """Return the alerts that no other one inhibits."""
        if firing not in self._seen:
            labels = [dict(alert) for alert in firing]
            self._seen[firing] = frozenset(tuple(one.items()) for one in labels if not self._is_inhibited(one, labels))
        return self._seen[firing]

    def _is_inhibited(self, target: Mapping[str, str], sources: Iterable[Mapping[str, str]]) -> bool:
        for source_matchers, target_matchers, equal in self._rules:
            if not _all_match(target_matchers, target):
                continue
            # An alert that matches both sides is not inhibited by another that does.
            both = _all_match(source_matchers, target)
            for source in sources:
                if not _all_match(source_matchers, source) or (both and _all_match(target_matchers, source)):
                    continue
                if all(source.get(label, "") == target.get(label, "") for label in equal):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to a receiver.

    Attributes:
        minute: of the story.
        firing, resolved: the alerts that it names.
        is_reminder: whether it says nothing new.
    """

    minute: int
    receiver: str
    firing: frozenset[Alert]
    resolved: frozenset[Alert]
    is_reminder: bool


@dataclass(slots=True)
class _Group:
    """The alerts of a group and the minute of its next notification."""

    settings: Mapping[str, Any]
    next_flush: int
    held: set[Alert] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree, with the settings that it inherits.

    Attributes:
        goes_on: whether the routes after it are tried as well.
    """

    number: str
    matchers: tuple[Matcher, ...]
    settings: Mapping[str, Any]
    goes_on: bool
    children: tuple[Route, ...]

    @classmethod
    def parse(cls, node: Mapping[str, Any], inherited: Mapping[str, Any], number: str = "0") -> Route:
        """Read a node and those below it."""
        settings = {**inherited, **{name: node[name] for name in _INHERITED if name in node}}
        children = tuple(
            cls.parse(child, settings, f"{number}.{index}") for index, child in enumerate(node.get("routes", ()))
        )
        return cls(number, _matchers(node.get("matchers", ())), settings, bool(node.get("continue")), children)

    def of(self, labels: Mapping[str, str]) -> list[Route]:
        """Return the routes of an alert that matches this one."""
        found: list[Route] = []
        for child in self.children:
            if _all_match(child.matchers, labels):
                found += child.of(labels)
                if not child.goes_on:
                    break
        return found or [self]

    def group(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """Return the key of an alert's group."""
        return self.number, *(labels.get(label, "") for label in self.settings["group_by"])


class Notifier:
    """Sends notifications about the firing alerts, minute by minute."""

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        """Read routes and inhibition rules."""
        self._inhibition = Inhibition(configuration)
        self._root = Route.parse(configuration["route"], {})
        # Receivers that are not sent the end of alerts.
        self._silent_ends = {
            receiver["name"]
            for receiver in configuration.get("receivers", ())
            if not any(one.get("send_resolved", True) for one in _integrations(receiver))
        }
        self._groups: dict[tuple[str, ...], _Group] = {}
        # What was sent outlives its group, as in Alertmanager's log of notifications.
        self._log: dict[tuple[str, ...], tuple[int, frozenset[Alert], frozenset[Alert]]] = {}

    def notifications(self, firing: Firing) -> Iterable[Notification]:
        """Yield the notifications of a story."""
        for minute, alerts in enumerate(firing):
            yield from self._minute(minute, alerts)

    def _minute(self, minute: int, alerts: frozenset[Alert]) -> Iterable[Notification]:
        told = self._inhibition.told(alerts)
        for alert in sorted(alerts):
            labels = dict(alert)
            for route in self._root.of(labels):
                wait = -(-seconds(route.settings["group_wait"]) // 60)
                self._groups.setdefault(route.group(labels), _Group(route.settings, minute + wait)).held.add(alert)
        for key, group in list(self._groups.items()):
            if minute < group.next_flush:
                continue
            group.next_flush = minute + max(1, seconds(group.settings["group_interval"]) // 60)
            yield from self._flush(minute, key, group, alerts, told)
            group.held &= alerts
            if not group.held:
                del self._groups[key]

    def _flush(
        self,
        minute: int,
        key: tuple[str, ...],
        group: _Group,
        alerts: frozenset[Alert],
        told: frozenset[Alert],
    ) -> Iterable[Notification]:
        """Send what is new, or a reminder when it is time for one."""
        sent_at, sent, sent_resolved = self._log.get(key, (0, frozenset(), frozenset()))
        firing = frozenset(group.held & told)
        # Inhibition is tried on what has ended too.
        resolved = frozenset(alert for alert in group.held - alerts if alert in self._inhibition.told(alerts | {alert}))
        if not firing and not (sent and resolved):
            return
        receiver = group.settings["receiver"]
        tells_end = receiver not in self._silent_ends
        is_new = not firing or not firing <= sent or (tells_end and bool(resolved) and not resolved <= sent_resolved)
        reminder = not is_new and (minute - sent_at) * 60 >= seconds(group.settings["repeat_interval"])
        if is_new or reminder:
            self._log[key] = (minute, firing, resolved)
            if firing or tells_end:
                yield Notification(minute, receiver, firing, resolved if tells_end else frozenset(), reminder)


def _integrations(receiver: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Return how a receiver is reached."""
    return [one for name, configs in receiver.items() if name.endswith("_configs") for one in configs]
