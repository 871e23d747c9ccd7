"""The cost of a page depends on its size, not on its depth: measured in rows read by the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.domain.filters import ContentSort, FileFilter, JobFilter, RunFilter, RunSort, encode_cursor
from bernard_exporter.domain.model import Status
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.contents import read_contents
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.entries import list_files
from bernard_exporter.queries.page import Page
from bernard_exporter.queries.runs import find_run, previous_success, search_runs
from bernard_exporter.queries.timeline import timeline
from bernard_exporter.store.connection import Database
from testing.rows import DAY, NOW
from testing.servers import MariaDB
from tests.polling.test_cost import rows_read

FILES = 1_000_000
RUNS = 100_000
_FILES = f"""
    INSERT INTO backup_files (backup_id, file_path, file_name, size)
    SELECT 1, IF(seq % 2, '', CONCAT('db', seq DIV 100000)),
        CONCAT('db', seq DIV 1000, '.t', LPAD(seq, 8, '0'), '.sql.gz'), seq
    FROM seq_1_to_{FILES}"""


@pytest.fixture(scope="module")
def database(mariadb: MariaDB, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database of 100,000 runs; the first has a million files."""
    name = "api_cost"
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    generate(mariadb.url(name), days=365, runs=RUNS, jobs=200, files=0, seed=1, now=NOW)
    mariadb.execute(_FILES, "ANALYZE TABLE backups, backup_files", database=name)
    yield Database(DatabaseSettings(url=mariadb.url(name), timeout=60))
    mariadb.execute(f"DROP DATABASE {name}")


SNAPSHOT = Snapshot(
    taken=NOW,
    policy=Policy(),
    hosts={f"dbprov{site}00{n}.{dc}.wmnet": 1 for n in range(1, 5) for site, dc in ((1, "eqiad"), (2, "codfw"))},
)


@contextmanager
def counted(database: Database) -> Iterator[tuple[Connection, Callable[[], int]]]:
    """Yield a connection, and what tells how many rows were read on it."""
    with database.connect() as connection:
        before = rows_read(connection)
        yield connection, lambda: rows_read(connection) - before


def cost(database: Database, question: Callable[[Connection], object]) -> int:
    with counted(database) as (connection, read):
        question(connection)
        return read()


@pytest.mark.parametrize("path", ["", "db7"])
@pytest.mark.parametrize("sort", [ContentSort.NAME, ContentSort.NAME_DOWN])
def test_page_of_files_costs_the_same_at_a_depth_of_a_million(database: Database, sort: ContentSort, path: str) -> None:
    wanted = FileFilter(sort=sort, limit=100)
    name = f"db{'9' if path else '5'}00.t00900000.sql.gz"
    deep = wanted.model_copy(update={"cursor": encode_cursor(sort.value, path, name, None)})
    read = {}
    for which, question in (("first", wanted), ("deep", deep)):

        def ask(connection: Connection, question: FileFilter = question) -> None:
            page = list_files(connection, find_run(connection, 1), question)
            assert len(page.items) == 100

        read[which] = cost(database, ask)
    assert read["first"] <= 110
    assert read["deep"] <= 1.5 * read["first"]


def test_every_page_on_the_way_to_the_millionth_file_costs_the_same(database: Database) -> None:
    """From the last thousand pages on, so that the test itself ends."""
    wanted = FileFilter(limit=1000, cursor=encode_cursor("name", "db9", "db988.t00988000.sql.gz", None))
    costs, files = [], 0
    with database.connect() as connection:
        run = find_run(connection, 1)
        while True:
            before = rows_read(connection)
            page: Page[object] = list_files(connection, run, wanted)  # type: ignore[assignment]
            costs.append(rows_read(connection) - before)
            files += len(page.items)
            if page.next_cursor is None:
                break
            wanted = wanted.model_copy(update={"cursor": page.next_cursor})
    assert files == 5999
    assert max(costs) <= 1.5 * 1001


