"""What ``doctor`` asks of a database about itself: what it is, who we are, what we may, what its tables look like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Index, Table, event, inspect, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable
from sqlalchemy.types import DateTime, Integer, String, TypeDecorator

from bernard_exporter.store.schema import MYSQL_DIALECTS

_ENCRYPTION = "SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_cipher', 'Ssl_version')"
_FAMILIES = {Integer: "a whole number", DateTime: "a time", String: "a text"}


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says of itself and of our session.

    Attributes:
        account: as which we are let in, ``user@host``; '' where there are no accounts.
        cipher: of the encryption, '' for none.
        protocol: of the encryption.
        time: the server's clock in seconds since 1970; None where it is ours.
    """

    version: str
    account: str = ""
    cipher: str = ""
    protocol: str = ""
    time: float | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a statement's plan.

    Attributes:
        index: what it follows; '' for none.
        rows: how many it is expected to read; None where the server does not say.
        reads: False where nothing need be read at all.
    """

    table: str
    index: str
    rows: int | None
    reads: bool


def is_server(connection: Connection) -> bool:
    """Tell whether the database is one on a server, with accounts, a clock and a network of its own."""
    return connection.dialect.name in MYSQL_DIALECTS


def server(connection: Connection) -> Server:
    """Return what the server says of itself and of our session."""
    if not is_server(connection):
        return Server(f"SQLite {connection.execute(text('SELECT sqlite_version()')).scalar()}")
    row = connection.execute(text("SELECT VERSION(), CURRENT_USER(), UNIX_TIMESTAMP(NOW(6))")).one()
    session = {str(name): str(value) for name, value in connection.exec_driver_sql(_ENCRYPTION)}
    cipher, protocol = session.get("Ssl_cipher", ""), session.get("Ssl_version", "")
    return Server(str(row[0]), str(row[1]), cipher, protocol, float(row[2]))


def grants(connection: Connection) -> list[str]:
    """Return our account's grants as the server writes them; they can hold the hash of a password."""
    return [str(grant) for grant in connection.execute(text("SHOW GRANTS")).scalars()]


def read_nothing(connection: Connection, table: Table) -> None:
    """Ask for no row of a table, to see whether we may.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: there is no such table, or we may not read it.
    """
    connection.execute(select(text("1")).select_from(table).limit(0)).all()


def columns(connection: Connection, table: Table) -> dict[str, Any]:
    """Return the type of each column that a table has."""
    return {str(column["name"]): column["type"] for column in inspect(connection).get_columns(table.name)}


def orders(connection: Connection, table: Table) -> list[tuple[str, ...]]:
    """Return the columns of each index of a table, the primary key's among them."""
    inspector: Any = inspect(connection)
    key = inspector.get_pk_constraint(table.name)["constrained_columns"]
    found = [index["column_names"] for index in inspector.get_indexes(table.name)]
    found += [unique["column_names"] for unique in inspector.get_unique_constraints(table.name)]
    return [tuple(str(name) for name in names) for names in (key, *found)]


def family(connection: Connection, kind: Any) -> str:
    """Return which kind of value a column's type holds, in words."""
    found = kind.dialect_impl(connection.dialect)
    if isinstance(found, TypeDecorator):
        # As SQLAlchemy 1.4 keeps a type that differs by dialect.
        found = found.load_dialect_impl(connection.dialect)
    return next((words for family_, words in _FAMILIES.items() if isinstance(found, family_)), "another type")


def definition(connection: Connection, column: Column[Any]) -> str:
    """Return what ALTER TABLE takes to add or change a column."""
    return _one_line(CreateColumn(column).compile(dialect=connection.dialect))


def create(connection: Connection, what: Table | Index) -> str:
    """Return the statement that creates a table or an index."""
    statement = CreateTable(what) if isinstance(what, Table) else CreateIndex(what)
    return _one_line(statement.compile(dialect=connection.dialect))


def _one_line(statement: Any) -> str:
    return " ".join(str(statement).split())


@contextmanager
def recorded(connection: Connection) -> Iterator[dict[str, Any]]:
    """Record the queries that the block makes.

    Yields:
        Each query once, and the parameters it was last made with.
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


def plan(connection: Connection, query: str, parameters: Any) -> list[Step]:
    """Return how the database goes about a query."""
    if is_server(connection):
        rows = connection.exec_driver_sql(f"EXPLAIN {query}", parameters).mappings().all()
        return [_step(row) for row in rows]
    details = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters).mappings().all()
    lines = [str(row["detail"]).split() for row in details]
    made = {words[1] for words in lines if words[0] in ("MATERIALIZE", "CO-ROUTINE")}
    return [step for words in lines if (step := _sqlite_step(words)) and step.table not in made]


def _step(row: Mapping[Any, Any]) -> Step:
    table = str(row["table"] or "")
    return Step(
        table=table,
        index=str(row["key"] or ""),
        rows=None if row["rows"] is None else int(row["rows"]),
        # Such as <derived2>, which is what another step found.
        reads=bool(table) and not table.startswith("<"),
    )


def _sqlite_step(words: Sequence[str]) -> Step | None:
    """Return a step such as ``SEARCH backups USING INDEX last_backup (type=?)``; None for one that reads no table."""
    if words[0] not in ("SCAN", "SEARCH"):
        return None
    index = ""
    if "INDEX" in words:
        index = words[words.index("INDEX") + 1]
    elif "PRIMARY" in words:
        index = "PRIMARY"
    return Step(words[1], index, None, reads=True)
