"""The evidence has every run of the range, and the share of time in which each objective was met."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from bernard_exporter.commands.report import tables
from bernard_exporter.commands.report.evidence import Evidence
from bernard_exporter.domain.filters import NameFilter
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.store.connection import Database
from testing.command_runner import command
from testing.rows import CODFW, DAY, HOUR, NOW, Rows, run_row
from testing.servers import MariaDB

# An unknown start.
EPOCH = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
MAX_AGE = 2 * DAY
POLICY = Policy(
    expected={
        Job("s1", "dump", "eqiad"): Limits(max_age=MAX_AGE.total_seconds()),
        Job("s1", "dump", "codfw"): Limits(max_age=MAX_AGE.total_seconds()),
        Job("s2", "dump", "eqiad"): Limits(max_age=MAX_AGE.total_seconds(), expected_from=NOW - 5 * DAY),
    }
)


def fill(rows: Rows) -> None:
    """Within ten days: 8 to 6 days ago is a gap in eqiad; codfw has nothing young; s3 is not expected."""
    ended = [run_row(start=NOW - days * DAY, end=NOW - days * DAY + HOUR) for days in (11, 10, 6, 4, 2, 1)]
    ended += [run_row(start=NOW - 9 * DAY, status="failed"), run_row(start=NOW - HOUR, status="ongoing")]
    ended += [run_row(host=CODFW, start=NOW - 30 * DAY, end=NOW - 29 * DAY)]
    ended += [run_row(section="s3", start=NOW - 3 * DAY, end=NOW - 2 * DAY)]
    ended += [run_row(start=NOW + DAY, status="ongoing"), run_row(start=EPOCH, status="failed")]
    rows.add_all(ended)


def written(rows: Rows, format_: str, since: timedelta = 10 * DAY, **names: tuple[str, ...]) -> str:
    output = io.StringIO(newline="")
    with Database(rows.settings).connect() as connection:
        evidence = Evidence(connection, POLICY, NOW - since, NOW, NameFilter(**names))
        tables.write(evidence, format_, output)
    return output.getvalue()


def test_json_has_every_run_of_the_range_and_the_share_of_each_job(rows: Rows) -> None:
    fill(rows)
    document = json.loads(written(rows, "json"))
    assert (document["from"], document["to"]) == ("2026-02-28T12:00:00Z", "2026-03-10T12:00:00Z")
    runs = [(run["section"], run["start"], run["status"]) for run in document["runs"]]
    assert runs == [
        ("s1", "2026-02-28T12:00:00Z", "finished"),
        ("s1", "2026-03-01T12:00:00Z", "failed"),
        ("s1", "2026-03-04T12:00:00Z", "finished"),
        ("s1", "2026-03-06T12:00:00Z", "finished"),
        ("s1", "2026-03-08T12:00:00Z", "finished"),
        ("s1", "2026-03-09T12:00:00Z", "finished"),
        ("s1", "2026-03-10T11:00:00Z", "ongoing"),
        ("s3", "2026-03-07T12:00:00Z", "finished"),
    ]
    jobs = {(job["section"], job["datacenter"]): job for job in document["jobs"]}
    # A success counts from its end: an hour is missing before each that began just as the one before became too old.
    missed = 2 * DAY + 3 * HOUR
    assert jobs["s1", "eqiad"]["met_ratio"] == pytest.approx(1 - missed / (10 * DAY))
    assert [jobs["s1", "eqiad"][name] for name in ("runs", "finished", "failed", "ongoing")] == [7, 5, 1, 1]
    assert jobs["s1", "eqiad"]["objective"] == MAX_AGE.total_seconds()
    assert (jobs["s1", "codfw"]["met_ratio"], jobs["s1", "codfw"]["runs"]) == (0, 0)
    assert (jobs["s2", "eqiad"]["from"], jobs["s2", "eqiad"]["met_ratio"]) == ("2026-03-05T12:00:00Z", 0)
    unexpected = jobs["s3", "eqiad"]
    assert (unexpected["expected"], unexpected["objective"], unexpected["met_ratio"]) == (False, None, None)


def test_csv_has_the_same_as_rows_of_one_table(rows: Rows) -> None:
    fill(rows)
    document = json.loads(written(rows, "json"))
    found = list(csv.DictReader(io.StringIO(written(rows, "csv"), newline="")))
    assert [row["record"] for row in found] == ["run"] * 8 + ["job"] * 4
    for row, expected in zip(found, [*document["runs"], *document["jobs"]], strict=True):
        values = {name: "" if value is None else str(value) for name, value in expected.items()}
        values |= {name: value.lower() for name, value in values.items() if name == "expected"}
        assert {name: row[name] for name in values} == values


def test_filters_select_jobs(rows: Rows) -> None:
    fill(rows)
    document = json.loads(written(rows, "json", section=("s1",), datacenter=("codfw",)))
    assert ([job["datacenter"] for job in document["jobs"]], document["runs"]) == (["codfw"], [])


def test_cost_follows_the_range_read(mariadb: MariaDB, mariadb_url: str) -> None:
    rows = Rows(mariadb_url)
    rows.add_all([run_row(start=NOW - number * HOUR) for number in range(1, 5000)])
    mariadb.execute("ANALYZE TABLE backups", database=mariadb_url.rpartition("/")[2])
    database = Database(rows.settings)
    statements: list[tuple[str, object]] = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
    read = []
    for since in (DAY, 100 * DAY):
        with database.connect() as connection:
            reading = "SHOW SESSION STATUS LIKE 'Handler_read%'"
            before = sum(int(row[1]) for row in connection.exec_driver_sql(reading))
            tables.write(Evidence(connection, POLICY, NOW - since, NOW, NameFilter()), "json", io.StringIO())
            read.append(sum(int(row[1]) for row in connection.exec_driver_sql(reading)) - before)
    # 3 and 102 days of runs, an index entry and a row each.
    assert read[0] < 400
    assert 4000 < read[1] < 8000
    scans = [(sql, values) for sql, values in statements if "ORDER BY" in sql and "backups" in sql]
    assert scans
    with database.connect() as connection:
        for sql, values in scans:
            [step] = connection.exec_driver_sql(f"EXPLAIN {sql}", values).mappings()  # type: ignore[arg-type]
            assert (step["key"], step["type"]) == ("last_backup", "range"), sql
            assert "filesort" not in str(step["Extra"]), sql


def test_command_takes_a_year_as_csv_and_not_as_text(
    rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    rows.add(start=now - 300 * DAY)
    file = tmp_path / "config.yaml"
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump]}}}}\n")
    outcome = command(capsys, "report", "--since=1y", "--format=csv", "--config.file", file)
    assert (outcome.status, outcome.out.count("\nrun,"), outcome.out.count("\njob,")) == (0, 1, 2)
    outcome = command(capsys, "report", "--since=1y", "--config.file", file)
    assert outcome.status == 2
    assert "expected less than 31d" in outcome.err
    outcome = command(capsys, "report", "--hours=3", "--format=json", "--config.file", file)
    assert (outcome.status, outcome.out) == (2, "")
    assert "--hours applies to text and html" in outcome.err
