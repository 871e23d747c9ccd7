"""The origin of each limit, and the changes that another policy would cause."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testing.command_runner import command
from testing.rows import DAY, Rows

CONFIG = """\
database: {url: 'URL'}
policy:
  timezone: Europe/Madrid
  defaults:
    dump:
      max_age: 7d
      schedule: '0 0 * * 2'
      size_change: {warning: 4%}
  sections:
    s1: [dump, snapshot]
    es1:
      dump:
        datacenters: [eqiad]
        max_age: 1095d
        timezone: UTC
        read_only: true
"""


def written(tmp_path: Path, text: str, name: str = "config.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text)
    return file


def test_each_limit_says_where_it_is_stated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, CONFIG.replace("URL", "sqlite:////x"))
    outcome = command(capsys, "policy", "show", "--json", "--config.file", file)
    items = {(item["section"], item["type"], item["datacenter"]): item for item in json.loads(outcome.out)["items"]}
    assert outcome.status == 0
    assert list(items) == [
        ("es1", "dump", "eqiad"),
        ("s1", "dump", "codfw"),
        ("s1", "dump", "eqiad"),
        ("s1", "snapshot", "codfw"),
        ("s1", "snapshot", "eqiad"),
    ]
    found = items["es1", "dump", "eqiad"]
    assert found["from"] == f"{file}:13 policy.sections.es1.dump"
    assert {
        name: (limit["value"], limit["from"].removeprefix(f"{file}:")) for name, limit in found["limits"].items()
    } == {
        "max_age": ("1095d", "14 policy.sections.es1.dump.max_age"),
        "max_duration": ("12h", "built-in"),
        "retention": ("none", "built-in"),
        "min_size": ("300KiB", "built-in"),
        "size_change_warning": ("4%", "8 policy.defaults.dump.size_change.warning"),
        "size_change_critical": ("15%", "built-in"),
        "schedule": ("none", "built-in"),
        "timezone": ("none", "15 policy.sections.es1.dump.timezone"),
        "start_within": ("none", "built-in"),
        "expected_from": ("none", "built-in"),
        "team": ("none", "built-in"),
        "read_only": ("true", "16 policy.sections.es1.dump.read_only"),
        "restore_rate": ("none", "built-in"),
    }
    assert items["s1", "snapshot", "eqiad"]["from"] == f"{file}:10 policy.sections.s1[1]"
    assert {
        limit["from"] for name, limit in items["s1", "snapshot", "eqiad"]["limits"].items() if name != "timezone"
    } == {"built-in"}
    assert items["s1", "dump", "eqiad"]["limits"]["timezone"]["from"] == f"{file}:3 policy.timezone"


def test_table_has_a_line_a_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, CONFIG.replace("URL", "sqlite:////x"))
    outcome = command(capsys, "policy", "show", "--config.file", file, "--section", "es1")
    lines = [line.split() for line in outcome.out.splitlines()]
    assert lines[1] == ["es1", "dump", "eqiad", "expected", "yes", f"{file}:13", "policy.sections.es1.dump"]
    assert lines[2] == ["max_age", "1095d", f"{file}:14", "policy.sections.es1.dump.max_age"]
    assert len(lines) == 15
    outcome = command(capsys, "policy", "show", "--config.file", file, "--section", "es9")
    assert (outcome.status, outcome.err) == (
        1,
        "bernard-exporter: the policy has no such job; list all with: bernard-exporter policy show\n",
    )


@pytest.fixture
def config(rows: Rows, tmp_path: Path) -> Path:
    now = datetime.now(UTC)
    for days in (2, 5):
        rows.add(start=now - days * DAY)
        rows.add(start=now - days * DAY, section="x1")
    policy = "policy: {sections: {s1: {dump: {datacenters: [eqiad]}}}}\n"
    return written(tmp_path, f"database: {{url: '{rows.url}'}}\n{policy}")


@pytest.mark.parametrize(
    ("candidate", "status", "table"),
    [
        ("{s1: {dump: {datacenters: [eqiad], max_age: 3d}}}", 0, []),
        (
            "{s1: {dump: {datacenters: [eqiad], max_age: 36h}}}",
            1,
            ["s1 dump eqiad fresh stale the newest success started 2 d ago, expected at most 1 d 12 h"],
        ),
        (
            "{x1: [dump]}",
            1,
            [
                "s1 dump eqiad fresh not expected the candidate policy does not expect this job",
                "x1 dump codfw not expected missing no backup has ever succeeded",
                "x1 dump eqiad not expected fresh recent enough, large enough, size changed by +0.00%",
            ],
        ),
    ],
)
def test_candidate_is_tried_on_the_present_inventory(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], candidate: str, status: int, table: list[str]
) -> None:
    file = written(tmp_path, f"policy: {{sections: {candidate}}}\n", "candidate.yaml")
    outcome = command(capsys, "policy", "test", "--config.file", config, "--candidate", file)
    lines = [" ".join(line.split()) for line in outcome.out.splitlines()]
    count = "1 job" if len(table) == 1 else f"{len(table)} jobs"
    end = [f"{count} would change."] if table else ["No job would change."]
    assert (outcome.status, lines[1:] if table else lines) == (status, [*table, *end])


def test_candidate_that_is_wrong_is_trouble(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path, "policy: {sections: {s1: [tape]}}\n", "candidate.yaml")
    outcome = command(capsys, "policy", "test", "--config.file", config, "--candidate", file)
    assert (outcome.status, outcome.out) == (2, "")
    assert "found 'tape', expected one of dump, snapshot, cold" in outcome.err
    file.write_text("database: {url: 'sqlite:////x'}\n")
    outcome = command(capsys, "policy", "test", "--config.file", config, "--candidate", file)
    assert (outcome.status, outcome.err) == (2, f"bernard-exporter: {file}:1: found none, expected the key policy\n")
