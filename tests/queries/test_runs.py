"""Search of runs: filters, orders and pages, on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bernard_exporter.domain.filters import RunFilter, RunSort, encode_cursor, parse
from bernard_exporter.domain.model import Run, Status
from bernard_exporter.errors import FilterError, NotFoundError, StoreError
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.page import Page
from bernard_exporter.queries.runs import find_run, previous_success, search_runs
from bernard_exporter.store.connection import Database
from bernard_exporter.web.pages.query import RunForm
from testing.rows import CODFW, DAY, EQIAD, HOUR, MIB, NOW, Rows, run_row
from tests.queries.inventory import KINDS, Polled, inventory


def ids(polled: Polled, wanted: RunFilter) -> list[int]:
    return [run.id for run in pages(polled, wanted)]


def search(rows: Rows, wanted: RunFilter) -> Page[Run]:
    return searched(Polled(rows), wanted)


def searched(polled: Polled, wanted: RunFilter) -> Page[Run]:
    return polled.ask(lambda view: search_runs(view.connection, view.snapshot, wanted))


def pages(polled: Polled, wanted: RunFilter) -> list[Run]:
    """Every run that a client finds who follows the cursors."""
    found: list[Run] = []
    while True:
        page = searched(polled, wanted)
        found += page.items
        if page.next_cursor is None:
            return found
        assert len(page.items) == wanted.limit
        wanted = wanted.model_copy(update={"cursor": page.next_cursor})


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with inventory(request.param, request, tmp_path_factory.mktemp("runs")) as rows:
        yield fill(rows)


def fill(rows: Rows) -> Rows:
    """Six runs: 1 and 2 good dumps, 3 a failed one, 4 a snapshot in codfw, 5 ongoing, 6 of no known host or start."""
    rows.add(id=1, start=NOW - 9 * DAY, size=MIB)
    rows.add(id=2, start=NOW - 2 * DAY, size=3 * MIB, source="db1140.eqiad.wmnet")
    rows.add(id=3, start=NOW - DAY, status="failed", size=None, end=NOW - DAY + 3 * HOUR)
    rows.add(id=4, start=NOW - 3 * DAY, type="snapshot", section="S1", host=CODFW, size=2 * MIB)
    rows.add(id=5, start=NOW - HOUR, status="ongoing", section="s2")
    rows.add(id=6, host=None, status="", section="s2", type=None, name="odd %name_", size=None)
    rows.execute("UPDATE backups SET start_date = '1970-01-01 00:00:01', end_date = NULL WHERE id = 6")
    return rows


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (RunFilter(), [6, 5, 4, 3, 2, 1]),
        (RunFilter(sort=RunSort.ID), [1, 2, 3, 4, 5, 6]),
        (RunFilter(sort=RunSort.START_DOWN), [5, 3, 2, 4, 1, 6]),
        (RunFilter(sort=RunSort.START), [6, 1, 4, 2, 3, 5]),
        (RunFilter(sort=RunSort.SIZE_DOWN), [2, 4, 1, 6, 5, 3]),
        (RunFilter(sort=RunSort.SIZE), [3, 5, 6, 1, 4, 2]),
        (RunFilter(sort=RunSort.END_DOWN), [3, 2, 4, 1, 6, 5]),
        (RunFilter(sort=RunSort.DURATION_DOWN), [3, 4, 2, 1, 6, 5]),
        (RunFilter(sort=RunSort.DURATION), [5, 6, 1, 2, 4, 3]),
        (RunFilter(section=("s1",)), [3, 2, 1]),
        (RunFilter(section=("S1",)), [4]),
        (RunFilter(section=("s1", "S1"), type=("snapshot",)), [4]),
        (RunFilter(section=("s2",)), [6, 5]),
        (RunFilter(type=("dump",)), [5, 3, 2, 1]),
        (RunFilter(datacenter=("codfw",)), [4]),
        (RunFilter(datacenter=("unknown",)), [6]),
        (RunFilter(datacenter=("nowhere",)), []),
        (RunFilter(status=(Status.FAILED, Status.ONGOING)), [5, 3]),
        (RunFilter(status=(Status.UNKNOWN,)), [6]),
        (RunFilter(source=("db1140.eqiad.wmnet",)), [2]),
        (RunFilter(host=(EQIAD,)), [5, 3, 2, 1]),
        (RunFilter(host=("",)), [6]),
        (RunFilter(name="SNAPSHOT.s1"), [4]),
        (RunForm(name="SNAPSHOT.s1", words=("nothing",)), []),
        (RunFilter(name="%"), [6]),
        (RunFilter(name="_"), [6]),
        (RunFilter(started_after=NOW - 2 * DAY), [5, 3, 2]),
        (RunFilter(started_before=NOW - 2 * DAY), [4, 1]),
        (RunFilter(ended_after=NOW - DAY), [3]),
        (RunFilter(ended_before=NOW - 3 * DAY + HOUR), [1]),
        (RunFilter(min_size=2 * MIB), [4, 2]),
        (RunFilter(max_size=2 * MIB), [4, 1]),
        (RunFilter(name="'; DROP TABLE backups; --"), []),
        (
            RunFilter(
                type=("日", "<"), section=("<script>",), host=("日本\U0001f4a9",), source=("é",), name="\U0001f4a9"
            ),
            [],
        ),
    ],
)
def test_filter_finds_what_passes_in_its_order(filled: Rows, wanted: RunFilter, expected: list[int]) -> None:
    polled = Polled(filled)
    for limit in (1, 2, 100):
        assert ids(polled, wanted.model_copy(update={"limit": limit})) == expected


def test_pages_stay_put_while_runs_are_inserted(rows: Rows) -> None:
    filled = fill(rows)
    first = search(filled, RunFilter(limit=2))
    filled.add(id=7)
    second = search(filled, RunFilter(limit=2, cursor=first.next_cursor))
    filled.add(id=8)
    filled.remove(4)
    third = search(filled, RunFilter(limit=2, cursor=second.next_cursor))
    seen = [run.id for page in (first, second, third) for run in page.items]
    assert seen == [6, 5, 4, 3, 2, 1]
    assert third.next_cursor is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "====",
        "bnVsbA",
        encode_cursor("-id", 1),
        encode_cursor("-id", "1", 2),
        encode_cursor("-id", 1.5, 2),
        encode_cursor("-id", 1 << 70, 2),
        encode_cursor("-start", 1, 2),
        "W" * 9000,
    ],
)
def test_cursor_that_is_none_is_refused(filled: Rows, cursor: str) -> None:
    with pytest.raises(FilterError, match=r"cursor: ((not|found) a cursor of|found 9000 characters)"):
        search(filled, parse(RunFilter, {"cursor": cursor}))


@pytest.mark.parametrize(
    "values",
    [
        {"limit": 0},
        {"limit": 1001},
        {"section": ("x" * 301,)},
        {"section": ("x",) * 51},
        {"name": "\ud800"},
        {"min_size": -1},
        {"max_size": 1 << 63},
        {"started_after": NOW.replace(tzinfo=None)},
    ],
)
def test_filter_that_makes_no_sense_is_refused(values: dict[str, object]) -> None:
    (parameter,) = values
    with pytest.raises(FilterError) as refused:
        parse(RunFilter, values)
    assert refused.value.parameter == parameter


def test_run_is_found_by_its_id(filled: Rows) -> None:
    assert Polled(filled).ask(lambda view: find_run(view.connection, 3)).status is Status.FAILED
    with pytest.raises(NotFoundError, match="no run 99 in the inventory"):
        Polled(filled).ask(lambda view: find_run(view.connection, 99))


def test_previous_success_is_of_the_same_job(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 9 * DAY)
    rows.add(id=2, start=NOW - 8 * DAY, host=CODFW)
    rows.add(id=3, start=NOW - 7 * DAY, type="snapshot")
    rows.add(id=4, start=NOW - 6 * DAY, status="failed")
    rows.add(id=5, start=NOW - 5 * DAY, end=None)
    rows.add(id=6, start=NOW - 5 * DAY)
    rows.add(id=7, start=NOW - 5 * DAY, section="S1")

    def before(run_id: int) -> int | None:
        def question(view: DatabaseView) -> Run | None:
            run = find_run(view.connection, run_id)
            return previous_success(view.connection, view.snapshot, run, view.now)

        found = Polled(rows).ask(question)
        return found.id if found else None

    assert [before(run_id) for run_id in (6, 4, 1, 2, 7)] == [1, 1, None, None, None]


def test_search_that_takes_too_long_is_ended(rows: Rows) -> None:
    rows.add_all([run_row(id=number, start=NOW - timedelta(hours=number)) for number in range(1, 2001)])
    if rows.engine.dialect.name == "sqlite":
        rows.execute("CREATE TABLE many AS SELECT a.id FROM backups a, backups b")
    settings = replace(rows.settings, timeout=0.001)
    slow = (
        "SELECT SLEEP(5)"
        if rows.engine.dialect.name != "sqlite"
        else "SELECT COUNT(*) FROM many a, many b WHERE a.id + b.id = 1"
    )
    with pytest.raises(StoreError) as ended, Database(settings).connect() as connection:
        connection.exec_driver_sql(slow).all()
    assert ended.value.reason == "timeout"
