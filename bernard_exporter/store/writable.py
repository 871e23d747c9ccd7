"""Engines that may write, for sample inventories; the exporter itself reads only."""

from __future__ import annotations

from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from bernard_exporter.errors import SampleError

_BACKENDS = ("mysql+pymysql", "mariadb+pymysql", "sqlite", "sqlite+pysqlite")
_EXPECTED = "expected sqlite:////path or mysql+pymysql://user@host/database"
# Seconds to wait for a server to answer, or for readers of an SQLite file to be done.
_TIMEOUT = 30


def open_writable(url: str) -> Engine:
    """Return an engine that opens a fresh connection for every transaction; nothing is opened yet.

    Raises:
        SampleError: the URL is not one of a kind of store that the exporter reads.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(parsed, poolclass=NullPool, connect_args={"timeout": _TIMEOUT})
        # Sample data need not survive a power cut.
        prepare = "PRAGMA synchronous = OFF"
    else:
        # Parameters by position, as for SQLite, so that rows are plain tuples for both.
        engine = create_engine(
            parsed, poolclass=NullPool, paramstyle="format", connect_args={"connect_timeout": _TIMEOUT}
        )
        prepare = "SET SESSION time_zone = '+00:00'"
    event.listen(engine, "connect", lambda connection, _: _execute(connection, prepare))
    return engine


def shown(url: URL) -> str:
    """Return a URL as it may be shown: without its password."""
    return url.render_as_string(hide_password=True)


def _parse(url: str) -> URL:
    # A URL may hold a password, so one that cannot be parsed is not quoted.
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SampleError(f"the database URL cannot be parsed, {_EXPECTED}") from None
    if parsed.drivername not in _BACKENDS:
        raise SampleError(f"the database URL is of the kind {parsed.drivername!r}, {_EXPECTED}")
    if not parsed.database or parsed.database == ":memory:":
        what = "file" if parsed.get_backend_name() == "sqlite" else "database"
        raise SampleError(f"the database URL names no {what}, {_EXPECTED}")
    return parsed


def _execute(connection: Any, statement: str) -> None:
    cursor = connection.cursor()
    cursor.execute(statement)
    cursor.close()
