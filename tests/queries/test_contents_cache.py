"""The contents of ended runs are derived once, and kept within a bound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, event

from bernard_exporter.queries.contents import ContentsCache
from bernard_exporter.queries.runs import find_run
from testing.rows import DAY, NOW, Rows

FILES: dict[str, int | None] = {"enwiki.page.sql.gz": 10, "enwiki.text.sql.gz": 20}


@pytest.fixture
def rows(tmp_path: object) -> Rows:
    return Rows(f"sqlite:///{tmp_path}/inventory.sqlite")


@pytest.fixture
def connection(rows: Rows) -> Iterator[Connection]:
    with rows.engine.connect() as opened:
        yield opened


def reads(connection: Connection, cache: ContentsCache, *ids: int) -> int:
    """Return how many statements read the contents of some runs."""
    runs = [find_run(connection, run_id) for run_id in ids]
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(connection, "before_cursor_execute", note)
    for run in runs:
        assert {thing.name for thing in cache.read(connection, run, NOW).objects} == {None, "page", "text"}
    event.remove(connection, "before_cursor_execute", note)
    return sum("FROM backup_files" in statement for statement in statements)


def test_run_that_has_ended_is_read_once(rows: Rows, connection: Connection) -> None:
    run = rows.add(start=NOW - DAY)
    rows.add_files(run, FILES)
    cache = ContentsCache()
    once = reads(connection, cache, run)
    assert once > 0
    assert reads(connection, cache, run, run) == 0
    rows.change(run, total_size=31)
    connection.rollback()
    assert reads(connection, cache, run) == once


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "ongoing"},
        {"size": None},
        {"end": NOW},
    ],
)
def test_run_whose_rows_may_still_change_is_always_read(
    rows: Rows, connection: Connection, columns: dict[str, object]
) -> None:
    run = rows.add(start=NOW - DAY, **columns)
    rows.add_files(run, FILES)
    cache = ContentsCache()
    assert reads(connection, cache, run) == reads(connection, cache, run) > 0


def test_least_recently_used_contents_leave_when_the_bound_is_reached(rows: Rows, connection: Connection) -> None:
    first, second, third = (rows.add(start=NOW - days * DAY) for days in (3, 2, 1))
    for run in (first, second, third):
        rows.add_files(run, FILES)
    # Two runs of three objects each fit.
    cache = ContentsCache(most_bytes=2100)
    once = reads(connection, cache, first)
    assert reads(connection, cache, second) == once
    assert reads(connection, cache, first) == 0
    assert reads(connection, cache, third) == once
    assert reads(connection, cache, first) == 0
    assert reads(connection, cache, second) == once
    assert reads(connection, ContentsCache(most_bytes=900), first, first) == 2 * once
