"""Compares the alerts that fire and are not inhibited with what the oracle allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testing.trust.alertmanager import Inhibition, Notifier
from testing.trust.evaluation import Alert, Firing, firing
from testing.trust.exporters import scraped
from testing.trust.notices import wrong_notices
from testing.trust.oracle import Oracle
from testing.trust.story import MINUTE, Story, clock
from testing.trust.tracks import END, Track
from testing.trust.watch import Watch

# An alert that may stand for another, with the labels that both share.
_JOB = ("section", "type", "datacenter")
STAND_INS: Mapping[str, list[tuple[str, str, tuple[str, ...]]]] = {
    "BackupMissing": [("BackupStaleEverywhere", "page", ("section", "type"))],
    "BackupStale": [("BackupVeryStale", "page", _JOB), ("BackupStaleEverywhere", "page", ("section", "type"))],
    "BackupVeryStale": [("BackupStaleEverywhere", "page", ("section", "type"))],
    "BackupFailed": [("BackupFailingRepeatedly", "critical", _JOB)],
    "BackupSizeChanged": [("BackupTooSmall", "critical", _JOB)],
    "BackupDidNotStart": [
        ("BackupMissing", "critical", _JOB),
        ("BackupStale", "critical", _JOB),
        ("BernardInventoryOld", "critical", ()),
    ],
    "BernardDown": [("BernardDown", "critical", ())],
    "BernardExportersDisagree": [("BernardDown", "critical", ())],
}
# What stands for everything that follows from it.
_CAUSES = [("BernardPollFailing", "critical", ()), ("BernardDown", "critical", ())]


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that was not kept.

    Attributes:
        kind: ``missed``: it must fire and does not; ``held back``: it fires, but an alert that does not stand for it
            inhibits it; ``false``: it is visible and must not be; ``told again``, ``reminded too soon``, ``said to
            have ended``: a notification that should not have been sent.
    """

    kind: str
    alert: str
    first: int
    last: int

    def __str__(self) -> str:
        """Say what was found."""
        return f"{self.kind}: {self.alert} {clock(self.first * MINUTE)} to {clock(self.last * MINUTE)}"

    def is_like(self, other: Finding) -> bool:
        """Return whether both are the same fault, perhaps at another time."""
        return (self.kind, self.alert) == (other.kind, other.alert)


class Episode:
    """A story, its samples and what is expected; rules can be judged on it again and again."""

    def __init__(self, story: Story, rules: str, configuration: Mapping[str, Any]) -> None:
        """Prepare; ``rules`` only say which metrics are needed."""
        self.story = story
        self.configuration = configuration
        self._metrics_of = rules

    @cached_property
    def stored(self) -> dict[str, dict[int, float]]:
        """The samples that Prometheus stores."""
        return scraped(self.story, self._metrics_of)

    @cached_property
    def tracks(self) -> list[Track]:
        """What is expected."""
        return Oracle(self.story).expected()

    @cached_property
    def masked(self) -> list[bool]:
        """The minutes in which Prometheus does not run, or just began to."""
        ends = 0
        masked = []
        for minute, sight in enumerate(Watch(self.story).sights()):
            ends = minute + END + 5 if sight.masked else ends
            masked.append(minute < ends)
        return masked

    def fired(self, rules: str) -> Firing:
        """Return the alerts that fire by some rules."""
        return firing(rules, self.stored, self.story.minutes)

    def findings(self, rules: str) -> list[Finding]:
        """Return what the rules get wrong."""
        return list(self.compare(self.fired(rules)))

    def compare(self, fired: Firing) -> Iterator[Finding]:
        """Yield what is wrong with the alerts that fired."""
        inhibition = Inhibition(self.configuration)
        told = [inhibition.told(alerts) for alerts in fired]
        for minute, masked in enumerate(self.masked):
            if masked:
                told[minute] = fired[minute]
        yield from self._missed(fired, told)
        yield from self._false(told)
        yield from self._wrong_notices(fired, inhibition)

    def _wrong_notices(self, fired: Firing, inhibition: Inhibition) -> Iterator[Finding]:
        weaker: dict[Alert, list[int]] = {}
        for minute, alerts in enumerate(fired):
            if not any(_is_cause(alert) for alert in alerts):
                for alert in alerts - inhibition.told(alerts):
                    weaker.setdefault(alert, []).append(minute)
        notifications = list(Notifier(self.configuration).notifications(fired))
        until = self.masked.index(True) if any(self.masked) else len(self.masked)
        for kind, alert, minute in wrong_notices(notifications, self.tracks, weaker, until):
            yield Finding(kind, _label(alert), minute, minute)

    def _missed(self, fired: Firing, told: Firing) -> Iterator[Finding]:
        for track in self.tracks:
            missed: dict[int, str] = {}
            for minute, must in enumerate(track.must()):
                if must and not self.masked[minute] and (kind := _wrong(track, fired[minute], told[minute])):
                    missed[minute] = kind
            label = " ".join([track.name, track.severity, *(value for _, value in track.labels)])
            for kind in sorted(set(missed.values())):
                yield from _spans(kind, label, [minute for minute, found in missed.items() if found == kind])

    def _false(self, told: Firing) -> Iterator[Finding]:
        allowed = [(track, track.may()) for track in self.tracks]
        minutes: dict[Alert, list[int]] = {}
        for minute, alerts in enumerate(told):
            for alert in alerts if not self.masked[minute] else ():
                minutes.setdefault(alert, []).append(minute)
        for alert, times in sorted(minutes.items()):
            may = [may for track, may in allowed if track.is_of(dict(alert))]
            if not may and not _is_judged(alert):
                continue
            wrong = [minute for minute in times if not any(one[minute] for one in may)]
            yield from _spans("false", _label(alert), wrong)


_SUBJECT = {*_JOB, "instance", "cause", "reason"}


def _is_cause(alert: Alert) -> bool:
    labels = dict(alert)
    return (labels["alertname"], labels["severity"], ()) in _CAUSES


def _label(alert: Alert) -> str:
    shown = dict(alert)
    return " ".join(
        [shown["alertname"], shown["severity"], *(shown[name] for name in sorted(shown) if name in _SUBJECT)]
    )


def _is_judged(alert: Alert) -> bool:
    """Return whether the oracle knows alerts of this name; objectives have their own simulation."""
    return "Objective" not in dict(alert)["alertname"]


def _wrong(track: Track, fired: frozenset[Alert], told: frozenset[Alert]) -> str:
    """Return how an alert that must fire is wrong; '' if it is visible, or another one stands for it."""
    if any(track.is_of(dict(alert)) for alert in told):
        return ""
    labels = dict(track.labels)
    follows = track.name.startswith("Backup") or track.name in ("BernardInventoryOld", "BernardPollFailing")
    for name, severity, shared in [*STAND_INS.get(track.name, []), *(_CAUSES if follows else [])]:
        stand_in = Track(name, severity, tuple((label, labels[label]) for label in shared))
        if any(stand_in.is_of(dict(alert)) for alert in fired):
            return ""
    return "held back" if any(track.is_of(dict(alert)) for alert in fired) else "missed"


def _spans(kind: str, label: str, minutes: Iterable[int]) -> Iterator[Finding]:
    """Yield a finding for each stretch of minutes, across short interruptions."""
    stretch: list[int] = []
    for minute in minutes:
        if stretch and minute - stretch[-1] > END:
            yield Finding(kind, label, stretch[0], stretch[-1])
            stretch = []
        stretch.append(minute)
    if stretch:
        yield Finding(kind, label, stretch[0], stretch[-1])
