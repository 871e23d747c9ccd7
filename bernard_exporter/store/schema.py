"""The tables of the metadata database, from wmfbackups' ``sql/dbbackups.sql`` for MariaDB 10.4.

The same definitions are used for SQLite, where times are text ``YYYY-MM-DD HH:MM:SS`` in UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint, text
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MYSQL_DIALECTS = ("mysql", "mariadb")
# The schema's default of backups.start_date, 1970-01-01 00:00:01, means that the time is unknown.
UNKNOWN_START = 1


class EpochSeconds(FunctionElement[Any]):
    """A TIMESTAMP as whole seconds since 1970, whatever the session's time zone; NULL if the time is unknown.

    Unknown are NULL, 0000-00-00, the schema's default of 1970-01-01 00:00:01 and earlier times, and on SQLite any text
    that is not ``YYYY-MM-DD HH:MM:SS`` with or without a fraction.
    """

    inherit_cache = True
    name = "epoch_seconds"
    type = Integer()


class FromEpoch(FunctionElement[Any]):
    """Seconds since 1970 as a value to compare with a TIMESTAMP column by index."""

    inherit_cache = True
    name = "from_epoch"


class Exact(FunctionElement[Any]):
    """Text that is compared byte by byte, so that grouping keeps names apart that differ in case or trailing space."""

    inherit_cache = True
    name = "exact"
    type = String()


class AsBytes(FunctionElement[Any]):
    """Text as stored bytes: also exact and twice as fast for grouping, but not for comparisons."""

    inherit_cache = True
    name = "as_bytes"
    type = LargeBinary()


class AnyText(FunctionElement[Any]):
    """A latin1 column converted to utf8mb4 for comparison with any text; without index, and half as fast."""

    inherit_cache = True
    name = "any_text"
    type = String()


class Latin1(FunctionElement[Any]):
    """Text converted to latin1, so that indexes of latin1 columns are used; other characters become question marks."""

    inherit_cache = True
    name = "latin1"
    type = String()


@compiles(EpochSeconds, *MYSQL_DIALECTS)
def _epoch_mysql(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    seconds = f"FLOOR(UNIX_TIMESTAMP({compiler.process(element.clauses, **kw)}))"
    return f"NULLIF(GREATEST({seconds}, {UNKNOWN_START}), {UNKNOWN_START})"


@compiles(EpochSeconds, "sqlite")
def _epoch_sqlite(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    column = compiler.process(element.clauses, **kw)
    whole = f"substr({column}, 1, 19)"
    seconds = f"CAST(strftime('%s', {whole}) AS INTEGER)"
    # SQLite accepts other texts as times: 'now', Julian day numbers, the 30th of February.
    is_time = f"datetime({whole}, '+0 days') = {whole} AND substr({column}, 20, 1) IN ('', '.')"
    return f"CASE WHEN {is_time} AND {seconds} > {UNKNOWN_START} THEN {seconds} END"


@compiles(FromEpoch, *MYSQL_DIALECTS)
def _from_epoch_mysql(element: FromEpoch, compiler: Any, **kw: Any) -> str:
    # No TIMESTAMP is earlier, and FROM_UNIXTIME of an earlier time is NULL in MariaDB 11.8.
    return f"FROM_UNIXTIME(GREATEST({compiler.process(element.clauses, **kw)}, {UNKNOWN_START}))"


@compiles(FromEpoch, "sqlite")
def _from_epoch_sqlite(element: FromEpoch, compiler: Any, **kw: Any) -> str:
    return f"datetime({compiler.process(element.clauses, **kw)}, 'unixepoch')"


@compiles(Exact, *MYSQL_DIALECTS)
def _exact_mysql(element: Exact, compiler: Any, **kw: Any) -> str:
    return f"CONVERT({compiler.process(element.clauses, **kw)} USING utf8mb4) COLLATE utf8mb4_nopad_bin"


@compiles(AsBytes, *MYSQL_DIALECTS)
def _as_bytes_mysql(element: AsBytes, compiler: Any, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AS BINARY)"


@compiles(AnyText, *MYSQL_DIALECTS)
def _any_text_mysql(element: AnyText, compiler: Any, **kw: Any) -> str:
    return f"CONVERT({compiler.process(element.clauses, **kw)} USING utf8mb4)"


@compiles(Latin1, *MYSQL_DIALECTS)
def _latin1_mysql(element: Latin1, compiler: Any, **kw: Any) -> str:
    return f"CONVERT({compiler.process(element.clauses, **kw)} USING latin1)"


@compiles(AnyText, "sqlite")
@compiles(AsBytes, "sqlite")
@compiles(Latin1, "sqlite")
@compiles(Exact, "sqlite")
def _same_sqlite(element: FunctionElement[Any], compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


def has_part(column: Any, part: str) -> Any:
    """Return what holds of the rows whose text in a latin1 column contains ``part``, in any case of letters."""
    return _comparable(column, part).contains(part, autoescape=True)


def has_beginning(column: Any, text: str) -> Any:
    """Return what holds of the rows whose text in a latin1 column begins with ``text``, in any case of letters."""
    return _comparable(column, text).startswith(text, autoescape=True)


def _comparable(column: Any, text: str) -> Any:
    # ASCII may be compared with every character set as it is.
    return column if text.isascii() else AnyText(column)


def _mysql(default: Any, variant: Any) -> Any:
    return default.with_variant(variant, *MYSQL_DIALECTS)


def _latin1(length: int) -> Any:
    return _mysql(String(length), mysql.VARCHAR(length, charset="latin1"))


def _enum(*values: str) -> Any:
    return _mysql(String(20), mysql.ENUM(*values))


_ID = _mysql(Integer(), mysql.INTEGER(unsigned=True))
_BIG = _mysql(BigInteger(), mysql.BIGINT(unsigned=True))
_whole_seconds: Any = sqlite.DATETIME
_TIME = _mysql(_whole_seconds(truncate_microseconds=True), mysql.TIMESTAMP())
_OPTIONS: dict[str, Any] = {
    f"{dialect}_{key}": value
    for dialect in MYSQL_DIALECTS
    for key, value in (("engine", "InnoDB"), ("charset", "utf8mb4"))
}

metadata = MetaData()

backups = Table(
    "backups",
    metadata,
    Column("id", _ID, primary_key=True, autoincrement=True),
    Column("name", _latin1(100)),
    Column("status", _enum("ongoing", "finished", "failed"), nullable=False),
    Column("source", _latin1(100)),
    Column("host", _latin1(300)),
    Column("type", _enum("dump", "snapshot", "cold")),
    Column("section", String(100)),
    Column("start_date", _TIME, nullable=False, server_default=text("'1970-01-01 00:00:01'")),
    Column("end_date", _TIME, nullable=True),
    Column("total_size", _BIG),
    Index("last_backup", "type", "section", "status", "start_date"),
    **_OPTIONS,
)

backup_files = Table(
    "backup_files",
    metadata,
    Column("backup_id", _ID, primary_key=True, autoincrement=False),
    Column("file_path", _latin1(300), primary_key=True, server_default=""),
    Column("file_name", _latin1(300), primary_key=True),
    Column("size", _BIG),
    Column("file_date", _TIME, nullable=True),
    Column("backup_object_id", _BIG),
    mysql_row_format="COMPRESSED",
    mariadb_row_format="COMPRESSED",
    **_OPTIONS,
)

backup_objects = Table(
    "backup_objects",
    metadata,
    Column("id", _mysql(Integer(), mysql.BIGINT(unsigned=True)), primary_key=True, autoincrement=True),
    Column("backup_id", _ID, nullable=False),
    Column("db", _latin1(100), nullable=False),
    Column("name", _latin1(100)),
    Column("size", BigInteger),
    UniqueConstraint("backup_id", "db", "name", name="backup_db_name"),
    **_OPTIONS,
)
