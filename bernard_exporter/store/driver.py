"""PyMySQL connections that raise only driver errors and can be aborted from another thread.

Only this module uses private names of PyMySQL; tests/store/test_driver.py fails if they change.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from pymysql.connections import Connection
from pymysql.constants import CR
from pymysql.cursors import Cursor, SSCursor
from pymysql.err import Error, OperationalError

from bernard_exporter.store.tls import unverified

# Larger than any server's messages before the login is complete.
_LONGEST_GREETING = 1 << 20
_LOST = "the connection was lost"
# The authentication plugins that send the password as it is.
_CLEAR_TEXT = (b"mysql_clear_password", b"dialog")

if TYPE_CHECKING:
    _Connection = Connection[Cursor]
else:
    _Connection = Connection


class Raw(_Connection):
    """A connection on which every failure is a driver error.

    For a malformed response PyMySQL raises whatever its parser does: IndexError, struct.error, UnicodeError,
    AssertionError, RuntimeError.

    Attributes:
        statements: the number of statements that were sent.
    """

    # Whether the connection is encrypted.
    _secure: bool

    def __init__(self, **arguments: Any) -> None:
        """Prepare to connect, with the arguments of ``pymysql.connect``."""
        self.statements = 0
        super().__init__(**arguments, cursorclass=_Whole, defer_connect=True)

    def connect(self, sock: Any = None) -> None:
        """Connect and log in; ``connect_timeout`` limits the whole login.

        Raises:
            pymysql.err.Error: the server cannot be reached, refuses, is too slow or sends a malformed response.
        """
        self._budget = _LONGEST_GREETING
        # An instance attribute, so that it can be removed after the login.
        self._read_bytes = self._read_within_budget
        seconds = float(self.connect_timeout or 0)
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self.abort()

        timer = threading.Timer(seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            with self.understood():
                super().connect(sock or (_local(str(self.unix_socket), seconds) if self.unix_socket else None))
        except Error as error:
            # A read of the login and the whole login have the same limit, so either may end first.
            lost = error.args[:1] == (CR.CR_SERVER_LOST,) and "timed out" in str(error)
            if late.is_set() or lost:
                raise OperationalError(CR.CR_SERVER_LOST, f"timed out: no login in {seconds:g} s") from error
            cause = error.__context__
            if isinstance(cause, ssl.SSLError):
                raise OperationalError(CR.CR_SSL_CONNECTION_ERROR, f"no TLS connection ({cause})") from error
            raise
        finally:
            timer.cancel()
            del self._read_bytes

    def abort(self) -> None:
        """Abort the connection from any thread; the thread that waits for a response gets an error.

        With TLS, too, the socket below is shut down, as the TLS layer belongs to the thread that reads.
        """
        sock: Any = getattr(self, "_sock", None)
        if isinstance(sock, socket.socket):
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    @property
    def version(self) -> str:
        """The version that the server reports."""
        return str(self.get_server_info())  # type: ignore[no-untyped-call]

    def cursor(self, cursor: Any = None) -> Any:
        """Return a cursor, unbuffered if SQLAlchemy asks for it."""
        return super().cursor(_Streaming if cursor is SSCursor else cursor)

    def select_db(self, db: Any) -> None:
        """Select the default database."""
        with self.understood():
            super().select_db(db)

    def rollback(self) -> None:
        """Roll the transaction back."""
        with self.understood():
            super().rollback()

    @contextmanager
    def understood(self) -> Iterator[None]:
        """Turn any other exception in the block into a driver error, and close the connection.

        The block must not contain our own code, whose bugs would be reported as the server's errors.

        Raises:
            pymysql.err.Error: an error from the server, or a malformed response.
        """
        try:
            yield
        except Error as error:
            if _is_lost(error):
                raise OperationalError(CR.CR_SERVER_LOST, _LOST) from error
            raise
        except Exception as error:
            self._force_close()
            code, text = _meaning(error)
            raise OperationalError(code, text) from error

    def _create_ssl_ctx(self, settings: Any) -> ssl.SSLContext:
        """Return a context for optional TLS, without loading the system's CA certificates as PyMySQL would."""
        return settings if isinstance(settings, ssl.SSLContext) else unverified()

    def _process_auth(self, plugin_name: bytes, *arguments: Any) -> Any:
        """Answer a request of the server to authenticate by a plugin.

        Raises:
            OperationalError: the password would be sent in clear text, over neither TLS nor a local socket.
        """
        if plugin_name in _CLEAR_TEXT and not (self._secure or self.unix_socket):
            self._force_close()
            text = "the server requested the password in clear text, over a connection without TLS; it was not sent"
            raise OperationalError(CR.CR_AUTH_PLUGIN_ERR, f"{text} (plugin {plugin_name.decode()})")
        return super()._process_auth(plugin_name, *arguments)  # type: ignore[misc]

    def _force_close(self) -> None:
        """Close, and drop unread rows: otherwise an unbuffered cursor would try to read them and log a traceback."""
        reading: Any = getattr(self, "_result", None)
        if reading is not None:
            reading.unbuffered_active = False
        super()._force_close()  # type: ignore[misc]

    def _read_within_budget(self, length: int) -> bytes:
        """Read a part of the login messages, up to a maximum, so that a server cannot exhaust the memory."""
        self._budget -= length
        if self._budget < 0:
            self._force_close()
            raise OperationalError(CR.CR_MALFORMED_PACKET, "the server's greeting is too long")
        data: bytes = super()._read_bytes(length)  # type: ignore[misc]
        return data


class _Whole(Cursor):
    """A cursor that reads a result as a whole."""

    connection: Raw

    def execute(self, query: Any, args: Any = None) -> int:
        # An error in the parameters is our own bug, not the server's.
        statement = self.mogrify(query, args) if args else query
        self.connection.statements += 1
        with self.connection.understood():
            return super().execute(statement)


class _Streaming(SSCursor):
    """An unbuffered cursor, which reads a result row by row."""

    connection: Raw

    def execute(self, query: Any, args: Any = None) -> int:
        statement = self.mogrify(query, args) if args else query
        self.connection.statements += 1
        with self.connection.understood():
            return super().execute(statement)

    def fetchone(self) -> Any:
        with self.connection.understood():
            return super().fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        with self.connection.understood():
            return super().fetchmany(size)

    def fetchall(self) -> Any:
        with self.connection.understood():
            return super().fetchall()


def _local(path: str, seconds: float) -> socket.socket:
    """Return a connected socket; if connecting fails, PyMySQL would not close it."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(path)
    except OSError as error:
        connection.close()
        raise OperationalError(CR.CR_CONNECTION_ERROR, f"cannot connect to the socket ({error})") from error
    return connection


def _is_lost(error: Error) -> bool:
    """Return whether the other side ended the connection.

    Whether PyMySQL notices when it connects, reads or writes is up to timing, and its code and text differ; the cause
    is the same.
    """
    cause = error.__context__
    if isinstance(cause, ConnectionError):
        return not isinstance(cause, ConnectionRefusedError)
    return error.args == (CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")


def _meaning(error: Exception) -> tuple[int, str]:
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, RuntimeError) and "required" in text:
        # The message names the package that the account's authentication plugin needs.
        return CR.CR_AUTH_PLUGIN_CANNOT_LOAD, str(error)
    if isinstance(error, OSError | AttributeError):
        # After another thread aborted the connection.
        return CR.CR_SERVER_LOST, f"{_LOST} ({text})"
    return CR.CR_MALFORMED_PACKET, f"unexpected response from the server ({text})"
