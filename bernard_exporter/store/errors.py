"""Maps database errors to a reason and a fix."""

from __future__ import annotations

import re

import pymysql
from pymysql.constants import CR
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bernard_exporter.errors import PollErrorReason, StoreError

_BROKEN = "check the server's error log, and the network and the proxies in between"
# Reason and fix by error code, from MariaDB's list of error codes.
_ADVICE: dict[int, tuple[PollErrorReason, str]] = {
    1040: ("connect", "the server has no free connection; increase max_connections or wait"),
    1044: ("connect", "run GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1698: (
        "connect",
        "set a password for the account, or connect through the socket as the operating system user of that name",
    ),
    1045: (
        "connect",
        "check user and password in the configuration, the user's host in CREATE USER, and TLS if it is required",
    ),
    1047: (
        "connect",
        "the cluster node is not synced or has no quorum; add the other nodes to database.hosts",
    ),
    1049: ("schema", "create the database, or correct its name in the configuration"),
    1054: ("schema", "the table lacks a column; finish the migration of the schema"),
    1142: ("query", "run GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1143: ("query", "run GRANT SELECT ON dbbackups.* TO the exporter's user"),
    1153: ("query", "increase max_allowed_packet on the server; 1 MiB is enough"),
    1146: ("schema", "the table is missing; create the schema or finish its migration"),
    1203: ("connect", "the user has too many connections; increase max_user_connections or wait"),
    1205: ("timeout", "end what holds a lock on the tables: SHOW FULL PROCESSLIST names it"),
    1226: ("connect", "the account has exceeded one of its resource limits; increase it or wait"),
    1356: ("query", "the tables behind the view changed, or its definer cannot read them; create the view again"),
    1969: ("timeout", "raise database.timeout, or find in SHOW FULL PROCESSLIST what slows the server"),
    2002: ("connect", "check that the server runs and the path of its socket, or connect over TCP with protocol=tcp"),
    2003: ("connect", "check that the server runs, and check host and port"),
    2006: ("connect", _BROKEN),
    2013: ("connect", _BROKEN),
    2026: (
        "connect",
        "compare the TLS settings of the configuration with the server's certificate, authority and name",
    ),
    2027: ("connect", "check that host and port belong to a MariaDB server"),
    2059: (
        "connect",
        "install the package if it names one, such as bernard-exporter[ed25519], or give the account another way of "
        "authentication, such as mysql_native_password",
    ),
    2061: (
        "connect",
        "require TLS in the configuration, or change the account to another authentication plugin, such as "
        "mysql_native_password",
    ),
}
# Access denied, with and without a password.
_REFUSALS = (1045, 1698)
# Denied access to a statement, table or column.
_DENIALS = (1044, 1142, 1143)


def store_error(error: SQLAlchemyError, at_connect: bool = False) -> StoreError:
    """Convert a driver error to a StoreError with reason and fix, without quoting statements or values.

    Args:
        error: the error from SQLAlchemy.
        at_connect: whether it was raised before the login was complete, so that the reason is ``connect``.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, pymysql.err.MySQLError):
        return _server_error(cause, at_connect)
    message = str(cause)
    if "no such table" in message or "no such column" in message:
        return StoreError("schema", message, fix="create the schema or finish its migration")
    if "unable to open" in message:
        return StoreError("connect", message, fix="check that the file exists and can be read")
    if "interrupted" in message:
        return StoreError(
            "timeout", "the statement was aborted at the configured timeout", fix="raise database.timeout"
        )
    if "locked" in message:
        return StoreError("timeout", message, fix="wait for the program that writes it, or raise database.timeout")
    return StoreError("query", message)


def is_refusal(error: SQLAlchemyError) -> bool:
    """Return whether the server refused the user or password."""
    return _code(error) in _REFUSALS


def is_denial(error: SQLAlchemyError) -> bool:
    """Return whether the account lacks a privilege for a statement."""
    return _code(error) in _DENIALS


def _code(error: SQLAlchemyError) -> object:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return cause.args[0] if isinstance(cause, pymysql.err.MySQLError) and cause.args else None


def _server_error(cause: pymysql.err.MySQLError, at_connect: bool) -> StoreError:
    # Some of PyMySQL's own errors have no code.
    code = cause.args[0] if cause.args and isinstance(cause.args[0], int) else 0
    usual: tuple[PollErrorReason, str] = ("query", "see MariaDB's documentation of this error")
    if at_connect:
        usual = ("connect", usual[1] if code else _ADVICE[CR.CR_MALFORMED_PACKET][1])
    reason, advice = _ADVICE.get(code, usual)
    if "timed out" in str(cause):
        reason = "timeout"
    text = " ".join(str(part) for part in cause.args if part != code)
    # PyMySQL quotes the bytes of a plugin's name as Python does.
    text = re.sub(r"'b'(.*?)''", r"'\1'", text)
    return StoreError(reason, f"{f'error {code}: ' if code else ''}{text}", fix=advice)
