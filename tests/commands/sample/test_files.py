"""The files of a sample backup are named as by its tool, and their sizes add up to that of the run."""

from __future__ import annotations

import pytest

from bernard_exporter.commands.sample.files import files_of
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.history import make_history
from bernard_exporter.domain.file_names import Object, names_of
from bernard_exporter.store.writer import FileRow, RunRow
from testing.rows import NOW

HISTORY = list(make_history(make_fleet(), now=NOW, seed=1))
FINISHED = [row for row in HISTORY if row.status == "finished" and row.total_size]


def newest(section: str, kind: str) -> RunRow:
    return [row for row in FINISHED if (row.section, row.type) == (section, kind)][-1]


def objects(run: RunRow, files: list[FileRow]) -> set[Object]:
    names = [(file.file_path, file.file_name) for file in files]
    owner = names_of(run.type, names).owner
    return {item for path, name in names if (item := owner(path, name))}


@pytest.mark.parametrize("limit", [1, 3, 40])
def test_files_sum_to_the_size_of_the_run(limit: int) -> None:
    for run in FINISHED:
        files = files_of(run, limit)
        assert 0 < len(files) <= limit
        assert sum(file.size for file in files) == run.total_size
        assert min(file.size for file in files) >= 0
        assert {(file.backup_id, file.file_date) for file in files} == {(run.id, run.end_date)}
        assert len({(file.file_path, file.file_name) for file in files}) == len(files)


def test_next_to_empty_backup_still_adds_up() -> None:
    run = newest("s1", "dump")._replace(total_size=1000)
    files = files_of(run, 200)
    assert sum(file.size for file in files) == 1000
    assert min(file.size for file in files) >= 0


def test_runs_without_a_size_or_an_end_have_no_files() -> None:
    rest = [row for row in HISTORY if row not in FINISHED]
    assert {row.status for row in rest} == {"ongoing", "failed", "finished"}
    assert [row for row in rest if files_of(row, 10)] == []
    assert files_of(FINISHED[0], 0) == []


def test_same_run_has_the_same_files() -> None:
    assert files_of(FINISHED[0], 50) == files_of(FINISHED[0], 50)


def test_dump_is_named_as_mydumper_names_it() -> None:
    names = [file.file_name for file in files_of(newest("s6", "dump"), 5)]
    assert names == [
        "metadata",
        "frwiki-schema-create.sql.gz",
        "frwiki.text.sql.gz",
        "frwiki.text-schema.sql.gz",
        "frwiki.templatelinks.sql.gz",
    ]


def test_snapshot_is_named_as_mariabackup_names_it() -> None:
    files = [(file.file_path, file.file_name) for file in files_of(newest("s6", "snapshot"), 5)]
    assert files == [
        ("", "ibdata1"),
        ("", "frwiki"),
        ("frwiki", "text.ibd"),
        ("frwiki", "text.frm"),
        ("frwiki", "db.opt"),
    ]


def test_files_of_a_dump_tell_databases_and_tables() -> None:
    run = newest("m5", "dump")
    found = objects(run, files_of(run, 5000))
    assert {item.db for item in found} == {
        "labswiki",
        "mailman3",
        "mailman3web",
        "striker",
        "wikitech-static",
        "heartbeat",
    }
    assert {Object("mailman3", None), Object("mailman3", "events-archive")} < found
    assert {Object("labswiki", "page"), Object("heartbeat", "heartbeat")} < found


def test_files_of_a_snapshot_tell_databases_and_tables() -> None:
    run = newest("x1", "snapshot")
    found = objects(run, files_of(run, 5000))
    assert {item.db for item in found} == {
        "wikishared",
        "flowdb",
        "cognate_wiktionary",
        "reading_lists",
        "heartbeat",
    }
    assert {Object("flowdb", None), Object("flowdb", "events-archive")} < found
    assert {Object("cognate_wiktionary", "logging"), Object("heartbeat", "heartbeat")} < found


def test_large_tables_of_a_dump_fill_many_files_up_to_the_limit() -> None:
    run = newest("s1", "dump")
    files = files_of(run, 20_000)
    assert 15_000 < len(files) <= 20_000
    assert {f"enwiki.text.{number:05d}.sql.gz" for number in range(3)} <= {file.file_name for file in files}
    assert sum(file.size for file in files) == run.total_size


def test_hundreds_of_databases_of_one_section() -> None:
    run = newest("s3", "snapshot")
    found = objects(run, files_of(run, 100_000))
    assert len({item.db for item in found}) > 800


def test_tables_come_and_go_between_runs() -> None:
    runs = [row for row in FINISHED if (row.section, row.type) == ("s8", "snapshot")]
    contents = [objects(run, files_of(run, 500)) for run in runs]
    usual = max(contents, key=contents.count)
    changes = {(len(found - usual), len(usual - found)) for found in contents}
    assert changes == {(0, 0), (1, 0), (0, 1)}
