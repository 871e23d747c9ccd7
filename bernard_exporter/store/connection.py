"""Read-only connections to the metadata database; all failures are raised as StoreError."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.errors import StoreError
from bernard_exporter.store import session
from bernard_exporter.store.driver import Raw
from bernard_exporter.store.errors import is_refusal, store_error
from bernard_exporter.store.target import Target, targets
from bernard_exporter.store.tls import context

# SQLite checks the time limit after this many steps of its virtual machine, about a millisecond.
_STEPS = 20_000


class _Server(NamedTuple):
    target: Target
    engine: Engine


class Database:
    """The metadata database; opens a new connection for every use and keeps none."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Prepare to connect, without opening a connection.

        Raises:
            StoreError: the option file cannot be used.
        """
        self.settings = settings
        # The thread of each PyMySQL connection; weak references, as SQLAlchemy does not report a connection that it
        # gives up during its initial queries.
        self._open: WeakKeyDictionary[Raw, int] = WeakKeyDictionary()
        self._servers = [self._server(target) for target in targets(settings)]

    @property
    def engines(self) -> list[Engine]:
        """The engine of each server, in the order in which they are tried."""
        return [server.engine for server in self._servers]

    @property
    def names(self) -> list[str]:
        """The name of each server, in the order in which they are tried."""
        return [server.target.name for server in self._servers]

    def is_same(self, other: Database) -> bool:
        """Return whether both have the same servers and connection settings, including passwords."""
        described = [[server.target for server in database._servers] for database in (self, other)]
        return self.settings == other.settings and described[0] == described[1]

    def abort(self, thread: int | None) -> None:
        """Abort the connections that a thread has open or is opening; the thread gets an error.

        It is needed for a result that arrives so slowly that no single read times out.

        Args:
            thread: its identifier, from :func:`threading.get_ident`.
        """
        for raw in self._raws(thread):
            raw.abort()

    def statements(self, thread: int | None) -> int:
        """Return the number of statements that a thread has sent over the connections that it has open."""
        return sum(raw.statements for raw in self._raws(thread))

    def _raws(self, thread: int | None) -> list[Raw]:
        return [raw for reference in self._open.keyrefs() if (raw := reference()) and self._open.get(raw) == thread]

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection with a read-only, consistent transaction, and close it at the end.

        The first host that can be reached and starts a transaction is used.

        Raises:
            StoreError: no host can be reached, or a statement in the block fails.
        """
        connection = self._first_that_answers()
        try:
            yield connection
        except SQLAlchemyError as error:
            failure = store_error(error)
            failure.seconds = self.settings.timeout if failure.reason == "timeout" else None
            raise failure from error
        finally:
            # The server ends the transaction with the connection; an explicit rollback could fail.
            connection.invalidate()
            connection.close()

    def _first_that_answers(self) -> Connection:
        """Open a connection with a transaction, which a cluster node without quorum refuses."""
        servers = self._servers
        failures: list[StoreError] = []
        refused = False
        for server in servers:
            try:
                return self._open_transaction(server)
            except SQLAlchemyError as error:
                failures.append(store_error(error, at_connect=True))
                refused |= is_refusal(error)
            except (AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
                # From SQLAlchemy's initial queries; nothing of the inventory is read here.
                text = f"unexpected response from the server ({type(error).__name__}: {error})"
                failures.append(StoreError("connect", text, fix="check that it is a MariaDB server"))
        if refused and self._is_renewed(servers):
            return self._first_that_answers()
        last = failures[-1]
        texts = [*map(str, failures[:-1]), last.found]
        message = "; ".join(f"{server.target.name}: {text}" for server, text in zip(servers, texts, strict=True))
        raise StoreError(last.reason, message, answer=last.answer, fix=last.fix) from None

    def _is_renewed(self, servers: list[_Server]) -> bool:
        """Read the option file again, and return whether it has changed, for example the password."""
        renewed = targets(self.settings)
        if renewed == [server.target for server in servers]:
            # Another thread may have done it already.
            return self._servers is not servers
        self._servers = [self._server(target) for target in renewed]
        return True

    def _open_transaction(self, server: _Server) -> Connection:
        connection = server.engine.connect().execution_options(statement_timeout=self.settings.timeout)
        try:
            _begin(connection, self.settings.timeout)
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection

    def _server(self, target: Target) -> _Server:
        if target.drivername.startswith("sqlite"):
            return _Server(target, _sqlite_engine(target, self.settings.timeout))
        engine = create_engine(target.url, poolclass=NullPool)
        event.listen(engine, "do_connect", lambda *_: self._connect(target))
        event.listen(engine, "close", lambda raw, _: self._open.pop(raw, None))
        return _Server(target, engine)

    def _connect(self, target: Target) -> Raw:
        """Open a connection so that :meth:`abort` can abort it while it is being opened."""
        tls = {"ssl": context(target.tls)} if target.tls.required else {"ssl_disabled": target.tls.use is False}
        raw = Raw(**target.arguments, **tls, autocommit=None)
        self._open[raw] = threading.get_ident()
        try:
            raw.connect()
            session.prepare(raw, target.database, self.settings.timeout)
        except BaseException:
            self._open.pop(raw, None)
            raw.close()
            raise
        return raw


def _sqlite_engine(target: Target, timeout: float) -> Engine:
    path = f"file:{target.database}?mode=ro"
    url = target.url.set(database=path, query={"uri": "true"})
    return create_engine(url, poolclass=NullPool, connect_args={"timeout": timeout})


def _begin(connection: Connection, timeout: float) -> None:
    """Start a consistent transaction, and limit the time of statements (which a server does by itself)."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT")
        return
    raw: Any = connection.connection.dbapi_connection
    raw.text_factory = lambda data: data.decode("utf-8", "replace")
    _bound_statements(connection, raw, timeout)


def _bound_statements(connection: Connection, raw: Any, timeout: float) -> None:
    """Abort every statement of an SQLite connection that takes longer than ``timeout`` seconds."""
    deadline = time.monotonic() + timeout

    def begin(*_: object) -> None:
        nonlocal deadline
        deadline = time.monotonic() + timeout

    event.listen(connection, "before_cursor_execute", begin)
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
