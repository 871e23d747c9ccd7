"""Files, databases and tables of a run, and differences, on each kind of store."""

from __future__ import annotations

import time
import tracemalloc
from collections import deque
from collections.abc import Iterator
from statistics import median

import pytest

from bernard_exporter.domain.file_names import Object
from bernard_exporter.domain.filters import ContentFilter, ContentSort, FileFilter, encode_cursor
from bernard_exporter.errors import FilterError
from bernard_exporter.inventory.contents import Contents, ObjectSize, read_contents, read_digest
from bernard_exporter.queries.diff import BackupDiff, ChangedObject, difference
from bernard_exporter.queries.entries import SizedObject, list_files, list_objects
from bernard_exporter.queries.page import Page
from bernard_exporter.queries.runs import find_run
from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database
from bernard_exporter.store.entries import File
from testing.rows import Rows
from tests.domain.file_names.test_names import LISTINGS, parsed
from tests.queries.inventory import KINDS, Polled, inventory

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


def listed(polled: Polled, run_id: int, wanted: FileFilter) -> Page[File]:
    return polled.ask(lambda view: list_files(view.connection, find_run(view.connection, run_id), wanted))


def names(polled: Polled, run_id: int, wanted: FileFilter) -> list[str]:
    """Every file that a client finds who follows the cursors."""
    found: list[str] = []
    while True:
        page = listed(polled, run_id, wanted)
        found += [f"{file.path}/{file.name}".lstrip("/") for file in page.items]
        if page.next_cursor is None:
            return found
        wanted = wanted.model_copy(update={"cursor": page.next_cursor})


def contents(rows: Rows, run_id: int) -> Contents:
    return Polled(rows).ask(lambda view: read_contents(view.connection, find_run(view.connection, run_id)))


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
        (2, FileFilter(path=""), ["enwiki", "ibdata1"]),
        (2, FileFilter(path="enwiki", name="LOG#"), ["enwiki/log#P#p0.ibd", "enwiki/log#P#p1.ibd"]),
        (2, FileFilter(path="ENWIKI"), []),
        (2, FileFilter(path="日本", name="\U0001f4a9"), []),
        (2, FileFilter(db="a-b"), ["a@002db/t.MYD", "a@002db/t.MYI"]),
        (2, FileFilter(db="-"), []),
        (1, FileFilter(db="zh@002dwiki"), ["zh@002dwiki.user.sql.gz"]),
        (1, FileFilter(db="enwiki", name="page"), sorted(name for name in DUMP if name.startswith("enwiki.page"))),
        (1, FileFilter(db="<script>alert(1)<"), ["<script>alert(1)<.x.sql.gz"]),
        (1, FileFilter(min_size=5000), ["enwiki.page.00000.sql.gz", "enwiki.page.00001.sql.gz"]),
        (
            1,
            FileFilter(min_size=4000, sort=ContentSort.SIZE),
            ["archived.gz.tar", "enwiki.page.00000.sql.gz", "enwiki.page.00001.sql.gz"],
        ),
        (1, FileFilter(name="DROP"), ["'; DROP TABLE x; --.t.sql.gz"]),
        (4, FileFilter(), []),
    ],
)
def test_files_that_pass_are_listed(filled: Rows, run_id: int, wanted: FileFilter, expected: list[str]) -> None:
    polled = Polled(filled)
    assert names(polled, run_id, wanted) == expected
    assert names(polled, run_id, wanted.model_copy(update={"limit": 1})) == expected


@pytest.mark.parametrize("run_id", [1, 2])
def test_pages_of_files_hold_each_once_in_every_order(filled: Rows, run_id: int) -> None:
    files = dict(DUMP if run_id == 1 else SNAPSHOT)
    polled = Polled(filled)
    for sort in ContentSort:
        whole = names(polled, run_id, FileFilter(sort=sort))
        assert sorted(whole) == sorted(files)
        assert names(polled, run_id, FileFilter(sort=sort, limit=2)) == whole
        if sort.endswith("size"):
            sizes = [-1 if files[name] is None else files[name] for name in whole]
            assert sizes == sorted(sizes, reverse=sort.startswith("-"), key=lambda size: size or 0)
    by_name = names(polled, run_id, FileFilter())
    assert names(polled, run_id, FileFilter(sort=ContentSort.NAME_DOWN)) == by_name[::-1]


