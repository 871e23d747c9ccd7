"""The memory it takes does not follow the length of the past, nor does any statement read more than it needs."""

from __future__ import annotations

import re
import tracemalloc
from datetime import timedelta
from pathlib import Path

from sqlalchemy import event

from bernard_exporter.backfill.write import Request, write
from bernard_exporter.config.load import load
from bernard_exporter.sample.generate import generate
from bernard_exporter.store.connection import Database
from tests.backfill.conftest import sampled
from tests.rows import NOW
from tests.servers import MariaDB


def peak_memory(directory: Path, runs: int) -> tuple[int, int]:
    """Return the bytes of memory it takes to write the whole past of so many runs, and how many were written."""
    directory.mkdir()
    url, policy, config = f"sqlite:///{directory / 'i.sqlite'}", directory / "policy.yaml", directory / "config.yaml"
    generate(url, days=1, runs=runs, jobs=8, files=0, seed=1, now=NOW, policy_output=policy)
    config.write_text(f"database: {{url: '{url}'}}\n{policy.read_text()}")
    settings = load(config)
    written = 0

    def count(part: bytes) -> None:
        nonlocal written
        written += len(part)

    tracemalloc.start()
    write(Database(settings.database), settings.policy, Request(None, NOW, 4 * 86400), count)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak, written


def test_ten_times_the_past_takes_the_same_memory(tmp_path: Path) -> None:
    # The first fills what is held at any time.
    peak, written = peak_memory(tmp_path / "short", 30_000)
    peak_of_more, written_of_more = peak_memory(tmp_path / "long", 120_000)
    assert written_of_more > 3 * written
    assert peak_of_more < 1.2 * peak


def test_every_statement_follows_an_index(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    inventory = sampled(mariadb_url, tmp_path, NOW, jobs=200, days=200)
    mariadb.execute("ANALYZE TABLE backups", database=mariadb_url.rpartition("/")[2])
    database = Database(inventory.settings.database)
    statements: list[tuple[str, object]] = []
    for engine in database.engines:
        event.listen(engine, "before_cursor_execute", lambda *a: statements.append((a[2], a[3])))
    request = Request(NOW - timedelta(hours=1), NOW, 3600)
    write(database, inventory.settings.policy, request, lambda part: None)
    selects = [(sql, values) for sql, values in statements if re.match(r"\s*SELECT", sql)]
    assert len(selects) > 200
    with database.connect() as connection:
        for sql, values in (*selects[:5], *selects[-100:]):
            plan = connection.exec_driver_sql(f"EXPLAIN {sql}", values).mappings().all()  # type: ignore[arg-type]
            for step in plan:
                used = step["key"] in ("PRIMARY", "last_backup") or "optimized away" in str(step["Extra"])
                assert used, (sql, dict(step))
                assert "filesort" not in str(step["Extra"]), (sql, dict(step))
                assert step["type"] not in ("ALL", "index"), (sql, dict(step))
