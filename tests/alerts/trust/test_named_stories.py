"""Stories that once led to a false alert, to none, or to too many; each is a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from testing.trust import committed
from testing.trust.alertmanager import Inhibition
from testing.trust.judge import Episode
from testing.trust.mutation import text_of
from testing.trust.story import (
    DAY,
    HOUR,
    KIB,
    MINUTE,
    Disturbance,
    Expectation,
    JobName,
    Kind,
    Part,
    Policy,
    PolicyChange,
    Run,
    Story,
)

# promtool evaluates the rules.
pytestmark = pytest.mark.integration

S1, S2 = JobName("s1", "dump", "eqiad"), JobName("s2", "snapshot", "codfw")
EVERY_8_H = Expectation(max_age=30 * HOUR, every=8 * HOUR, start_within=4 * HOUR)
SIZE = 10_000 * KIB


def runs(job: JobName, first: int, last: int, size: int = SIZE) -> list[Run]:
    """Return runs of half an hour, one every eight hours."""
    return [Run(job, begins, begins, begins + HOUR // 2, size=size) for begins in range(first, last + 1, 8 * HOUR)]


def story(hours: int, *parts: Part, exporters: int = 1, policy: Policy | None = None) -> Story:
    return Story(0, hours * 60, exporters, 1, policy or {S1: EVERY_8_H}, parts)


# The sentence, the story, and every alert that is visible in it, without the watchdog.
STORIES: dict[str, tuple[Story, set[str]]] = {
    "a snapshot whose row appears three hours after it was due did start": (
        story(12, *runs(S2, -DAY, -8 * HOUR), *runs(S2, 3 * HOUR, 3 * HOUR), policy={S2: EVERY_8_H}),
        set(),
    ),
    "a dump that shrank is reported though the other exporter reads a replica that stands still": (
        story(
            6,
            *runs(S1, -2 * DAY, -8 * HOUR),
            *runs(S1, 0, 0, size=SIZE // 5),
            Disturbance(Kind.REPLICA_STANDS, -HOUR, 6 * HOUR, 1),
            exporters=2,
        ),
        {"BackupSizeChanged critical", "BernardExportersDisagree warning"},
    ),
    "an exporter that returns while the database is away does not report an empty inventory": (
        story(
            6,
            *runs(S1, -2 * DAY, 0),
            Disturbance(Kind.EXPORTER_DOWN, HOUR, HOUR + 40 * MINUTE),
            Disturbance(Kind.DATABASE_AWAY, HOUR, 4 * HOUR),
        ),
        {"BernardDown critical", "BernardPollFailing critical"},
    ),
    "two jobs added to a policy raise no alert for a day": (
        story(
            12,
            *runs(S1, -2 * DAY, 8 * HOUR),
            PolicyChange(HOUR, S2, EVERY_8_H),
            PolicyChange(HOUR, JobName("s3", "dump", "codfw"), EVERY_8_H),
        ),
        set(),
    ),
    "a job added just before the database is away for ten hours raises no alert for a day": (
        story(
            16,
            *runs(S1, -2 * DAY, 8 * HOUR),
            PolicyChange(HOUR, S2, EVERY_8_H),
            Disturbance(Kind.DATABASE_AWAY, 3 * HOUR, 13 * HOUR),
        ),
        {"BernardPollFailing critical"},
    ),
    "a job removed from the policy is silent though the other exporter is dead": (
        story(
            6,
            *runs(S1, -2 * DAY, 0),
            PolicyChange(3 * HOUR, S2, None),
            Disturbance(Kind.EXPORTER_DOWN, 2 * HOUR, 6 * HOUR, 1),
            exporters=2,
            policy={S1: EVERY_8_H, S2: EVERY_8_H},
        ),
        {"BackupMissing critical", "BernardDown warning"},
    ),
    "an exporter that answers one scrape of five is reported": (
        story(6, *runs(S1, -2 * DAY, 0), Disturbance(Kind.SCRAPES_LOST, HOUR, 6 * HOUR, amount=5)),
        {"BernardDown warning"},
    ),
    "a failed run of a read-only section is forgotten after seven days": (
        story(
            4,
            *runs(S1, -30 * DAY, -30 * DAY),
            replace(runs(S1, -7 * DAY + 2 * HOUR, -7 * DAY + 2 * HOUR)[0], failed=True),
            Run(S2, -HOUR, -HOUR, -HOUR // 2),
            policy={S1: Expectation(max_age=1000 * DAY, every=None, read_only=True), S2: EVERY_8_H},
        ),
        {"BackupFailed warning", "BackupOnlyOne warning"},
    ),
    "a read-only section with one old dump is silent": (
        story(
            4,
            *runs(S1, -100 * DAY, -100 * DAY),
            *runs(S2, -2 * DAY, 0),
            policy={S1: Expectation(max_age=1000 * DAY, every=None, read_only=True), S2: EVERY_8_H},
        ),
        set(),
    ),
    "a planned job with a failed run and a tiny dump is silent until its first run could be overdue": (
        story(
            6,
            *runs(S2, -2 * DAY, 0),
            replace(runs(S1, -3 * HOUR, -3 * HOUR)[0], failed=True),
            *runs(S1, -5 * HOUR, -5 * HOUR, size=1000),
            policy={S1: replace(EVERY_8_H, expected_from=4 * HOUR), S2: EVERY_8_H},
        ),
        set(),
    ),
    "an exporter that fails two polls and then goes down is reported as down alone": (
        story(
            3,
            *runs(S1, -2 * DAY, 0),
            Disturbance(Kind.DATABASE_AWAY, HOUR, HOUR + 2 * MINUTE, 0),
            Disturbance(Kind.EXPORTER_DOWN, HOUR + 2 * MINUTE, 2 * HOUR, 0),
            exporters=2,
        ),
        {"BernardDown warning"},
    ),
}


def visible(episode: Episode, rules: str) -> Iterator[str]:
    """Yield name and severity of every alert that is visible at some time."""
    inhibition = Inhibition(committed.configuration())
    for alerts in episode.fired(rules):
        for alert in inhibition.told(alerts):
            labels = dict(alert)
            yield f"{labels['alertname']} {labels['severity']}"


@pytest.mark.parametrize("sentence", STORIES)
def test_story_shows_these_alerts_alone_and_keeps_every_promise(sentence: str) -> None:
    told, expected = STORIES[sentence]
    rules = text_of(committed.rules())
    episode = Episode(told, rules, committed.configuration())
    found = {alert for alert in visible(episode, rules) if not alert.startswith("BernardWatchdog")}
    assert (found, list(map(str, episode.findings(rules)))) == (expected, [])
