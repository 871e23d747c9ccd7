"""Checks the columns and indexes of the tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import mysql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.commands.doctor.result import DoctorResult, fail, ok, warn
from bernard_exporter.domain.model import Status
from bernard_exporter.store import introspection
from bernard_exporter.store.errors import is_denial, store_error
from bernard_exporter.store.introspection import Server
from bernard_exporter.store.schema import backup_files, backup_objects, backups

# The leading index columns that the statements on each table need.
_NEEDED: dict[Table, list[tuple[str, ...]]] = {
    backups: [("id",), ("type", "section", "status", "start_date")],
    backup_files: [("backup_id", "file_path", "file_name")],
    backup_objects: [("backup_id", "db", "name")],
}
# Without strict mode a server stores '' for a status that the enum lacks.
_WRITTEN = (Status.ONGOING, Status.FINISHED, Status.FAILED)


def examine_schema(connection: Connection, server: Server) -> Iterator[DoctorResult]:
    """Yield the problems of each table, or that there are none."""
    for table in _NEEDED:
        try:
            introspection.read_nothing(connection, table)
        except SQLAlchemyError as error:
            yield _unreadable(connection, table, server, error)
            continue
        algorithm = introspection.view_algorithm(connection, table)
        if algorithm is None:
            results = list(_examine_table(connection, table))
            yield from results or [ok("schema", f"{table.name} has every column and index")]
        else:
            results = list(_examine_view(connection, table, algorithm))
            yield from results or [ok("schema", f"{table.name} is a view with every column")]


def _examine_view(connection: Connection, table: Table, algorithm: str) -> Iterator[DoctorResult]:
    """Yield the problems of a view; they are fixed in its definition, and a view has no index."""
    fix = f"correct the definition of the view {table.name}: CREATE OR REPLACE VIEW"
    for result in _examine_columns(connection, table):
        yield replace(result, fix=fix) if result.fix else result
    if algorithm == "TEMPTABLE":
        fix = f"CREATE OR REPLACE ALGORITHM = MERGE VIEW {table.name} AS ..."
        yield warn("schema", f"{table.name} is a view that is materialized for each statement", fix)


def _unreadable(connection: Connection, table: Table, server: Server, error: SQLAlchemyError) -> DoctorResult:
    reason = store_error(error)
    if reason.reason == "schema":
        return fail("schema", f"the table {table.name} does not exist", f"{introspection.create(connection, table)};")
    if not is_denial(error):
        return fail("schema", reason.found, reason.fix)
    database = str(connection.engine.url.database).replace("`", "``")
    account = "@".join(f"'{part}'" for part in server.account.split("@"))
    return fail("schema", str(reason), f"GRANT SELECT ON `{database}`.`{table.name}` TO {account};")


def _examine_table(connection: Connection, table: Table) -> Iterator[DoctorResult]:
    yield from _examine_columns(connection, table)
    yield from _examine_orders(connection, table)


def _examine_columns(connection: Connection, table: Table) -> Iterator[DoctorResult]:
    types = introspection.columns(connection, table)
    for column in table.columns:
        if column.name in types:
            yield from _examine_column(connection, column, types[column.name])
        else:
            fix = f"ALTER TABLE {table.name} ADD COLUMN {introspection.definition(connection, column)};"
            yield fail("schema", f"{table.name} has no column {column.name}", fix)
    if more := sorted(types.keys() - set(table.columns.keys())):
        yield ok("schema", f"{table.name} has columns that are not used: {', '.join(more)}")


def _examine_column(connection: Connection, column: Column[Any], type_: Any) -> Iterator[DoctorResult]:
    name = f"{column.table.name}.{column.name}"
    expected = introspection.family(connection, column.type)
    fix = f"ALTER TABLE {column.table.name} MODIFY {introspection.definition(connection, column)};"
    if introspection.family(connection, type_) != expected:
        yield warn("schema", f"{name} is {type_}, expected {expected}", fix)
    elif isinstance(type_, mysql.DATETIME):
        yield warn("schema", f"{name} is {type_}, which has no time zone and is read as UTC; expected TIMESTAMP", fix)
    elif missing := _missing_statuses(column, type_):
        yield warn("schema", f"{name} does not allow {', '.join(missing)}", fix)


def _missing_statuses(column: Column[Any], type_: Any) -> list[str]:
    if column is not backups.c.status or not isinstance(type_, mysql.ENUM):
        return []
    return [status.value for status in _WRITTEN if status.value not in type_.enums]


def _examine_orders(connection: Connection, table: Table) -> Iterator[DoctorResult]:
    orders = introspection.orders(connection, table)
    for needed in _NEEDED[table]:
        if not any(order[: len(needed)] == needed for order in orders):
            name = "last_backup" if "status" in needed else f"by_{'_'.join(needed)}"
            fix = f"CREATE INDEX {name} ON {table.name} ({', '.join(needed)});"
            yield warn("schema", f"{table.name} has no index that starts with {', '.join(needed)}", fix)
