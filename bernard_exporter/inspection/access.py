"""Questions to the database from many sides, a few at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from sqlalchemy.engine import Connection

from bernard_exporter.errors import BusyError
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store.connection import Database

T = TypeVar("T")
# Each is a connection to the database and a thread that competes with scrapes.
_WORKERS = 4
_WAITING = 32


class Source(Protocol):
    """What keeps the inventory up to date."""

    @property
    def snapshot(self) -> Snapshot:
        """What was found last."""

    @property
    def database(self) -> Database:
        """The database of the settings in force."""

    @property
    def now(self) -> datetime:
        """The moment, aware."""


@dataclass(frozen=True, slots=True)
class View:
    """What a question is answered from: one transaction, and what was known when it was asked."""

    connection: Connection
    snapshot: Snapshot
    now: datetime


class Access:
    """Answers questions in threads of its own, so that neither scrapes nor each other wait for the database."""

    def __init__(self, source: Source, workers: int = _WORKERS, waiting: int = _WAITING) -> None:
        """Prepare to answer ``workers`` questions at a time and to let ``waiting`` more wait."""
        self._source = source
        self._most = workers + waiting
        self._asked = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="access")

    @property
    def snapshot(self) -> Snapshot:
        """What was found last; needs no database."""
        return self._source.snapshot

    @property
    def now(self) -> datetime:
        """The moment, aware."""
        return self._source.now

    async def ask(self, question: Callable[[View], T]) -> T:
        """Return the answer to a question, which runs in a thread with a connection of its own.

        Raises:
            BusyError: too many questions wait already.
            StoreError: the database cannot be read, or the question takes it too long.
            BernardError: whatever else the question raises.
        """
        return await self.work(lambda: self._answer(question))

    async def work(self, task: Callable[[], T]) -> T:
        """Return the outcome of a task that would keep scrapes waiting, done in one of the same threads.

        Raises:
            BusyError: too many wait already.
        """
        with self._lock:
            if self._asked >= self._most:
                raise BusyError(f"{self._asked} questions are being answered or wait; ask again in a moment")
            self._asked += 1
        try:
            future = self._pool.submit(task)
        except RuntimeError as error:
            self._done()
            raise BusyError("the exporter is about to end") from error
        # Counted until the thread is free, even when nobody waits for the answer any more.
        future.add_done_callback(lambda _: self._done())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Answer nothing any more; does not wait for a database that hangs."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, question: Callable[[View], T]) -> T:
        snapshot, now = self._source.snapshot, self._source.now
        with self._source.database.connect() as connection:
            return question(View(connection, snapshot, now))

    def _done(self) -> None:
        with self._lock:
            self._asked -= 1
