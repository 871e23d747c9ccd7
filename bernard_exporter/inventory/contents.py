"""The contents of a backup: the sum of its files, and its databases and tables, recorded or derived from file names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from sqlalchemy.engine import Connection

from bernard_exporter.domain.file_names import FileNames, Object, names_of
from bernard_exporter.domain.model import Run
from bernard_exporter.store import reader

K = TypeVar("K")
T = TypeVar("T")
# Bytes and files so far, None once a part is unknown; a mutable list, as 100,000 parts may be added.
_Sum = list[int | None]
# The owner of a file, and its size.
_Part = tuple[Object | None, int | None]
_NO_BYTES: int | None = 0


class ObjectSize(NamedTuple):
    """The size of an object in a backup.

    Attributes:
        size: bytes; None if unknown.
        files: the number of files; None if it cannot be derived from the names.
    """

    size: int | None
    files: int | None


@dataclass(slots=True)
class Contents:
    """The contents of a backup.

    Attributes:
        files: the number of recorded files and directories.
        bytes: the sum of their sizes; None if any is unknown.
        objects: databases and tables; a database includes its tables. Empty if no name tells any.
    """

    files: int
    bytes: int | None
    objects: dict[Object, ObjectSize]


def read_contents(connection: Connection, run: Run) -> Contents:
    """Return the contents of a run's backup; reads all of its files once, about 100,000 in half a second.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    derived = _sum_up(connection, run, _contents)
    recorded = reader.objects(connection, run.id)
    return replace(derived, objects=_recorded(recorded, derived.objects)) if recorded else derived


@dataclass(frozen=True, slots=True)
class ContentsDigest:
    """A digest of the contents of a backup.

    Attributes:
        files, bytes: as in :class:`Contents`.
        objects: a hash of each database and table, as 50,000 names would take 20 MiB; a collision within a backup
            happens once in a billion backups.
    """

    files: int
    bytes: int | None
    objects: frozenset[int]


def read_digest(connection: Connection, run: Run) -> ContentsDigest:
    """Return the digest of a run's contents, which takes a fifth of the memory of :func:`read_contents`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    derived = _sum_up(connection, run, _digest)
    recorded = _digest((Object(db, table), size) for db, table, size in reader.objects(connection, run.id))
    return replace(derived, objects=recorded.objects) if recorded.objects else derived


def _sum_up(connection: Connection, run: Run, summed: Callable[[Iterable[_Part]], T]) -> T:
    """Return the sum of the files of a run; they are read twice if names change the meaning of others."""
    names = names_of(run.type)
    total = summed(_parts(connection, run, names))
    return summed(_parts(connection, run, names)) if names.settle() else total


def _parts(connection: Connection, run: Run, names: FileNames) -> Iterator[_Part]:
    """Yield the owner and the size of each file, without keeping them, as a dump has 100,000."""
    for path, name, size in reader.files(connection, run.id):
        yield names.owner(path, name), size


def _contents(parts: Iterable[_Part]) -> Contents:
    sums: dict[Object, _Sum] = {}
    files, total = 0, _NO_BYTES
    for owner, size in parts:
        files += 1
        total = None if total is None or size is None else total + size
        if owner:
            _add(sums, owner, size, 1)
    return Contents(files, total if files else None, _with_databases(sums))


def _digest(parts: Iterable[_Part]) -> ContentsDigest:
    hashes: set[int] = set()
    databases: set[str] = set()
    files, total = 0, _NO_BYTES
    for owner, size in parts:
        files += 1
        total = None if total is None or size is None else total + size
        if owner:
            hashes.add(hash(owner))
            databases.add(owner.db)
    hashes.update(hash(Object(db, None)) for db in databases)
    return ContentsDigest(files, total if files else None, frozenset(hashes))


def _add(sums: dict[K, _Sum], key: K, size: int | None, files: int | None) -> None:
    """Add a part to a sum."""
    if (total := sums.get(key)) is None:
        sums[key] = [size, files]
        return
    total[0] = None if size is None or total[0] is None else total[0] + size
    total[1] = None if files is None or total[1] is None else total[1] + files


def _with_databases(parts: dict[Object, _Sum]) -> dict[Object, ObjectSize]:
    """Return the size of each table, and of each database with its tables."""
    databases: dict[str, _Sum] = {}
    for object_, (size, files) in parts.items():
        _add(databases, object_.db, size, files)
    tables = {object_: ObjectSize(*part) for object_, part in parts.items() if object_.name is not None}
    return tables | {Object(db, None): ObjectSize(*part) for db, part in databases.items()}


def _recorded(
    rows: Iterable[tuple[str, str | None, int | None]], derived: dict[Object, ObjectSize]
) -> dict[Object, ObjectSize]:
    """Return the objects that the writer recorded, with the number of files from the file names."""
    unknown = ObjectSize(None, None)
    tables: dict[Object, _Sum] = {}
    databases: dict[Object, ObjectSize] = {}
    for db, name, size in rows:
        object_ = Object(db, name)
        from_names = derived.get(object_, unknown)
        amount = ObjectSize(from_names.size if size is None else size, from_names.files)
        if name is None:
            databases[object_] = amount
        else:
            _add(tables, object_, *amount)
    return _with_databases(tables) | databases