@pytest.mark.parametrize("cursor", ["", "W10", encode_cursor("name", "a"), encode_cursor("name", "a", 1, None)])
def test_cursor_of_files_that_is_none_is_refused(filled: Rows, cursor: str) -> None:
    with pytest.raises(FilterError, match="cursor: not a cursor of this list, expected the next_cursor"):
        listed(Polled(filled), 1, FileFilter(cursor=cursor))


def test_cursor_of_odd_text_finds_nothing_worse_than_a_page(filled: Rows) -> None:
    cursor = encode_cursor("name", "日本", "\U0001f4a9", None)
    assert listed(Polled(filled), 1, FileFilter(cursor=cursor)).next_cursor is None


def test_objects_are_told_from_names_with_their_sizes_summed(filled: Rows) -> None:
    assert contents(filled, 1).objects == {
        Object("enwiki", None): ObjectSize(100 + 300 + 5000 + 6000 + 50, 5),
        Object("enwiki", "page"): ObjectSize(11300, 3),
        Object("enwiki", "watch"): ObjectSize(50, 1),
        Object("enwiki_old", None): ObjectSize(70, 1),
        Object("enwiki_old", "page"): ObjectSize(70, 1),
        Object("zh@002dwiki", None): ObjectSize(900, 1),
        Object("zh@002dwiki", "user"): ObjectSize(900, 1),
        Object("archived", None): ObjectSize(4000, 1),
        Object("<script>alert(1)<", None): ObjectSize(1, 1),
        Object("<script>alert(1)<", "x"): ObjectSize(1, 1),
        Object("'; DROP TABLE x; --", None): ObjectSize(None, 1),
        Object("'; DROP TABLE x; --", "t"): ObjectSize(None, 1),
    }
    assert contents(filled, 2).objects == {
        Object("enwiki", None): ObjectSize(67 + 9000 + 10 + 20 + 30, 5),
        Object("enwiki", "page"): ObjectSize(9010, 2),
        Object("enwiki", "log"): ObjectSize(50, 2),
        Object("a-b", None): ObjectSize(11, 2),
        Object("a-b", "t"): ObjectSize(11, 2),
    }


def test_single_tarball_tells_no_objects(filled: Rows) -> None:
    assert contents(filled, 3) == Contents(files=1, bytes=9, objects={})


def test_recorded_objects_go_before_those_told_from_names(rows: Rows) -> None:
    filled = fill(rows)
    filled.add_objects(2, [("enwiki", "page"), ("enwiki", "gone"), ("new", None)])
    filled.execute("UPDATE backup_objects SET size = 8000 WHERE name = 'page'")
    assert contents(filled, 2).objects == {
        Object("enwiki", "page"): ObjectSize(8000, 2),
        Object("enwiki", "gone"): ObjectSize(None, None),
        Object("enwiki", None): ObjectSize(None, None),
        Object("new", None): ObjectSize(None, None),
    }


def test_pages_of_objects_hold_each_once_in_every_order(filled: Rows) -> None:
    objects = contents(filled, 1).objects
    for sort in ContentSort:
        whole = list_objects(objects, ContentFilter(sort=sort)).items
        assert {item.object: item.amount for item in whole} == objects
        wanted, found = ContentFilter(sort=sort, limit=5), list[SizedObject]()
        while True:
            page = list_objects(objects, wanted)
            found += page.items
            if page.next_cursor is None:
                break
            wanted = wanted.model_copy(update={"cursor": page.next_cursor})
        assert tuple(found) == whole


def test_objects_that_pass_are_listed() -> None:
    objects = {
        Object("a", None): ObjectSize(30, 2),
        Object("a", "Page"): ObjectSize(20, 1),
        Object("b", "x"): ObjectSize(None, 1),
    }

    def found(wanted: ContentFilter) -> list[Object]:
        return [item.object for item in list_objects(objects, wanted).items]

    assert found(ContentFilter(db="a")) == [Object("a", None), Object("a", "Page")]
    assert found(ContentFilter(name="pag")) == [Object("a", "Page")]
    assert found(ContentFilter(min_size=25)) == [Object("a", None)]


