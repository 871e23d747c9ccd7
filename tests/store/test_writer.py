"""The store writer writes exactly the given rows, and refuses databases that are not empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.domain.model import Job, Status
from bernard_exporter.errors import SampleError
from bernard_exporter.store import reader, writer
from bernard_exporter.store.connection import Database
from bernard_exporter.store.schema import backup_files, backups
from bernard_exporter.store.writable import open_writable
from bernard_exporter.store.writer import FileRow, RunRow, Writer, ended, run_name, started, time_text
from testing.rows import NOW, Rows

JOB = Job("s1", "dump", "eqiad")
SOURCE, HOST = "db1139.eqiad.wmnet:3311", "dbprov1001.eqiad.wmnet"
RUN = started(JOB, SOURCE, HOST, NOW)._replace(id=7)


def table(url: str, what: Table) -> list[tuple[Any, ...]]:
    """Return the rows of a table with times as text."""
    with open_writable(url).connect() as connection:
        rows = connection.execute(select(what)).all()
    return [tuple(str(value) if isinstance(value, datetime) else value for value in row) for row in rows]


def test_columns_are_in_the_order_of_the_tables() -> None:
    assert RunRow._fields == tuple(backups.c.keys())
    assert FileRow._fields == tuple(backup_files.c.keys())[: len(FileRow._fields)]


def test_loaded_rows_are_found_as_they_were(url: str) -> None:
    runs = [
        RUN,
        ended(RUN._replace(id=8), Status.FAILED, NOW),
        ended(RUN._replace(id=9), Status.FINISHED, NOW, 1 << 45),
    ]
    files = [FileRow(9, "enwiki", "page.ibd", 1 << 44, time_text(86400)), FileRow(9, "", "100%", 0, time_text(0x7000))]
    done: list[int] = []
    store = Writer(url)
    store.create()
    store.load([(runs[0], []), (runs[1], []), (runs[2], files)], done.append)
    assert table(url, backups) == [tuple(run) for run in runs]
    assert sorted(table(url, backup_files)) == sorted((*file, None) for file in files)
    assert done == [3]


def test_rows_come_in_batches(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_BATCH", 2)
    done: list[int] = []
    store = Writer(url)
    store.create()
    store.load([(RUN._replace(id=number), []) for number in range(1, 6)], done.append)
    assert done == [2, 4, 5]
    assert len(table(url, backups)) == 5


def test_times_are_in_utc_whatever_the_zone_of_the_moment(url: str) -> None:
    store = Writer(url)
    store.create()
    summer = datetime.fromisoformat("2026-07-01T02:30:00.900+02:00")
    store.start_run(started(JOB, SOURCE, HOST, summer))
    with Database(DatabaseSettings(url=url)).connect() as connection:
        (run,) = reader.runs_after(connection, 0, 10)
    assert run.start == datetime(2026, 7, 1, 0, 30, tzinfo=UTC)
    assert run.name == "dump.s1.2026-07-01--00-30-00"


def test_run_starts_and_finishes_with_files(url: str) -> None:
    store = Writer(url)
    store.create()
    run = store.start_run(started(JOB, SOURCE, HOST, NOW))
    assert table(url, backups) == [(1, *RUN[1:])]
    run = ended(run, Status.FINISHED, NOW + timedelta(hours=1), 12)
    store.end_run(run, [FileRow(run.id, "", "metadata", 12, time_text(86400))])
    assert table(url, backups) == [tuple(run)]
    assert run[2] == "finished"
    assert table(url, backup_files) == [(1, "", "metadata", 12, "1970-01-02 00:00:00", None)]


def test_run_starts_and_fails(url: str) -> None:
    store = Writer(url)
    store.create()
    store.load([(RUN, [])])
    run = store.start_run(started(JOB, SOURCE, HOST, NOW))
    store.end_run(ended(run, Status.FAILED, NOW))
    assert table(url, backups) == [tuple(RUN), (8, *RUN[1:2], "failed", *RUN[3:8], RUN.start_date, None)]


def test_ongoing_runs_are_those_young_enough(url: str) -> None:
    store = Writer(url)
    store.create()
    old, young = (store.start_run(started(JOB, SOURCE, HOST, NOW - timedelta(hours=h))) for h in (21, 20))
    store.end_run(ended(store.start_run(started(JOB, SOURCE, HOST, NOW)), Status.FAILED, NOW))
    assert store.ongoing_runs(NOW - timedelta(hours=20)) == [young]
    assert store.ongoing_runs(NOW - timedelta(hours=21)) == [old, young]


def test_tables_without_rows_are_used(url: str) -> None:
    Writer(url).create()
    Writer(url).create()
    assert table(url, backups) == []


def test_runs_already_there_are_not_added_to(rows: Rows) -> None:
    rows.add()
    with pytest.raises(SampleError, match="the table backups is not empty; use an empty database"):
        Writer(rows.url).create()


def test_files_already_there_are_not_added_to(rows: Rows) -> None:
    rows.add_files(1, {"metadata": 1})
    with pytest.raises(SampleError, match="the table backup_files is not empty"):
        Writer(rows.url).create()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "the database URL cannot be parsed"),
        ("mysql+pymysql://u:secret@host:port/d", "the database URL cannot be parsed"),
        ("postgresql://u:secret@host/d", "of the kind 'postgresql'"),
        ("mysql://u:secret@host/d", "of the kind 'mysql'"),
        ("mysql+pymysql://u:secret@host", "has no database"),
        ("sqlite://", "has no file"),
        ("sqlite:///:memory:", "has no file"),
    ],
)
def test_url_of_anything_else_is_refused_without_being_shown(url: str, says: str) -> None:
    with pytest.raises(SampleError, match=says) as refused:
        Writer(url)
    assert "secret" not in str(refused.value)
    assert "expected sqlite:////path or mysql+pymysql://user@host/database" in str(refused.value)


def test_error_names_the_database_and_hides_the_password(mariadb_url: str) -> None:
    url = mariadb_url.replace("root@", "guest:secret@")
    with pytest.raises(SampleError, match=r"guest:\*\*\*@127.*check user and password") as refused:
        Writer(url).create()
    assert "secret" not in str(refused.value)


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "text"
    file.write_text("not a database, only a text that is long enough to be read as the head of one" * 9)
    with pytest.raises(SampleError, match="file is not a database"):
        Writer(f"sqlite:///{file}").create()


def test_run_is_named_as_the_writer_of_backups_names_it() -> None:
    assert run_name(JOB, "2021-05-19 00:00:01") == "dump.s1.2021-05-19--00-00-01"
