"""The report, as text and as HTML."""

from __future__ import annotations

import html
import random
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bernard_exporter.commands.report.build import Report, make_report
from bernard_exporter.commands.report.render import render
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import DAY as DAY_SECONDS
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.queries import run_range
from bernard_exporter.store.connection import Database
from testing.command_runner import command
from testing.rows import CODFW, DAY, EQIAD, HOUR, MIB, NOW, Rows, run_row
from testing.servers import MariaDB

DAILY = Limits(max_age=8 * DAY_SECONDS, schedule=Schedule("0 1 * * *"), start_within=6 * 3600.0)
WEEKLY = Limits(max_age=8 * DAY_SECONDS)
POLICY = Policy(
    expected={
        Job("s1", "dump", "eqiad"): DAILY,
        Job("s1", "dump", "codfw"): WEEKLY,
        Job("es4", "dump", "eqiad"): Limits(max_age=8 * DAY_SECONDS, max_duration=20 * 3600.0),
        Job("gone", "dump", "eqiad"): WEEKLY,
    }
)


def reported(rows: Rows, policy: Policy = POLICY, since: timedelta = DAY, longest: float | None = None) -> Report:
    with Database(rows.settings).connect() as connection:
        return make_report(connection, read_once(connection, policy, NOW), NOW, NOW - since, longest)


def a_bad_week(rows: Rows) -> None:
    """Write a week that has one of everything."""
    one_o_clock = NOW.replace(hour=1)
    written = []
    for days in range(1, 9):
        # The run that was due today is missing.
        written.append(run_row(start=one_o_clock - days * DAY))
        written.append(run_row(section="es4", start=NOW - days * DAY, end=NOW - days * DAY + 19 * HOUR))
    written += [
        run_row(host=CODFW, start=NOW - 6 * DAY, end=NOW - 6 * DAY + 13 * HOUR),
        run_row(host=CODFW, start=NOW - 3 * HOUR, size=20 * MIB),
        run_row(host=CODFW, start=NOW - 5 * HOUR, status="failed"),
        run_row(host=CODFW, start=NOW - 5 * DAY, status="failed"),
        run_row(section="es4", start=NOW - 21 * HOUR, status="ongoing"),
    ]
    rows.add_all(written)


def test_text_has_a_line_for_each_thing(rows: Rows) -> None:
    a_bad_week(rows)
    assert render(reported(rows), "text") == (
        """\
Backups from 2026-03-09 12:00 UTC to 2026-03-10 12:00 UTC

Jobs that are not fresh: 2
* dump of gone in eqiad is missing: no backup has ever succeeded
* dump of s1 in codfw is very_wrong_size: the size changed by +100.00%, expected at most 15.00%

Runs that failed: 1
* dump of s1 in codfw, run 19 on backup2002.codfw.wmnet, began 2026-03-10 07:00 UTC, failed 2026-03-10 08:00 UTC

Runs that did not start in time: 1
* dump of s1 in eqiad was due 2026-03-10 01:00 UTC; overdue, no run has started

Backups that grew or shrank: 1
* dump of s1 in codfw is 20.0 MiB, was 10.0 MiB: +100.0 %

Runs since 2026-03-03 12:00 UTC that took too long: 2
* dump of s1 in codfw, run 17, began 2026-03-04 12:00 UTC and finished 2026-03-05 01:00 UTC after 13 h; """
        """at most 12 h expected
* dump of es4 in eqiad, run 21, began 2026-03-09 15:00 UTC and is ongoing after 21 h; at most 20 h expected
"""
    )


def test_longer_past_shows_more(rows: Rows) -> None:
    a_bad_week(rows)
    found = reported(rows, since=6 * DAY)
    assert [event.run.id for event in found.failed if event.run] == [20, 19]
    assert len(found.not_started) == 1


def test_hours_hold_for_every_job(rows: Rows) -> None:
    a_bad_week(rows)
    found = reported(rows, longest=13 * 3600.0)
    # Strictly longer: the run of exactly 13 hours is none.
    assert {long.job.section for long in found.long} == {"es4"}
    assert len(found.long) == 8


def test_nothing_to_report_is_said(rows: Rows) -> None:
    for days in range(9):
        rows.add(start=NOW.replace(hour=1) - days * DAY)
    found = reported(rows, Policy(expected={Job("s1", "dump", "eqiad"): DAILY}))
    assert found.empty
    assert render(found, "text") == (
        "Backups from 2026-03-09 12:00 UTC to 2026-03-10 12:00 UTC\n\nNothing to report.\n"
    )
    assert "<p>Nothing to report.</p>" in render(found, "html")


