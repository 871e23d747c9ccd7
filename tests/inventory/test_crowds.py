"""What the database reads for jobs with far too many rows does not multiply with their number."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, EQIAD, HOUR, Rows
from testing.servers import MariaDB
from tests.polling.test_cost import rows_read

ROWS = 60_000


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job is huge with 2,000 runs of a status; a statement covers as small a part of the table as with real ones."""
    monkeypatch.setattr("bernard_exporter.inventory.crowds.CROWD", 2_000)
    monkeypatch.setattr("bernard_exporter.inventory.builder.FOLLOWED", 100)
    monkeypatch.setattr("bernard_exporter.inventory.load.FOLLOWED", 100)
    monkeypatch.setattr("bernard_exporter.store.reader.IDS_AT_ONCE", 6_000)


def insert_crowds(mariadb: MariaDB, database: str, jobs: int) -> None:
    """Insert the failed and ongoing runs of a day of some jobs, in turns."""
    turn = f"seq DIV {jobs} MOD 2"
    begun = f"now() - INTERVAL 1 DAY + INTERVAL (seq * 82800 DIV {ROWS}) SECOND"
    mariadb.execute(
        "SET time_zone = '+00:00'",
        "INSERT INTO backups (status, host, type, section, start_date, end_date) "
        f"SELECT IF({turn}, 'failed', 'ongoing'), '{EQIAD}', 'dump', CONCAT('huge', seq MOD {jobs}), "
        f"{begun}, IF({turn}, {begun}, NULL) FROM seq_1_to_{ROWS}",
        "ANALYZE TABLE backups",
        database=database,
    )


def update(connection: Connection, inventory: Inventory, now: datetime) -> int:
    """Bring an inventory up to date; return the number of rows that the server read."""
    before = rows_read(connection)
    inventory.update(connection, now)
    return rows_read(connection) - before


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("jobs", [1, 10])
def test_rows_read_do_not_multiply_with_huge_jobs(mariadb: MariaDB, mariadb_url: str, jobs: int) -> None:
    rows, now = Rows(mariadb_url), datetime.now(UTC).replace(microsecond=0)
    successes = [rows.add(section=f"huge{number}", start=now - 30 * HOUR) for number in range(jobs)]
    insert_crowds(mariadb, mariadb_url.rpartition("/")[2], jobs)
    neighbours = [
        rows.add(section=f"huge{number}", host=CODFW, status="ongoing", start=now - HOUR) for number in range(jobs)
    ]
    inventory, database = Inventory(Policy()), Database(rows.settings)
    with database.connect() as connection:
        # Twice to count and group the rows, each with a lookup of the group; then a few parts for each job.
        assert update(connection, inventory, now) < 9 * ROWS
    for number in range(jobs):
        huge = inventory.records[Job(f"huge{number}", "dump", "eqiad")]
        assert (huge.newest and huge.newest.id, huge.consecutive_failures) == (successes[number], ROWS // jobs // 2)
        assert len(huge.ongoing) == 100
        beside = inventory.records[Job(f"huge{number}", "dump", "codfw")]
        assert [run.id for run in beside.ongoing] == [neighbours[number]]

    # All ended with a success that is older than most of the failed runs, which must be counted again.
    ended = [
        rows.add(section=f"huge{number}", start=now - 20 * HOUR, end=now, host=EQIAD, size=5_000_000 + number)
        for number in range(jobs)
    ]
    with database.connect() as connection:
        assert update(connection, inventory, now + timedelta(seconds=30)) < 9 * ROWS
    assert inventory.resyncs == {"start": 1}
    for number in range(jobs):
        huge = inventory.records[Job(f"huge{number}", "dump", "eqiad")]
        assert huge.newest
        assert huge.newest.id == ended[number]
        assert huge.consecutive_failures == pytest.approx(ROWS / jobs / 2 * 19 / 23, rel=0.01)
