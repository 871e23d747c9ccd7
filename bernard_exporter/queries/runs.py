"""Finds runs by filters or id, and the previous success of a run."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from bernard_exporter.domain.filters import RunFilter, RunSort, decode_cursor, encode_cursor
from bernard_exporter.domain.model import Run, Status
from bernard_exporter.errors import FilterError, NotFoundError
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.page import Page, page_of
from bernard_exporter.store import reader, search
from bernard_exporter.store.search import RunKey

# Finished rows without a usable end are rare, so that few rows are read to find a success.
_SUCCESS_SEARCH = 20
_NUMBER: tuple[type, ...] = (int,)
# The cursor of a page sorted by start has a time in the database's format.
_BY_START = (RunSort.START, RunSort.START_DOWN)
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)


def search_runs(connection: Connection, snapshot: Snapshot, run_filter: RunFilter) -> Page[Run]:
    """Return a page of the runs that match a filter.

    Args:
        connection: an open connection.
        snapshot: the data centres of hosts.
        run_filter: the filter.

    Raises:
        FilterError: the cursor is not one of this list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    after = None
    if run_filter.cursor is not None:
        value, run_id = decode_cursor(run_filter.cursor, run_filter.sort.value, (int, str, type(None)), _NUMBER)
        if isinstance(value, str) and not (run_filter.sort in _BY_START and _TIME.fullmatch(value)):
            raise FilterError("cursor", "not a cursor of this list, expected the next_cursor of the previous page")
        after = RunKey(value, run_id)
    hosts = hosts_of(snapshot, run_filter.datacenter) if run_filter.datacenter else None
    if hosts == []:
        return Page((), None)
    rows = search.runs(connection, run_filter, hosts, after, run_filter.limit + 1)
    keyed = page_of(rows, run_filter.limit, lambda item: encode_cursor(run_filter.sort.value, *item[0]))
    return Page(tuple(run for _, run in keyed.items), keyed.next_cursor)


def hosts_of(snapshot: Snapshot, datacenters: tuple[str, ...]) -> list[str]:
    """Return the known destination hosts of some data centres; '' stands for rows without a host."""
    return sorted(host for host in snapshot.hosts if snapshot.policy.datacenter(host) in datacenters)


def find_run(connection: Connection, run_id: int) -> Run:
    """Return one run.

    Raises:
        NotFoundError: there is no run with this id.
        sqlalchemy.exc.SQLAlchemyError: the statement failed.
    """
    for run in reader.runs_by_id(connection, [run_id]):
        return run
    raise NotFoundError(f"no run {run_id} in the inventory")


def previous_success(connection: Connection, snapshot: Snapshot, run: Run, now: datetime) -> Run | None:
    """Return the newest success of the same job that started before a run; None if there is none.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    datacenter = snapshot.policy.datacenter(run.host)
    if run.start is None or not run.section or not run.type:
        return None
    successes = RunFilter(
        section=(run.section,),
        type=(run.type,),
        status=(Status.FINISHED,),
        started_before=run.start + timedelta(seconds=1),
        sort=RunSort.START_DOWN,
    )
    hosts = {*hosts_of(snapshot, (datacenter,)), run.host}
    after: RunKey | None = None
    while rows := search.runs(connection, successes, hosts, after, _SUCCESS_SEARCH):
        for _, earlier in rows:
            if earlier.order < run.order and earlier.is_success(now):
                return earlier
        after = rows[-1][0]
    return None
