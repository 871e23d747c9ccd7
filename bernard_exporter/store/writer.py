"""The only statements that write, for sample inventories; the exporter itself never writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Table, insert, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.domain.model import Job, Status
from bernard_exporter.errors import SampleError
from bernard_exporter.store.errors import store_error
from bernard_exporter.store.schema import backup_files, backups, metadata
from bernard_exporter.store.writable import open_writable, shown

_BATCH = 10_000
_EPOCH = date(1970, 1, 1)


class RunRow(NamedTuple):
    """A row of ``backups`` in column order; times are text ``YYYY-MM-DD HH:MM:SS`` in UTC."""

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
    """A row of ``backup_files`` in column order; the time is text in UTC."""

    backup_id: int
    file_path: str
    file_name: str
    size: int
    file_date: str


def time_text(seconds: int) -> str:
    """Format seconds since 1970 as a time in UTC for both kinds of database."""
    days, rest = divmod(seconds, 86_400)
    return f"{_date_text(days)} {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"


@lru_cache(maxsize=64)
def _date_text(days: int) -> str:
    """Format days since 1970 as a date; cached, as most rows have the same date as the previous one."""
    return str(_EPOCH + timedelta(days=days))


def run_name(job: Job, start: str) -> str:
    """Return wmfbackups' name for a run of ``job`` that starts at ``start``."""
    return f"{job.type}.{job.section}.{start.replace(' ', '--').replace(':', '-')}"


def started(job: Job, source: str, host: str, start: datetime, named: datetime | None = None) -> RunRow:
    """Return a run that starts, without an id.

    Args:
        job: the job.
        source: the instance that is backed up.
        host: the destination host.
        start: the start, with a time zone; for a snapshot, the end of its transfer.
        named: the time in its name if it is earlier: the start of a snapshot's transfer.
    """
    name, text = run_name(job, _text(named or start)), _text(start)
    return RunRow(0, name, Status.ONGOING.value, source, host, job.type, job.section, text, None, None)


def ended(run: RunRow, status: Status, end: datetime, size: int | None = None) -> RunRow:
    """Return a run after its end."""
    return run._replace(status=status.value, end_date=_text(end), total_size=size)


class Writer:
    """A database for sample data; opens a new connection for every transaction and keeps none."""

    def __init__(self, url: str) -> None:
        """Prepare to connect, without opening a connection.

        Raises:
            SampleError: the URL is not for a supported database.
        """
        self._engine = open_writable(url)

    def create(self) -> None:
        """Create missing tables.

        Raises:
            SampleError: a table has rows, or the database cannot be used.
        """
        with self._begin() as connection:
            metadata.create_all(connection)
            for table in (backups, backup_files):
                if connection.execute(select(*table.primary_key.columns).limit(1)).first() is not None:
                    raise SampleError(
                        f"{shown(self._engine.url)}: the table {table.name} is not empty; "
                        "use an empty database, as sample data must not be mixed with other data"
                    )

    def load(
        self, rows: Iterable[tuple[RunRow, Sequence[FileRow]]], progress: Callable[[int], None] = lambda done: None
    ) -> None:
        """Insert runs with their files in batches of one transaction each.

        Args:
            rows: runs with ascending ids, each with its files.
            progress: called after each batch with the number of inserted runs.

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
        """Insert a run that starts, and return it with its id."""
        values = run._asdict() | {"start_date": _time(run.start_date)}
        del values["id"]
        with self._begin() as connection:
            key = connection.execute(insert(backups).values(**values)).inserted_primary_key
        return run._replace(id=key[0]) if key else run

    def end_run(self, run: RunRow, files: Sequence[FileRow] = ()) -> None:
        """Record the files, end and status of a run."""
        values = {"status": run.status, "end_date": _time(run.end_date), "total_size": run.total_size}
        with self._begin() as connection:
            _insert(connection, backup_files, FileRow._fields, files)
            connection.execute(update(backups).where(backups.c.id == run.id).values(**values))

    def ongoing_runs(self, since: datetime) -> list[RunRow]:
        """Return the ongoing runs that started at ``since`` or later, by id."""
        columns = [backups.c[name] for name in RunRow._fields]
        young = backups.c.start_date >= _time(_text(since))
        statement = select(*columns).where(backups.c.status == Status.ONGOING.value, young).order_by(backups.c.id)
        with self._begin() as connection:
            rows = [RunRow(*row) for row in connection.execute(statement)]
        return [row._replace(start_date=str(row.start_date)) for row in rows]

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise SampleError(f"{shown(self._engine.url)}: {store_error(error)}") from error


def _batches(
    rows: Iterable[tuple[RunRow, Sequence[FileRow]]],
) -> Iterator[tuple[list[RunRow], list[FileRow]]]:
    runs: list[RunRow] = []
    files: list[FileRow] = []
    for run, run_files in rows:
        runs.append(run)
        files.extend(run_files)
        if len(runs) >= _BATCH or len(files) >= 5 * _BATCH:
            yield runs, files
            runs, files = [], []
    if runs:
        yield runs, files


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows directly through the driver: SQLAlchemy's column types would take twice as long."""
    if rows:
        statement = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
        connection.exec_driver_sql(str(statement), list(rows))


def _text(moment: datetime) -> str:
    return time_text(int(moment.timestamp()))


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
