"""Endpoints of runs, their files and objects, and the difference between runs, answered from the database."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from bernard_exporter.domain.filters import ContentFilter, FileFilter, RunFilter
from bernard_exporter.domain.model import Run
from bernard_exporter.queries.diff import BackupDiff, ChangedObject, difference
from bernard_exporter.queries.documents import run_document
from bernard_exporter.queries.entries import SizedObject, file_document, object_document
from bernard_exporter.queries.entries import list_files as find_files
from bernard_exporter.queries.entries import list_objects as find_objects
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.runs import find_run, previous_success
from bernard_exporter.queries.runs import search_runs as find_runs
from bernard_exporter.web.api import models
from bernard_exporter.web.api.dependencies import Answer, DiffQuery, Executor, RunId, RunSearch, no_query, polled
from bernard_exporter.web.api.openapi import DOCUMENT, NOT_FOUND, PAGE, SEARCH
from bernard_exporter.web.api.responses import Negotiated

ROUTER = APIRouter(tags=["runs"])
_DESCRIPTION = (
    "Filters by `section` and `type` in the default order use an index, so that any page is fast. Other filters, such "
    "as a substring of the name, may scan the table; if that exceeds the time limit of the database, the response is "
    "503 and says how to narrow the query. Data centres are those of the hosts known at the last poll."
)
_RUN_COLUMNS = (
    "id",
    "name",
    "status",
    "type",
    "section",
    "datacenter",
    "source",
    "host",
    "start",
    "end",
    "duration",
    "size",
)
_FILE_COLUMNS = ("path", "name", "size", "date")
_OBJECT_COLUMNS = ("db", "name", "size", "files")


@ROUTER.get("/runs", summary="List runs", description=_DESCRIPTION, response_model=models.RunPage, responses=PAGE)
async def list_runs(query: Annotated[RunFilter, Query()], executor: Executor, answer: Answer) -> Response:
    """Return the runs that match the filters in the query."""
    return await executor.query_database(lambda view: _runs(view, query, answer))


@ROUTER.post(
    "/runs/search",
    summary="Search runs with the filters in a JSON body",
    description=_DESCRIPTION,
    response_model=models.RunPage,
    responses=SEARCH,
    dependencies=[Depends(no_query)],
)
async def search_runs(body: RunSearch, executor: Executor, answer: Answer) -> Response:
    """Return the runs that match the filters in the body."""
    return await executor.query_database(lambda view: _runs(view, body, answer))


def _runs(view: DatabaseView, criteria: RunFilter, answer: Negotiated) -> Response:
    if criteria.datacenter:
        polled(view)
    page = find_runs(view.connection, view.snapshot, criteria)
    return answer.page([_document(view, run) for run in page.items], page.next_cursor, _RUN_COLUMNS)


@ROUTER.get(
    "/runs/{id:run}",
    summary="Get a run",
    response_model=models.Run,
    responses=DOCUMENT | NOT_FOUND,
    dependencies=[Depends(no_query)],
)
async def get_run(run_id: RunId, executor: Executor, answer: Answer) -> Response:
    """A row of `backups`."""
    return await executor.query_database(
        lambda view: answer.document(_document(view, find_run(view.connection, run_id)))
    )


@ROUTER.get(
    "/runs/{id:run}/files",
    summary="List the files and directories of a run",
    response_model=models.FilePage,
    responses=PAGE | NOT_FOUND,
)
async def list_files(
    run_id: RunId, query: Annotated[FileFilter, Query()], executor: Executor, answer: Answer
) -> Response:
    """Sorted by name, every page is equally fast; sorted by size, each page sorts all files of the run."""
    return await executor.query_database(lambda view: _files(view, run_id, query, answer))


def _files(view: DatabaseView, run_id: int, criteria: FileFilter, answer: Negotiated) -> Response:
    page = find_files(view.connection, find_run(view.connection, run_id), criteria)
    return answer.page([file_document(file) for file in page.items], page.next_cursor, _FILE_COLUMNS)


@ROUTER.get(
    "/runs/{id:run}/objects",
    summary="List the databases and tables of a run",
    response_model=models.ObjectPage,
    responses=PAGE | NOT_FOUND,
)
async def list_objects(
    run_id: RunId, query: Annotated[ContentFilter, Query()], executor: Executor, answer: Answer
) -> Response:
    """As recorded by the writer, or else derived from the names and sizes of the files of the run.

    An item without a name is a whole database, including its tables. The contents of a single tarball are unknown.
    """
    return await executor.query_database(lambda view: _objects(view, run_id, query, answer))


def _objects(view: DatabaseView, run_id: int, criteria: ContentFilter, answer: Negotiated) -> Response:
    page = find_objects(view.contents_of(find_run(view.connection, run_id)).objects, criteria)
    return answer.page([object_document(item) for item in page.items], page.next_cursor, _OBJECT_COLUMNS)


@ROUTER.get(
    "/runs/{id:run}/diff",
    summary="Compare a run with another one",
    response_model=models.Diff,
    responses=DOCUMENT | NOT_FOUND,
)
async def diff_run(run_id: RunId, query: Annotated[DiffQuery, Query()], executor: Executor, answer: Answer) -> Response:
    """Databases and tables that were added, removed, or changed in size; whole databases first."""
    return await executor.query_database(lambda view: answer.document(_diff(view, run_id, query)))


def _diff(view: DatabaseView, run_id: int, query: DiffQuery) -> dict[str, Any]:
    run = find_run(view.connection, run_id)
    if query.against is None:
        against = previous_success(view.connection, view.snapshot, run, view.now)
    else:
        against = find_run(view.connection, query.against)
    diff, reason = None, "this job has no earlier success"
    if against:
        now, before = view.contents_of(run).objects, view.contents_of(against).objects
        diff = difference(now, before, query.threshold)
        reason = f"the databases and tables of run {run.id if not now else against.id} are unknown"
    return {
        "run": _document(view, run),
        "against": _document(view, against) if against else None,
        "threshold": query.threshold,
        "reason": None if diff else reason,
        **_difference_document(diff, query.limit),
    }


def _difference_document(diff: BackupDiff | None, limit: int) -> dict[str, Any]:
    if diff is None:
        return {"added": None, "removed": None, "changed": None, "truncated": False}

    def shown(items: tuple[SizedObject, ...]) -> list[dict[str, Any]]:
        return [object_document(item) for item in items[:limit]]

    return {
        "added": shown(diff.added),
        "removed": shown(diff.removed),
        "changed": [_changed_document(changed) for changed in diff.changed[:limit]],
        "truncated": any(len(items) > limit for items in (diff.added, diff.removed, diff.changed)),
    }


def _changed_document(changed: ChangedObject) -> dict[str, Any]:
    item = object_document(SizedObject(changed.object, changed.amount))
    return {**item, "previous_size": changed.previous.size, "change": changed.change}


def _document(view: DatabaseView, run: Run) -> dict[str, Any]:
    return run_document(run, view.snapshot.policy.datacenter(run.host))
