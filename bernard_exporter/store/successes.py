"""The query for the newest successes of a type and section."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Run, Status
from bernard_exporter.store.reader import RUN_COLUMNS, Pair, end_seconds, in_index, is_exactly, parse_run, start_seconds
from bernard_exporter.store.schema import UNKNOWN_START, Exact, FromEpoch, backups


def newest_successes(
    connection: Connection, pair: Pair, now: datetime, limit: int, without: Collection[str] = ()
) -> list[Run]:
    """Return up to ``limit`` successes of a type and section in all data centres, newest first.

    The rows of other hosts are filtered by the server, so that a job with any number of rows does not hide the others
    of its section: each row takes an entry of the index and a look-up.

    Args:
        connection: an open connection.
        pair: type and section.
        now: the current time; later starts and ends are no successes.
        limit: the maximum number of runs.
        without: the destination hosts to leave out; '' for rows without a host.
    """
    status, moment = Status.FINISHED.value, int(now.timestamp())
    elsewhere = Exact(func.coalesce(backups.c.host, "")).not_in(sorted(without))
    statement = (
        select(*RUN_COLUMNS)
        .where(
            *in_index(pair, status),
            *is_exactly(pair, status),
            backups.c.start_date > FromEpoch(UNKNOWN_START),
            backups.c.start_date < FromEpoch(moment + 1),
            start_seconds <= moment,
            end_seconds <= moment,
            elsewhere,
        )
        .order_by(backups.c.start_date.desc(), backups.c.id.desc())
        .limit(limit)
    )
    return [parse_run(row) for row in connection.execute(statement)]
