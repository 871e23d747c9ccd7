"""Runs the queries of API and pages in threads, a few at a time."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection

from bernard_exporter.errors import BusyError
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.store.connection import Database

T = TypeVar("T")
_WAITING = 32
# Seconds after which a query no longer delays others, which move to a second thread. Nearly all queries are faster; two
# busy threads would delay scrapes more than one.
_PATIENCE = 0.5
_PAUSE = 0.1
# High enough that scrapes come first, but low enough that a thread that holds the GIL still gets CPU time.
_NICENESS = 5


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


class QueryExecutor:
    """Runs queries in separate threads, so that scrapes never wait for the database."""

    def __init__(self, source: SnapshotSource, waiting: int = _WAITING) -> None:
        """Allow one or two queries at a time and a queue of ``waiting`` more."""
        self._source = source
        self._database = _Queue(waiting)
        # Queries that do not need the database must not wait for one that hangs.
        self._memory = _Queue(waiting)
        self._loop = _SeparateLoop()

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
        return await self._memory.do(lambda: question(self.view))

    async def query_database(self, question: Callable[[DatabaseView], T]) -> T:
        """Return the result of a query of the database, on its own connection.

        Raises:
            BusyError: too many queries are waiting.
            StoreError: the database cannot be read, or the query takes too long.
            BernardError: any other error of the query.
        """
        return await self._database.do(lambda: self._answer(question))

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the result of a coroutine that runs on a separate event loop, in another thread than scrapes."""
        return await self._loop.run(work)

    def close(self) -> None:
        """Stop running queries, without waiting for a database that hangs."""
        self._database.close()
        self._memory.close()
        self._loop.close()

    def _answer(self, question: Callable[[DatabaseView], T]) -> T:
        view = self.view
        with self._source.database.connect() as connection:
            return question(DatabaseView(view.snapshot, view.now, connection))


class _Queue:
    """A thread that runs one query after the other, a second thread for when one takes long, and a bounded queue.

    Because of the GIL, two threads that are always busy would hardly be faster, and would delay scrapes.
    """

    def __init__(self, waiting: int) -> None:
        self._most = waiting + 2
        self._in_progress = 0
        self._begun = float("inf")
        self._lock = threading.Lock()
        self._usual, self._relief = (
            ThreadPoolExecutor(1, thread_name_prefix="queries", initializer=_lower_priority) for _ in range(2)
        )

    async def do(self, task: Callable[[], T]) -> T:
        self._enter()

        def counted() -> T:
            # Count the query until the thread is free, even if the client has gone.
            try:
                return task()
            finally:
                self._leave()

        def timed() -> T:
            self._begun = time.monotonic()
            try:
                return counted()
            finally:
                self._begun = float("inf")

        future = self._submit(self._usual, timed)
        answer = asyncio.wrap_future(future)
        while not answer.done():
            await asyncio.wait([answer], timeout=_PAUSE)
            if not answer.done() and time.monotonic() - self._begun > _PATIENCE and future.cancel():
                answer = asyncio.wrap_future(self._submit(self._relief, counted))
                break
        return await asyncio.shield(answer)

    def close(self) -> None:
        for pool in (self._usual, self._relief):
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, task: Callable[[], T]) -> Future[T]:
        try:
            return pool.submit(task)
        except RuntimeError as error:
            self._leave()
            raise BusyError("the exporter is shutting down") from error

    def _enter(self) -> None:
        with self._lock:
            if self._in_progress >= self._most:
                raise BusyError(f"{self._in_progress} queries are running or waiting; retry later")
            self._in_progress += 1

    def _leave(self) -> None:
        with self._lock:
            self._in_progress -= 1


class _SeparateLoop:
    """An event loop in a thread, both created on first use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running()))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="api", daemon=True).start()
            return self._loop

    def close(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None


def _lower_priority() -> None:
    """Lower the priority of this thread below the one that answers scrapes, if the system allows it."""
    usual = os.getpriority(os.PRIO_PROCESS, os.getpid())
    # A sandbox may refuse it; queries still run, at normal priority.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + _NICENESS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    _lower_priority()
    try:
        loop.run_forever()
    finally:
        loop.close()
