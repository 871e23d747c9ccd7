"""Writes rows of the metadata database like the writer, to any kind of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, delete, event, insert, update
from sqlalchemy.pool import NullPool

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.store.schema import backup_files, backup_objects, backups, metadata

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EQIAD = "dbprov1001.eqiad.wmnet"
CODFW = "backup2002.codfw.wmnet"
MIB = 1 << 20


def naive(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


class Rows:
    """An inventory that a test writes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_engine(url, poolclass=NullPool)
        if self.engine.dialect.name != "sqlite":
            event.listen(self.engine, "connect", _in_utc_and_lax)
        with self.engine.begin() as connection:
            metadata.create_all(connection)

    @property
    def settings(self) -> DatabaseSettings:
        return DatabaseSettings(url=self.url, timeout=5)

    def add(self, **columns: Any) -> int:
        """Insert one run; the defaults are those of a good dump of s1 in eqiad."""
        row = run_row(**columns)
        with self.engine.begin() as connection:
            result = connection.execute(insert(backups).values(**row))
            return int(row.get("id") or result.lastrowid)

    def add_all(self, rows: list[dict[str, Any]]) -> None:
        with self.engine.begin() as connection:
            connection.execute(insert(backups), rows)

    def change(self, run_id: int, **columns: Any) -> None:
        values = {key: naive(value) if isinstance(value, datetime) else value for key, value in columns.items()}
        with self.engine.begin() as connection:
            connection.execute(update(backups).where(backups.c.id == run_id).values(**values))

    def remove(self, *ids: int) -> None:
        with self.engine.begin() as connection:
            connection.execute(delete(backups).where(backups.c.id.in_(ids)))

    def add_files(self, run_id: int, files: dict[str, int | None]) -> None:
        """Record files by ``path/name``."""
        rows = []
        for name, size in files.items():
            path, _, file = name.rpartition("/")
            rows.append({"backup_id": run_id, "file_path": path, "file_name": file, "size": size})
        with self.engine.begin() as connection:
            connection.execute(insert(backup_files), rows)

    def add_objects(self, run_id: int, objects: list[tuple[str, str | None]]) -> None:
        with self.engine.begin() as connection:
            rows = [{"backup_id": run_id, "db": db, "name": name} for db, name in objects]
            connection.execute(insert(backup_objects), rows)

    def execute(self, statement: str) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(statement)


def run_row(
    *,
    section: str | None = "s1",
    type: str | None = "dump",
    status: str | None = "finished",
    host: str | None = EQIAD,
    start: datetime = NOW - DAY,
    end: datetime | str | None = "",
    size: int | None = 10 * MIB,
    **more: Any,
) -> dict[str, Any]:
    """Return the columns of a run; without ``end`` one that has ended took an hour, but did not end in the future."""
    ended = status in ("finished", "failed")
    usual = max(start, min(start + HOUR, datetime.now(UTC)))
    return {
        "name": f"{type}.{section}.{start:%Y-%m-%d--%H-%M-%S}",
        "section": section,
        "type": type,
        "status": status,
        "source": "db1139.eqiad.wmnet:3311",
        "host": host,
        "start_date": naive(start),
        "end_date": (naive(usual) if ended else None) if isinstance(end, str) else naive(end),
        "total_size": size if ended else None,
        **more,
    }


def _in_utc_and_lax(connection: Any, _: object) -> None:
    """Write in UTC, and accept invalid values, as a server without strict mode does."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION'")
