"""The queries of the inventory; every statement uses the primary key or the index ``last_backup``."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import String, and_, case, func, literal_column, or_, select, type_coerce
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from bernard_exporter.domain.model import Order, Rejection, Run, Status
from bernard_exporter.store.schema import (
    UNKNOWN_START,
    AsBytes,
    EpochSeconds,
    Exact,
    FromEpoch,
    backup_files,
    backup_objects,
    backups,
)

# The largest valid size, 1 EiB; larger values are wrong, and would lose precision as samples.
MAX_SIZE = 1 << 60
_IN_CHUNK = 500
# The number of ids per statement if it may take ten seconds or longer. On a busy server it takes about one.
IDS_AT_ONCE = 250_000
_USUAL_TIMEOUT = 10.0
# The number of ids that a scan of the index reads at once.
IDS_IN_PAGE = 50_000
# Ids are read as one range if at least one in this many is needed: a lookup takes longer than reading as many in a row.
_CLOSE = 2
# Shared, as each empty frozenset made from a set takes 200 bytes.
_NOTHING_REJECTED: frozenset[Rejection] = frozenset()
raw_status = type_coerce(backups.c.status, String)
raw_type = type_coerce(backups.c.type, String)
start_seconds = EpochSeconds(backups.c.start_date)
end_seconds = EpochSeconds(backups.c.end_date)
raw_start = type_coerce(backups.c.start_date, String)
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
    """Type and section, the first columns of the index ``last_backup``, shared by the section's data centres."""

    type: str
    section: str


class IndexPosition(NamedTuple):
    """A position in the index ``last_backup`` among the runs of a pair and status.

    Attributes:
        start: in the database's own format, as the fraction that is dropped when reading also affects the order.
    """

    start: str
    id: int

    @classmethod
    def after(cls, seconds: int) -> IndexPosition:
        """Return the position after all runs that started within a second, given in seconds since 1970."""
        return cls(str(_EPOCH + timedelta(seconds=seconds + 1)), 0)


_EPOCH = datetime(1970, 1, 1)
_FIRST_POSITION = IndexPosition.after(UNKNOWN_START)
# The latest TIMESTAMP that all servers support.
LAST_SECOND = (1 << 31) - 1


class Tally(NamedTuple):
    """The number of rows with a key, and of problems in them.

    Attributes:
        start_kind: 0 for a usable start, 1 for an unknown one, 2 for one in the future.
        newest: the latest start in seconds since 1970; 0 if there is none.
        newest_end: the latest end that is not in the future, in seconds since 1970; 0 if there is none.
        end_future: the number of rows with an end in the future.
        begun_and_ended: the number of rows with start and end not in the future; for finished rows, the successes.
    """

    type: str
    section: str
    host: str
    status: str
    start_kind: int
    rows: int
    newest: int
    newest_end: int
    end_future: int
    begun_and_ended: int
    ended_before_start: int
    without_end: int
    without_size: int
    bad_size: int


def bounds(connection: Connection) -> tuple[int, int] | None:
    """Return the lowest and the highest id; None if the table is empty. It reads two index entries."""
    low, high = connection.execute(select(func.min(backups.c.id), func.max(backups.c.id))).one()
    return None if low is None else (low, high)


def pairs(connection: Connection) -> set[Pair]:
    """Return all pairs of type and section with rows, by skipping through the index."""
    rows = connection.execute(select(raw_type, backups.c.section).distinct())
    return {Pair(as_text(type_), as_text(section)) for type_, section in rows}


def statuses(connection: Connection) -> dict[Pair, set[str]]:
    """Return the statuses of the rows of each pair, as stored, by skipping through the index."""
    found: dict[Pair, set[str]] = {}
    for type_, section, status in connection.execute(select(raw_type, backups.c.section, raw_status).distinct()):
        found.setdefault(Pair(as_text(type_), as_text(section)), set()).add(as_text(status))
    return found


def id_ranges(connection: Connection, bounds: tuple[int, int] | None) -> Iterator[tuple[int, int]]:
    """Yield ranges of ids that cover all rows between two ids; gaps are skipped.

    A range has at most :data:`IDS_AT_ONCE` ids, and fewer with a shorter ``database.timeout``.
    """
    timeout = connection.get_execution_options().get("statement_timeout", _USUAL_TIMEOUT)
    at_once = max(1, int(IDS_AT_ONCE * min(1.0, timeout / _USUAL_TIMEOUT)))
    begin, high = bounds or (1, 0)
    while begin <= high:
        end = min(begin + at_once - 1, high)
        yield begin, end
        if end == high:
            return
        # There is one: the row with the last id.
        begin = connection.execute(select(func.min(backups.c.id)).where(backups.c.id > end)).scalar_one()


