"""Databases and tables told from file names."""

from __future__ import annotations

import pytest

from bernard_exporter.contents import Object, object_of

PAGE = Object("enwiki", "page")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("metadata", None),
        ("enwiki-schema-create.sql.gz", Object("enwiki", None)),
        ("enwiki-schema-post.sql.gz", Object("enwiki", None)),
        ("enwiki.page-schema.sql.gz", PAGE),
        ("enwiki.page.sql.gz", PAGE),
        ("enwiki.page.sql", PAGE),
        ("enwiki.page.sql.zst", PAGE),
        ("enwiki.page.00001.sql.gz", PAGE),
        ("enwiki.page-schema-view.sql.gz", PAGE),
        ("enwiki.page-schema-triggers.sql.gz", PAGE),
        ("zh@002dmin@002dnanwiki.page.sql.gz", Object("zh-min-nanwiki", "page")),
        ("enwiki.gz.tar", Object("enwiki", None)),
    ],
)
def test_file_of_a_dump(name: str, expected: Object | None) -> None:
    assert object_of("dump", "", name) == expected


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("enwiki", "page.ibd", PAGE),
        ("enwiki", "page.frm", PAGE),
        ("/enwiki/", "page.MAD", PAGE),
        ("enwiki", "page#P#p0.ibd", PAGE),
        ("enwiki", "db.opt", Object("enwiki", None)),
        ("a@002db", "page.ibd", Object("a-b", "page")),
        ("", "ibdata1", None),
        ("", "enwiki", None),
        ("", "snapshot.s1.2026-01-01--19-00-00.tar.gz", None),
        ("enwiki", "notes.txt", None),
    ],
)
def test_file_of_a_snapshot(path: str, name: str, expected: Object | None) -> None:
    assert object_of("snapshot", path, name) == expected
