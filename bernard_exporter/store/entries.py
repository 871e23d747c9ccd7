"""Reads the files of a run page by page along the primary key (backup_id, file_path, file_name)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from bernard_exporter.domain.filters import FileFilter
from bernard_exporter.store.reader import as_text, as_time
from bernard_exporter.store.schema import EpochSeconds, Exact, Latin1, backup_files, has_part

_path, _name, _size = backup_files.c.file_path, backup_files.c.file_name, backup_files.c.size


class File(NamedTuple):
    """A file or directory of a backup.

    Attributes:
        path: its directory, '' for the top level.
        size: bytes; None if unknown.
        date: in UTC; None if unknown.
    """

    path: str
    name: str
    size: int | None
    date: datetime | None


def files(
    connection: Connection, run_id: int, criteria: FileFilter, after: File | None, limit: int, prefix: str = ""
) -> list[File]:
    """Return up to ``limit`` files of a run that match a filter.

    Args:
        connection: an open connection.
        run_id: the id of the run.
        criteria: the filter and sort order; ``db``, ``limit`` and ``cursor`` are ignored.
        after: the last file of the previous page.
        limit: the page size.
        prefix: the prefix of the file's name or directory.
    """
    conditions = [backup_files.c.backup_id == run_id, *_conditions(criteria, prefix)]
    down = criteria.sort.startswith("-")
    by_name = (_path.desc(), _name.desc()) if down else (_path, _name)
    if criteria.sort.endswith("size"):
        order = (_size.desc() if down else _size, _path, _name)
        beyond = [_beyond_size(after, down)] if after else []
        return _read(connection, [*conditions, *beyond], order, limit)
    if after is None:
        return _read(connection, conditions, by_name, limit)
    # Two statements, as each is one range of the primary key.
    path, name = Latin1(after.path), Latin1(after.name)
    same = [_path == path, _name < name if down else _name > name]
    matching = _read(connection, [*conditions, *same], by_name, limit)
    if len(matching) < limit:
        other = _path < path if down else _path > path
        matching += _read(connection, [*conditions, other], by_name, limit - len(matching))
    return matching


def names(connection: Connection, run_id: int, prefix: str, part: str) -> Iterator[tuple[str, str]]:
    """Yield directory and name of the files of a run whose name starts with ``prefix`` and contains ``part``."""
    statement = select(_path, _name).where(
        backup_files.c.backup_id == run_id,
        _name.startswith(prefix, autoescape=True),
        _name.contains(part, autoescape=True),
    )
    for path, name in connection.execution_options(stream_results=True).execute(statement):
        yield as_text(path), as_text(name)


def _conditions(criteria: FileFilter, prefix: str) -> list[Any]:
    conditions: list[Any] = []
    if criteria.path is not None:
        conditions += [_path == Latin1(criteria.path), Exact(_path) == criteria.path]
    if criteria.name is not None:
        conditions.append(has_part(_name, criteria.name))
    if criteria.min_size is not None:
        conditions.append(_size >= criteria.min_size)
    if prefix:
        conditions.append(
            or_(
                _path.startswith(prefix, autoescape=True),
                _path.startswith(f"/{prefix}", autoescape=True),
                _path.contains(f"/{prefix}", autoescape=True),
                _name.startswith(prefix, autoescape=True),
            )
        )
    return conditions


def _beyond_size(after: File, down: bool) -> Any:
    """Return the condition for the files after another one in the order of sizes; NULL sorts lowest everywhere."""
    path, name = Latin1(after.path), Latin1(after.name)
    later = or_(_path > path, and_(_path == path, _name > name))
    if after.size is None:
        same = and_(_size.is_(None), later)
        return same if down else or_(same, _size.is_not(None))
    same = and_(_size == after.size, later)
    return or_(same, _size < after.size, _size.is_(None)) if down else or_(same, _size > after.size)


def _read(connection: Connection, conditions: Sequence[Any], order: Sequence[Any], limit: int) -> list[File]:
    statement = (
        select(_path, _name, _size, EpochSeconds(backup_files.c.file_date))
        .where(*conditions)
        .order_by(*order)
        .limit(limit)
    )
    return [
        File(as_text(path), as_text(name), size, None if date is None else as_time(date))
        for path, name, size, date in connection.execute(statement)
    ]
