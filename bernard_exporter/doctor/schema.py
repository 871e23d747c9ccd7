"""Whether the tables have what the exporter reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.doctor.finding import Finding, fail, ok, warn
from bernard_exporter.model import Status
from bernard_exporter.store import examination
from bernard_exporter.store.connection import store_error
from bernard_exporter.store.examination import Server
from bernard_exporter.store.schema import backup_files, backup_objects, backups

# The columns that the statements on each table need in the order of an index.
_NEEDED: dict[Table, list[tuple[str, ...]]] = {
    backups: [("id",), ("type", "section", "status", "start_date")],
    backup_files: [("backup_id", "file_path", "file_name")],
    backup_objects: [("backup_id", "db", "name")],
}
# A server without strict mode writes '' where the enum lacks a status.
_WRITTEN = (Status.ONGOING, Status.FINISHED, Status.FAILED)


def examine_schema(connection: Connection, server: Server) -> Iterator[Finding]:
    """Yield what is wrong with each table, or that nothing is."""
    for table in _NEEDED:
        try:
            examination.read_nothing(connection, table)
        except SQLAlchemyError as error:
            yield _unreadable(connection, table, server, error)
            continue
        found = list(_examine_table(connection, table))
        yield from found or [ok("schema", f"{table.name} has every column and index")]


def _unreadable(connection: Connection, table: Table, server: Server, error: SQLAlchemyError) -> Finding:
    reason = store_error(error)
    if reason.reason == "schema":
        return fail("schema", f"there is no table {table.name}", f"{examination.create(connection, table)};")
    database = str(connection.engine.url.database).replace("`", "``")
    account = "@".join(f"'{part}'" for part in server.account.split("@"))
    return fail("schema", str(reason), f"GRANT SELECT ON `{database}`.`{table.name}` TO {account};")


def _examine_table(connection: Connection, table: Table) -> Iterator[Finding]:
    found = examination.columns(connection, table)
    for column in table.columns:
        if column.name in found:
            yield from _examine_column(connection, column, found[column.name])
        else:
            mend = f"ALTER TABLE {table.name} ADD COLUMN {examination.definition(connection, column)};"
            yield fail("schema", f"{table.name} has no column {column.name}", mend)
    if more := sorted(found.keys() - set(table.columns.keys())):
        yield ok("schema", f"{table.name} has columns that are not read: {', '.join(more)}")
    yield from _examine_orders(connection, table)


def _examine_column(connection: Connection, column: Column[Any], found: Any) -> Iterator[Finding]:
    name = f"{column.table.name}.{column.name}"
    expected = examination.family(connection, column.type)
    mend = f"ALTER TABLE {column.table.name} MODIFY {examination.definition(connection, column)};"
    if examination.family(connection, found) != expected:
        yield warn("schema", f"{name} is {found}, expected {expected}", mend)
    elif isinstance(found, mysql.DATETIME):
        yield warn("schema", f"{name} is {found}, which has no time zone: it is read as UTC; expected TIMESTAMP", mend)
    elif missing := _missing_statuses(column, found):
        yield warn("schema", f"{name} cannot be {', '.join(missing)}", mend)


def _missing_statuses(column: Column[Any], found: Any) -> list[str]:
    if column is not backups.c.status or not isinstance(found, mysql.ENUM):
        return []
    return [status.value for status in _WRITTEN if status.value not in found.enums]


def _examine_orders(connection: Connection, table: Table) -> Iterator[Finding]:
    found = examination.orders(connection, table)
    for needed in _NEEDED[table]:
        if not any(order[: len(needed)] == needed for order in found):
            name = "last_backup" if "status" in needed else f"by_{'_'.join(needed)}"
            mend = f"CREATE INDEX {name} ON {table.name} ({', '.join(needed)});"
            yield warn("schema", f"{table.name} has no index that begins with {', '.join(needed)}", mend)
