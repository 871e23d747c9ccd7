"""The files of a sample backup: the names that mydumper and mariabackup give them, and sizes that add up."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from bernard_exporter.sample.fleet import DUMP
from bernard_exporter.sample.sections import databases, tables
from bernard_exporter.store.writer import FileRow, RunRow

_DIRECTORY = 4096
# Layouts of more files than this cost more memory to keep than time to make.
_KEPT = 2_000


class Variant(Enum):
    """How the tables of a run differ from those of most runs of its section."""

    USUAL = 0
    ADDED = 1
    REMOVED = 2


# What an online schema change leaves behind now and then, and what is dropped and comes back.
_LEFT_BEHIND = "_page_new"
_DROPPED = "page_archive_old"
_HIDDEN = {
    Variant.USUAL: (_LEFT_BEHIND,),
    Variant.ADDED: (),
    Variant.REMOVED: (_LEFT_BEHIND, _DROPPED),
}


class Entry(NamedTuple):
    """A file or directory of a layout: either of a fixed size in bytes, or with a share in what remains."""

    path: str
    name: str
    table: str
    fixed: int
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class _Layout:
    names: tuple[tuple[str, str], ...]
    fixed: tuple[int, ...]
    shares: tuple[float, ...]
    largest: int
    fixed_sum: int

    def sizes(self, total: int) -> list[int]:
        """Return sizes that sum to ``total``, however small it is."""
        rest = total - self.fixed_sum
        if rest < 0:
            sizes = [total * fixed // self.fixed_sum for fixed in self.fixed]
        else:
            sizes = [fixed + int(rest * share) for fixed, share in zip(self.fixed, self.shares, strict=True)]
        # What rounding left over, either way, goes where it matters least.
        sizes[self.largest] += total - sum(sizes)
        return sizes


def files_of(run: RunRow, limit: int) -> list[FileRow]:
    """Return at most ``limit`` files and directories of a run; none unless it finished with a known size.

    Their sizes sum to the run's. The same run always has the same files; now and then one has a table more or less
    than the run before.
    """
    if not limit or run.total_size is None or run.end_date is None or run.status != "finished":
        return []
    layout = (_layout if limit <= _KEPT else _layout.__wrapped__)(run.section, run.type, limit, _variant(run))
    run_id, date = run.id, run.end_date
    sizes = layout.sizes(run.total_size)
    return [FileRow(run_id, path, name, size, date) for (path, name), size in zip(layout.names, sizes, strict=True)]


def _variant(run: RunRow) -> Variant:
    chance = zlib.crc32(f"{run.name}{run.host}".encode()) % 16
    return {0: Variant.ADDED, 1: Variant.REMOVED}.get(chance, Variant.USUAL)


@lru_cache(maxsize=512)
def _layout(section: str, kind: str, limit: int, variant: Variant) -> _Layout:
    hidden = _HIDDEN[variant]
    entries = [entry for entry in _entries(section, kind, limit) if entry.table not in hidden]
    whole = sum(entry.share for entry in entries) or 1.0
    weights = [(entry.share, entry.fixed) for entry in entries]
    return _Layout(
        names=tuple((entry.path, entry.name) for entry in entries),
        fixed=tuple(entry.fixed for entry in entries),
        shares=tuple(entry.share / whole for entry in entries),
        largest=weights.index(max(weights)),
        fixed_sum=sum(entry.fixed for entry in entries),
    )


def _entries(section: str, kind: str, limit: int) -> list[Entry]:
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
            names = (*names, _DROPPED, _LEFT_BEHIND)
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


_SERVER_FILES = (
    Entry("", "xtrabackup_info", "", 713),
    Entry("", "xtrabackup_checkpoints", "", 120),
    Entry("", "backup-my.cnf", "", 398),
    Entry("", "ib_logfile0", "", 2048),
)


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
