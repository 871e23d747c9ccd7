"""Writable connections for sample inventories; the exporter itself only reads."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from bernard_exporter.errors import SampleError

_BACKENDS = ("mysql+pymysql", "mariadb+pymysql", "sqlite", "sqlite+pysqlite")
_EXPECTED = "expected sqlite:////path or mysql+pymysql://user@host/database"
# Seconds to wait for a server, or for readers of an SQLite file.
_TIMEOUT = 30


def open_writable(url: str) -> Engine:
    """Return an engine that opens a new connection for every transaction, without connecting yet.

    Raises:
        SampleError: the URL is not for a supported database.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"timeout": _TIMEOUT})
        # Sample data need not survive a power failure.
        prepare = "PRAGMA synchronous = OFF"
    else:
        # Positional parameters, as for SQLite, so that rows are tuples for both.
        engine = create_engine(
            parsed, poolclass=NullPool, paramstyle="format", connect_args={"connect_timeout": _TIMEOUT}
        )
        prepare = "SET SESSION time_zone = '+00:00'"
    event.listen(engine, "connect", lambda connection, _: _execute(connection, prepare))
    return engine


def shown(url: URL) -> str:
    """Return a URL without its password, for messages."""
    return url.render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    # A URL that cannot be parsed is not quoted, as it may contain a password.
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SampleError(f"the database URL cannot be parsed, {_EXPECTED}") from None
    if parsed.drivername not in _BACKENDS:
        raise SampleError(f"the database URL is of the kind {parsed.drivername!r}, {_EXPECTED}")
    if not parsed.database or parsed.database == ":memory:":
        part = "file" if parsed.get_backend_name() == "sqlite" else "database"
        raise SampleError(f"the database URL has no {part}, {_EXPECTED}")
    return parsed


def _execute(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()
