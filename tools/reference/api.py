"""The reference page of the API, generated from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bernard_exporter.web.api.application import ROUTER
from bernard_exporter.web.api.docs_page import kind, object_schemas, operations
from bernard_exporter.web.api.openapi import document

_INTRODUCTION = """\
# JSON API

The API is read-only and served under `/api/v1`. The OpenAPI document is at `/api/v1/openapi.json`, the documentation at
`/api/docs`. Times are in RFC 3339 format and UTC, sizes in bytes, durations in seconds; unknown values are null. A time
in a request may be a date alone, which means midnight in UTC.

Lists are returned as `{"items": [...], "next_cursor": "..." or null}`. Request the next page with `cursor=` and the
same sort. With the header `Accept: text/csv` a list is returned as CSV, with the next cursor in the header
`X-Next-Cursor`.

Every response has an entity tag; with `If-None-Match` the response is 304 if nothing changed. Errors are
`application/problem+json` (RFC 9457). An unknown or invalid parameter is answered with 400 and the name of the
parameter. While the database is unavailable, or if a query takes too long, the response is 503 with `Retry-After`; if
the database returns an error, it is 503 without that header. Jobs, sections, data centres, types and hosts are always
answered from the last poll.
"""


def page() -> str:
    """Return the page as Markdown."""
    api = document(ROUTER.routes, "")
    return "\n".join([_INTRODUCTION, *_operations(api), *_schemas(api)]) + "\n"


def _operations(api: dict[str, Any]) -> Iterator[str]:
    base = api["servers"][0]["url"]
    for operation in operations(api):
        yield f"## {operation['method']} {base}{operation['path']}\n"
        yield f"{operation['summary']}. {operation['description']}\n"
        if operation["parameters"]:
            yield "| parameter | in | value | default | meaning |\n|---|---|---|---|---|"
            yield from (_parameter(api, parameter) for parameter in operation["parameters"])
            yield ""
        yield f"Answers {_answers(api, operation['responses'])}.\n"


def _parameter(api: dict[str, Any], parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = schema.get("default")
    shown = "" if default in (None, []) else f"`{default}`"
    cells = (f"`{parameter['name']}`", parameter["in"], _kind(api, schema), shown, parameter["description"])
    return f"| {' | '.join(cells)} |"


def _answers(api: dict[str, Any], responses: dict[str, Any]) -> str:
    good = responses["200"]["content"]
    what = _kind(api, good["application/json"]["schema"])
    others = [status for status in responses if status != "200"]
    return f"200 with {what}{' (or CSV)' if 'text/csv' in good else ''}, {', '.join(others[:-1])} or {others[-1]}"


def _schemas(api: dict[str, Any]) -> Iterator[str]:
    yield "## Schemas\n"
    for name, schema in object_schemas(api).items():
        yield f"### {name}\n"
        yield "| field | value | meaning |\n|---|---|---|"
        for field, value in schema["properties"].items():
            yield f"| `{field}` | {_kind(api, value)} | {value.get('description', '')} |"
        yield ""


def _kind(api: dict[str, Any], schema: dict[str, Any]) -> str:
    return kind(api["components"]["schemas"], schema)