class Cells(HTMLParser):
    """Reads the tables of a page: rows of texts. Fails on tags that do not match."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.open: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "meta":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def test_html_has_a_row_for_each_line_of_the_text(rows: Rows) -> None:
    a_bad_week(rows)
    found = reported(rows)
    cells = Cells(render(found, "html")).rows
    body = [row for row in cells if row[0] != "Section"]
    assert len(body) == render(found, "text").count("\n* ") == 7
    assert body[0] == ["gone", "dump", "eqiad", "missing", "no backup has ever succeeded"]
    assert body[-1] == ["es4", "dump", "eqiad", "21", "2026-03-09 15:00 UTC", "ongoing", "21 h", "20 h"]


def test_job_with_too_many_runs_is_named(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_range, "MOST_OF_STATUS", 2)
    monkeypatch.setattr(run_range, "_ROWS_AT_ONCE", 3)
    rows.add_all([run_row(id=1 + n, start=NOW - 2 * HOUR - n * HOUR, status="failed") for n in range(4)])
    found = reported(rows, Policy())
    assert [event.run.id for event in found.failed if event.run] == [2, 1]
    last = "Jobs with too many runs, where only the newest were examined: 1"
    assert render(found, "text").endswith(f"\n\n{last}\n* dump of s1 in eqiad\n")
    page = render(found, "html")
    assert f"<h2>{last}</h2>" in page
    assert Cells(page).rows[-1] == ["s1", "dump", "eqiad"]


def test_names_are_shown_and_do_nothing(rows: Rows) -> None:
    evil = "<script>alert('x')</script>\n\x1b[31m"
    rows.add(section=evil[:100], start=NOW - HOUR, end=NOW, status="failed", host=f"<b>{EQIAD}")
    found = reported(rows)
    page, text = render(found, "html"), render(found, "text")
    assert "<script" not in page
    assert "<b>" not in page
    shown = r"<script>alert('x')</script>\n\x1b[31m"
    assert shown in html.unescape(page)
    assert f"* dump of {shown} in eqiad, run 1 on <b>{EQIAD}, " in text


def test_long_runs_are_those_that_plain_sql_finds(mariadb: MariaDB, mariadb_url: str) -> None:
    rows = Rows(mariadb_url)
    random_ = random.Random(3)
    limit = 4 * 3600
    policy = Policy(expected={Job(f"r{number}", "dump", "eqiad"): WEEKLY for number in range(400)})
    written = []
    for job in policy.expected:
        start = NOW - timedelta(seconds=random_.choice([0, 0, 1, -1]) + random_.choice([limit, 7 * 86400, 90_000]))
        took = timedelta(seconds=random_.choice([limit - 1, limit, limit + 1, 100]))
        status = random_.choice(["finished", "finished", "ongoing", "failed"])
        end = None if status == "ongoing" else start + took
        written.append(run_row(section=job.section, start=start, end=end, status=status))
    rows.add_all(written)
    found = {long.run.id for long in reported(rows, policy, longest=float(limit)).long}
    with rows.engine.connect() as connection:
        expected = connection.exec_driver_sql(
            f"SELECT id FROM backups WHERE start_date >= '{NOW:%Y-%m-%d %H:%M:%S}' - INTERVAL 7 DAY AND"
            f" TIMESTAMPDIFF(SECOND, start_date, COALESCE(end_date, '{NOW:%Y-%m-%d %H:%M:%S}')) > {limit}"
        ).scalars()
        assert found == set(expected)
    assert len(found) > 50


def test_command_prints_the_report_and_exits_with_0(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    rows.add(start=now - 2 * DAY)
    rows.add(start=now - 3 * HOUR, status="failed")
    file = tmp_path / "config.yaml"
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump]}}}}\n")
    outcome = command(capsys, "report", "--config.file", file)
    assert (outcome.status, outcome.err) == (0, "")
    assert re.findall(r"^[A-Z].*: \d+$", outcome.out, re.MULTILINE) == [
        "Jobs that are not fresh: 2",
        "Runs that failed: 1",
    ]
    outcome = command(capsys, "report", "--config.file", file, "--since", "1h", "--datacenter", "eqiad")
    assert "Runs that failed" not in outcome.out
    assert "Jobs that are not fresh: 1" in outcome.out
    since = f"{now - 5 * HOUR:%Y-%m-%dT%H:%M:%SZ}"
    outcome = command(capsys, "report", "--config.file", file, "--since", since, "--hours", "0.5", "--format", "html")
    assert "<h2>Runs that failed: 1</h2>" in outcome.out
    assert "that took too long: 2</h2>" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        (["--since", "soon"], 2, "expected a time such as 2026-03-10T12:00:00Z"),
        (["--since", "32d"], 2, "expected less than 31d, or a time within that many days"),
        (["--since", "2999-01-01"], 2, "expected a time in the past"),
        (["--hours", "-1"], 2, "found -1.0, expected hours, 0 or more"),
        (["--hours", "nan"], 2, "found nan, expected hours, 0 or more"),
        (["--hours", "many"], 2, "Invalid value for '--hours'"),
        (["--format", "pdf"], 2, "Invalid value for '--format'"),
        (["--config.file", "/nowhere"], 2, "/nowhere: No such file or directory"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, why: str
) -> None:
    outcome = command(capsys, "report", *arguments)
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (status, "", 1)
    assert why in outcome.err
