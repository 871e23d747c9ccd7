"""Finds pages of runs of sections by start: each page reads a few rows, whatever number of runs there are.

The index ``last_backup`` has the runs of each type, section and status sorted by start, and the server can stop after
the rows of a page. It would not do so for several of them at once, nor after a cursor among runs of the same second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Row, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from bernard_exporter.store.reader import RUN_COLUMNS, raw_start, raw_status, raw_type
from bernard_exporter.store.schema import backups

Conditions = Sequence[ColumnElement[bool]]
# The type for conditions that the index must not serve, as the primary key does.
type_without_index = func.coalesce(raw_type, None)
_SELECT = select(*RUN_COLUMNS, raw_start.label("sort_key"))


class _Group(NamedTuple):
    """Type, section and status as in the database."""

    type: str | None
    section: str | None
    status: str

    def conditions(self, type_: ColumnElement[Any] = raw_type) -> Conditions:
        """Return the condition for the rows of the group; the index compares texts as the columns do."""
        return type_.is_(None) if self.type is None else type_ == self.type, *self._others()

    def _others(self) -> Conditions:
        return backups.c.section == self.section, raw_status == self.status


def are_more(connection: Connection, conditions: Conditions, limit: int) -> bool:
    """Return whether more than ``limit`` rows fulfil conditions that the index serves."""
    return connection.execute(select(backups.c.id).where(*conditions).limit(1).offset(limit)).first() is not None


def runs_by_start(
    connection: Connection,
    kinds: Conditions,
    conditions: Conditions,
    after: tuple[Any, int] | None,
    limit: int,
    *,
    down: bool,
) -> list[Row[Any]]:
    """Return up to ``limit`` rows with :data:`RUN_COLUMNS` and the start, in order.

    Args:
        connection: an open connection to MariaDB.
        kinds: the conditions on type, section and status that the index serves.
        conditions: all other conditions.
        after: start and id of the last run of the previous page.
        limit: the page size.
        down: whether the newest come first.
    """
    groups = select(raw_type, backups.c.section, raw_status).where(*kinds).distinct()
    rows: list[Row[Any]] = []
    for group in connection.execute(groups).all():
        rows += _runs_of_group(connection, _Group(*group), conditions, after, limit, down=down)
    return sorted(rows, key=lambda row: (str(row.sort_key), row.id), reverse=down)[:limit]


def _runs_of_group(
    connection: Connection,
    group: _Group,
    conditions: Conditions,
    after: tuple[Any, int] | None,
    limit: int,
    *,
    down: bool,
) -> list[Row[Any]]:
    beyond: Conditions = ()
    rows: list[Row[Any]] = []
    if after:
        start, _ = after
        rows += _runs_of_second(connection, group, conditions, after, limit, down=down)
        beyond = [raw_start < start if down else raw_start > start]
    if len(rows) == limit:
        return rows
    keys = [key.desc() if down else key for key in (backups.c.start_date, backups.c.id)]
    statement = _SELECT.where(*group.conditions(), *conditions, *beyond).order_by(*keys).limit(limit - len(rows))
    return [*rows, *connection.execute(statement)]


def _runs_of_second(
    connection: Connection, group: _Group, conditions: Conditions, after: tuple[Any, int], limit: int, *, down: bool
) -> list[Row[Any]]:
    """Return the next runs with the same start by the primary key, as the index would be read from its end."""
    start, run_id = after
    same = raw_start == start
    # Two entries of the index.
    ends = select(func.min(backups.c.id), func.max(backups.c.id)).where(*group.conditions(), same)
    low, high = connection.execute(ends).one()
    if low is None:
        return []
    ids = backups.c.id.between(low, run_id - 1) if down else backups.c.id.between(run_id + 1, high)
    statement = _SELECT.where(ids, *group.conditions(type_without_index), *conditions, same)
    return list(connection.execute(statement.order_by(backups.c.id.desc() if down else backups.c.id).limit(limit)))