def test_difference_tells_of_databases_first_and_keeps_to_the_threshold() -> None:
    one, two = ObjectSize(100, 1), ObjectSize(200, 1)
    before = {
        Object("z", None): one,
        Object("z", "t"): one,
        Object("a", "old"): one,
        Object("a", None): one,
        Object("a", "same"): one,
        Object("a", "little"): one,
        Object("a", "grown"): one,
        Object("a", "shrunk"): ObjectSize(1000, 1),
        Object("a", "empty"): ObjectSize(0, 1),
        Object("a", "unknown"): ObjectSize(None, 1),
    }
    now = {
        Object("a", None): two,
        Object("a", "same"): one,
        Object("a", "little"): ObjectSize(105, 1),
        Object("a", "grown"): two,
        Object("a", "shrunk"): ObjectSize(10, 1),
        Object("a", "empty"): one,
        Object("a", "unknown"): one,
        Object("a", "new"): one,
        Object("b", None): one,
    }
    assert difference(now, before, 0.05) == BackupDiff(
        added=(SizedObject(Object("b", None), one), SizedObject(Object("a", "new"), one)),
        removed=(
            SizedObject(Object("z", None), one),
            SizedObject(Object("a", "old"), one),
            SizedObject(Object("z", "t"), one),
        ),
        changed=(
            ChangedObject(Object("a", None), two, one, 1.0),
            ChangedObject(Object("a", "shrunk"), ObjectSize(10, 1), ObjectSize(1000, 1), -0.99),
            ChangedObject(Object("a", "empty"), one, ObjectSize(0, 1), None),
            ChangedObject(Object("a", "grown"), two, one, 1.0),
        ),
    )
    assert difference(now, {}, 0.05) is None
    assert difference({}, before, 0.05) is None


def test_what_names_say_about_others_counts_wherever_they_stand(rows: Rows) -> None:
    """Each listing on its own, in the order of the primary key."""
    listings = list(enumerate(LISTINGS["dump"], 1))
    for run_id, listing in listings:
        rows.add(id=run_id)
        rows.add_files(run_id, dict.fromkeys(listing["names"].split(), 1))
    with Database(rows.settings).connect() as connection:
        for run_id, listing in listings:
            run = find_run(connection, run_id)
            expected = parsed(listing["objects"])
            expected |= {Object(thing.db, None) for thing in expected}
            assert read_contents(connection, run).objects.keys() == expected
            assert read_digest(connection, run).objects == {hash(thing) for thing in expected}


TABLES = 10_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """A dump of many tables."""
    rows = Rows(f"sqlite:///{tmp_path_factory.mktemp('large') / 'inventory.sqlite'}")
    rows.add(id=1)
    names = (f"a.table{number}{ending}.sql.gz" for number in range(TABLES) for ending in ("", "-schema"))
    rows.add_files(1, dict.fromkeys(names, 1))
    return rows


def test_digest_of_a_large_dump_keeps_no_names(large: Rows) -> None:
    with Database(large.settings).connect() as connection:
        run = find_run(connection, 1)
        tracemalloc.start()
        found = read_digest(connection, run)
        kept, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (found.files, len(found.objects)) == (2 * TABLES, TABLES + 1)
    assert peak < 2.5 * kept


@pytest.mark.alone
def test_digest_of_a_large_dump_takes_at_most_three_times_as_long_as_reading_its_names(large: Rows) -> None:
    """In the processor's time, which waits for no other process."""
    with Database(large.settings).connect() as connection:
        run = find_run(connection, 1)

        def ratio() -> float:
            begun = time.thread_time()
            deque(reader.files(connection, 1), maxlen=0)
            read = time.thread_time()
            read_digest(connection, run)
            return (time.thread_time() - read) / (read - begun)

        assert median(ratio() for _ in range(9)) <= 3
