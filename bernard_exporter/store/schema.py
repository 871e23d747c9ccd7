"""The tables of the metadata database, as wmfbackups' ``sql/dbbackups.sql`` defines them for MariaDB 10.4.

The same definitions serve SQLite, where a time is the text ``YYYY-MM-DD HH:MM:SS`` in UTC.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint, text
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

MYSQL_DIALECTS = ("mysql", "mariadb")
# The schema's default of backups.start_date: nobody wrote the time.
UNKNOWN_START = 1

if TYPE_CHECKING:
    _Function = FunctionElement[Any]
else:
    _Function = FunctionElement


class EpochSeconds(_Function):
    """A TIMESTAMP as whole seconds since 1970, whatever the session's time zone; NULL where it is no time."""

    inherit_cache = True
    name = "epoch_seconds"
    type = Integer()


class FromEpoch(_Function):
    """Seconds since 1970 as a value that an index on a TIMESTAMP column can be compared with."""

    inherit_cache = True
    name = "from_epoch"


class Exact(_Function):
    """A text compared byte by byte, so that grouping does not merge names that differ in case or trailing space."""

    inherit_cache = True
    name = "exact"
    type = String()


class AsBytes(_Function):
    """A text as the bytes it is stored as: exact too, and half the work to group by, but nothing to compare with."""

    inherit_cache = True
    name = "as_bytes"
    type = LargeBinary()


class AnyText(_Function):
    """A latin1 column as text that may be compared with any other, by no index and in twice the time."""

    inherit_cache = True
    name = "any_text"
    type = String()


class Latin1(_Function):
    """A text as the latin1 columns hold it, so that their indexes serve; what latin1 lacks becomes a question mark."""

    inherit_cache = True
    name = "latin1"
    type = String()


@compiles(EpochSeconds, *MYSQL_DIALECTS)
def _epoch_mysql(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    return f"UNIX_TIMESTAMP({compiler.process(element.clauses, **kw)})"


@compiles(EpochSeconds, "sqlite")
def _epoch_sqlite(element: EpochSeconds, compiler: Any, **kw: Any) -> str:
    return f"CAST(strftime('%s', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(FromEpoch, *MYSQL_DIALECTS)
def _from_epoch_mysql(element: FromEpoch, compiler: Any, **kw: Any) -> str:
    return f"FROM_UNIXTIME({compiler.process(element.clauses, **kw)})"


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
def _same_sqlite(element: _Function, compiler: Any, **kw: Any) -> str:
    return str(compiler.process(element.clauses, **kw))


def has_part(column: Any, part: str) -> Any:
    """Return what holds of the rows whose text in a latin1 column contains ``part``, in any case of letters."""
    # ASCII may be compared with every character set as it is.
    return (column if part.isascii() else AnyText(column)).contains(part, autoescape=True)


def _mysql(default: Any, variant: Any) -> Any:
    for dialect in MYSQL_DIALECTS:
        default = default.with_variant(variant, dialect)
    return default


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
