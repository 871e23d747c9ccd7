"""What a backup holds: its files summed up, and its databases and tables, as recorded or told from file names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from bernard_exporter.contents import Measure, Object, object_of
from bernard_exporter.model import Run
from bernard_exporter.store import reader

_NOTHING = Measure(0, 0)


@dataclass(slots=True)
class Holdings:
    """What is in a backup.

    Attributes:
        files: files and directories recorded.
        bytes: the sum of their sizes; None when any is unknown.
        objects: databases and tables; a database with all that is in it. Empty where nothing tells.
    """

    files: int = 0
    bytes: int | None = None
    objects: dict[Object, Measure] = field(default_factory=dict)


def holdings(connection: Connection, run: Run) -> Holdings:
    """Return what a run's backup holds; reads every file of it once, 100,000 of them in about a second.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    found = Holdings()
    recorded = reader.objects(connection, run.id)
    total = _NOTHING
    for path, name, size in reader.files(connection, run.id):
        total = total.plus(size, 1)
        if thing := object_of(run.type, path, name):
            _add(found.objects, thing, Measure(size, 1))
    found.files, found.bytes = total.files or 0, total.size if total.files else None
    if recorded:
        found.objects = _recorded(recorded, found.objects)
    return found


@dataclass(frozen=True, slots=True)
class Summary:
    """How much is in a backup, and which objects those are.

    Attributes:
        files, bytes: as of :class:`Holdings`.
        objects: a hash of each database and table, for 50,000 names would take 20 MiB; two in one backup are the same
            by chance once in a billion backups.
    """

    files: int
    bytes: int | None
    objects: frozenset[int]


def summary(connection: Connection, run: Run) -> Summary:
    """Return how much a run's backup holds, in a fifth of the memory of :func:`holdings`.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    total, found = _NOTHING, set[int]()
    for path, name, size in reader.files(connection, run.id):
        total = total.plus(size, 1)
        if thing := object_of(run.type, path, name):
            found.update((hash(thing), hash(Object(thing.db, None))))
    recorded = set[int]()
    for db, table, _ in reader.objects(connection, run.id):
        recorded.update((hash(Object(db, table)), hash(Object(db, None))))
    return Summary(total.files or 0, total.size if total.files else None, frozenset(recorded or found))


def _add(objects: dict[Object, Measure], thing: Object, measure: Measure) -> None:
    """Add a part to an object, and to the database that the object is in."""
    objects[thing] = objects.get(thing, _NOTHING).plus(*measure)
    if thing.name is not None:
        database = Object(thing.db, None)
        objects[database] = objects.get(database, _NOTHING).plus(*measure)


def _recorded(
    rows: Iterable[tuple[str, str | None, int | None]], derived: dict[Object, Measure]
) -> dict[Object, Measure]:
    """Return the objects that the writer recorded, with what the names of files add to them."""
    unknown = Measure(None, None)
    found: dict[Object, Measure] = {}
    whole: dict[Object, Measure] = {}
    for db, name, size in rows:
        thing = Object(db, name)
        told = derived.get(thing, unknown)
        measure = Measure(told.size if size is None else size, told.files)
        if name is None:
            whole[thing] = measure
        else:
            _add(found, thing, measure)
    return found | whole
