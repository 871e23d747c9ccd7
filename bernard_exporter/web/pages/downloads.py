"""Lists as CSV files for spreadsheets, protected against formula injection.

The API's CSV is exact; here text that a spreadsheet would interpret as a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bernard_exporter.domain.filters import MAX_LIMIT
from bernard_exporter.queries.documents import run_document
from bernard_exporter.queries.entries import file_document, list_files, list_objects, object_document
from bernard_exporter.queries.executor import DatabaseView, QueryExecutor
from bernard_exporter.queries.runs import find_run, search_runs
from bernard_exporter.web.pages.query import Query
from bernard_exporter.web.pages.run import parse_run_query, run_number
from bernard_exporter.web.pages.search import run_filter, understand

_FORMULA = frozenset("=+-@")
_RUN = ("id", "name", "status", "type", "section", "datacenter", "source", "host", "start", "end", "duration", "size")
_FILE = ("path", "name", "size", "date")
_OBJECT = ("db", "name", "size", "files")


class Downloads:
    """The CSV files that pages link to: up to a thousand rows from the start of the page's list."""

    def __init__(self, executor: QueryExecutor) -> None:
        """Serve downloads from the inventory."""
        self._executor = executor

    async def runs(self, request: Request) -> Response:
        """Return the runs that match a search and filters."""
        query = Query(request.url.query)
        snapshot = self._executor.view.snapshot
        words = understand((query.text("q") or "").strip(), snapshot)
        criteria = run_filter(query, words, snapshot, MAX_LIMIT)

        def find(view: DatabaseView) -> list[dict[str, Any]]:
            runs = search_runs(view.connection, view.snapshot, criteria).items
            return [run_document(run, view.snapshot.policy.datacenter(run.host)) for run in runs]

        return _file("runs", _RUN, await self._executor.query_database(find))

    async def files(self, request: Request) -> Response:
        """Return the files of a run."""
        run_id = run_number(request.path_params["id"])
        criteria = parse_run_query(Query(request.url.query), files=MAX_LIMIT).files

        def find(view: DatabaseView) -> list[dict[str, Any]]:
            return [
                file_document(file)
                for file in list_files(view.connection, find_run(view.connection, run_id), criteria).items
            ]

        return _file(f"run-{run_id}-files", _FILE, await self._executor.query_database(find))

    async def objects(self, request: Request) -> Response:
        """Return the databases and tables of a run."""
        run_id = run_number(request.path_params["id"])
        criteria = parse_run_query(Query(request.url.query), objects=MAX_LIMIT).objects

        def find(view: DatabaseView) -> list[dict[str, Any]]:
            page = list_objects(view.contents_of(find_run(view.connection, run_id)).objects, criteria)
            return [object_document(item) for item in page.items]

        return _file(f"run-{run_id}-objects", _OBJECT, await self._executor.query_database(find))


def _file(name: str, columns: tuple[str, ...], items: Iterable[Mapping[str, Any]]) -> Response:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(columns)
    writer.writerows([_cell(item[column]) for column in columns] for item in items)
    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "content-type": "text/csv; charset=utf-8"}
    return Response(lines.getvalue().encode("utf-8", "replace"), headers=headers)


def _cell(value: object) -> object:
    """Return a value as a cell; numbers stay numbers."""
    return f"'{value}" if isinstance(value, str) and _may_be_formula(value) else value


def _may_be_formula(text: str) -> bool:
    """Return whether a spreadsheet could take a text for a formula.

    Spreadsheets skip spaces and invisible characters, and take fullwidth forms of the signs for the plain ones.
    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    if unicodedata.category(text[:1] or "x") == "Cc":
        return True
    visible = next((character for character in text if unicodedata.category(character)[0] not in "ZC"), "")
    return not _FORMULA.isdisjoint(unicodedata.normalize("NFKC", visible)[:1])
