"""The file names of mydumper and mariabackup for a section's databases and tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from bernard_exporter.commands.sample.fleet import DUMP
from bernard_exporter.commands.sample.sections import databases, tables
from bernard_exporter.domain.file_names.encoding import encode

# Leftovers of online schema changes, and tables that are dropped and come back.
LEFT_BEHIND = "_page_new"
DROPPED = "page_archive_old"
_DIRECTORY = 4096


class FileTemplate(NamedTuple):
    """A file or directory of a layout: with a fixed size in bytes, or with a share of the rest."""

    path: str
    name: str
    table: str
    fixed: int
    share: float = 0.0


_SERVER_FILES = (
    FileTemplate("", "xtrabackup_info", "", 713),
    FileTemplate("", "xtrabackup_checkpoints", "", 120),
    FileTemplate("", "backup-my.cnf", "", 398),
    FileTemplate("", "ib_logfile0", "", 2048),
)


def entries_of(section: str, backup_type: str, limit: int) -> list[FileTemplate]:
    """Return at most ``limit`` files and directories of a section's backups, for all tables that it ever has."""
    make = _dump if backup_type == DUMP else _snapshot
    entries = list(islice(make(section, 0), limit))
    if backup_type == DUMP and len(entries) < limit:
        entries = list(islice(make(section, limit - len(entries)), limit))
    return entries


def _weighed_tables(section: str) -> Iterator[tuple[str, str, float]]:
    """Yield database, table and weight: a few are large, most are small."""
    for rank, database in enumerate(databases(section)):
        names = tables(database)
        if rank == 0:
            # Early, so that they are included even with few files.
            names = (*names[:3], DROPPED, LEFT_BEHIND, *names[3:])
        for index, table in enumerate(names):
            yield database, table, 1 / ((rank + 1) * (index + 1) ** 1.2)


def _dump(section: str, chunks: int) -> Iterator[FileTemplate]:
    """Yield the files of mydumper, with about ``chunks`` additional files for large tables."""
    weighed = list(_weighed_tables(section))
    whole = sum(weight for _, _, weight in weighed)
    yield FileTemplate("", "metadata", "", 168)
    last = ""
    for database, table, weight in weighed:
        if database != last:
            yield FileTemplate("", f"{database}-schema-create.sql.gz", "", 120)
            last = database
        more = int(chunks * weight / whole)
        for name in _data_names(f"{database}.{table}", more):
            yield FileTemplate("", name, table, 0, weight / (more + 1))
        yield FileTemplate("", f"{database}.{table}-schema.sql.gz", table, 310 + 11 * len(table))
        if table == "ipblocks":
            yield FileTemplate("", f"{database}.ipblocks_ipindex-schema-view.sql.gz", "", 262)
        if table == "user":
            yield FileTemplate("", f"{database}.user-schema-triggers.sql.gz", table, 405)
            yield FileTemplate("", f"{database}-schema-post.sql.gz", "", 533)


def _data_names(table: str, more: int) -> list[str]:
    if not more:
        return [f"{table}.sql.gz"]
    return [f"{table}.{number:05d}.sql.gz" for number in range(more + 1)]


def _snapshot(section: str, _: int) -> Iterator[FileTemplate]:
    """Yield the files of mariabackup: a directory per database, and files of the server."""
    yield FileTemplate("", "ibdata1", "", 0, 0.05)
    last = ""
    for number, (database, table, weight) in enumerate(_weighed_tables(section)):
        directory = encode(database)
        if database != last:
            yield FileTemplate("", directory, "", _DIRECTORY)
        yield from _tablespaces(directory, table, weight)
        if database != last:
            yield FileTemplate(directory, "db.opt", "", 67)
            last = database
        if number == 1:
            yield from _SERVER_FILES


def _tablespaces(directory: str, table: str, weight: float) -> Iterator[FileTemplate]:
    name = encode(table)
    if table == "heartbeat":
        yield FileTemplate(directory, "heartbeat.MAD", table, 8192)
        yield FileTemplate(directory, "heartbeat.MAI", table, 8192)
    elif table in ("logging", "history"):
        for part in range(3):
            yield FileTemplate(directory, f"{name}#P#p{part}.ibd", table, 0, weight / 3)
    else:
        yield FileTemplate(directory, f"{name}.ibd", table, 0, weight)
    yield FileTemplate(directory, f"{name}.frm", table, 1010 + 13 * len(table))
