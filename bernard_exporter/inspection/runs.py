"""Runs: a page of those that pass a filter, one by its id, and the success before one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.errors import NotFoundError
from bernard_exporter.filters import RunFilter, RunSort, decode_cursor, encode_cursor
from bernard_exporter.inspection.page import Page, page_of
from bernard_exporter.model import Run, Status
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store import reader, search
from bernard_exporter.store.search import RunKey

# Finished rows without a usable end are rare, so that few rows are looked at for a success.
_SUCCESS_SEARCH = 20
_NUMBER: tuple[type, ...] = (int,)


def search_runs(connection: Connection, snapshot: Snapshot, wanted: RunFilter) -> Page[Run]:
    """Return a page of the runs that pass a filter.

    Args:
        connection: an open connection.
        snapshot: says which hosts are in which data centre.
        wanted: which runs.

    Raises:
        FilterError: the cursor is none of this list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    after = None
    if wanted.cursor is not None:
        after = RunKey(*decode_cursor(wanted.cursor, wanted.sort.value, (int, type(None)), _NUMBER))
    hosts = hosts_of(snapshot, wanted.datacenter) if wanted.datacenter else None
    if hosts == []:
        return Page((), None)
    found = search.runs(connection, wanted, hosts, after, wanted.limit + 1)
    keyed = page_of(found, wanted.limit, lambda item: encode_cursor(wanted.sort.value, *item[0]))
    return Page(tuple(run for _, run in keyed.items), keyed.next_cursor)


def hosts_of(snapshot: Snapshot, datacenters: tuple[str, ...]) -> list[str]:
    """Return the destination hosts seen in some data centres; '' stands for none recorded."""
    return sorted(host for host in snapshot.hosts if snapshot.policy.datacenter(host) in datacenters)


def find_run(connection: Connection, run_id: int) -> Run:
    """Return one run.

    Raises:
        NotFoundError: there is none with this id.
        sqlalchemy.exc.SQLAlchemyError: the statement failed.
    """
    for run in reader.runs_by_id(connection, [run_id]):
        return run
    raise NotFoundError(f"no run {run_id} in the inventory")


def previous_success(connection: Connection, snapshot: Snapshot, run: Run, now: datetime) -> Run | None:
    """Return the newest success of the same job that began before a run, None when there is none.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    datacenter = snapshot.policy.datacenter(run.host)
    if run.start is None or not run.section or not run.type:
        return None
    wanted = RunFilter(section=(run.section,), type=(run.type,), status=(Status.FINISHED,), sort=RunSort.START_DOWN)
    hosts = {*hosts_of(snapshot, (datacenter,)), run.host}
    after = RunKey(int(run.start.timestamp()), run.id)
    while found := search.runs(connection, wanted, hosts, after, _SUCCESS_SEARCH):
        for _, earlier in found:
            if earlier.is_success(now):
                return earlier
        after = found[-1][0]
    return None
