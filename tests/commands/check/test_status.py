"""The table of every job, its JSON, its filters and its exit status."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bernard_exporter.config.load import load
from bernard_exporter.domain.filters import JobFilter
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.queries.jobs import find_jobs, job_document
from bernard_exporter.store.connection import Database
from testing.command_runner import command
from testing.exporter import COMMAND
from testing.rows import CODFW, DAY, EQIAD, HOUR, MIB, Rows

NOW = datetime.now(UTC)
POLICY = "policy: {sections: {s1: [dump], s2: {dump: {datacenters: [eqiad]}}}}\n"


def written(rows: Rows, directory: Path) -> Path:
    """s1 is fresh in eqiad, one of a kind in codfw; s2 is missing; x9 is not in the policy."""
    for days in (1, 2):
        rows.add(start=NOW - days * DAY, size=1536 * MIB)
    rows.add(start=NOW - 5 * DAY, host=CODFW)
    rows.add(start=NOW - DAY, section="x9\x1b[31m[red]")
    rows.add(start=NOW - DAY, section="s2", status="failed")
    file = directory / "config.yaml"
    file.write_text(f"database: {{url: '{rows.url}'}}\n{POLICY}")
    return file


@pytest.fixture
def config(rows: Rows, tmp_path: Path) -> Path:
    return written(rows, tmp_path)


def test_table_shows_the_worst_first_with_the_state_as_text(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "status", "--config.file", config)
    lines = [line.split() for line in outcome.out.splitlines()]
    assert outcome.status == 2
    assert [line[:4] for line in lines[1:4]] == [
        ["missing", "s2", "dump", "eqiad"],
        ["only_one", "s1", "dump", "codfw"],
        ["fresh", "s1", "dump", "eqiad"],
    ]
    assert "1 d 1.5 GiB +0.0 % finished" in " ".join(lines[3])
    assert "no backup has ever succeeded" in outcome.out
    # What the database holds cannot steer the terminal, nor be taken for markup.
    assert lines[4][:5] == ["not", "expected", r"x9\x1b[31m[red]", "dump", "eqiad"]
    assert "\x1b" not in outcome.out
    assert outcome.out.splitlines()[-1] == "1 critical, 1 warning, 1 ok, 1 not expected by the policy"


def test_json_is_that_of_the_api(rows: Rows, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "status", "--json", "--section", "s1", "--config.file", config)
    found = json.loads(outcome.out)
    settings = load(config)
    with Database(settings.database).connect() as connection:
        jobs = find_jobs(read_once(connection, settings.policy, NOW), JobFilter(section=("s1",)))
    expected = [json.loads(json.dumps(job_document(job, NOW))) for job in jobs]
    for document in (*found["items"], *expected):
        assert document.pop("age") > 0
        document.pop("reason")
    assert found == {"items": expected, "next_cursor": None}
    assert [job["state"] for job in found["items"]] == ["only_one", "fresh"]


@pytest.mark.parametrize(
    ("filters", "states", "status"),
    [
        (["--section", "s1"], ["only_one", "fresh"], 1),
        (["--section", "s1", "--datacenter", "eqiad"], ["fresh"], 0),
        (["--section", "s1", "--section", "s2", "--state", "missing"], ["missing"], 2),
        (["--type", "dump", "--state", "stale"], [], 0),
        (["--state", "fresh", "--state", "only_one"], ["only_one", "fresh"], 1),
    ],
)
def test_exit_status_is_that_of_the_worst_job_shown(
    config: Path, capsys: pytest.CaptureFixture[str], filters: list[str], states: list[str], status: int
) -> None:
    outcome = command(capsys, "status", "--json", "--config.file", config, *filters)
    assert [job["state"] for job in json.loads(outcome.out)["items"]] == states
    assert outcome.status == status


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["--section", "s9"], 3, "no such job"),
        (["--section", "x" * 301], 3, "section: found 301 characters, expected at most 300"),
        (["--state", "good"], 3, "Invalid value for '--state'"),
        (["--bad"], 3, "See 'bernard-exporter status --help'."),
        (["--config.file", "/nowhere"], 3, "/nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_shown_is_said_in_one_line_with_a_status_of_its_own(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, why: str
) -> None:
    outcome = command(capsys, "status", "--config.file", config, *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (status, "", 1)
    assert outcome.err.startswith("bernard-exporter: ")
    assert why in outcome.err


def test_database_away_is_no_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(f"database: {{url: 'sqlite:///{tmp_path}/nothing.sqlite'}}\n{POLICY}")
    outcome = command(capsys, "status", "--config.file", file)
    assert (outcome.status, outcome.out) == (3, "")
    assert f"{tmp_path}/nothing.sqlite: unable to open database file; check that the file exists" in outcome.err


def on_a_terminal(arguments: list[str], columns: int, signal_after: str = "") -> tuple[int, str]:
    """Return status and output of a command to a terminal of this width, interrupted once it has printed a text."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": str(columns), "LINES": "12", "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    running = subprocess.Popen(arguments, stdout=theirs, env=environment)
    os.close(theirs)
    found = b""
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while chunk := terminal.read(4096):
                found += chunk
                if signal_after and signal_after.encode() in found:
                    running.send_signal(signal.SIGINT)
                    signal_after = ""
        except OSError:
            # The other end is closed: everything was read.
            pass
    return running.wait(), found.decode()


