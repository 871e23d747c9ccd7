"""What is read from the inventory: every statement follows the primary key or the index ``last_backup``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import String, and_, case, func, literal_column, or_, select, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from bernard_exporter.model import Rejection, Run, Status
from bernard_exporter.store.schema import (
    UNKNOWN_START,
    AsBytes,
    EpochSeconds,
    FromEpoch,
    backup_files,
    backup_objects,
    backups,
)

# The largest size that is believed: 1 EiB. More is nonsense, and would lose precision as a sample.
MAX_SIZE = 1 << 60
_IN_CHUNK = 500
# Ids are close when they are at least one in so many: to look one up takes longer than to read as many in a row.
_CLOSE = 2
# Each empty frozenset that is made of a set takes 200 bytes.
_NOTHING_REJECTED: frozenset[Rejection] = frozenset()
_HIGHEST_ID = 1 << 62
raw_status = type_coerce(backups.c.status, String)
raw_type = type_coerce(backups.c.type, String)
start_seconds = EpochSeconds(backups.c.start_date)
end_seconds = EpochSeconds(backups.c.end_date)
raw_size = type_coerce(backups.c.total_size, String)
RUN_COLUMNS = (
    backups.c.id,
    backups.c.name,
    raw_status,
    backups.c.source,
    backups.c.host,
    raw_type,
    backups.c.section,
    start_seconds,
    end_seconds,
    raw_size,
)


class Pair(NamedTuple):
    """What the index ``last_backup`` begins with; the data centres of a section share it."""

    type: str
    section: str


class Tally(NamedTuple):
    """How many rows of a kind there are, and what is wrong with them.

    Attributes:
        start_kind: 0 a usable start, 1 unknown, 2 later than now.
        newest: the latest start, seconds since 1970.
    """

    type: str
    section: str
    host: str
    status: str
    start_kind: int
    rows: int
    newest: int
    ended_before_start: int
    without_end: int
    without_size: int
    bad_size: int


def bounds(connection: Connection) -> tuple[int, int] | None:
    """Return the lowest and the highest id, None while there is no row; reads two index entries."""
    low, high = connection.execute(select(func.min(backups.c.id), func.max(backups.c.id))).one()
    return None if low is None else (low, high)


def next_id(connection: Connection, after: int) -> int | None:
    """Return the lowest id above ``after``, None when there is none."""
    found: int | None = connection.execute(select(func.min(backups.c.id)).where(backups.c.id > after)).scalar()
    return found


def runs_after(connection: Connection, after: int, limit: int) -> list[Run]:
    """Return up to ``limit`` runs with ids above ``after``, lowest first."""
    statement = select(*RUN_COLUMNS).where(backups.c.id > after).order_by(backups.c.id).limit(limit)
    return [parse_run(row) for row in connection.execute(statement)]


def runs_by_id(connection: Connection, ids: Iterable[int]) -> Iterator[Run]:
    """Yield the runs that still exist among ``ids``."""
    wanted = sorted(ids)
    for begin in range(0, len(wanted), _IN_CHUNK):
        statement = select(*RUN_COLUMNS).where(_among(wanted[begin : begin + _IN_CHUNK]))
        for row in connection.execute(statement):
            yield parse_run(row)


def _among(ids: Sequence[int]) -> ColumnElement[bool]:
    """Return what holds of the rows that have one of ``ids``, which are sorted; close ones are read in one go."""
    low, high = ids[0], ids[-1]
    if high - low >= _CLOSE * len(ids):
        return backups.c.id.in_(ids)
    # A sum is in no index: else each id would be looked up, the more levels down the longer the history is.
    return and_(backups.c.id.between(low, high), (backups.c.id + 0).in_(ids))


def tallies(connection: Connection, low: int, high: int, now: datetime) -> list[Tally]:
    """Count the rows with ids from ``low`` to ``high`` in one pass over the primary key.

    Grouped by bytes, so that names stay apart that differ in case or trailing space; the texts are those of one row of
    each group.
    """
    start_kind = case(
        (or_(start_seconds.is_(None), start_seconds <= UNKNOWN_START), 1),
        (start_seconds > int(now.timestamp()), 2),
        else_=0,
    )
    bad_size = or_(backups.c.total_size < 0, backups.c.total_size > MAX_SIZE)
    texts = [raw_type, backups.c.section, backups.c.host, raw_status]
    group = (
        select(
            func.min(backups.c.id).label("first"),
            start_kind.label("start_kind"),
            func.count().label("found"),
            func.max(start_seconds).label("newest"),
            _count(and_(end_seconds < start_seconds, start_kind == 0)).label("ended_before_start"),
            _count(end_seconds.is_(None)).label("without_end"),
            _count(or_(backups.c.total_size.is_(None), bad_size)).label("without_size"),
            _count(bad_size).label("bad_size"),
        )
        .where(backups.c.id.between(low, high))
        .group_by(*(AsBytes(text) for text in texts), literal_column("start_kind"))
        .subquery()
    )
    figures = [column for column in group.c if column.name != "first"]
    statement = select(*texts, *figures).select_from(group.join(backups, backups.c.id == group.c.first))
    return [_tally(row) for row in connection.execute(statement)]


def _tally(row: Sequence[Any]) -> Tally:
    type_, section, host, status = (intern(as_text(value)) for value in row[:4])
    return Tally(type_, section, host, status, *(int(value or 0) for value in row[4:]))


def _count(condition: Any) -> Any:
    # Not a sum, which the server does in decimals.
    return func.count(case((condition, 1)))


def runs_since(
    connection: Connection,
    pairs: Sequence[Pair],
    statuses: Sequence[str],
    start: int,
    before: int | None = None,
) -> Iterator[Run]:
    """Yield the runs of ``pairs`` with one of ``statuses`` that started at ``start`` or later, but before ``before``.

    Both are seconds since 1970. Range scans of the index: one statement for each type and chunk of sections.
    """
    until = [] if before is None else [backups.c.start_date < FromEpoch(before)]
    by_type: dict[str, list[str]] = {}
    for pair in pairs:
        by_type.setdefault(pair.type, []).append(pair.section)
    for type_, sections in by_type.items():
        wanted = set(sections)
        for begin in range(0, len(sections), _IN_CHUNK):
            statement = select(*RUN_COLUMNS).where(
                raw_type == type_,
                backups.c.section.in_(sections[begin : begin + _IN_CHUNK]),
                raw_status.in_(statuses),
                backups.c.start_date >= FromEpoch(start),
                *until,
            )
            for row in connection.execution_options(stream_results=True).execute(statement):
                run = parse_run(row)
                if run.section in wanted:
                    yield run


def _in_index(pair: Pair, status: str) -> tuple[ColumnElement[bool], ...]:
    """Return what finds the runs of a pair and status in the index, where they stand by start."""
    return raw_type == pair.type, backups.c.section == pair.section, raw_status == status


def walk(connection: Connection, pair: Pair, status: str, before: tuple[int, int], limit: int) -> list[Run]:
    """Return the next ``limit`` runs of a pair and status in the index, newest first.

    Args:
        connection: an open connection.
        pair: type and section.
        status: as the database says it.
        before: start in seconds since 1970 and id; only older ones are returned.
        limit: the size of a page.
    """
    start, run_id = before
    statement = (
        select(*RUN_COLUMNS)
        .where(
            *_in_index(pair, status),
            backups.c.start_date <= FromEpoch(start),
            or_(backups.c.start_date < FromEpoch(start), backups.c.id < run_id),
        )
        .order_by(backups.c.start_date.desc(), backups.c.id.desc())
        .limit(limit)
    )
    return [parse_run(row) for row in connection.execute(statement)]


def climb(connection: Connection, pair: Pair, status: str, limit: int) -> Iterator[Run]:
    """Yield the runs of a pair and status that have a known start in the order of the index, oldest first.

    Only ``limit`` of them are held at any time.
    """
    start, run_id = UNKNOWN_START, _HIGHEST_ID
    while True:
        statement = (
            select(*RUN_COLUMNS)
            .where(
                *_in_index(pair, status),
                backups.c.start_date >= FromEpoch(start),
                or_(backups.c.start_date > FromEpoch(start), backups.c.id > run_id),
            )
            .order_by(backups.c.start_date, backups.c.id)
            .limit(limit)
        )
        page = [parse_run(row) for row in connection.execute(statement)]
        # A collation takes names for equal that differ in case or in trailing spaces.
        yield from (run for run in page if run.section == pair.section)
        if len(page) < limit:
            return
        start, run_id = int(page[-1].order[0]), page[-1].id


def files(connection: Connection, run_id: int) -> Iterator[tuple[str, str, int | None]]:
    """Yield path, name and size of every file and directory of a run, in the order of the primary key."""
    statement = select(backup_files.c.file_path, backup_files.c.file_name, backup_files.c.size).where(
        backup_files.c.backup_id == run_id
    )
    for path, name, size in connection.execution_options(stream_results=True).execute(statement):
        yield as_text(path), as_text(name), size if isinstance(size, int) and size >= 0 else None


def objects(connection: Connection, run_id: int) -> list[tuple[str, str | None, int | None]]:
    """Return database, table and size of every object the writer recorded for a run; none while it records none."""
    columns = (backup_objects.c.db, backup_objects.c.name, backup_objects.c.size)
    found = connection.execute(select(*columns).where(backup_objects.c.backup_id == run_id))
    return [
        (as_text(db), None if name is None else as_text(name), size if isinstance(size, int) and size >= 0 else None)
        for db, name, size in found
    ]


def parse_run(row: Sequence[Any]) -> Run:
    """Return a row of ``backups`` as a run; what cannot be used is None and named in ``rejected``."""
    run_id, name, status, source, host, type_, section, start, end, size = row
    rejected: set[Rejection] = set()
    if not type_ or not section:
        rejected.add(Rejection.NO_JOB)
    parsed_status = Status.parse(as_text(status))
    if parsed_status is Status.UNKNOWN:
        rejected.add(Rejection.STATUS_UNKNOWN)
    parsed_start = None if start is None or start <= UNKNOWN_START else as_time(start)
    if parsed_start is None:
        rejected.add(Rejection.START_UNKNOWN)
    parsed_size = _whole_bytes(size)
    if size is not None and parsed_size is None:
        rejected.add(Rejection.BAD_SIZE)
    return Run(
        id=run_id,
        name=as_text(name),
        status=parsed_status,
        # Few, and in thousands of runs that are kept.
        type=intern(as_text(type_)),
        section=intern(as_text(section)),
        source=intern(as_text(source)),
        host=intern(as_text(host)),
        start=parsed_start,
        end=None if end is None else as_time(end),
        size=parsed_size,
        rejected=frozenset(rejected) if rejected else _NOTHING_REJECTED,
        recorded_status=as_text(status) if parsed_status is Status.UNKNOWN else "",
    )


def as_time(seconds: Any) -> datetime:
    """Return seconds since 1970 as an aware time, UTC."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _whole_bytes(value: Any) -> int | None:
    """Return whole bytes >= 0, None for NULL and for anything else that is no such number."""
    try:
        size = int(value)
    except (TypeError, ValueError):
        return None
    return size if 0 <= size <= MAX_SIZE else None


def as_text(value: Any) -> str:
    """Return a text column's value, '' for NULL."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)
