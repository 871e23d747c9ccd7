"""Runs the queries of API and pages in threads, a few at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Run
from bernard_exporter.errors import BusyError
from bernard_exporter.inventory.contents import Contents
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.contents import ContentsCache
from bernard_exporter.store.connection import Database

T = TypeVar("T")
# Because of the GIL, more threads would hardly be faster, and would delay scrapes.
_DATABASE_THREADS, _SNAPSHOT_THREADS = 2, 1
_WAITING = 32


class SnapshotSource(Protocol):
    """The source of snapshots, which is the poller."""

    @property
    def snapshot(self) -> Snapshot:
        """The last snapshot."""

    @property
    def database(self) -> Database:
        """The database of the current settings."""

    @property
    def now(self) -> datetime:
        """The current time, with a time zone."""


@dataclass(frozen=True, slots=True)
class SnapshotView:
    """The data for queries that do not need the database: the last snapshot and the current time."""

    snapshot: Snapshot
    now: datetime


@dataclass(frozen=True, slots=True)
class DatabaseView(SnapshotView):
    """The data for queries of the database: one transaction, and the last snapshot at the time of the request."""

    connection: Connection
    contents: ContentsCache = field(default_factory=ContentsCache)

    def contents_of(self, run: Run) -> Contents:
        """Return the contents of a run's backup, from memory if they are known.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
        """
        return self.contents.read(self.connection, run, self.now)


class QueryExecutor:
    """Runs queries in worker threads, so that scrapes never wait for the database."""

    def __init__(self, source: SnapshotSource, waiting: int = _WAITING) -> None:
        """Allow a few queries at a time and ``waiting`` more, of the database and of the snapshot each."""
        self._source = source
        self._contents = ContentsCache()
        self._database = _Threads(_DATABASE_THREADS, waiting)
        # Queries that do not need the database must not wait for one that hangs.
        self._memory = _Threads(_SNAPSHOT_THREADS, waiting)
        # The threads that query a database.
        self._asking: dict[int, Database] = {}

    @property
    def view(self) -> SnapshotView:
        """The last snapshot and the current time."""
        return SnapshotView(self._source.snapshot, self._source.now)

    async def query_snapshot(self, question: Callable[[SnapshotView], T]) -> T:
        """Return the result of a query of the last snapshot.

        Raises:
            BusyError: too many queries are waiting.
            BernardError: any other error of the query.
        """
        return await self._memory.run(lambda: question(self.view))

    async def query_database(self, question: Callable[[DatabaseView], T]) -> T:
        """Return the result of a query of the database, on its own connection.

        Raises:
            BusyError: too many queries are waiting.
            StoreError: the database cannot be read, or the query takes too long.
            BernardError: any other error of the query.
        """
        return await self._database.run(lambda: self._answer(question))

    def close(self) -> None:
        """Abort the running queries of the database, whose threads would keep the process from exiting."""
        for thread, database in list(self._asking.items()):
            database.abort(thread)

    def _answer(self, question: Callable[[DatabaseView], T]) -> T:
        view, database, thread = self.view, self._source.database, threading.get_ident()
        self._asking[thread] = database
        try:
            with database.connect() as connection:
                return question(DatabaseView(view.snapshot, view.now, connection, self._contents))
        finally:
            del self._asking[thread]


class _Threads:
    """A few worker threads, and a bounded queue for them."""

    def __init__(self, threads: int, waiting: int) -> None:
        self._limiter = CapacityLimiter(threads)
        self._most = threads + waiting
        self._in_progress = 0

    async def run(self, query: Callable[[], T]) -> T:
        if self._in_progress >= self._most:
            raise BusyError(f"{self._in_progress} queries are running or waiting; retry later")
        self._in_progress += 1
        try:
            return await to_thread.run_sync(query, limiter=self._limiter)
        finally:
            self._in_progress -= 1
