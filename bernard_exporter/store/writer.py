"""The only statements that change a metadata database, for sample inventories; the exporter itself never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Table, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.errors import SampleError
from bernard_exporter.model import Job, Status
from bernard_exporter.store.connection import store_error
from bernard_exporter.store.schema import backup_files, backups, metadata
from bernard_exporter.store.writable import open_writable, shown

_BATCH = 10_000
_EPOCH = datetime(1970, 1, 1)


class RunRow(NamedTuple):
    """A row of ``backups``, its columns in the table's order; times as the text ``YYYY-MM-DD HH:MM:SS`` in UTC."""

    id: int
    name: str
    status: str
    source: str
    host: str
    type: str
    section: str
    start_date: str
    end_date: str | None
    total_size: int | None


class FileRow(NamedTuple):
    """A row of ``backup_files``, its columns in the table's order; the time as text in UTC."""

    backup_id: int
    file_path: str
    file_name: str
    size: int
    file_date: str


def time_text(seconds: int) -> str:
    """Return seconds since 1970 as the text that both kinds of store take for a time in UTC."""
    return str(_EPOCH + timedelta(seconds=seconds))


def run_name(job: Job, start: str) -> str:
    """Return the name that wmfbackups gives a run of ``job`` that starts at the time ``start``."""
    return f"{job.type}.{job.section}.{start.replace(' ', '--').replace(':', '-')}"


def started(job: Job, source: str, host: str, start: datetime) -> RunRow:
    """Return a run that begins, without an id yet."""
    text = _text(start)
    return RunRow(0, run_name(job, text), Status.ONGOING.value, source, host, job.type, job.section, text, None, None)


def ended(run: RunRow, status: Status, end: datetime, size: int | None = None) -> RunRow:
    """Return a run as it is once it has come to an end."""
    return run._replace(status=status.value, end_date=_text(end), total_size=size)


class Writer:
    """A database of sample data; opens a fresh connection for every transaction and keeps none."""

    def __init__(self, url: str) -> None:
        """Prepare to connect; nothing is opened yet.

        Raises:
            SampleError: the URL is not one of a kind of store that the exporter reads.
        """
        self._engine = open_writable(url)

    def create(self) -> None:
        """Create the tables that are not there.

        Raises:
            SampleError: there are rows in them already, or the database cannot be used.
        """
        with self._begin() as connection:
            metadata.create_all(connection)
            for table in (backups, backup_files):
                if connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
                    raise SampleError(
                        f"{shown(self._engine.url)}: the table {table.name} has rows already; "
                        "name an empty database, sample data is never mixed with other data"
                    )

    def load(
        self, rows: Iterable[tuple[RunRow, Sequence[FileRow]]], progress: Callable[[int], None] = lambda done: None
    ) -> None:
        """Insert runs with their files in batches of one transaction each.

        Args:
            rows: runs with ascending ids, each with its files.
            progress: called after each batch with the number of runs inserted so far.

        Raises:
            SampleError: the database cannot be used.
        """
        done = 0
        for runs, files in _batches(rows):
            with self._begin() as connection:
                _insert(connection, backups, RunRow._fields, runs)
                _insert(connection, backup_files, FileRow._fields, files)
            done += len(runs)
            progress(done)

    def start_run(self, run: RunRow) -> RunRow:
        """Insert a run that begins, and return it with its id."""
        values = run._asdict() | {"start_date": _time(run.start_date)}
        del values["id"]
        with self._begin() as connection:
            key = connection.execute(insert(backups).values(**values)).inserted_primary_key
        return run._replace(id=key[0]) if key else run

    def end_run(self, run: RunRow, files: Sequence[FileRow] = ()) -> None:
        """Record the files of a run, and how and when it ended."""
        values = {"status": run.status, "end_date": _time(run.end_date), "total_size": run.total_size}
        with self._begin() as connection:
            _insert(connection, backup_files, FileRow._fields, files)
            connection.execute(update(backups).where(backups.c.id == run.id).values(**values))

    def ongoing_runs(self, since: datetime) -> list[RunRow]:
        """Return the runs that have not ended and began at ``since`` or later, by id."""
        columns = [backups.c[name] for name in RunRow._fields]
        young = backups.c.start_date >= _time(_text(since))
        wanted = select(*columns).where(backups.c.status == Status.ONGOING.value, young).order_by(backups.c.id)
        with self._begin() as connection:
            rows = [RunRow(*row) for row in connection.execute(wanted)]
        return [row._replace(start_date=str(row.start_date)) for row in rows]

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise SampleError(str(store_error(error, where=shown(self._engine.url)))) from error


def _batches(
    rows: Iterable[tuple[RunRow, Sequence[FileRow]]],
) -> Iterator[tuple[list[RunRow], list[FileRow]]]:
    runs: list[RunRow] = []
    files: list[FileRow] = []
    for run, its_files in rows:
        runs.append(run)
        files.extend(its_files)
        if len(runs) >= _BATCH or len(files) >= 5 * _BATCH:
            yield runs, files
            runs, files = [], []
    if runs:
        yield runs, files


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows of plain values as the driver takes them: the way through the column types takes twice as long."""
    if rows:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
        connection.exec_driver_sql(str(statement), list(rows))


def _text(moment: datetime) -> str:
    return time_text(int(moment.timestamp()))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
