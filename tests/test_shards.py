"""Several exporters share an inventory, each exporting some of its sections."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from bernard_exporter import commands
from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from testing.exporter import exporter
from testing.rows import CODFW, DAY, NOW, Rows
from testing.servers import eventually

SECTIONS = ("s1", "s2", "s11", "m1")
POLICY = Policy(expected={Job(section, "dump", "eqiad"): Limits(max_age=8 * 86400.0) for section in SECTIONS})


def watching(rows: Rows, pattern: str | None) -> Poller:
    policy = POLICY if pattern is None else POLICY.restricted(re.compile(pattern))
    poller = Poller(Settings(rows.settings, policy=policy), Clock(now=lambda: NOW, monotonic=lambda: 0.0))
    poller.tick()
    return poller


def of_jobs(poller: Poller) -> set[str]:
    text = b"".join(poller.scrape.answer(TEXT, gzip=False)).decode()
    return {line for line in text.splitlines() if 'section="' in line and not line.startswith("#")}


@pytest.fixture
def filled(rows: Rows) -> Rows:
    for section in SECTIONS:
        rows.add(section=section, start=NOW - 2 * DAY)
        rows.add(section=section, start=NOW - DAY)
    rows.add(section="seen_only", host=CODFW)
    rows.add(section="s2", status="", start=NOW - DAY)
    return rows


def test_shards_together_say_what_one_exporter_says_and_no_job_twice(filled: Rows) -> None:
    whole, *shards = (watching(filled, pattern) for pattern in (None, "s1", "s2|s11", "m.*|seen_only"))
    told = [of_jobs(shard) for shard in shards]
    assert set().union(*told) == of_jobs(whole)
    assert sum(map(len, told)) == len(of_jobs(whole))
    assert [shard.snapshot.rejected for shard in shards].count(whole.snapshot.rejected) == 1
    for poller in (whole, *shards):
        poller.stop()


def test_run_of_another_shard_changes_nothing(filled: Rows) -> None:
    poller = watching(filled, "s1")
    before = of_jobs(poller)
    filled.add(section="s2", start=NOW - DAY / 2)
    poller.tick()
    assert of_jobs(poller) == before
    filled.add(section="s1", start=NOW - DAY / 2)
    poller.tick()
    assert of_jobs(poller) != before
    poller.stop()


def test_policy_outside_the_shard_is_not_missed(filled: Rows) -> None:
    poller = watching(filled, "nothing")
    assert poller.snapshot.jobs == ()
    poller.stop()


def test_flag_of_serve_chooses_the_sections(filled: Rows, tmp_path: Path) -> None:
    config = (
        f"database: {{url: '{filled.url}'}}\npoll_interval: 500ms\npolicy: {{sections: {{s1: [dump], s2: [dump]}}}}"
    )
    with exporter(tmp_path, config, "--policy.sections=s[1-9]") as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "the exporter is ready")
        found = set(re.findall(r'section="(\w+)"', running.get("/metrics").text))
        assert found == {"s1", "s2"}


def test_pattern_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        commands.main(["serve", "--policy.sections=s["])
    assert ended.value.code == 2
    assert "found 's[', expected a regular expression such as s[1-4]" in capsys.readouterr().err


def test_restricted_policy_keeps_everything_else() -> None:
    restricted = POLICY.restricted(re.compile("s1"))
    assert replace(restricted, expected=POLICY.expected, sections=None) == POLICY
    assert [job.section for job in restricted.expected] == ["s1"]
