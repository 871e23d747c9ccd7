"""A run's page: what is in it, and what became different against the success before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bernard_exporter.contents import Measure, Object
from bernard_exporter.errors import NotFoundError
from bernard_exporter.filters import ContentFilter, ContentSort
from bernard_exporter.inspection.access import View
from bernard_exporter.inspection.difference import THRESHOLD, Difference, difference
from bernard_exporter.inspection.files import list_files
from bernard_exporter.inspection.objects import Held, list_objects
from bernard_exporter.inspection.page import Page
from bernard_exporter.inspection.runs import find_run, previous_success
from bernard_exporter.inventory.holdings import holdings
from bernard_exporter.model import Job, Run
from bernard_exporter.pages.query import Query
from bernard_exporter.policy import size_change
from bernard_exporter.store.entries import File

_FILES = 100
_OBJECTS = 50
_FILE_PARAMETERS = ("path", "file", "min_size", "sort", "cursor")
_OBJECT_PARAMETERS = ("db", "table", "object_sort", "object_cursor")

_NO_FILES: Page[File] = Page((), None)


class Part(StrEnum):
    """What a run's page may show; objects and the difference need every file of the run to be read."""

    DIFFERENCE = "difference"
    OBJECTS = "objects"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a run.

    Attributes:
        parts: which are looked at; the others cost nothing.
    """

    parts: frozenset[Part]
    files: ContentFilter
    objects: ContentFilter


@dataclass(frozen=True, slots=True)
class Inside:
    """A run and what is in it.

    Attributes:
        job: None when the row names no section or type.
        previous: the success that the difference is against; None when there is none.
        databases, tables: how many there are; None where nothing tells.
        difference: None where it is unknown what either run holds.
    """

    run: Run
    job: Job | None
    datacenter: str
    previous: Run | None
    databases: int | None
    tables: int | None
    objects: Page[Held]
    files: Page[File]
    difference: Difference | None
    asked: Asked

    @property
    def change(self) -> float | None:
        """By which ratio the size differs from the success before; None where either is unknown."""
        return size_change(self.run.size, self.previous.size if self.previous else None)

    @property
    def vanished(self) -> tuple[Held, ...]:
        """Whole databases that the success before had and this run has not."""
        removed = self.difference.removed if self.difference else ()
        return tuple(held for held in removed if held.object.name is None)


def asked_of(query: Query) -> Asked:
    """Return what a query asks of a run: a part alone when it goes on in it or filters it, else all of it.

    Raises:
        FilterError: a value makes no sense.
    """
    return Asked(parts=_parts(query), files=_file_filter(query), objects=_object_filter(query))


def _parts(query: Query) -> frozenset[Part]:
    if any(query.text(name) for name in _FILE_PARAMETERS):
        return frozenset({Part.FILES})
    if any(query.text(name) for name in _OBJECT_PARAMETERS):
        return frozenset({Part.OBJECTS})
    return frozenset(Part)


def _file_filter(query: Query) -> ContentFilter:
    return ContentFilter(
        path=query.text("path"),
        name=query.text("file"),
        min_size=query.bytes("min_size"),
        sort=query.choice("sort", ContentSort, ContentSort.NAME),
        limit=_FILES,
        cursor=query.text("cursor"),
    )


def _object_filter(query: Query) -> ContentFilter:
    return ContentFilter(
        db=query.text("db"),
        name=query.text("table"),
        sort=query.choice("object_sort", ContentSort, ContentSort.NAME),
        limit=_OBJECTS,
        cursor=query.text("object_cursor"),
    )


def inside(view: View, run_id: int, asked: Asked) -> Inside:
    """Return a run and what is in it.

    Raises:
        NotFoundError: there is no such run.
        FilterError: a cursor is none of its list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    run = find_run(view.connection, run_id)
    datacenter = view.snapshot.policy.datacenter(run.host)
    previous = previous_success(view.connection, view.snapshot, run, view.now)
    held = _held(view, run if asked.parts & {Part.OBJECTS, Part.DIFFERENCE} else None)
    before = _held(view, previous if Part.DIFFERENCE in asked.parts else None)
    return Inside(
        run=run,
        job=Job(run.section, run.type, datacenter) if run.section and run.type else None,
        datacenter=datacenter,
        previous=previous,
        databases=_count(held, databases=True),
        tables=_count(held, databases=False),
        objects=list_objects(held, asked.objects),
        files=list_files(view.connection, run, asked.files) if Part.FILES in asked.parts else _NO_FILES,
        difference=difference(held, before, THRESHOLD),
        asked=asked,
    )


def _held(view: View, run: Run | None) -> Mapping[Object, Measure]:
    return holdings(view.connection, run).objects if run else {}


def run_number(text: str) -> int:
    """Return the id that an address names.

    Raises:
        NotFoundError: it is no id.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(1 << 63)) - 1:
        raise NotFoundError(f"no run {text[:40]!r} in the inventory; a run has a number")
    return int(text)


def _count(held: Mapping[Object, Measure], *, databases: bool) -> int | None:
    return sum((thing.name is None) is databases for thing in held) if held else None
