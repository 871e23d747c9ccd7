"""Questions to the database from many sides, a few at a time."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Connection

from bernard_exporter.errors import BusyError
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store.connection import Database

T = TypeVar("T")
_WAITING = 32
# Seconds after which a question goes to another thread when the one before it is not answered yet.
_PATIENCE = 0.1
# Enough for a scrape to come first, and not so much that a thread it needs the interpreter from is kept from running.
_NICENESS = 5


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

    def __init__(self, source: Source, waiting: int = _WAITING) -> None:
        """Prepare to answer a question or two at a time and to let ``waiting`` more wait."""
        self._source = source
        self._database = _Desk(waiting)
        # Questions that need no database must not wait for one that hangs.
        self._memory = _Desk(waiting)
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
    """A thread that answers one question after the other, another for when that takes long, and a bounded queue.

    Two that are always at work would answer hardly more, for there is one interpreter, and keep scrapes from it.
    """

    def __init__(self, waiting: int) -> None:
        self._most = waiting + 2
        self._asked = 0
        self._lock = threading.Lock()
        self._usual, self._relief = (
            ThreadPoolExecutor(1, thread_name_prefix="access", initializer=_stand_back) for _ in range(2)
        )

    async def do(self, task: Callable[[], T]) -> T:
        self._enter()

        def counted() -> T:
            # Until the thread is free, even when nobody waits for the answer any more.
            try:
                return task()
            finally:
                self._leave()

        future = self._submit(self._usual, counted)
        answer = asyncio.wrap_future(future)
        await asyncio.wait([answer], timeout=_PATIENCE)
        if not answer.done() and future.cancel():
            answer = asyncio.wrap_future(self._submit(self._relief, counted))
        return await asyncio.shield(answer)

    def close(self) -> None:
        for pool in (self._usual, self._relief):
            pool.shutdown(wait=False, cancel_futures=True)

    def _submit(self, pool: ThreadPoolExecutor, task: Callable[[], T]) -> Future[T]:
        try:
            return pool.submit(task)
        except RuntimeError as error:
            self._leave()
            raise BusyError("the exporter is about to end") from error

    def _enter(self) -> None:
        with self._lock:
            if self._asked >= self._most:
                raise BusyError(f"{self._asked} questions are being answered or wait; ask again in a moment")
            self._asked += 1

    def _leave(self) -> None:
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
    """Let the thread that answers scrapes have a processor before this one, where the system lets threads do so."""
    usual = os.getpriority(os.PRIO_PROCESS, os.getpid())
    # A sandbox may refuse it; the answers are worth more.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), usual + _NICENESS)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    _stand_back()
    try:
        loop.run_forever()
    finally:
        loop.close()
