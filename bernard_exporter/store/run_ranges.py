"""Reads the runs of a time range with a bound for each statement, whatever number of them a job has."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.elements import ColumnElement

from bernard_exporter.domain.model import Order, Run
from bernard_exporter.store import reader
from bernard_exporter.store.reader import (
    RUN_COLUMNS,
    IndexPosition,
    Pair,
    in_index,
    is_of,
    parse_run,
    raw_status,
    raw_type,
    start_seconds,
)
from bernard_exporter.store.schema import AsBytes, FromEpoch, backups


class Starts(NamedTuple):
    """A range of starts, both ends included, in seconds since 1970."""

    first: int
    last: int


def runs_between(
    connection: Connection, type_: str, sections: Sequence[str], statuses: Sequence[str], starts: Starts, limit: int
) -> list[Run] | None:
    """Return the runs of some sections with one of ``statuses``; None if there are more than ``limit``."""
    statement = select(*RUN_COLUMNS).where(*_in_index(type_, sections, statuses, starts)).limit(limit + 1)
    rows = connection.execute(statement).all()
    if len(rows) > limit:
        return None
    names, texts = set(sections), set(statuses)
    # Collations ignore case and trailing spaces.
    return [run for run in map(parse_run, rows) if run.section in names and run.raw_status in texts and run.start]


def are_more(
    connection: Connection, type_: str, sections: Sequence[str], statuses: Sequence[str], starts: Starts, limit: int
) -> bool:
    """Return whether some sections have more than ``limit`` runs with one of ``statuses``; it reads the index alone."""
    some = select(backups.c.id).where(*_in_index(type_, sections, statuses, starts)).limit(limit + 1).subquery()
    return int(connection.execute(select(func.count()).select_from(some)).scalar_one()) > limit


def ids_between(connection: Connection, pair: Pair, status: str, starts: Starts) -> tuple[int, int] | None:
    """Return the lowest and the highest id of a pair and status; None without runs. It reads the index alone."""
    lowest_and_highest = select(func.min(backups.c.id), func.max(backups.c.id))
    low, high = connection.execute(
        lowest_and_highest.where(*_in_index(pair.type, [pair.section], [status], starts))
    ).one()
    return None if low is None else (low, high)


class Group(NamedTuple):
    """The runs of a range of ids with the same type, section, host and status.

    Attributes:
        runs: their number.
        first: the oldest start, in seconds since 1970, and the lowest id.
        last: the newest start and the highest id.
    """

    type: str
    section: str
    host: str
    status: str
    runs: int
    first: Order
    last: Order


def groups(connection: Connection, ids: tuple[int, int], until: int) -> list[Group]:
    """Group the runs of a range of ids that started at ``until`` or earlier, in one pass over the primary key."""
    texts = [raw_type, backups.c.section, backups.c.host, raw_status]
    group = (
        select(
            func.count().label("runs"),
            func.min(start_seconds).label("oldest"),
            func.min(backups.c.id).label("lowest"),
            func.max(start_seconds).label("newest"),
            func.max(backups.c.id).label("highest"),
        )
        .where(backups.c.id.between(*ids), start_seconds <= until)
        .group_by(*map(AsBytes, texts))
        .subquery()
    )
    statement = select(*texts, *group.c).select_from(group.join(backups, backups.c.id == group.c.lowest))
    result: list[Group] = []
    for *names, runs, oldest, lowest, newest, highest in connection.execute(statement):
        type_, section, host, status = map(reader.as_text, names)
        result.append(Group(type_, section, host, status, runs, (oldest, lowest), (newest, highest)))
    return result


def newest_of_all(connection: Connection, pair: Pair, status: str, starts: Starts, limit: int) -> list[Run]:
    """Return the newest ``limit`` runs of a pair and status on any host, newest first, by index."""
    after = IndexPosition.after(starts.last)
    page = reader.runs_newest_first(connection, pair, status, after, limit, starts.first)
    return [run for _, run in page if is_of(run, pair, status)]


def newest_of_hosts(
    connection: Connection,
    pair: Pair,
    status: str,
    hosts: Sequence[str],
    starts: Starts,
    ids: tuple[int, int] | None,
    limit: int,
) -> list[Run]:
    """Return the newest ``limit`` runs of a pair and status on some hosts, newest first, by parts of the primary key.

    Args:
        connection: an open connection.
        pair: type and section.
        status: the status as stored in the database.
        hosts: the destination hosts; '' for rows without a host.
        starts: the range.
        ids: the result of :func:`ids_between`.
        limit: the maximum number of runs.
    """
    newest: list[Run] = []
    for part in reader.id_ranges(connection, ids):
        runs = reader.newest_of(connection, pair, status, hosts, starts, part, limit)
        newest = list(islice(heapq.merge(newest, runs, key=lambda run: run.order, reverse=True), limit))
    return newest


def _in_index(
    type_: str, sections: Sequence[str], statuses: Sequence[str], starts: Starts
) -> tuple[ColumnElement[bool], ...]:
    if len(sections) == len(statuses) == 1:
        exact = in_index(Pair(type_, sections[0]), statuses[0])
    else:
        exact = raw_type == type_, backups.c.section.in_(sections), raw_status.in_(statuses)
    return *exact, backups.c.start_date.between(FromEpoch(starts.first), FromEpoch(starts.last))
