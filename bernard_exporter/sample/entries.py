"""What mydumper and mariabackup call the files of a section's databases and tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bernard_exporter.sample.fleet import DUMP
from bernard_exporter.sample.sections import databases, tables

# What an online schema change leaves behind now and then, and what is dropped and comes back.
LEFT_BEHIND = "_page_new"
DROPPED = "page_archive_old"
_DIRECTORY = 4096


class Entry(NamedTuple):
    """A file or directory of a layout: either of a fixed size in bytes, or with a share in what remains."""

    path: str
    name: str
    table: str
    fixed: int
    share: float = 0.0


_SERVER_FILES = (
    Entry("", "xtrabackup_info", "", 713),
    Entry("", "xtrabackup_checkpoints", "", 120),
    Entry("", "backup-my.cnf", "", 398),
    Entry("", "ib_logfile0", "", 2048),
)


def entries_of(section: str, kind: str, limit: int) -> list[Entry]:
    """Return at most ``limit`` files and directories of a section's backups, those of any table it ever has."""
    make = _dump if kind == DUMP else _snapshot
    entries = list(islice(make(section, 0), limit))
    if kind == DUMP and len(entries) < limit:
        entries = list(islice(make(section, limit - len(entries)), limit))
    return entries


def _weighed_tables(section: str) -> Iterator[tuple[str, str, float]]:
    """Yield database, table and weight: few are large, most are small."""
    for rank, database in enumerate(databases(section)):
        names = tables(database)
        if rank == 0:
            # Early, so that they come and go even among few files.
            names = (*names[:3], DROPPED, LEFT_BEHIND, *names[3:])
        for place, table in enumerate(names):
            yield database, table, 1 / ((rank + 1) * (place + 1) ** 1.2)


def _dump(section: str, chunks: int) -> Iterator[Entry]:
    """Yield what mydumper writes, with about ``chunks`` files more for large tables than there are tables."""
    weighed = list(_weighed_tables(section))
    whole = sum(weight for _, _, weight in weighed)
    yield Entry("", "metadata", "", 168)
    last = ""
    for database, table, weight in weighed:
        if database != last:
            yield Entry("", f"{database}-schema-create.sql.gz", "", 120)
            last = database
        more = int(chunks * weight / whole)
        for name in _data_names(f"{database}.{table}", more):
            yield Entry("", name, table, 0, weight / (more + 1))
        yield Entry("", f"{database}.{table}-schema.sql.gz", table, 310 + 11 * len(table))
        if table == "ipblocks":
            yield Entry("", f"{database}.ipblocks_ipindex-schema-view.sql.gz", "", 262)
        if table == "user":
            yield Entry("", f"{database}.user-schema-triggers.sql.gz", table, 405)
            yield Entry("", f"{database}-schema-post.sql.gz", "", 533)


def _data_names(table: str, more: int) -> list[str]:
    if not more:
        return [f"{table}.sql.gz"]
    return [f"{table}.{number:05d}.sql.gz" for number in range(more + 1)]


def _snapshot(section: str, _: int) -> Iterator[Entry]:
    """Yield what mariabackup leaves: a directory a database, and files of the server beside them."""
    yield Entry("", "ibdata1", "", 0, 0.05)
    last = ""
    for number, (database, table, weight) in enumerate(_weighed_tables(section)):
        if database != last:
            yield Entry("", database, "", _DIRECTORY)
        yield from _tablespaces(database, table, weight)
        if database != last:
            yield Entry(database, "db.opt", "", 67)
            last = database
        if number == 1:
            yield from _SERVER_FILES


def _tablespaces(database: str, table: str, weight: float) -> Iterator[Entry]:
    if table == "heartbeat":
        yield Entry(database, "heartbeat.MAD", table, 8192)
        yield Entry(database, "heartbeat.MAI", table, 8192)
    elif table in ("logging", "history"):
        for part in range(3):
            yield Entry(database, f"{table}#P#p{part}.ibd", table, 0, weight / 3)
    else:
        yield Entry(database, f"{table}.ibd", table, 0, weight)
    yield Entry(database, f"{table}.frm", table, 1010 + 13 * len(table))
