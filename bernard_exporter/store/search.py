"""Runs that pass a filter, a page at a time: each page continues from the key the one before ended with.

The primary key and the index ``last_backup (type, section, status, start_date)`` are all there is. What neither serves
reads many rows, and the statement timeout ends it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, case, or_, select
from sqlalchemy.engine import Connection

from bernard_exporter.filters import RunFilter
from bernard_exporter.model import BackupType, Run, Status
from bernard_exporter.store.reader import (
    MAX_SIZE,
    RUN_COLUMNS,
    end_seconds,
    parse_run,
    raw_status,
    raw_type,
    start_seconds,
)
from bernard_exporter.store.schema import MYSQL_DIALECTS, UNKNOWN_START, Exact, FromEpoch, backups, has_part

# What a TIMESTAMP can hold on every server; FROM_UNIXTIME of more is NULL.
_LAST_SECOND = (1 << 31) - 1
_usable_size = case((backups.c.total_size.between(0, MAX_SIZE), backups.c.total_size))
_duration = case(
    (and_(start_seconds > UNKNOWN_START, end_seconds >= start_seconds), end_seconds - start_seconds),
)


class RunKey(NamedTuple):
    """Where a page of runs ends: what it is sorted by, None where that is unknown, and the id."""

    value: int | None
    id: int


class _Order(NamedTuple):
    """What an order sorts by, and how the same is read and compared as a whole number."""

    column: Any
    number: Any
    is_time: bool = False


_ORDERS = {
    "id": _Order(backups.c.id, backups.c.id),
    "start": _Order(backups.c.start_date, start_seconds, is_time=True),
    "end": _Order(backups.c.end_date, end_seconds, is_time=True),
    "size": _Order(_usable_size, _usable_size),
    "duration": _Order(_duration, _duration),
}


def runs(
    connection: Connection, wanted: RunFilter, hosts: Collection[str] | None, after: RunKey | None, limit: int
) -> list[tuple[RunKey, Run]]:
    """Return up to ``limit`` runs that pass a filter, each with its key.

    Args:
        connection: an open connection.
        wanted: says which runs and in which order; its ``datacenter``, ``limit`` and ``cursor`` are not looked at.
        hosts: the destination hosts of the data centres that are wanted; None for all, '' for none recorded.
        after: the key of the last run of the page before.
        limit: the size of a page.
    """
    down = wanted.sort.startswith("-")
    order = _ORDERS[wanted.sort.lstrip("-")]
    conditions = [*_conditions(wanted), *([] if hosts is None else [_among(backups.c.host, hosts)])]
    if after is not None:
        conditions.append(_beyond(order, after, down))
    keys = [backups.c.id] if order.column is backups.c.id else [order.column, backups.c.id]
    statement = (
        select(*RUN_COLUMNS, order.number.label("sort_key"))
        .where(*conditions)
        .order_by(*(key.desc() if down else key for key in keys))
        .limit(limit)
    )
    if wanted.section:
        # Few runs are of one section: finding and sorting them beats walking all runs in the order of their ids.
        for dialect in MYSQL_DIALECTS:
            statement = statement.with_hint(backups, "IGNORE INDEX FOR ORDER BY (PRIMARY)", dialect)
    found = [tuple(row) for row in connection.execute(statement)]
    return [(RunKey(None if row[-1] is None else int(row[-1]), row[0]), parse_run(row[:-1])) for row in found]


def _beyond(order: _Order, after: RunKey, down: bool) -> Any:
    """Return what holds of the rows after a key; NULL sorts lowest on every store."""
    column, by_id = order.column, backups.c.id < after.id if down else backups.c.id > after.id
    if column is backups.c.id:
        return by_id
    if after.value is None:
        return and_(column.is_(None), by_id) if down else or_(and_(column.is_(None), by_id), column.is_not(None))
    value = FromEpoch(after.value) if order.is_time else after.value
    if not down:
        return and_(column >= value, or_(column > value, by_id))
    lower = and_(column <= value, or_(column < value, by_id))
    return lower if column is backups.c.start_date else or_(lower, column.is_(None))


def _conditions(wanted: RunFilter) -> list[Any]:
    found: list[Any] = [*_kinds(wanted), *_times(wanted)]
    if wanted.source:
        found.append(_among(backups.c.source, wanted.source))
    if wanted.host:
        found.append(_among(backups.c.host, wanted.host))
    if wanted.name is not None:
        found.append(has_part(backups.c.name, wanted.name))
    if wanted.min_size is not None or wanted.max_size is not None:
        highest = MAX_SIZE if wanted.max_size is None else min(wanted.max_size, MAX_SIZE)
        found.append(backups.c.total_size.between(wanted.min_size or 0, highest))
    return found


def _kinds(wanted: RunFilter) -> list[Any]:
    found: list[Any] = []
    if wanted.type:
        found.append(raw_type.in_(wanted.type))
    if wanted.section:
        # The index begins with the type, so that it serves a section only together with every type there is.
        every_type = or_(raw_type.in_([*(kind.value for kind in BackupType), ""]), raw_type.is_(None))
        found += [] if wanted.type else [every_type]
        found += [backups.c.section.in_(wanted.section), Exact(backups.c.section).in_(wanted.section)]
    if wanted.status:
        found.append(_status(wanted.status))
    return found


def _status(wanted: Sequence[Status]) -> Any:
    known = [status.value for status in wanted if status is not Status.UNKNOWN]
    if Status.UNKNOWN not in wanted:
        return raw_status.in_(known)
    others = [status.value for status in Status if status is not Status.UNKNOWN]
    return or_(raw_status.in_(known), raw_status.not_in(others))


def _among(column: Any, wanted: Collection[str]) -> Any:
    """Return what holds of the rows with one of the texts; an empty text stands for none recorded, too."""
    texts = Exact(column).in_(list(wanted))
    return or_(texts, column.is_(None)) if "" in wanted else texts


def _times(wanted: RunFilter) -> list[Any]:
    found: list[Any] = []
    for column, after, before in (
        (backups.c.start_date, wanted.started_after, wanted.started_before),
        (backups.c.end_date, wanted.ended_after, wanted.ended_before),
    ):
        if after is not None:
            found.append(column >= FromEpoch(_second(after.timestamp())))
        if before is not None:
            # An unknown time is before none.
            found += [column < FromEpoch(_second(before.timestamp())), column > FromEpoch(UNKNOWN_START)]
    return found


def _second(seconds: float) -> int:
    """Return the whole second at or after a moment, within what a TIMESTAMP can hold."""
    return max(UNKNOWN_START + 1, min(int(-(-seconds // 1)), _LAST_SECOND))
