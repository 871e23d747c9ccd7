"""Pages of the runs of sections that have very many are found in the order of an index, and cost the same each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from bernard_exporter.domain.filters import RunFilter, RunSort
from bernard_exporter.domain.model import Status
from bernard_exporter.store import search
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, DAY, EQIAD, HOUR, NOW, Rows
from testing.servers import MariaDB
from tests.polling.test_cost import rows_read

SORTS = [RunSort.ID, RunSort.ID_DOWN, RunSort.START, RunSort.START_DOWN]
FILTERS = [
    RunFilter(section=("s1",)),
    RunFilter(section=("s1", "S1", "s2"), status=(Status.FINISHED, Status.UNKNOWN)),
    RunFilter(section=("s1", "s2"), type=("dump",), started_after=NOW - DAY, ended_before=NOW),
    RunFilter(section=("S1",), type=("dump", "snapshot"), host=(CODFW,)),
]


def pages(connection: Connection, criteria: RunFilter, limit: int) -> list[int]:
    """Return the ids of all runs that match, read page by page."""
    ids: list[int] = []
    after = None
    while page := search.runs(connection, criteria, None, after, limit):
        ids += [run.id for _, run in page]
        after = page[-1][0]
    return ids


@pytest.fixture
def mixed(mariadb_url: str) -> Rows:
    """Runs in seconds that they share, of sections that the index takes for the same, in any status and type."""
    rows = Rows(mariadb_url)
    rows.execute("ALTER TABLE backups MODIFY status VARCHAR(20) NOT NULL")
    for number in range(120):
        rows.add(
            section=("s1", "S1", "s2")[number % 3],
            type=("dump", "dump", "snapshot", None)[number % 4],
            status=("finished", "failed", "ongoing", "odd", "Odd")[number % 5],
            host=(EQIAD, CODFW)[number // 4 % 2],
            start=NOW - timedelta(hours=2 + 7 * (number * 13 % 11 // 3)),
            end=NOW - HOUR,
        )
    rows.execute("UPDATE backups SET start_date = '0000-00-00 00:00:00' WHERE MOD(id, 17) = 0")
    return rows


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("criteria", FILTERS)
def test_pages_of_large_sections_have_what_sorting_them_finds(
    mixed: Rows, monkeypatch: pytest.MonkeyPatch, criteria: RunFilter, sort: RunSort
) -> None:
    with Database(mixed.settings).connect() as connection:
        runs = [run for _, run in search.runs(connection, criteria, None, None, 1000)]
        assert runs
        monkeypatch.setattr(search, "MOST_SORTED", 3)
        ids = pages(connection, criteria.model_copy(update={"sort": sort}), 4)
    runs.sort(key=lambda run: run.order if "start" in sort else run.id, reverse=sort.startswith("-"))
    assert ids == [run.id for run in runs]


@pytest.fixture
def crowd(mariadb: MariaDB, mariadb_url: str) -> Rows:
    """6,000 failed runs of one second, and an older one in another status."""
    rows = Rows(mariadb_url)
    rows.add(section="huge", start=NOW - 2 * DAY)
    mariadb.execute(
        "INSERT INTO backups (status, host, type, section, start_date) "
        f"SELECT 'failed', '{EQIAD}', 'dump', 'huge', '2026-03-09 12:00:00' FROM seq_1_to_6000",
        "ANALYZE TABLE backups",
        database=mariadb_url.rpartition("/")[2],
    )
    return rows


@pytest.mark.parametrize("sort", [RunSort.ID, RunSort.ID_DOWN, RunSort.START, RunSort.START_DOWN])
@pytest.mark.parametrize("kinds", [{}, {"type": ("dump",), "status": (Status.FAILED,)}])
def test_each_page_of_a_large_section_reads_few_rows(
    crowd: Rows, monkeypatch: pytest.MonkeyPatch, kinds: dict[str, Any], sort: RunSort
) -> None:
    monkeypatch.setattr(search, "MOST_SORTED", 50)
    criteria = RunFilter(section=("huge",), sort=sort, **kinds)
    with Database(crowd.settings).connect() as connection:
        runs = search.runs(connection, criteria, None, None, 10_000)
        # In the middle of the second, and at its end.
        for place in (1, 3_000, len(runs) - 50):
            before = rows_read(connection)
            page = search.runs(connection, criteria, None, runs[place - 1][0], 100)
            # Some to see that there are many, and the page.
            assert rows_read(connection) - before < 300
            assert page == runs[place : place + 100]
