"""Introspection for ``doctor``: version, session, grants, columns, indexes and query plans."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymysql.constants import ER
from sqlalchemy import Column, Index, Table, event, inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable
from sqlalchemy.types import DateTime, Integer, NullType, String

from bernard_exporter.store.schema import MYSQL_DIALECTS

_ENCRYPTION = "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_cipher', 'Ssl_version')"
_FAMILIES = {Integer: "a whole number", DateTime: "a time", String: "a text"}


@dataclass(frozen=True, slots=True)
class Server:
    """Information about a server and the session.

    Attributes:
        account: the account of the session, ``user@host``; '' for a database without accounts.
        cipher: the TLS cipher, '' without TLS.
        protocol: the TLS version.
        time: the server's clock in seconds since 1970; None for a database without its own clock.
    """

    version: str
    account: str = ""
    cipher: str = ""
    protocol: str = ""
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a query plan.

    Attributes:
        index: the index used; '' for none.
        possible: the indexes that the optimizer considered.
        rows: the estimated number of rows; None if the server does not report it.
        reads: False if nothing is read.
    """

    table: str
    index: str
    rows: int | None
    reads: bool
    possible: tuple[str, ...] = ()


def is_server(connection: Connection) -> bool:
    """Return whether the database is on a server, rather than an SQLite file."""
    return connection.dialect.name in MYSQL_DIALECTS


def server(connection: Connection) -> Server:
    """Return information about the server and the session."""
    if not is_server(connection):
        return Server(f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}")
    row = connection.execute(text("SELECT VERSION(), CURRENT_USER(), UNIX_TIMESTAMP(SYSDATE(6))")).one()
    session = {str(name): str(value) for name, value in connection.exec_driver_sql(_ENCRYPTION)}
    cipher, protocol = session.get("Ssl_cipher", ""), session.get("Ssl_version", "")
    return Server(str(row[0]), str(row[1]), cipher, protocol, float(row[2]))


def grants(connection: Connection) -> list[str]:
    """Return the output of SHOW GRANTS for the account, which may contain a password hash."""
    return [str(grant) for grant in connection.execute(text("SHOW GRANTS")).scalars()]


def read_nothing(connection: Connection, table: Table) -> None:
    """Select no rows from a table, to check whether it can be read.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the table does not exist or cannot be read.
    """
    connection.execute(select(text("1")).select_from(table).limit(0)).all()


def view_algorithm(connection: Connection, table: Table) -> str | None:
    """Return the algorithm of a view, such as MERGE; None for a table."""
    if not is_server(connection):
        return None
    # This query does not need the privilege SHOW VIEW.
    query = text("SELECT * FROM information_schema.views WHERE table_schema = DATABASE() AND table_name = :name")
    row = connection.execute(query, {"name": table.name}).mappings().first()
    # MySQL does not report it.
    return None if row is None else str(row.get("ALGORITHM", "UNDEFINED"))


def columns(connection: Connection, table: Table) -> dict[str, Any]:
    """Return the type of each column of a table or view."""
    if view_algorithm(connection, table) is not None:
        return _columns_of_view(connection, table.name)
    return {str(column["name"]): column["type"] for column in inspect(connection).get_columns(table.name)}


def _columns_of_view(connection: Connection, name: str) -> dict[str, Any]:
    query = text(
        "SELECT column_name, data_type, column_type FROM information_schema.columns "
        "WHERE table_schema = DATABASE() AND table_name = :name"
    )
    known_types: Any = connection.dialect.ischema_names  # type: ignore[attr-defined]
    types = {}
    for column, data_type, whole in connection.execute(query, {"name": name}):
        values = re.findall(r"'((?:[^']|'')*)'", whole) if data_type == "enum" else []
        types[str(column)] = known_types[data_type](*values) if data_type in known_types else NullType()
    return types


def orders(connection: Connection, table: Table) -> list[tuple[str, ...]]:
    """Return the columns of each index of a table, including the primary key."""
    inspector: Any = inspect(connection)
    key = inspector.get_pk_constraint(table.name)["constrained_columns"]
    indexes = [index["column_names"] for index in inspector.get_indexes(table.name)]
    indexes += [unique["column_names"] for unique in inspector.get_unique_constraints(table.name)]
    return [tuple(str(name) for name in names) for names in (key, *indexes)]


def family(connection: Connection, column_type: Any) -> str:
    """Return a description of the kind of values of a column type."""
    implementation = column_type.dialect_impl(connection.dialect)
    return next((words for family_, words in _FAMILIES.items() if isinstance(implementation, family_)), "another type")


def definition(connection: Connection, column: Column[Any]) -> str:
    """Return the column definition for ALTER TABLE."""
    return _one_line(CreateColumn(column).compile(dialect=connection.dialect))


def create(connection: Connection, item: Table | Index) -> str:
    """Return the statement that creates a table or an index."""
    statement = CreateTable(item) if isinstance(item, Table) else CreateIndex(item)
    return _one_line(statement.compile(dialect=connection.dialect))


def _one_line(statement: Any) -> str:
    return " ".join(str(statement).split())


@contextmanager
def recorded(connection: Connection) -> Iterator[dict[str, Any]]:
    """Record the queries in the block.

    Yields:
        Each query once, with the parameters of its last execution.
    """
    queries: dict[str, Any] = {}

    def record(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            queries[statement] = parameters

    event.listen(connection, "before_cursor_execute", record)
    try:
        yield queries
    finally:
        event.remove(connection, "before_cursor_execute", record)


def plan(connection: Connection, query: str, parameters: Any) -> list[Step] | None:
    """Return the query plan; None if the account may not see the plan behind a view."""
    if is_server(connection):
        try:
            rows = connection.exec_driver_sql(f"EXPLAIN {query}", parameters).mappings().all()
        except DBAPIError as error:
            if error.orig and error.orig.args[:1] == (ER.VIEW_NO_EXPLAIN,):
                return None
            raise
        return [_step(row) for row in rows]
    details = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).mappings().all()
    lines = [str(row["detail"]).split() for row in details]
    materialized = {words[1] for words in lines if words[0] in ("MATERIALIZE", "CO-ROUTINE")}
    return [step for words in lines if (step := _sqlite_step(words)) and step.table not in materialized]


def _step(row: Mapping[Any, Any]) -> Step:
    table = str(row["table"] or "")
    return Step(
        table=table,
        index=str(row["key"] or ""),
        possible=tuple(str(row["possible_keys"] or "").split(",")),
        rows=None if row["rows"] is None else int(row["rows"]),
        # Such as <derived2>, the result of another step.
        reads=bool(table) and not table.startswith("<"),
    )


def _sqlite_step(words: Sequence[str]) -> Step | None:
    """Parse a step such as ``SEARCH backups USING INDEX last_backup (type=?)``; None if it reads no table."""
    if words[0] not in ("SCAN", "SEARCH"):
        return None
    index = ""
    if "INDEX" in words:
        index = words[words.index("INDEX") + 1]
    elif "PRIMARY" in words:
        index = "PRIMARY"
    return Step(words[1], index, None, reads=True)
