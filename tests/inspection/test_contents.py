"""The files, databases and tables of a run, and what changed, on each kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bernard_exporter.contents import Measure, Object
from bernard_exporter.errors import FilterError
from bernard_exporter.filters import ContentFilter, ContentSort, encode_cursor
from bernard_exporter.inspection.difference import Changed, Difference, difference
from bernard_exporter.inspection.files import list_files
from bernard_exporter.inspection.objects import Held, list_objects
from bernard_exporter.inspection.page import Page
from bernard_exporter.inspection.runs import find_run
from bernard_exporter.inventory.holdings import Holdings, holdings
from bernard_exporter.store.entries import File
from tests.inspection.inventory import KINDS, Polled, inventory
from tests.rows import Rows

DUMP: dict[str, int | None] = {
    "metadata": 168,
    "enwiki-schema-create.sql.gz": 100,
    "enwiki.page-schema.sql.gz": 300,
    "enwiki.page.00000.sql.gz": 5000,
    "enwiki.page.00001.sql.gz": 6000,
    "enwiki.watch-schema-view.sql.zst": 50,
    "enwiki_old.page.sql": 70,
    "zh@002dwiki.user.sql.gz": 900,
    "archived.gz.tar": 4000,
    "<script>alert(1)<.x.sql.gz": 1,
    "'; DROP TABLE x; --.t.sql.gz": None,
}
SNAPSHOT: dict[str, int | None] = {
    "ibdata1": 1000,
    "enwiki": 4096,
    "enwiki/db.opt": 67,
    "enwiki/page.ibd": 9000,
    "enwiki/page.frm": 10,
    "enwiki/log#P#p0.ibd": 20,
    "enwiki/log#P#p1.ibd": 30,
    "a@002db/t.MYD": 5,
    "a@002db/t.MYI": 6,
}


def listed(polled: Polled, run_id: int, wanted: ContentFilter) -> Page[File]:
    return polled.ask(lambda view: list_files(view.connection, find_run(view.connection, run_id), wanted))


def names(polled: Polled, run_id: int, wanted: ContentFilter) -> list[str]:
    """Every file that a client finds who follows the cursors."""
    found: list[str] = []
    while True:
        page = listed(polled, run_id, wanted)
        found += [f"{file.path}/{file.name}".lstrip("/") for file in page.items]
        if page.next_cursor is None:
            return found
        wanted = replace(wanted, cursor=page.next_cursor)


def held(rows: Rows, run_id: int) -> Holdings:
    return Polled(rows).ask(lambda view: holdings(view.connection, find_run(view.connection, run_id)))


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with inventory(request.param, request, tmp_path_factory.mktemp("contents")) as rows:
        yield fill(rows)


def fill(rows: Rows) -> Rows:
    tarball: dict[str, int | None] = {"snapshot.s1.x.tar.gz": 9}
    for run_id, kind, files in (
        (1, "dump", DUMP),
        (2, "snapshot", SNAPSHOT),
        (3, "snapshot", tarball),
        (4, "dump", {}),
    ):
        rows.add(id=run_id, type=kind)
        if files:
            rows.add_files(run_id, dict(files))
    return rows


@pytest.mark.parametrize(
    ("run_id", "wanted", "expected"),
    [
        (2, ContentFilter(path=""), ["enwiki", "ibdata1"]),
        (2, ContentFilter(path="enwiki", name="LOG#"), ["enwiki/log#P#p0.ibd", "enwiki/log#P#p1.ibd"]),
        (2, ContentFilter(path="ENWIKI"), []),
        (2, ContentFilter(path="日本", name="\U0001f4a9"), []),
        (2, ContentFilter(db="a-b"), ["a@002db/t.MYD", "a@002db/t.MYI"]),
        (2, ContentFilter(db="-"), []),
        (1, ContentFilter(db="zh-wiki"), ["zh@002dwiki.user.sql.gz"]),
        (1, ContentFilter(db="enwiki", name="page"), sorted(name for name in DUMP if name.startswith("enwiki.page"))),
        (1, ContentFilter(db="<script>alert(1)<"), ["<script>alert(1)<.x.sql.gz"]),
        (1, ContentFilter(min_size=5000), ["enwiki.page.00000.sql.gz", "enwiki.page.00001.sql.gz"]),
        (
            1,
            ContentFilter(min_size=4000, sort=ContentSort.SIZE),
            ["archived.gz.tar", "enwiki.page.00000.sql.gz", "enwiki.page.00001.sql.gz"],
        ),
        (1, ContentFilter(name="DROP"), ["'; DROP TABLE x; --.t.sql.gz"]),
        (4, ContentFilter(), []),
    ],
)
def test_files_that_pass_are_listed(filled: Rows, run_id: int, wanted: ContentFilter, expected: list[str]) -> None:
    polled = Polled(filled)
    assert names(polled, run_id, wanted) == expected
    assert names(polled, run_id, replace(wanted, limit=1)) == expected


@pytest.mark.parametrize("run_id", [1, 2])
def test_pages_of_files_hold_each_once_in_every_order(filled: Rows, run_id: int) -> None:
    files = dict(DUMP if run_id == 1 else SNAPSHOT)
    polled = Polled(filled)
    for sort in ContentSort:
        whole = names(polled, run_id, ContentFilter(sort=sort))
        assert sorted(whole) == sorted(files)
        assert names(polled, run_id, ContentFilter(sort=sort, limit=2)) == whole
        if sort.endswith("size"):
            sizes = [-1 if files[name] is None else files[name] for name in whole]
            assert sizes == sorted(sizes, reverse=sort.startswith("-"), key=lambda size: size or 0)
    by_name = names(polled, run_id, ContentFilter())
    assert names(polled, run_id, ContentFilter(sort=ContentSort.NAME_DOWN)) == by_name[::-1]


@pytest.mark.parametrize("cursor", ["", "W10", encode_cursor("name", "a"), encode_cursor("name", "a", 1, None)])
def test_cursor_of_files_that_is_none_is_refused(filled: Rows, cursor: str) -> None:
    with pytest.raises(FilterError, match="cursor: found"):
        listed(Polled(filled), 1, ContentFilter(cursor=cursor))


def test_cursor_of_odd_text_finds_nothing_worse_than_a_page(filled: Rows) -> None:
    cursor = encode_cursor("name", "日本", "\U0001f4a9", None)
    assert listed(Polled(filled), 1, ContentFilter(cursor=cursor)).next_cursor is None


def test_objects_are_told_from_names_with_their_sizes_summed(filled: Rows) -> None:
    assert held(filled, 1).objects == {
        Object("enwiki", None): Measure(100 + 300 + 5000 + 6000 + 50, 5),
        Object("enwiki", "page"): Measure(11300, 3),
        Object("enwiki", "watch"): Measure(50, 1),
        Object("enwiki_old", None): Measure(70, 1),
        Object("enwiki_old", "page"): Measure(70, 1),
        Object("zh-wiki", None): Measure(900, 1),
        Object("zh-wiki", "user"): Measure(900, 1),
        Object("archived", None): Measure(4000, 1),
        Object("<script>alert(1)<", None): Measure(1, 1),
        Object("<script>alert(1)<", "x"): Measure(1, 1),
        Object("'; DROP TABLE x; --", None): Measure(None, 1),
        Object("'; DROP TABLE x; --", "t"): Measure(None, 1),
    }
    assert held(filled, 2).objects == {
        Object("enwiki", None): Measure(67 + 9000 + 10 + 20 + 30, 5),
        Object("enwiki", "page"): Measure(9010, 2),
        Object("enwiki", "log"): Measure(50, 2),
        Object("a-b", None): Measure(11, 2),
        Object("a-b", "t"): Measure(11, 2),
    }


def test_single_tarball_tells_no_objects(filled: Rows) -> None:
    assert held(filled, 3) == Holdings(files=1, bytes=9, objects={})


def test_recorded_objects_go_before_those_told_from_names(rows: Rows) -> None:
    filled = fill(rows)
    filled.add_objects(2, [("enwiki", "page"), ("enwiki", "gone"), ("new", None)])
    filled.execute("UPDATE backup_objects SET size = 8000 WHERE name = 'page'")
    assert held(filled, 2).objects == {
        Object("enwiki", "page"): Measure(8000, 2),
        Object("enwiki", "gone"): Measure(None, None),
        Object("enwiki", None): Measure(None, None),
        Object("new", None): Measure(None, None),
    }


def test_pages_of_objects_hold_each_once_in_every_order(filled: Rows) -> None:
    objects = held(filled, 1).objects
    for sort in ContentSort:
        whole = list_objects(objects, ContentFilter(sort=sort)).items
        assert {item.object: item.measure for item in whole} == objects
        wanted, found = ContentFilter(sort=sort, limit=5), list[Held]()
        while True:
            page = list_objects(objects, wanted)
            found += page.items
            if page.next_cursor is None:
                break
            wanted = replace(wanted, cursor=page.next_cursor)
        assert tuple(found) == whole


def test_objects_that_pass_are_listed() -> None:
    objects = {
        Object("a", None): Measure(30, 2),
        Object("a", "Page"): Measure(20, 1),
        Object("b", "x"): Measure(None, 1),
    }

    def found(wanted: ContentFilter) -> list[Object]:
        return [item.object for item in list_objects(objects, wanted).items]

    assert found(ContentFilter(db="a")) == [Object("a", None), Object("a", "Page")]
    assert found(ContentFilter(name="pag")) == [Object("a", "Page")]
    assert found(ContentFilter(min_size=25)) == [Object("a", None)]


def test_difference_tells_of_databases_first_and_keeps_to_the_threshold() -> None:
    one, two = Measure(100, 1), Measure(200, 1)
    before = {
        Object("z", None): one,
        Object("z", "t"): one,
        Object("a", "old"): one,
        Object("a", None): one,
        Object("a", "same"): one,
        Object("a", "little"): one,
        Object("a", "grown"): one,
        Object("a", "shrunk"): Measure(1000, 1),
        Object("a", "empty"): Measure(0, 1),
        Object("a", "unknown"): Measure(None, 1),
    }
    now = {
        Object("a", None): two,
        Object("a", "same"): one,
        Object("a", "little"): Measure(105, 1),
        Object("a", "grown"): two,
        Object("a", "shrunk"): Measure(10, 1),
        Object("a", "empty"): one,
        Object("a", "unknown"): one,
        Object("a", "new"): one,
        Object("b", None): one,
    }
    assert difference(now, before, 0.05) == Difference(
        added=(Held(Object("b", None), one), Held(Object("a", "new"), one)),
        removed=(Held(Object("z", None), one), Held(Object("a", "old"), one), Held(Object("z", "t"), one)),
        changed=(
            Changed(Object("a", None), two, one, 1.0),
            Changed(Object("a", "shrunk"), Measure(10, 1), Measure(1000, 1), -0.99),
            Changed(Object("a", "empty"), one, Measure(0, 1), None),
            Changed(Object("a", "grown"), two, one, 1.0),
        ),
    )
    assert difference(now, {}, 0.05) is None
    assert difference({}, before, 0.05) is None
