"""The cost of a steady poll depends on the number of jobs, not on their history; measured in counts."""

from __future__ import annotations

import gc
import re
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import Connection

from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database
from testing.rows import NOW
from testing.servers import MariaDB

JOBS = 200


def sampled(mariadb: MariaDB, name: str, runs: int, directory: Path) -> tuple[Database, Inventory]:
    """Return an inventory that has been read once, of a database of so many runs."""
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    url, policy = mariadb.url(name), directory / "policy.yaml"
    generate(url, days=1, runs=runs, jobs=JOBS, files=0, seed=1, now=NOW, policy_output=policy)
    mariadb.execute("ANALYZE TABLE backups", database=name)
    config = directory / "config.yaml"
    config.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    settings = load(config)
    database, inventory = Database(settings.database), Inventory(settings.policy, 1e9)
    update(database, inventory, NOW)
    return database, inventory


def rows_read(connection: Connection) -> int:
    found = connection.execute(text("SHOW SESSION STATUS LIKE 'Handler_read_%'"))
    return sum(int(value) for name, value in found if name != "Handler_read_rnd_deleted")


def update(database: Database, inventory: Inventory, now: datetime) -> int:
    """Poll once; return the number of rows that the server read."""
    with database.connect() as connection:
        before = rows_read(connection)
        inventory.update(connection, now)
        return rows_read(connection) - before


def test_steady_poll_reads_as_much_at_200000_runs_as_at_20000(mariadb: MariaDB, tmp_path: Path) -> None:
    read = {}
    for runs in (20_000, 200_000):
        database, inventory = sampled(mariadb, f"cost{runs}", runs, tmp_path)
        idle = update(database, inventory, NOW)
        _start_a_run(mariadb, f"cost{runs}")
        read[runs] = (idle, update(database, inventory, NOW))
        assert inventory.resyncs == {"start": 1}
    for small, large in zip(read[20_000], read[200_000], strict=True):
        assert large == pytest.approx(small, rel=0.1)
    # A few rows for each job: its newest, the one before, the newest attempt, what runs.
    assert read[200_000][0] < 10 * JOBS


def _start_a_run(mariadb: MariaDB, name: str) -> None:
    mariadb.execute(
        "INSERT INTO backups (name, status, source, host, type, section, start_date) "
        "VALUES ('dump.s1.x', 'ongoing', 'db1', 'dbprov1001.eqiad.wmnet', 'dump', 's1', '2026-03-10 11:59:00')",
        database=name,
    )


def test_every_statement_of_a_poll_follows_an_index(mariadb: MariaDB, tmp_path: Path) -> None:
    database, inventory = sampled(mariadb, "plans", 20_000, tmp_path)
    statements: list[tuple[str, object]] = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
    _start_a_run(mariadb, "plans")
    update(database, inventory, NOW)
    selects = [(sql, values) for sql, values in statements if re.match(r"\s*SELECT", sql)]
    assert len(selects) >= 3
    with database.connect() as connection:
        for sql, values in selects:
            plan = connection.exec_driver_sql(f"EXPLAIN {sql}", values).mappings().all()  # type: ignore[arg-type]
            for step in plan:
                used = step["key"] in ("PRIMARY", "last_backup") or "optimized away" in str(step["Extra"])
                assert used, (sql, dict(step))
                assert "filesort" not in str(step["Extra"]), sql
                assert step["type"] not in ("ALL", "index"), sql


@pytest.fixture
def steady(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> Poller:
    """A poller that has read everything there is to read of 200 jobs; each further poll is ten seconds later."""
    policy, config = tmp_path / "policy.yaml", tmp_path / "config.yaml"
    generate(mariadb_url, days=1, runs=5_000, jobs=JOBS, files=2, seed=1, now=NOW, policy_output=policy)
    config.write_text(f"database: {{url: '{mariadb_url}'}}\npoll_interval: 60s\n{policy.read_text()}")
    moments = (NOW + timedelta(seconds=10 * poll) for poll in range(10_000))
    poller = Poller(load(config), Clock(now=lambda: next(moments), monotonic=lambda: 0.0))
    for _ in range(5):
        poller.tick()
    return poller


def test_steady_poll_takes_a_fixed_number_of_statements(steady: Poller) -> None:
    statements: list[str] = []
    for engine in steady.database.engines:
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    steady.tick()
    steady.stop()
    kinds = [re.sub(r"\s+", " ", statement)[:40] for statement in statements]
    # A transaction, the ids there are, the runs that are watched, what is new.
    assert len(kinds) == 4, kinds


def test_scrape_takes_a_bounded_number_of_bytes_a_job(steady: Poller) -> None:
    size = sum(map(len, steady.scrape.answer(TEXT, gzip=False)))
    packed = sum(map(len, steady.scrape.answer(TEXT, gzip=True)))
    steady.stop()
    assert size < 6_000 * JOBS
    assert packed < size / 10


def test_steady_poll_keeps_nothing_and_needs_little(steady: Poller) -> None:
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(10):
            steady.tick()
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        steady.stop()
    # The snapshot and the samples of the last poll take the place of those before.
    assert after - before < 2_000 * JOBS
    assert peak - before < 8_000 * JOBS


@pytest.mark.parametrize(
    ("ids", "most"),
    [
        ([*range(1, 2_000)], 2_010),
        # One in two, still read in a row; one in seven, each looked up.
        ([*range(3, 2_000, 2)], 2_010),
        ([*range(3, 2_000, 7)], 300),
        ([7], 2),
        ([4, 5, 1_999, 50_000], 4),
    ],
)
def test_runs_are_found_by_ids_that_are_close_or_far_apart(
    mariadb_url: str, tmp_path: Path, ids: list[int], most: int
) -> None:
    # So many that looking up a few hundred costs less than reading the whole table.
    policy = tmp_path / "policy.yaml"
    generate(mariadb_url, days=1, runs=10_000, jobs=20, files=0, seed=1, now=NOW, policy_output=policy)
    with Database(DatabaseSettings(url=mariadb_url)).connect() as connection:
        before = rows_read(connection)
        found = [run.id for run in reader.runs_by_id(connection, reversed(ids))]
        assert rows_read(connection) - before <= most
    assert found == [run_id for run_id in ids if run_id <= 10_000]
