"""Read-only connections to the metadata database, and one kind of error for all that can fail on them."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import pymysql
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.errors import PollErrorReason, StoreError
from bernard_exporter.store.option_file import read_option_file

# What the server answers, and what to do about it; codes from MariaDB's list of error codes.
_ADVICE: dict[int, tuple[PollErrorReason, str]] = {
    1040: ("connect", "the server has no free connection; raise max_connections or wait"),
    1044: ("connect", "grant it: GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1045: (
        "connect",
        "check user and password in the configuration, the user's host in CREATE USER, and TLS if it is required",
    ),
    1047: (
        "connect",
        "the node of the cluster is out of step or without a quorum; name the other nodes in database.hosts",
    ),
    1049: ("schema", "create the database, or name the right one in the configuration"),
    1054: ("schema", "the table lacks a column; finish the migration of the schema"),
    1142: ("query", "grant it: GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1143: ("query", "grant it: GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1153: ("query", "raise max_allowed_packet at the server; 1 MiB is enough"),
    1146: ("schema", "the table is missing; create the schema or finish its migration"),
    1203: ("connect", "the user has too many connections; raise max_user_connections or wait"),
    1205: ("timeout", "something holds a lock on the tables; it is tried again at the next poll"),
    1226: ("connect", "the user has used up a limit of its account; raise it or wait"),
    1969: ("timeout", "the server ended the statement at the configured timeout"),
    2003: ("connect", "check that the server runs and that host and port are right"),
    2006: ("connect", "the server closed the connection"),
    2013: ("connect", "the connection broke; it is tried again at the next poll"),
    2026: ("connect", "turn on TLS at the server, or take it out of the option file"),
}
# SQLite looks at the clock after so many steps of its virtual machine, about a millisecond.
_STEPS = 20_000


class _Raw(pymysql.connections.Connection):
    """A connection as PyMySQL's, but for two things; should it do them in another way one day, it is only as before."""

    def _create_ssl_ctx(self, asked: Any) -> ssl.SSLContext:
        """Encrypt, where nothing is to be verified, without reading the system's authorities for it.

        PyMySQL reads them for each connection. That takes longer than everything else, keeps the interpreter meanwhile,
        and is for nothing: nobody is verified unless it is told whom to believe.
        """
        if isinstance(asked, dict) and not asked.keys() - {"check_hostname"}:
            return _unverified()
        create: Callable[[Any], ssl.SSLContext] = super()._create_ssl_ctx  # type: ignore[misc]
        return create(asked)

    def _force_close(self) -> None:
        """Close, and expect no more rows: a cursor that was still reading some would go on, and leave a traceback."""
        reading: Any = getattr(self, "_result", None)
        if reading is not None:
            reading.unbuffered_active = False
        super()._force_close()  # type: ignore[misc]


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Database:
    """The metadata database; opens a fresh connection for every use and keeps none."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Prepare to connect; nothing is opened yet.

        Raises:
            StoreError: the option file cannot be used.
        """
        self.settings = settings
        self.engines: list[Engine] = [_engine(settings, host) for host in settings.hosts or (None,)]
        # By connection of PyMySQL, the thread that reads it; weak, for SQLAlchemy says nothing of a connection that it
        # gives up while it gets to know the server.
        self._open: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        for engine in self.engines:
            if engine.dialect.name != "sqlite":
                event.listen(engine, "do_connect", self._connect)
                event.listen(engine, "close", self._closed)

    def cut(self, thread: int | None) -> None:
        """Break the connections that a thread has open or is opening; it gets an error from what it waits for.

        For a result that trickles is within the time limit of each read for ever.

        Args:
            thread: its identifier, as :func:`threading.get_ident` says.
        """
        for raw in [raw for known in self._open.keyrefs() if (raw := known()) and self._open.get(raw) == thread]:
            # PyMySQL has no call for it that does not itself wait for the server. For TLS too it is the socket below
            # that is shut down, for the layer above belongs to the thread that reads.
            if isinstance(raw._sock, socket.socket):
                with suppress(OSError):
                    socket.socket.shutdown(raw._sock, socket.SHUT_RDWR)

    def _connect(self, _: Any, __: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
        """Open a connection that :meth:`cut` knows of while it is being opened."""
        raw = _Raw(*arguments, **named, defer_connect=True)
        self._open[raw] = threading.get_ident()
        try:
            raw.connect()
        except BaseException:
            self._closed(raw, None)
            raise
        return raw

    def _closed(self, raw: Any, _: Any) -> None:
        self._open.pop(raw, None)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection in one read-only, consistent transaction; close it whatever happens.

        The first host that answers, and takes a transaction, is used.

        Raises:
            StoreError: no host can be reached, or a statement in the block fails.
        """
        connection = self._first_that_answers()
        try:
            yield connection
        except SQLAlchemyError as error:
            connection.invalidate()
            raise store_error(error) from error
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()

    def _first_that_answers(self) -> Connection:
        """Open a connection in a transaction, which a node of a cluster that lost the others refuses."""
        failures: list[StoreError] = []
        for engine in self.engines:
            try:
                return self._open_transaction(engine)
            except SQLAlchemyError as error:
                failures.append(store_error(error, where=_where(engine.url)))
        raise StoreError(failures[-1].reason, "; ".join(str(failure) for failure in failures)) from None

    def _open_transaction(self, engine: Engine) -> Connection:
        connection = engine.connect()
        try:
            _prepare(connection, self.settings.timeout)
        except BaseException:
            connection.invalidate()
            connection.close()
            raise
        return connection


def _where(url: URL) -> str:
    return f"{url.host}:{url.port or 3306}" if url.host else str(url.database or url.query.get("unix_socket", ""))


def _engine(settings: DatabaseSettings, host: str | None) -> Engine:
    url = make_url(settings.url or "mysql+pymysql://")
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, settings.timeout)
    arguments = read_option_file(settings.option_file) if settings.option_file else {}
    seconds = max(1, round(settings.timeout))
    arguments |= {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds, "charset": "utf8mb4"}
    # What the URL names goes before what the option file names.
    for key in ("host", "port", "database"):
        if getattr(url, key) is None and key in arguments:
            url = url.set(**{key: arguments[key]})
        arguments.pop(key, None)
    user, password = arguments.pop("user", None), arguments.pop("password", None)
    url = url.set(username=url.username or user, password=url.password or password)
    if host is not None:
        name, _, port = host.partition(":")
        url = url.set(host=name, port=int(port) if port else url.port)
    return create_engine(
        url, poolclass=NullPool, connect_args=arguments, isolation_level="REPEATABLE READ", future=True
    )


def _sqlite_engine(url: URL, timeout: float) -> Engine:
    path = f"file:{url.database}?mode=ro"
    return create_engine(
        url.set(database=path, query={"uri": "true"}),
        poolclass=NullPool,
        connect_args={"timeout": timeout},
        future=True,
    )


def _prepare(connection: Connection, timeout: float) -> None:
    """Bound every statement on the server, read in UTC, and begin a transaction that sees one state."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.dbapi_connection
        raw.text_factory = lambda data: data.decode("utf-8", "replace")
        _bound_statements(connection, raw, timeout)
        return
    connection.execute(text("SET SESSION time_zone = '+00:00'"))
    connection.execute(
        text(
            "SET SESSION max_statement_time = :seconds, lock_wait_timeout = :whole, innodb_lock_wait_timeout = :whole"
        ),
        {"seconds": timeout, "whole": max(1, round(timeout))},
    )
    connection.rollback()
    connection.exec_driver_sql("START TRANSACTION READ ONLY, WITH CONSISTENT SNAPSHOT")


def _bound_statements(connection: Connection, raw: Any, timeout: float) -> None:
    """End every statement of an SQLite connection that takes longer than ``timeout`` seconds."""
    deadline = time.monotonic() + timeout

    def begin(*_: object) -> None:
        nonlocal deadline
        deadline = time.monotonic() + timeout

    event.listen(connection, "before_cursor_execute", begin)
    raw.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)


def store_error(error: SQLAlchemyError, where: str = "") -> StoreError:
    """Return what a driver's error means: the reason, and what to do about it. No statement or value is quoted."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    prefix = f"{where}: " if where else ""
    if isinstance(cause, pymysql.err.MySQLError) and cause.args and isinstance(cause.args[0], int):
        reason, advice = _ADVICE.get(cause.args[0], ("query", "see the server's documentation of this error"))
        if "timed out" in str(cause):
            reason = "timeout"
        return StoreError(reason, f"{prefix}error {cause.args[0]}: {cause.args[-1]}; {advice}")
    message = str(cause)
    if "no such table" in message or "no such column" in message:
        return StoreError("schema", f"{prefix}{message}; create the schema or finish its migration")
    if "unable to open" in message:
        return StoreError("connect", f"{prefix}{message}; check that the file exists and can be read")
    if "interrupted" in message:
        return StoreError("timeout", f"{prefix}the statement was ended at the configured timeout")
    if "locked" in message:
        return StoreError("timeout", f"{prefix}{message}; it is tried again at the next poll")
    return StoreError("query", f"{prefix}{message}")
