"""Memory does not depend on the length of the history, and no statement reads more rows than needed."""

from __future__ import annotations

import os
import subprocess
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from bernard_exporter.commands.backfill.write import BackfillRequest, write
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.store.connection import Database
from testing.exporter import COMMAND
from testing.rows import NOW
from testing.servers import MariaDB
from tests.commands.backfill.conftest import sampled


def peak_memory(directory: Path, runs: int) -> tuple[int, int]:
    """Return the KiB of memory that the command takes for the whole past of so many runs, and the bytes it writes."""
    directory.mkdir()
    url, policy, config = f"sqlite:///{directory / 'i.sqlite'}", directory / "policy.yaml", directory / "config.yaml"
    generate(url, days=1, runs=runs, jobs=20, files=0, seed=1, now=NOW, policy_output=policy)
    config.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    output = directory / "past.om"
    arguments = [*COMMAND, "backfill", f"--config.file={config}", f"--output={output}", "--step=4d"]
    running = subprocess.Popen([*arguments, f"--end={NOW.isoformat()}"])
    _, status, used = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    assert running.returncode == 0
    return used.ru_maxrss, output.stat().st_size


def test_three_times_the_past_takes_the_same_memory(tmp_path: Path) -> None:
    # The first fills what is held at any time.
    peak, written = peak_memory(tmp_path / "short", 12_000)
    peak_of_more, written_of_more = peak_memory(tmp_path / "long", 40_000)
    assert written_of_more > 2.5 * written
    assert peak_of_more < 1.1 * peak


def test_no_statement_sorts_runs(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    inventory = sampled(mariadb_url, tmp_path, NOW, jobs=200, days=200)
    mariadb.execute("ANALYZE TABLE backups", database=mariadb_url.rpartition("/")[2])
    database = Database(inventory.settings.database)
    statements: list[tuple[str, object]] = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
    request = BackfillRequest(NOW - timedelta(hours=1), NOW, 3600)
    write(database, inventory.settings.policy, request, lambda part: None)
    scans = [(sql, values) for sql, values in statements if "ORDER BY" in sql]
    rows = [(sql, values) for sql, values in statements if "total_size" in sql and "GROUP BY" not in sql]
    assert len(scans) > 150
    assert len(rows) > 150
    with database.connect() as connection:
        for sql, values in scans[::5] + rows[::5]:
            [step] = connection.exec_driver_sql(f"EXPLAIN {sql}", values).mappings()  # type: ignore[arg-type]
            # The ids by the index, and a row for each id.
            assert step["key"] == ("PRIMARY" if "total_size" in sql else "last_backup"), (sql, step)
            assert step["type"] not in ("ALL", "index"), (sql, step)
            assert "filesort" not in str(step["Extra"]), sql