def ids_after(connection: Connection, after: int) -> list[int]:
    """Return the ids above ``after``, lowest first."""
    return list(connection.execute(select(backups.c.id).where(backups.c.id > after).order_by(backups.c.id)).scalars())


def runs_after(connection: Connection, after: int, limit: int) -> list[Run]:
    """Return up to ``limit`` runs with ids above ``after``, lowest first."""
    statement = select(*RUN_COLUMNS).where(backups.c.id > after).order_by(backups.c.id).limit(limit)
    return [parse_run(row) for row in connection.execute(statement)]


def runs_by_id(connection: Connection, ids: Iterable[int]) -> Iterator[Run]:
    """Yield the runs that still exist among ``ids``."""
    sorted_ids = sorted(ids)
    for begin in range(0, len(sorted_ids), _IN_CHUNK):
        statement = select(*RUN_COLUMNS).where(_among(sorted_ids[begin : begin + _IN_CHUNK]))
        for row in connection.execute(statement):
            yield parse_run(row)


def _among(ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition for the rows with sorted ``ids``; ids that are close are read as a range."""
    low, high = ids[0], ids[-1]
    if high - low >= _CLOSE * len(ids):
        return backups.c.id.in_(ids)
    # ``id + 0`` prevents lookups of single ids, which take longer the deeper the tree is.
    return and_(backups.c.id.between(low, high), (backups.c.id + 0).in_(ids))


def tallies(connection: Connection, low: int, high: int, now: datetime) -> list[Tally]:
    """Count the rows with ids from ``low`` to ``high`` in one pass over the primary key.

    Names are grouped by bytes, so that names that differ in case or trailing spaces stay separate; the texts are those
    of one row of each group.
    """
    moment = int(now.timestamp())
    start_kind = case((start_seconds.is_(None), 1), (start_seconds > moment, 2), else_=0)
    bad_size = or_(backups.c.total_size < 0, backups.c.total_size > MAX_SIZE)
    texts = [raw_type, backups.c.section, backups.c.host, raw_status]
    group = (
        select(
            func.min(backups.c.id).label("first"),
            start_kind.label("start_kind"),
            func.count().label("found"),
            func.max(start_seconds).label("newest"),
            func.max(case((end_seconds <= moment, end_seconds))).label("newest_end"),
            _count(end_seconds > moment).label("end_future"),
            _count(and_(start_kind == 0, end_seconds <= moment)).label("begun_and_ended"),
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
    # COUNT instead of SUM, which the server computes with decimals.
    return func.count(case((condition, 1)))


def runs_since(
    connection: Connection,
    pairs: Sequence[Pair],
    statuses: Sequence[str],
    start: int,
    before: int | None = None,
) -> Iterator[Run]:
    """Yield the runs of ``pairs`` with one of ``statuses`` that started at ``start`` or later, but before ``before``.

    Both are seconds since 1970. It uses range scans of the index: one statement for each type and chunk of sections.
    """
    until = [] if before is None else [backups.c.start_date < FromEpoch(before)]
    by_type: dict[str, list[str]] = {}
    for pair in pairs:
        by_type.setdefault(pair.type, []).append(pair.section)
    for type_, sections in by_type.items():
        names = set(sections)
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
                # Collations ignore case and trailing spaces.
                if run.section in names and run.raw_status in statuses and run.start is not None:
                    yield run


def are_more(connection: Connection, pair: Pair, status: str, since: int, until: int, limit: int) -> bool:
    """Return whether more than ``limit`` runs of a pair and status started from ``since`` to ``until``, by index."""
    started = backups.c.start_date.between(FromEpoch(since), FromEpoch(until))
    some = select(backups.c.id).where(*in_index(pair, status), started)
    count = connection.execute(select(func.count()).select_from(some.limit(limit + 1).subquery())).scalar_one()
    return int(count) > limit


class Newer(NamedTuple):
    """The number of runs after a given time, and the start of the oldest of them in seconds since 1970."""

    runs: int
    oldest: int


def newer(
    connection: Connection, pair: Pair, status: str, after: Order, until: int, ids: tuple[int, int] | None = None
) -> dict[str, Newer]:
    """Count by host the runs of a pair and status that are newer than ``after`` and started at ``until`` or earlier.

    Args:
        connection: an open connection.
        pair: type and section.
        status: the status as stored in the database.
        after: start, in seconds since 1970, and id.
        until: seconds since 1970.
        ids: the first and last id to count by the primary key; None to count all by ``last_backup``.
    """
    start, run_id = int(after[0]), after[1]
    # The index compares names without case: runs of other jobs are filtered out as well.
    conditions = [
        *([] if ids else in_index(pair, status)),
        *_in_ids(pair, status, ids),
        backups.c.start_date >= FromEpoch(max(start, UNKNOWN_START + 1)),
        or_(start_seconds > start, and_(start_seconds == start, backups.c.id > run_id)),
        start_seconds <= until,
    ]
    group = (
        select(
            func.min(backups.c.id).label("first"), func.count().label("found"), func.min(start_seconds).label("oldest")
        )
        .where(*conditions)
        .group_by(AsBytes(backups.c.host))
        .subquery()
    )
    statement = select(backups.c.host, group.c.found, group.c.oldest).join(group, backups.c.id == group.c.first)
    return {as_text(host): Newer(int(runs), int(oldest)) for host, runs, oldest in connection.execute(statement)}


def newest_of(
    connection: Connection,
    pair: Pair,
    status: str,
    hosts: Sequence[str],
    times: tuple[int, int],
    ids: tuple[int, int],
    limit: int,
    ended: int | None = None,
) -> list[Run]:
    """Return up to ``limit`` runs of a pair and status on some hosts, newest first.

    Args:
        connection: an open connection.
        pair: type and section.
        status: the status as stored in the database.
        hosts: the destination hosts; '' for rows without a host.
        times: the first and the last start in seconds since 1970.
        ids: the first and the last id, which are read by the primary key.
        limit: the maximum number of runs.
        ended: only runs that ended then or earlier, seconds since 1970; None for all.
    """
    since, until = times
    on_hosts = or_(backups.c.host.in_(hosts), *([backups.c.host.is_(None)] if "" in hosts else []))
    statement = (
        select(*RUN_COLUMNS)
        .where(
            *_in_ids(pair, status, ids),
            on_hosts,
            backups.c.start_date.between(FromEpoch(since), FromEpoch(until)),
            *([] if ended is None else [end_seconds <= ended]),
        )
        .order_by(backups.c.start_date.desc(), backups.c.id.desc())
        .limit(limit)
    )
    return [parse_run(row) for row in connection.execute(statement)]


def _in_ids(pair: Pair, status: str, ids: tuple[int, int] | None) -> list[ColumnElement[bool]]:
    """Return the condition for the runs of a pair and status by the primary key, which no other index must serve."""
    return [*is_exactly(pair, status), *([backups.c.id.between(*ids)] if ids else [])]


def is_exactly(pair: Pair, status: str) -> list[ColumnElement[bool]]:
    """Return the condition for exactly this pair and status, without an index."""
    texts = ((raw_type, pair.type), (backups.c.section, pair.section), (raw_status, status))
    return [Exact(column) == text for column, text in texts]


def future_runs(connection: Connection, ids: tuple[int, int], now: int, limit: int) -> list[Run]:
    """Return up to ``limit`` runs in a range of ids whose start or end is later than ``now``."""
    # Compare the raw columns, so that only rows that may be later are parsed.
    later = or_(backups.c.start_date > FromEpoch(now), backups.c.end_date > FromEpoch(now))
    statement = select(*RUN_COLUMNS).where(backups.c.id.between(*ids), later).order_by(backups.c.id).limit(limit)
    return [parse_run(row) for row in connection.execute(statement)]


def in_index(pair: Pair, status: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition for the runs of a pair and status by index, in which they are sorted by start."""
    return raw_type == pair.type, backups.c.section == pair.section, raw_status == status


def runs_newest_first(
    connection: Connection, pair: Pair, status: str, before: IndexPosition, limit: int, since: int = UNKNOWN_START + 1
) -> list[tuple[IndexPosition, Run]]:
    """Return the next ``limit`` runs of a pair and status in the index, newest first, each with its position.

    A page may cost as much as all pages before it, so a caller that reads many must let ``limit`` grow.

    Args:
        connection: an open connection.
        pair: type and section.
        status: the status as stored in the database.
        before: only runs before this position are returned.
        limit: the page size.
        since: only runs that started then or later are returned; seconds since 1970.
    """
    columns = backups.c.start_date, backups.c.id
    bounds = raw_start <= before.start, or_(raw_start < before.start, _and_id(before, backups.c.id < before.id))
    # The ids are read from the index alone.
    ids = select(backups.c.id, raw_start.label("raw_start")).where(
        *in_index(pair, status), *bounds, backups.c.start_date >= FromEpoch(since)
    )
    page = ids.order_by(*(column.desc() for column in columns)).limit(limit).subquery("page")
    # An outer join reads the page first, whatever the statistics of the table are.
    statement = select(*RUN_COLUMNS, page.c.raw_start).select_from(page.outerjoin(backups, backups.c.id == page.c.id))
    rows = map(tuple, connection.execute(statement))
    runs = [(IndexPosition(str(row[-1]), row[0]), parse_run(row[:-1])) for row in rows]
    return sorted(runs, key=lambda item: item[0], reverse=True)


def runs_oldest_first(
    connection: Connection, pair: Pair, status: str, limit: int, since: int = UNKNOWN_START + 1
) -> Iterator[Run]:
    """Yield the runs of a pair and status that started at ``since`` or later in index order, oldest first.

    At most ``limit`` of them, and the ids of :data:`IDS_IN_PAGE`, are in memory at any time.
    """
    position = _FIRST_POSITION
    while True:
        ids, position = _ids_after(connection, pair, status, position, since)
        for begin in range(0, len(ids), limit):
            chunk = ids[begin : begin + limit]
            order = {run_id: index for index, run_id in enumerate(chunk)}
            runs = sorted(runs_by_id(connection, chunk), key=lambda run: order[run.id])
            yield from (run for run in runs if is_of(run, pair, status) and run.start is not None)
        if len(ids) < IDS_IN_PAGE:
            return


def _ids_after(
    connection: Connection, pair: Pair, status: str, position: IndexPosition, since: int
) -> tuple[array[int], IndexPosition]:
    """Return the ids of the next runs in the index, oldest first, and the position of the last one.

    There are far more of them than rows in memory, as the optimizer may read the whole index up to the page: it prefers
    that if a job has most rows of the table.
    """
    after = or_(raw_start > position.start, _and_id(position, backups.c.id > position.id))
    statement = (
        select(backups.c.id, raw_start)
        .where(*in_index(pair, status), raw_start >= position.start, after, backups.c.start_date >= FromEpoch(since))
        .order_by(backups.c.start_date, backups.c.id)
        .limit(IDS_IN_PAGE)
    )
    ids, row = array("Q"), None
    for row in connection.execution_options(stream_results=True).execute(statement):
        ids.append(row.id)
    return ids, IndexPosition(str(row[1]), row.id) if row else position


def _and_id(position: IndexPosition, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(raw_start == position.start, condition)


def is_of(run: Run, pair: Pair, status: str) -> bool:
    """Return whether a run has exactly this pair and status, as collations ignore case and trailing spaces."""
    return run.section == pair.section and run.type == pair.type and run.raw_status == status


def files(connection: Connection, run_id: int) -> Iterator[tuple[str, str, int | None]]:
    """Yield path, name and size of every file and directory of a run, in the order of the primary key."""
    statement = select(backup_files.c.file_path, backup_files.c.file_name, backup_files.c.size).where(
        backup_files.c.backup_id == run_id
    )
    for path, name, size in connection.execution_options(stream_results=True).execute(statement):
        yield as_text(path), as_text(name), size if isinstance(size, int) and size >= 0 else None


def objects(connection: Connection, run_id: int) -> list[tuple[str, str | None, int | None]]:
    """Return database, table and size of the objects that the writer recorded for a run, if any."""
    columns = (backup_objects.c.db, backup_objects.c.name, backup_objects.c.size)
    rows = connection.execute(select(*columns).where(backup_objects.c.backup_id == run_id))
    return [
        (as_text(db), None if name is None else as_text(name), size if isinstance(size, int) and size >= 0 else None)
        for db, name, size in rows
    ]


def parse_run(row: Sequence[Any]) -> Run:
    """Convert a row of ``backups`` to a run; values that cannot be used are None and listed in ``rejected``."""
    run_id, name, status, source, host, type_, section, start, end, size = row
    rejected: set[Rejection] = set()
    if not type_ or not section:
        rejected.add(Rejection.NO_JOB)
    parsed_status = Status.parse(as_text(status))
    if parsed_status is Status.UNKNOWN:
        rejected.add(Rejection.STATUS_UNKNOWN)
    if start is None:
        rejected.add(Rejection.START_UNKNOWN)
    parsed_size = _whole_bytes(size)
    if size is not None and parsed_size is None:
        rejected.add(Rejection.BAD_SIZE)
    return Run(
        id=run_id,
        name=as_text(name),
        status=parsed_status,
        # Interned, as a few values are repeated in thousands of runs.
        type=intern(as_text(type_)),
        section=intern(as_text(section)),
        source=intern(as_text(source)),
        host=intern(as_text(host)),
        start=None if start is None else as_time(start),
        end=None if end is None else as_time(end),
        size=parsed_size,
        rejected=frozenset(rejected) if rejected else _NOTHING_REJECTED,
        recorded_status=as_text(status) if parsed_status is Status.UNKNOWN else "",
    )


def as_time(seconds: Any) -> datetime:
    """Return seconds since 1970 as a time in UTC."""
    return datetime.fromtimestamp(int(seconds), UTC)


def _whole_bytes(value: Any) -> int | None:
    """Return a whole number of bytes >= 0; None for NULL and any other value."""
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
