"""The page of a run: its contents, and the difference from the previous success."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bernard_exporter.domain.file_names import Object
from bernard_exporter.domain.filters import FileFilter
from bernard_exporter.domain.model import Job, Run
from bernard_exporter.domain.policy import Policy, size_change
from bernard_exporter.errors import FilterError, NotFoundError
from bernard_exporter.inventory.contents import ObjectSize
from bernard_exporter.queries.diff import THRESHOLD, BackupDiff, difference
from bernard_exporter.queries.entries import SizedObject, list_files, list_objects
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.page import Page
from bernard_exporter.queries.runs import find_run, previous_success
from bernard_exporter.store.entries import File
from bernard_exporter.web.pages.query import FileForm, ObjectForm, Query

_FILES = 100
_OBJECTS = 50
_FILE_PARAMETERS = ("path", "file", "min_size", "sort", "cursor")
_OBJECT_PARAMETERS = ("db", "table", "object_sort", "object_cursor")

_NO_FILES: Page[File] = Page((), None)
_ANY_FILE = FileFilter(limit=1)


class Part(StrEnum):
    """The parts of a run's page; objects and difference require reading all files of the run."""

    DIFFERENCE = "difference"
    OBJECTS = "objects"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class RunPageQuery:
    """The query of a run's page.

    Attributes:
        parts: the parts to show; the others are not read.
        against: the run that the difference is against; None for the previous success.
    """

    parts: frozenset[Part]
    files: FileForm
    objects: ObjectForm
    against: int | None = None


@dataclass(frozen=True, slots=True)
class RunPage:
    """A run and its contents.

    Attributes:
        job: None when the row names no section or type.
        previous: the run that the difference is against, which is the previous success unless the query names another.
        has_files: whether any file of it is recorded, whatever is asked for.
        databases, tables: how many there are; None where no name says.
        difference: None where it is unknown what either run holds.
    """

    run: Run
    job: Job | None
    datacenter: str
    previous: Run | None
    has_files: bool
    databases: int | None
    tables: int | None
    objects: Page[SizedObject]
    files: Page[File]
    difference: BackupDiff | None
    run_query: RunPageQuery

    @property
    def change(self) -> float | None:
        """The relative size change from the previous success; None if either is unknown."""
        return size_change(self.run.size, self.previous.size if self.previous else None)

    @property
    def vanished(self) -> tuple[SizedObject, ...]:
        """Whole databases that are in the previous success but not in this run."""
        removed = self.difference.removed if self.difference else ()
        return tuple(item for item in removed if item.object.name is None)


def parse_run_query(query: Query, files: int = _FILES, objects: int = _OBJECTS) -> RunPageQuery:
    """Parse the query of a run's page: a single part if it has a cursor or filter for it, else all parts.

    Args:
        query: the query.
        files: the maximum number of files.
        objects: the maximum number of objects.

    Raises:
        FilterError: a value is invalid.
    """
    return RunPageQuery(
        parts=_parts(query),
        files=query.read(FileForm, limit=files, db=None),
        objects=query.read(ObjectForm, limit=objects, min_size=None),
        against=_against(query.text("against")),
    )


def _against(text: str | None) -> int | None:
    try:
        return run_number(text) if text else None
    except NotFoundError as error:
        raise FilterError("against", f"found {text!r}, expected the id of a run"[:100]) from error


def _parts(query: Query) -> frozenset[Part]:
    if any(query.text(name) for name in _FILE_PARAMETERS):
        return frozenset({Part.FILES})
    if any(query.text(name) for name in _OBJECT_PARAMETERS):
        return frozenset({Part.OBJECTS})
    return frozenset(Part)


def run_page(view: DatabaseView, run_id: int, run_query: RunPageQuery) -> RunPage:
    """Return a run and its contents.

    Raises:
        NotFoundError: the run does not exist.
        FilterError: a cursor is not one of its list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    run = find_run(view.connection, run_id)
    datacenter = view.snapshot.policy.datacenter(run.host)
    against = run_query.against
    previous = (
        previous_success(view.connection, view.snapshot, run, view.now)
        if against is None
        else find_run(view.connection, against)
    )
    objects = _objects(view, run if run_query.parts & {Part.OBJECTS, Part.DIFFERENCE} else None)
    before = _objects(view, previous if Part.DIFFERENCE in run_query.parts else None)
    files = list_files(view.connection, run, run_query.files) if Part.FILES in run_query.parts else _NO_FILES
    return RunPage(
        run=run,
        job=job_of(run, view.snapshot.policy),
        datacenter=datacenter,
        previous=previous,
        has_files=bool(files.items or list_files(view.connection, run, _ANY_FILE).items),
        databases=_count(objects, databases=True),
        tables=_count(objects, databases=False),
        objects=list_objects(objects, run_query.objects),
        files=files,
        difference=difference(objects, before, THRESHOLD),
        run_query=run_query,
    )


def _objects(view: DatabaseView, run: Run | None) -> Mapping[Object, ObjectSize]:
    return view.contents_of(run).objects if run else {}


def job_of(run: Run, policy: Policy) -> Job | None:
    """Return the job of a run; None if its row names no section or type."""
    return Job(run.section, run.type, policy.datacenter(run.host)) if run.section and run.type else None


def run_number(text: str) -> int:
    """Parse the id of a run in a path.

    Raises:
        NotFoundError: the text is not an id.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(1 << 63)) - 1:
        raise NotFoundError(f"no run {text[:40]!r} in the inventory; the id of a run is a number")
    return int(text)


def _count(objects: Mapping[Object, ObjectSize], *, databases: bool) -> int | None:
    return sum((thing.name is None) is databases for thing in objects) if objects else None
