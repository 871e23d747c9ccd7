"""The whole way from a story to its findings, with rules that are right and rules that are wrong."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from testing.trust.imagine import imagine
from testing.trust.judge import Episode
from testing.trust.mutation import Mutant, Rule, mutants, text_of
from testing.trust.shrink import shrink
from testing.trust.story import DAY, HOUR, KIB, MINUTE, Disturbance, Expectation, JobName, Kind, Run, Story

# promtool evaluates the rules.
pytestmark = pytest.mark.integration

JOB = JobName("s1", "dump", "eqiad")
OTHER = JobName("s1", "dump", "codfw")
SUBJECT = "eqiad s1 dump"
LABELS = {"severity": "critical", "team": "dba"}
STALE: Rule = {
    "alert": "BackupStale",
    "expr": "max by (section, type, datacenter) (time() - bernard_backup_last_success_start_timestamp_seconds"
    " > bernard_backup_max_age_seconds)",
    "for": "15m",
    "keep_firing_for": "15m",
    "labels": LABELS,
}
SMALL: Rule = {
    "alert": "BackupTooSmall",
    "expr": "max by (section, type, datacenter) (bernard_backup_last_success_size_bytes"
    " < bernard_backup_min_size_bytes)",
    "for": "15m",
    "keep_firing_for": "15m",
    "labels": LABELS,
}
DOWN: Rule = {
    "alert": "BernardDown",
    "expr": 'absent(bernard_up{job="bernard"})',
    "for": "15m",
    "keep_firing_for": "20m",
    "labels": LABELS,
}
WATCHDOG: Rule = {"alert": "BernardWatchdog", "expr": "vector(1)", "labels": {"severity": "none"}}
RULES = [STALE, SMALL, DOWN, WATCHDOG]
CONFIGURATION: dict[str, Any] = yaml.safe_load(
    """
route: {receiver: all, group_by: [section], group_wait: 1m, group_interval: 5m, repeat_interval: 1d}
inhibit_rules:
- {source_matchers: ['alertname="BernardDown"'], target_matchers: ['alertname=~"Backup.+"'], equal: []}
"""
)


def story(*parts: Run | Disturbance, size: int = 10_000 * KIB) -> Story:
    """Return a day of a job whose backups may be eight hours old, and whose last one begins at 11:00.

    Those of the other data centre go on.
    """
    runs = [
        Run(job, begins, begins, begins + HOUR // 2, size=size if job is JOB else 10_000 * KIB)
        for job in (JOB, OTHER)
        for begins in range(-DAY - HOUR, 12 * HOUR if job is JOB else DAY, 6 * HOUR)
    ]
    expected = Expectation(max_age=8 * HOUR, every=None)
    return Story(0, DAY // MINUTE, 1, 1, {JOB: expected, OTHER: expected}, (*runs, *parts))


def findings(told: Story, *rules: Rule) -> set[tuple[str, str]]:
    """Return kind and alert of what is found, by all rules or those in place of others of the same name."""
    changed = {rule["alert"]: rule for rule in rules}
    used = text_of([changed.get(rule["alert"], rule) for rule in RULES])
    return {(finding.kind, finding.alert) for finding in Episode(told, used, CONFIGURATION).findings(used)}


def test_rules_that_keep_their_promises_have_no_findings() -> None:
    outages = [
        Disturbance(Kind.EXPORTER_DOWN, 21 * HOUR, 21 * HOUR + 12 * MINUTE),
        Disturbance(Kind.EXPORTER_DOWN, 14 * HOUR, 15 * HOUR),
    ]
    assert findings(story(*outages)) == set()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"expr": STALE["expr"].replace(" > ", " > 2 * ")}, {("missed", f"BackupStale critical {SUBJECT}")}),
        ({"expr": STALE["expr"].replace(" > ", " > 0.9 * ")}, {("false", f"BackupStale critical {SUBJECT}")}),
        ({"for": "2h"}, {("missed", f"BackupStale critical {SUBJECT}")}),
    ],
)
def test_wrong_limit_or_delay_is_found(change: Rule, found: set[tuple[str, str]]) -> None:
    assert findings(story(), {**STALE, **change}) == found


def test_alert_that_a_short_gap_ends_is_found() -> None:
    gap = story(Disturbance(Kind.EXPORTER_DOWN, 21 * HOUR, 21 * HOUR + 12 * MINUTE))
    without = {key: value for key, value in STALE.items() if key != "keep_firing_for"}
    assert ("missed", f"BackupStale critical {SUBJECT}") in findings(gap, without)


def test_alert_that_outlives_a_long_gap_and_its_inhibition_is_found() -> None:
    gap = story(Disturbance(Kind.EXPORTER_DOWN, 20 * HOUR, 23 * HOUR))
    changed = {**STALE, "keep_firing_for": "6h"}
    assert findings(gap, changed, {**DOWN, "for": "3h"}) >= {
        ("false", f"BackupStale critical {SUBJECT}"),
        ("missed", "BernardDown critical"),
    }


def test_size_is_judged_only_while_the_backup_is_young() -> None:
    assert findings(story(size=1000)) == set()
    never = {**SMALL, "expr": "vector(1) == 0"}
    assert findings(story(size=1000), never) == {("missed", f"BackupTooSmall critical {SUBJECT}")}


def test_smaller_story_has_only_the_parts_and_jobs_that_matter() -> None:
    noise = [Disturbance(Kind.DATABASE_AWAY, hour * HOUR, hour * HOUR + 2 * MINUTE) for hour in range(5)]
    large = story(*noise)
    needed = {large.runs[3], large.runs[-1], noise[2]}
    small = shrink(large, lambda smaller: needed <= set(smaller.parts))
    assert set(small.parts) == needed
    alone = shrink(large, lambda smaller: any(isinstance(part, Run) and part.job == JOB for part in smaller.parts))
    assert (list(alone.policy), len(alone.parts)) == ([JOB], 1)


def test_every_change_of_a_rule_is_valid_and_says_what_it_is() -> None:
    tried = list(mutants([STALE]))
    assert [mutant.what for mutant in tried] == [
        "left out",
        "for: 3h in place of 15m",
        "keep_firing_for: 0s in place of 15m",
        "keep_firing_for: 3h in place of 15m",
        "<= in place of >",
    ]
    assert all(isinstance(mutant, Mutant) and (mutant.rule is None) == (mutant.what == "left out") for mutant in tried)


def test_recorded_series_is_changed_only_if_an_alert_reads_it() -> None:
    read = {"record": "job:read", "expr": "topk(1, bernard_up)"}
    unread = {"record": "job:unread", "expr": "topk(1, bernard_up)"}
    reader = {"alert": "BernardReader", "expr": "job:read", "labels": LABELS}
    tried = [
        (mutant.name, mutant.what)
        for mutant in mutants([read, unread, reader])
        if mutant.name != "BernardReader critical"
    ]
    assert tried == [("job:read", "left out"), ("job:read", "bottomk in place of topk")]


def test_a_seed_always_draws_the_same_story() -> None:
    assert [imagine(seed) for seed in range(20)] == [imagine(seed) for seed in range(20)]
    assert len({str(imagine(seed)) for seed in range(20)}) == 20
