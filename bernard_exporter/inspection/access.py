"""Questions to the database from many sides, a few at a time."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection

from bernard_exporter.errors import BusyError
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store.connection import Database

T = TypeVar("T")
# Each is a connection to the database and a thread that competes with scrapes.
_WORKERS = 2
_WAITING = 32
_NICENESS = 10


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
class Outlook:
    """What a question is answered from that needs no database: what was found last."""

    snapshot: Snapshot
    now: datetime


@dataclass(frozen=True, slots=True)
class View(Outlook):
    """What a question to the database is answered from: one transaction, and what was known when it was asked."""

    connection: Connection


class Access:
    """Answers questions in threads of its own, so that neither scrapes nor each other wait for the database."""

    def __init__(self, source: Source, workers: int = _WORKERS, waiting: int = _WAITING) -> None:
        """Prepare to answer ``workers`` questions at a time and to let ``waiting`` more wait."""
        self._source = source
        self._database = _Desk(workers, waiting)
        # Questions that need no database must not wait for one that hangs.
        self._memory = _Desk(1, waiting)
        self._aside = _Aside()

    @property
    def outlook(self) -> Outlook:
        """What was found last, and the moment."""
        return Outlook(self._source.snapshot, self._source.now)

    async def look(self, question: Callable[[Outlook], T]) -> T:
        """Return the answer to a question about what was found last.

        Raises:
            BusyError: too many questions wait already.
            BernardError: whatever else the question raises.
        """
        return await self._memory.do(lambda: question(self.outlook))

    async def ask(self, question: Callable[[View], T]) -> T:
        """Return the answer to a question to the database, on a connection of its own.

        Raises:
            BusyError: too many questions wait already.
            StoreError: the database cannot be read, or the question takes it too long.
            BernardError: whatever else the question raises.
        """
        return await self._database.do(lambda: self._answer(question))

    async def aside(self, work: Coroutine[Any, Any, T]) -> T:
        """Return the outcome of work on an event loop of its own, in another thread than the one scrapes need."""
        return await self._aside.run(work)

    def close(self) -> None:
        """Answer nothing any more; does not wait for a database that hangs."""
        self._database.close()
        self._memory.close()
        self._aside.close()

    def _answer(self, question: Callable[[View], T]) -> T:
        known = self.outlook
        with self._source.database.connect() as connection:
            return question(View(known.snapshot, known.now, connection))


class _Desk:
    """Some threads, and a queue before them that does not grow for ever."""

    def __init__(self, workers: int, waiting: int) -> None:
        self._most = workers + waiting
        self._asked = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="access", initializer=_stand_back)

    async def do(self, task: Callable[[], T]) -> T:
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
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _done(self) -> None:
        with self._lock:
            self._asked -= 1


class _Aside:
    """An event loop in a thread, both made when they are first needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running()))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_run, args=(self._loop,), name="aside", daemon=True).start()
            return self._loop

    def close(self) -> None:
        with self._lock:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None


def _stand_back() -> None:
    """Let the thread that answers scrapes have a processor before this one."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    _stand_back()
    try:
        loop.run_forever()
    finally:
        loop.close()
