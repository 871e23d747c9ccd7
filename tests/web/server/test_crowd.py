"""A job with any number of rows neither fails a poll nor prevents other jobs from being read."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bernard_exporter.config.load import load
from bernard_exporter.domain.model import Job, Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database
from bernard_exporter.store.reader import LAST_SECOND, IndexPosition, Pair
from testing.rows import CODFW, EQIAD, HOUR, MIB, Rows
from testing.servers import MariaDB
from tests.polling.test_cost import rows_read

CONFIG = """
database: {url: '%s'}
poll_interval: 60s
policy:
  datacenters: {eqiad: '\\.eqiad\\.wmnet$', codfw: '\\.codfw\\.wmnet$'}
  sections: {s1: [dump], failing: [dump], finishing: {snapshot: {retention: 5d}}}
"""
CROWDS = {("stuck", "dump", "ongoing"): 400_000, ("failing", "dump", "failed"): 1_000_000}
CROWDS |= {("finishing", "snapshot", "finished"): 200_000, ("coming", "dump", "ongoing"): 21_000}
CROWDS |= {("dateless", "dump", "finished"): 21_000, ("nameless", "dump", ""): 21_000}


def crowds(mariadb: MariaDB, database: str) -> None:
    """Insert the crowds: runs of one day, those of ``coming`` in the future, those of ``dateless`` without a start."""
    # An index is built faster than it is kept.
    statements = ["SET sql_mode = ''", "ALTER TABLE backups DROP INDEX last_backup"]
    for (section, backup_type, status), rows in CROWDS.items():
        begun = f"now() - INTERVAL 1 DAY - INTERVAL 5 MINUTE + INTERVAL (seq * 86400 DIV {rows}) SECOND"
        start = {"coming": f"{begun} + INTERVAL 3 DAY", "dateless": "'0000-00-00 00:00:00'"}.get(section, begun)
        end = "NULL" if status == "ongoing" else begun
        statements.append(
            "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
            f"SELECT '{backup_type}.{section}', '{status}', 'db1', '{EQIAD}', '{backup_type}', '{section}', "
            f"{start}, {end}, 5000000 FROM seq_1_to_{rows}"
        )
    statements.append("ALTER TABLE backups ADD INDEX last_backup (type, section, status, start_date)")
    mariadb.execute(*statements, "ANALYZE TABLE backups", database=database)


class Watched:
    """A poller of real time, and how long its statements took."""

    def __init__(self, url: str, directory: Path) -> None:
        config = directory / "config.yaml"
        config.write_text(CONFIG % url)
        self.settings = load(config)
        self.poller = Poller(self.settings)
        self.slowest = 0.0
        self.rows: list[int] = []
        for engine in self.poller.database.engines:
            event.listen(engine, "before_cursor_execute", self._begin)
            event.listen(engine, "after_cursor_execute", self._end)

    def _begin(self, *_: Any) -> None:
        self._begun = time.monotonic()

    def _end(self, *_: Any) -> None:
        self.slowest = max(self.slowest, time.monotonic() - self._begun)

    def poll(self) -> dict[Job, JobStatus]:
        self.poller.tick()
        assert self.poller.self_metrics.up
        assert self.poller.self_metrics.polls["failure"] == 0
        return {status.job: status for status in self.poller.snapshot.jobs}

    def scraped(self, name: str, section: str) -> float:
        text = b"".join(self.poller.scrape.answer(TEXT, gzip=False)).decode()
        labels = {f'section="{section}"', 'datacenter="eqiad"', 'type="dump"'}
        lines = [line for line in text.splitlines() if line.startswith(f"{name}{{")]
        [value] = [line.rpartition(" ")[2] for line in lines if labels <= set(re.split("[{},]", line))]
        return float(value)


def last_of(mariadb: MariaDB, database: str, section: str) -> object:
    [(last,)] = mariadb.execute(
        f"SELECT max(id) FROM backups WHERE section = '{section}' AND host = '{EQIAD}'", database=database
    )
    return last


def newest_success(status: JobStatus) -> int | None:
    return status.newest.id if status.newest else None


def test_one_job_blinds_no_other(
    mariadb: MariaDB, mariadb_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows, database = Rows(mariadb_url), mariadb_url.rpartition("/")[2]
    now = datetime.now(UTC).replace(microsecond=0)
    good = rows.add(start=now - 3 * HOUR)
    # Before and behind the crowds, in the other data centre of the same sections.
    neighbours = {
        section: rows.add(section=section, type=backup_type, status=status, host=CODFW, start=now - 26 * HOUR, size=MIB)
        for section, backup_type, status in CROWDS
    }
    success = rows.add(section="failing", start=now - 40 * HOUR)
    crowds(mariadb, database)
    behind = rows.add(section="stuck", status="ongoing", host=CODFW, start=now - 20 * HOUR)
    watched = Watched(mariadb_url, tmp_path)

    with caplog.at_level(logging.WARNING):
        jobs = watched.poll()
    assert watched.slowest < watched.settings.database.timeout / 2
    assert jobs[Job("s1", "dump", "eqiad")].newest == jobs[Job("s1", "dump", "eqiad")].attempt
    stuck, failing = Job("stuck", "dump", "eqiad"), Job("failing", "dump", "eqiad")
    assert jobs[stuck].runs == {Status.ONGOING: 400_000}
    assert (watched.scraped("bernard_backup_ongoing", "stuck"), jobs[stuck].abandoned) == (400_000, 0)
    assert watched.scraped("bernard_backup_ongoing_start_timestamp_seconds", "stuck") < (now - 24 * HOUR).timestamp()
    assert jobs[failing].consecutive_failures == jobs[failing].runs[Status.FAILED] == 1_000_000
    assert newest_success(jobs[failing]) == success
    there = jobs[Job("stuck", "dump", "codfw")]
    assert [run.id for run in there.ongoing] == [neighbours["stuck"], behind]
    assert newest_success(jobs[Job("finishing", "snapshot", "codfw")]) == neighbours["finishing"]
    assert jobs[Job("failing", "dump", "codfw")].consecutive_failures == 1
    assert jobs[Job("coming", "dump", "codfw")].ongoing[0].id == neighbours["coming"]
    finishing = jobs[Job("finishing", "snapshot", "eqiad")]
    assert finishing.runs == {Status.FINISHED: 200_000}
    assert finishing.newest == finishing.attempt
    assert newest_success(finishing) == last_of(mariadb, database, "finishing")
    assert newest_success(jobs[Job("dateless", "dump", "codfw")]) == neighbours["dateless"]
    said = [record.getMessage().partition(", far more than expected")[0] for record in caplog.records]
    assert said == [
        "coming/dump/eqiad: 21000 rows have a start in the future",
        "dateless/dump/eqiad: 21000 rows have no known start",
        "failing/dump/eqiad: 1000000 rows are failed",
        "finishing/snapshot/eqiad: 200000 rows are finished",
        "nameless/dump/eqiad: 21000 rows have an unknown status",
        "stuck/dump/eqiad: 400000 rows are ongoing",
    ]

    # Steady polls follow what changes, in the crowds too, by what changes alone.
    rows.change(behind, status="failed", end_date=now)
    last = rows.add(section="stuck", status="ongoing", start=now - timedelta(minutes=2))
    again = rows.add(section="failing", start=now - HOUR, end=now, size=9 * MIB)
    rows.add(section="s1", status="failed", start=now - HOUR)
    watched.slowest = 0.0
    begun = time.monotonic()
    jobs = watched.poll()
    assert time.monotonic() - begun < 20
    assert watched.slowest < watched.settings.database.timeout / 2
    assert watched.scraped("bernard_backup_ongoing", "stuck") == 400_001
    assert jobs[stuck].ongoing[-1].id == last
    assert jobs[stuck].attempt == jobs[stuck].ongoing[-1]
    assert jobs[Job("stuck", "dump", "codfw")].ongoing == ()
    assert jobs[Job("s1", "dump", "eqiad")].consecutive_failures == 1
    assert newest_success(jobs[failing]) == again
    assert 0 < jobs[failing].consecutive_failures < 60_000
    assert newest_success(jobs[Job("s1", "dump", "eqiad")]) == good
    assert watched.poller.self_metrics.resyncs == {"start": 1}
    assert len(caplog.records) == len(said)
    watched.poller.stop()


def insert(mariadb: MariaDB, database: str, rows: int, started: str) -> None:
    """Insert finished runs of s1 in eqiad; statistics that say that they are most of the table make plans worse."""
    mariadb.execute(
        "INSERT INTO backups (status, host, type, section, start_date, end_date, total_size) "
        f"SELECT 'finished', '{EQIAD}', 'dump', 's1', {started}, now(), 5000000 FROM seq_1_to_{rows}",
        "ANALYZE TABLE backups",
        database=database,
    )


_ONE_SECOND, _HUNDRED_A_SECOND = "now() - INTERVAL 1 DAY", "now() - INTERVAL (1 + seq DIV 100) SECOND"


@pytest.mark.parametrize("started", [_ONE_SECOND, _HUNDRED_A_SECOND])
@pytest.mark.parametrize("table", ["TABLE", "VIEW"])
def test_runs_of_a_crowd_are_read_once_oldest_first(
    mariadb: MariaDB, mariadb_url: str, table: str, started: str
) -> None:
    rows, database = Rows(mariadb_url), mariadb_url.rpartition("/")[2]
    insert(mariadb, database, 20_000, started)
    if table == "VIEW":
        views = "RENAME TABLE backups TO kept", "CREATE VIEW backups AS SELECT * FROM kept"
        mariadb.execute(*views, database=database)
    with Database(rows.settings).connect() as connection:
        before = rows_read(connection)
        oldest_first = [run.order for run in reader.runs_oldest_first(connection, Pair("dump", "s1"), "finished", 500)]
        read = rows_read(connection) - before
    assert oldest_first == sorted(oldest_first)
    assert len(oldest_first) == 20_000
    # An entry of the index and a row for each run, and the rows between those of a page.
    assert read < 2.5 * 20_000


@pytest.mark.parametrize("started", [_ONE_SECOND, _HUNDRED_A_SECOND])
def test_pages_of_a_crowd_join_in_both_directions(
    mariadb: MariaDB, mariadb_url: str, monkeypatch: pytest.MonkeyPatch, started: str
) -> None:
    monkeypatch.setattr(reader, "IDS_IN_PAGE", 170)
    rows = Rows(mariadb_url)
    insert(mariadb, mariadb_url.rpartition("/")[2], 1_000, started)
    pair, status = Pair("dump", "s1"), Status.FINISHED.value
    with Database(rows.settings).connect() as connection:
        newest_first, place = list[int](), IndexPosition.after(LAST_SECOND)
        while page := reader.runs_newest_first(connection, pair, status, place, 70):
            newest_first += [run.id for _, run in page]
            place = page[-1][0]
        oldest_first = [run.id for run in reader.runs_oldest_first(connection, pair, status, 60)]
    assert oldest_first == newest_first[::-1]
    assert len(set(oldest_first)) == 1_000


def test_success_behind_many_of_another_data_centre_costs_each_of_them_a_few_times(
    mariadb: MariaDB, mariadb_url: str
) -> None:
    """They are fewer than a crowd, so the index is read."""
    rows = Rows(mariadb_url)
    success = rows.add(host=CODFW, start=datetime.now(UTC) - timedelta(days=30))
    insert(mariadb, mariadb_url.rpartition("/")[2], 15_000, "now() - INTERVAL 20 DAY")
    inventory = Inventory(Policy())
    with Database(rows.settings).connect() as connection:
        before = rows_read(connection)
        inventory.update(connection, datetime.now(UTC))
        read = rows_read(connection) - before
    [newest] = [record.newest for job, record in inventory.records.items() if job.datacenter == "codfw"]
    assert newest
    assert newest.id == success
    assert read < 15 * 15_000