def plain(printed: str) -> list[str]:
    """Return the lines without colours."""
    return re.sub(r"\x1b\[[0-9;]*[mHJ]", "", printed).splitlines()


def test_terminal_gets_colours_and_no_line_too_long(tmp_path: Path) -> None:
    config = written(Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}"), tmp_path)
    arguments = [*COMMAND, "status", "--config.file", str(config), "--section", "s1", "--section", "s2"]
    _, printed = on_a_terminal(arguments, 80)
    assert "\x1b[1;31mmissing" in printed
    assert "\x1b[32mfresh" in printed
    assert "failed" in printed


@pytest.mark.parametrize("columns", [80, 100, 120, 160, 200])
def test_reasons_and_attempts_since_the_newest_success_are_whole_at_any_width(tmp_path: Path, columns: int) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    config = tmp_path / "config.yaml"
    config.write_text(
        f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump, snapshot], analytics_meta: [dump],"
        " backup1-eqiad: {dump: {schedule: '0 0 * * *', datacenters: [eqiad]}}}}\n"
    )
    for days in (3, 2):
        for host, kind, section in (
            (EQIAD, "dump", "s1"),
            (EQIAD, "snapshot", "s1"),
            (CODFW, "dump", "s1"),
            (EQIAD, "dump", "analytics_meta"),
        ):
            rows.add(start=NOW - days * DAY, host=host, type=kind, section=section)
        rows.add(start=NOW - (20 + days) * DAY, section="backup1-eqiad")
    for ago in (3, 2, 1):
        rows.add(start=NOW - ago * HOUR, status="failed")
    rows.add(start=NOW - 1.5 * HOUR, status="ongoing", type="snapshot")
    rows.add(start=NOW - 13 * HOUR, status="ongoing", host=CODFW)
    _, printed = on_a_terminal([*COMMAND, "status", "--config.file", str(config)], columns)
    lines = plain(printed)
    assert all(len(line) <= columns for line in lines)
    shown = " ".join(" ".join(lines).split())
    reasons = ["the newest success started 22 d", "no backup has ever succeeded"]
    for text in (*reasons, "failed 3x", "running 1 h", "running long 13 h", "finished", "analytics_meta"):
        assert text in shown, printed


def test_problems_are_what_is_not_fresh_overdue_or_went_wrong_since(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections = ("fine", "failing", "running", "long", "small")
    for section in sections:
        for days in (2, 1):
            rows.add(start=NOW - days * DAY, section=section, size=2 if section == "small" else 1536 * MIB)
    rows.add(start=NOW - HOUR, section="failing", status="failed")
    rows.add(start=NOW - HOUR, section="running", status="ongoing")
    rows.add(start=NOW - 13 * HOUR, section="long", status="ongoing")
    rows.add(start=NOW - DAY, section="unexpected", status="failed")
    file = tmp_path / "config.yaml"
    expected = ", ".join(f"{section}: {{dump: {{datacenters: [eqiad]}}}}" for section in sections)
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{{expected}}}}}\n")
    outcome = command(capsys, "status", "--json", "--problems", "--config.file", file)
    assert [job["section"] for job in json.loads(outcome.out)["items"]] == ["small", "failing", "long"]
    assert outcome.status == 2


def test_watch_reads_again_fits_the_screen_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    config = tmp_path / "config.yaml"
    sections = ", ".join(f"s{number}: [dump]" for number in range(20))
    config.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{{sections}}}}}\n")
    rows.add()
    arguments = [*COMMAND, "status", "--config.file", str(config), "--watch=1"]
    status, printed = on_a_terminal(arguments, 80, signal_after="more lines")
    assert status == 130
    screen = plain(printed[printed.rindex("Every 1 s") :])
    assert len(screen) <= 12
    assert screen[-1].startswith("… ")
    assert "more lines" in screen[-1]


def test_watch_and_json_exclude_each_other(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = command(capsys, "status", "--watch", "--json", "--config.file", config)
    assert (outcome.status, outcome.out) == (3, "")
    assert "--watch and --json exclude each other" in outcome.err
