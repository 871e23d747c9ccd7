"""The page of the reference that says what the API answers, made from its OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bernard_exporter.api.application import OPERATIONS
from bernard_exporter.api.openapi import document
from bernard_exporter.api.reading import kind, operations

_INTRODUCTION = """\
# JSON API

The exporter answers these under `/api/v1`, read-only. The OpenAPI document is at `/api/v1/openapi.json`, a page to
read at `/api/docs`. Times are RFC 3339 in UTC, sizes bytes, durations seconds; what is unknown is null.

Lists answer `{"items": [...], "next_cursor": "..." or null}`. Ask for the next page with `cursor=` and the same sort. A
list is CSV where the request says `Accept: text/csv`; the next cursor is in the header `X-Next-Cursor` then.

Every answer has an entity tag; send it as `If-None-Match` and the answer is 304 when nothing changed. Errors are
`application/problem+json` (RFC 9457). An unknown parameter, or one that makes no sense, is 400 and the answer names it.
While the database is away, or a question takes it too long, the answer is 503 with `Retry-After`; jobs, sections, data
centres, types and hosts are answered from the last poll all the while.
"""


def page() -> str:
    """Return the page as Markdown."""
    found = document(OPERATIONS, "")
    return "\n".join([_INTRODUCTION, *_operations(found), *_schemas(found["components"]["schemas"])]) + "\n"


def _operations(found: dict[str, Any]) -> Iterator[str]:
    base = found["servers"][0]["url"]
    for operation in operations(found):
        yield f"## {operation['method']} {base}{operation['path']}\n"
        yield f"{operation['summary']}. {operation['description']}\n"
        if operation["parameters"]:
            yield "| parameter | in | value | default | meaning |\n|---|---|---|---|---|"
            yield from (_parameter(parameter) for parameter in operation["parameters"])
            yield ""
        yield f"Answers {_answers(operation['responses'])}.\n"


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    default = f"`{schema['default']}`" if "default" in schema else ""
    cells = (f"`{parameter['name']}`", parameter["in"], kind(schema), default, parameter["description"])
    return f"| {' | '.join(cells)} |"


def _answers(responses: dict[str, Any]) -> str:
    good = responses["200"]["content"]
    what = kind(good["application/json"]["schema"])
    others = [status for status in responses if status != "200"]
    return f"200 with {what}{' (or CSV)' if 'text/csv' in good else ''}, {', '.join(others[:-1])} or {others[-1]}"


def _schemas(schemas: dict[str, Any]) -> Iterator[str]:
    yield "## Schemas\n"
    for name, schema in schemas.items():
        yield f"### {name}\n"
        yield "| field | value | meaning |\n|---|---|---|"
        for field, value in schema["properties"].items():
            yield f"| `{field}` | {kind(value)} | {value.get('description', '')} |"
        yield ""