@pytest.mark.parametrize(
    "wanted",
    [
        RunFilter(),
        RunFilter(sort=RunSort.ID),
        RunFilter(section=("s1",), type=("dump",), status=(Status.FINISHED,), sort=RunSort.START_DOWN),
    ],
)
def test_page_of_runs_costs_the_same_at_any_depth(database: Database, wanted: RunFilter) -> None:
    def middle(connection: Connection) -> str | None:
        if not wanted.section:
            return encode_cursor(wanted.sort.value, RUNS // 2, RUNS // 2)
        whole = search_runs(connection, SNAPSHOT, wanted.model_copy(update={"limit": 1000}))
        return search_runs(connection, SNAPSHOT, wanted.model_copy(update={"limit": len(whole.items) // 2})).next_cursor

    with database.connect() as connection:
        deep = wanted.model_copy(update={"cursor": middle(connection), "limit": 20})
    first = cost(
        database, lambda connection: search_runs(connection, SNAPSHOT, wanted.model_copy(update={"limit": 20}))
    )
    later = cost(database, lambda connection: search_runs(connection, SNAPSHOT, deep))
    assert first <= 30
    assert later <= 1.5 * first


def test_runs_of_a_section_cost_what_there_are_of_it(database: Database) -> None:
    """About 1,000 runs of 100,000, with any other filter."""
    for wanted in (
        RunFilter(section=("s1",)),
        RunFilter(section=("s1",), type=("dump",)),
        RunFilter(section=("s1",), sort=RunSort.SIZE_DOWN),
        RunFilter(section=("s1",), name="nothing"),
        RunFilter(section=("s1",), datacenter=("eqiad",), status=(Status.FAILED,)),
    ):
        read = cost(database, lambda connection, wanted=wanted: search_runs(connection, SNAPSHOT, wanted))  # type: ignore[misc]
        assert read < RUNS / 20, wanted


def test_search_of_everything_reads_each_run_once_at_most(database: Database) -> None:
    """What no index serves costs a pass over the table, which the statement timeout bounds; never a count beside it."""
    for wanted in (RunFilter(name="nothing"), RunFilter(sort=RunSort.SIZE_DOWN), RunFilter(host=("nowhere",))):
        read = cost(database, lambda connection, wanted=wanted: search_runs(connection, SNAPSHOT, wanted))  # type: ignore[misc]
        assert read < 1.1 * RUNS, wanted


def test_no_statement_skips_or_counts(database: Database) -> None:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    event.listen(database.engines[0], "before_cursor_execute", note)
    with database.connect() as connection:
        search_runs(connection, SNAPSHOT, RunFilter(limit=2))
        newest = find_run(connection, RUNS)
        previous_success(connection, SNAPSHOT, newest, NOW)
        list_files(connection, newest, FileFilter(db="x"))
        read_contents(connection, newest)
        timeline(connection, SNAPSHOT, JobFilter(), NOW - DAY, NOW, NOW)
    event.remove(database.engines[0], "before_cursor_execute", note)
    assert len(statements) > 5
    assert [sql for sql in statements if re.search(r"OFFSET|COUNT\(|SQL_CALC", sql, re.IGNORECASE)] == []
    assert [sql for sql in statements if re.search(r"LIMIT \S+, ", sql)] == []


def test_success_before_a_run_is_found_in_a_few_rows(database: Database) -> None:
    def question(connection: Connection) -> None:
        run = find_run(connection, RUNS - 10)
        assert previous_success(connection, SNAPSHOT, run, NOW)

    assert cost(database, question) < 100


def test_files_of_one_run_are_summed_by_reading_each_once(database: Database, tmp_path: Path) -> None:
    with counted(database) as (connection, read):
        connection.exec_driver_sql("SELECT 1")
        found = read_contents(connection, replace(find_run(connection, 1), id=2))
        assert (found.files, found.objects) == (0, {})
        assert read() < 10
