"""Searches runs by filters with keyset pagination: each page continues after the last key of the previous one.

The only indexes are the primary key and ``last_backup (type, section, status, start_date)``. A search that can use
neither reads many rows until the statement timeout.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, case, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from bernard_exporter.domain.filters import RunFilter
from bernard_exporter.domain.model import BackupType, Run, Status
from bernard_exporter.store import reader, search_groups
from bernard_exporter.store.reader import (
    LAST_SECOND,
    MAX_SIZE,
    RUN_COLUMNS,
    end_seconds,
    parse_run,
    raw_start,
    raw_status,
    raw_type,
    start_seconds,
)
from bernard_exporter.store.schema import (
    MYSQL_DIALECTS,
    UNKNOWN_START,
    EpochSeconds,
    Exact,
    FromEpoch,
    backups,
    has_beginning,
    has_part,
)

# Sections with more matching runs are read by id if they are sorted by it.
MOST_SORTED = 20_000
_usable_size = case((backups.c.total_size.between(0, MAX_SIZE), backups.c.total_size))
_duration = case((end_seconds >= start_seconds, end_seconds - start_seconds))


class RunKey(NamedTuple):
    """The end of a page of runs: the value of the sort column (None if unknown) and the id."""

    value: int | str | None
    id: int


# The expression of each sort order; NULL (unknown) sorts lowest everywhere.
_ORDERS: dict[str, Any] = {
    "id": backups.c.id,
    "start": start_seconds,
    "end": end_seconds,
    "size": _usable_size,
    "duration": _duration,
}


def _order(connection: Connection, name: str) -> Any:
    """Return the expression of a sort order."""
    # Only the plain column can use an index. Servers sort unknown times lowest; SQLite columns may contain any text.
    return raw_start if name == "start" and connection.dialect.name in MYSQL_DIALECTS else _ORDERS[name]


def runs(
    connection: Connection, criteria: RunFilter, hosts: Collection[str] | None, after: RunKey | None, limit: int
) -> list[tuple[RunKey, Run]]:
    """Return up to ``limit`` runs that match a filter, each with its key.

    Args:
        connection: an open connection.
        criteria: the filter and sort order; ``datacenter``, ``limit`` and ``cursor`` are ignored.
        hosts: the destination hosts of the selected data centres, '' for rows without a host; None for all hosts.
        after: the key of the last run of the previous page.
        limit: the page size.
    """
    existing = _existing(connection, criteria)
    if existing is None:
        return []
    criteria = existing
    down = criteria.sort.startswith("-")
    order = _order(connection, criteria.sort.lstrip("-"))
    conditions = [*_conditions(criteria), *([] if hosts is None else [_among(backups.c.host, hosts)])]
    if criteria.section and order is raw_start:
        return _keyed(search_groups.runs_by_start(connection, _kinds(criteria), conditions, after, limit, down=down))
    if after is not None:
        conditions.append(_beyond(order, after, down))
    kinds = _kinds(criteria)
    by_id: ColumnElement[Any] = backups.c.id
    if criteria.section and order is backups.c.id:
        if search_groups.are_more(connection, [*kinds, *_started(criteria)], MOST_SORTED):
            kinds = _kinds(criteria, search_groups.type_without_index)
        else:
            # Finding and sorting the runs is faster than scanning all runs by id. ``id + 0`` prevents the scan; an
            # index hint would do the same, but does not work on views.
            by_id = backups.c.id + 0
    keys = [by_id] if order is backups.c.id else [order, backups.c.id]
    statement = (
        select(*RUN_COLUMNS, order.label("sort_key"))
        .where(*kinds, *conditions)
        .order_by(*(key.desc() if down else key for key in keys))
        .limit(limit)
    )
    return _keyed(connection.execute(statement))


def _keyed(rows: Iterable[Row[Any]]) -> list[tuple[RunKey, Run]]:
    return [(RunKey(_key(row[-1]), row[0]), parse_run(row[:-1])) for row in map(tuple, rows)]


def _existing(connection: Connection, criteria: RunFilter) -> RunFilter | None:
    """Return a filter with only those sections and types that can be compared with the columns; None if none is left.

    The columns may have a character set that lacks characters of the filter, which a server answers with an error.
    """
    if all(text.isascii() for text in (*criteria.section, *criteria.type)):
        return criteria
    pairs = reader.pairs(connection)
    section = tuple({pair.section for pair in pairs}.intersection(criteria.section))
    type_ = tuple({pair.type for pair in pairs}.intersection(criteria.type))
    if (criteria.section and not section) or (criteria.type and not type_):
        return None
    return criteria.model_copy(update={"section": section, "type": type_})


def sources_beginning(connection: Connection, text: str, limit: int) -> list[str]:
    """Return up to ``limit`` sources that begin with a text, in any case; reads every row."""
    statement = (
        select(backups.c.source).where(has_beginning(backups.c.source, text)).distinct().order_by(backups.c.source)
    )
    return [reader.as_text(source) for source in connection.scalars(statement.limit(limit))]


def _key(value: Any) -> int | str | None:
    return value if value is None or isinstance(value, int) else str(value)


def _beyond(order: Any, after: RunKey, down: bool) -> Any:
    """Return the condition for the rows after a key."""
    by_id = backups.c.id < after.id if down else backups.c.id > after.id
    if order is backups.c.id:
        return by_id
    if after.value is None:
        return and_(order.is_(None), by_id) if down else or_(and_(order.is_(None), by_id), order.is_not(None))
    same = and_(order == after.value, by_id)
    if not down:
        return and_(order >= after.value, or_(order > after.value, same))
    lower = and_(order <= after.value, or_(order < after.value, same))
    return lower if order is raw_start else or_(lower, order.is_(None))


def _conditions(criteria: RunFilter) -> list[Any]:
    """Return the conditions that the index does not serve, and those on the start."""
    conditions: list[Any] = [*_started(criteria), *_ended(criteria)]
    if criteria.section:
        conditions.append(Exact(backups.c.section).in_(criteria.section))
    if criteria.source:
        conditions.append(_among(backups.c.source, criteria.source))
    if criteria.host:
        conditions.append(_among(backups.c.host, criteria.host))
    conditions += [has_part(backups.c.name, part) for part in criteria.substrings]
    if criteria.min_size is not None or criteria.max_size is not None:
        highest = MAX_SIZE if criteria.max_size is None else min(criteria.max_size, MAX_SIZE)
        conditions.append(backups.c.total_size.between(criteria.min_size or 0, highest))
    if criteria.min_duration is not None:
        conditions.append(_duration >= criteria.min_duration)
    return conditions


def _kinds(criteria: RunFilter, type_: ColumnElement[Any] = raw_type) -> list[Any]:
    """Return the conditions that the index serves: type, section and status."""
    conditions: list[Any] = []
    if criteria.type:
        conditions.append(type_.in_(criteria.type))
    elif criteria.section and type_ is raw_type:
        # The first column of the index is the type, so that a section needs a condition on all types.
        conditions.append(or_(type_.in_([*(kind.value for kind in BackupType), ""]), type_.is_(None)))
    if criteria.section:
        conditions.append(backups.c.section.in_(criteria.section))
    if criteria.status:
        conditions.append(_status(criteria.status))
    return conditions


def _status(statuses: Sequence[Status]) -> Any:
    known = [status.value for status in statuses if status is not Status.UNKNOWN]
    if Status.UNKNOWN not in statuses:
        return raw_status.in_(known)
    others = [status.value for status in Status if status is not Status.UNKNOWN]
    return or_(raw_status.in_(known), raw_status.not_in(others))


def _among(column: Any, values: Collection[str]) -> Any:
    """Return the condition for the rows with one of the texts; an empty text also matches NULL."""
    texts = Exact(column).in_(list(values))
    return or_(texts, column.is_(None)) if "" in values else texts


def _started(criteria: RunFilter) -> list[Any]:
    return _times(backups.c.start_date, criteria.started_after, criteria.started_before)


def _ended(criteria: RunFilter) -> list[Any]:
    return _times(backups.c.end_date, criteria.ended_after, criteria.ended_before)


def _times(column: Any, after: datetime | None, before: datetime | None) -> list[Any]:
    conditions: list[Any] = []
    if after is not None:
        conditions.append(column >= FromEpoch(_second(after.timestamp())))
    if before is not None:
        conditions += [column < FromEpoch(_second(before.timestamp())), column > FromEpoch(UNKNOWN_START)]
    if after is not None or before is not None:
        # An unknown time is neither before nor after any other time.
        conditions.append(EpochSeconds(column).is_not(None))
    return conditions


def _second(seconds: float) -> int:
    """Return the whole second at or after a time, within the range of TIMESTAMP."""
    return max(UNKNOWN_START + 1, min(int(-(-seconds // 1)), LAST_SECOND))
