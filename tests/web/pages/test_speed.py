"""Rendering a page costs little more than reading its data."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest
from sqlalchemy import text

from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.domain.policy import Policy
from testing.rows import DAY, NOW, Rows
from tests.web.pages.served import Served

JOBS = 1600


@pytest.mark.alone
def test_overview_of_1600_jobs_takes_at_most_three_times_as_long_as_their_json(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    generate(url, days=30, runs=2 * JOBS, jobs=JOBS, files=0, seed=1, now=NOW)
    served = Served(url, make_fleet(JOBS).policy, clock=lambda: NOW + timedelta(minutes=1))

    def json() -> None:
        first = served.get("/api/v1/jobs?limit=1000").answer.json()
        rest = served.get(f"/api/v1/jobs?limit=1000&cursor={first['next_cursor']}").answer.json()
        assert len(first["items"]) + len(rest["items"]) >= JOBS

    def page() -> None:
        assert served.get("/").status == 200

    times = [(seconds(page), seconds(json)) for _ in range(9)]
    assert median(one for one, _ in times) <= 3 * median(other for _, other in times)
    served.close()


def seconds(what: Callable[[], None]) -> float:
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun


@pytest.mark.alone
def test_second_look_at_a_run_of_100000_files_is_faster_than_the_bare_statement(sqlite_rows: Rows) -> None:
    names = {
        f"wiki{db}.t{table}{end}": db for db in range(900) for table in range(55) for end in (".sql", "-schema.sql")
    }
    ids = [sqlite_rows.add(start=NOW - days * DAY) for days in (2, 1)]
    for run in ids:
        sqlite_rows.add_files(run, dict(names))
    served = Served(sqlite_rows.url, Policy(), timeout=60)

    def bare() -> None:
        with served.poller.database.connect() as connection:
            statement = text("SELECT file_path, file_name, size FROM backup_files WHERE backup_id = :id")
            assert len(list(connection.execute(statement, {"id": ids[1]}))) == len(names)

    def page() -> None:
        assert served.get(f"/runs/{ids[1]}").status == 200

    def api() -> None:
        assert served.get(f"/api/v1/runs/{ids[1]}/diff").status == 200

    page()
    for again in (page, api):
        times = [(seconds(again), seconds(bare)) for _ in range(7)]
        assert median(one for one, _ in times) <= median(other for _, other in times)
    served.close()
