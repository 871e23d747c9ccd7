"""Runs, what is in them and what changed: answered from the database."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bernard_exporter.api import parameters
from bernard_exporter.api.answers import Wish, listing, single
from bernard_exporter.api.jobs import read
from bernard_exporter.api.operation import Operation
from bernard_exporter.api.parameters import Values, moment
from bernard_exporter.errors import FilterError
from bernard_exporter.filters import ContentFilter, RunFilter
from bernard_exporter.inspection.access import View
from bernard_exporter.inspection.difference import Changed, Difference, difference
from bernard_exporter.inspection.files import file_document, list_files
from bernard_exporter.inspection.objects import Held, list_objects, object_document
from bernard_exporter.inspection.runs import find_run, previous_success, search_runs
from bernard_exporter.inspection.words import run_document
from bernard_exporter.inventory.holdings import holdings
from bernard_exporter.model import Run

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
_LISTS = ("section", "type", "datacenter", "status", "source", "host")
_TIMES = ("started_after", "started_before", "ended_after", "ended_before")


def _run_filter(values: Values) -> RunFilter:
    lists = {name: tuple(values[name]) for name in _LISTS}
    times = {name: moment(name, values[name]) for name in _TIMES}
    return RunFilter(**{**values, **lists, **times, "limit": _limit(values)})


def _limit(values: Values) -> int:
    """Return the size of a page; the body of a search can say null, which is none."""
    limit = values["limit"]
    if limit is None:
        raise FilterError("limit", "found null, expected a whole number")
    return int(limit)


def _document(view: View, run: Run) -> dict[str, Any]:
    return run_document(run, view.snapshot.policy.datacenter(run.host))


def _runs(view: View, values: Values, wanted: Wish) -> Response:
    asked = _run_filter(values)
    if asked.datacenter:
        read(view)
    page = search_runs(view.connection, view.snapshot, asked)
    return listing(wanted, [_document(view, run) for run in page.items], page.next_cursor, _RUN_COLUMNS)


def _run(view: View, values: Values, wanted: Wish) -> Response:
    return single(wanted, _document(view, find_run(view.connection, values["id"])))


def _content_filter(values: Values) -> tuple[int, ContentFilter]:
    return values["id"], ContentFilter(**{name: value for name, value in values.items() if name != "id"})


def _files(view: View, values: Values, wanted: Wish) -> Response:
    run_id, asked = _content_filter(values)
    page = list_files(view.connection, find_run(view.connection, run_id), asked)
    items = [file_document(file) for file in page.items]
    return listing(wanted, items, page.next_cursor, ("path", "name", "size", "date"))


def _objects(view: View, values: Values, wanted: Wish) -> Response:
    run_id, asked = _content_filter(values)
    found = holdings(view.connection, find_run(view.connection, run_id))
    page = list_objects(found.objects, asked)
    items = [object_document(held) for held in page.items]
    return listing(wanted, items, page.next_cursor, ("db", "name", "size", "files"))


def _diff(view: View, values: Values, wanted: Wish) -> Response:
    run = find_run(view.connection, values["id"])
    if values["against"] is None:
        against = previous_success(view.connection, view.snapshot, run, view.now)
    else:
        against = find_run(view.connection, values["against"])
    found, reason = None, "there is no earlier success of this job"
    if against:
        now, before = holdings(view.connection, run).objects, holdings(view.connection, against).objects
        found = difference(now, before, values["threshold"])
        reason = f"nothing tells the databases and tables of run {run.id if not now else against.id}"
    document = {
        "run": _document(view, run),
        "against": _document(view, against) if against else None,
        "threshold": values["threshold"],
        "reason": None if found else reason,
        **_difference_document(found, values["limit"]),
    }
    return single(wanted, document)


def _difference_document(found: Difference | None, limit: int) -> dict[str, Any]:
    if found is None:
        return {"added": None, "removed": None, "changed": None, "truncated": False}

    def shown(items: tuple[Held, ...]) -> list[dict[str, Any]]:
        return [object_document(held) for held in items[:limit]]

    return {
        "added": shown(found.added),
        "removed": shown(found.removed),
        "changed": [_changed_document(changed) for changed in found.changed[:limit]],
        "truncated": any(len(items) > limit for items in (found.added, found.removed, found.changed)),
    }


def _changed_document(changed: Changed) -> dict[str, Any]:
    held = object_document(Held(changed.object, changed.measure))
    return {**held, "previous_size": changed.previous.size, "change": changed.change}


_SEARCH = (
    "Without other filters than `section` and `type`, and in the default order, any page of any table is cheap. What "
    "no index serves, such as a part of a name, reads the table; the database's time limit ends it, and the answer "
    "is 503 and says what to narrow. Data centres are those of the hosts known at the last poll."
)
OPERATIONS = (
    Operation(
        "/v1/runs",
        "list_runs",
        "The runs that pass every filter given",
        _SEARCH,
        parameters.RUNS,
        "RunPage",
        _runs,
        _RUN_COLUMNS,
    ),
    Operation(
        "/v1/runs/search",
        "search_runs",
        "The same with the filters as a JSON body",
        _SEARCH,
        parameters.RUNS,
        "RunPage",
        _runs,
        _RUN_COLUMNS,
        method="POST",
    ),
    Operation("/v1/runs/{id}", "get_run", "One run", "A row of `backups`.", (parameters.RUN_ID,), "Run", _run),
    Operation(
        "/v1/runs/{id}/files",
        "list_files",
        "The files and directories of a run",
        "By name a page costs the same at any depth; by size every file of the run is sorted for each page.",
        parameters.FILES,
        "FilePage",
        _files,
        ("path", "name", "size", "date"),
    ),
    Operation(
        "/v1/runs/{id}/objects",
        "list_objects",
        "The databases and tables of a run",
        "As the writer recorded them, else told from the names of files, their sizes summed. An item without a name "
        "is a whole database, its tables included. Nothing tells what is in a single tarball.",
        parameters.OBJECTS,
        "ObjectPage",
        _objects,
        ("db", "name", "size", "files"),
    ),
    Operation(
        "/v1/runs/{id}/diff",
        "diff_run",
        "What changed against another run",
        "Databases and tables that were added, removed, or changed in size. A database that vanished comes first.",
        parameters.DIFF,
        "Diff",
        _diff,
    ),
)
