"""The OpenAPI document: made of the same tables that the answers are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bernard_exporter import __version__
from bernard_exporter.api.operation import Operation
from bernard_exporter.api.parameters import Parameter
from bernard_exporter.api.problems import MEDIA_TYPE
from bernard_exporter.api.schemas import SCHEMAS, ref

_ERRORS = {
    400: "A parameter is unknown or makes no sense; the answer says which and why.",
    404: "There is no such thing.",
    413: "The body is too large.",
    414: "The URL is too long; ask with a body.",
    503: "The database is away, the question takes too long, or too many are asked; see Retry-After.",
}
_TEXT = {"type": "string"}
_HEADERS = {
    "ETag": {"description": "Send it as If-None-Match to be told whether anything changed.", "schema": _TEXT},
}
_CURSOR = {"X-Next-Cursor": {"description": "The next cursor, for CSV; absent on the last page.", "schema": _TEXT}}


def document(operations: Sequence[Operation], prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document.

    Args:
        operations: what is answered.
        prefix: the path under which everything is, such as ``/backups``.
    """
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bernard exporter",
            "version": __version__,
            "description": "The inventory of MariaDB backups, read-only. Times are RFC 3339 in UTC, sizes bytes, "
            "durations seconds; what is unknown is null. Lists answer a page and the cursor of the next one.",
        },
        "servers": [{"url": f"{prefix}/api"}],
        "paths": paths,
        "components": {"schemas": SCHEMAS},
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": operation.description,
        "tags": [operation.path.split("/")[2]],
        "responses": {"200": _good(operation), **_others(operation)},
    }
    if operation.has_body:
        found["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _body(operation.parameters)}},
        }
    else:
        found["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    return found


def _good(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": ref(operation.answer)}}
    if operation.columns:
        content["text/csv"] = {"schema": _TEXT}
    return {
        "description": f"{operation.summary}.",
        "headers": _HEADERS | (_CURSOR if operation.columns else {}),
        "content": content,
    }


def _others(operation: Operation) -> dict[str, Any]:
    statuses = [400, 503]
    if operation.may_be_missing:
        statuses.append(404)
    statuses.append(413 if operation.has_body else 414)
    problem = {MEDIA_TYPE: {"schema": ref("Problem")}}
    found: dict[str, Any] = {
        str(status): {"description": _ERRORS[status], "content": problem} for status in sorted(statuses)
    }
    if "414" in found:
        # Said before the API is asked.
        found["414"]["content"] = {"text/plain": {"schema": _TEXT}}
    return {"304": {"description": "Nothing changed since the answer with the entity tag sent."}, **found}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": "path" if parameter.is_path else "query",
        "required": parameter.is_path,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _body(parameters: Sequence[Parameter]) -> dict[str, Any]:
    properties = {
        parameter.name: {**parameter.body_schema, "description": parameter.description} for parameter in parameters
    }
    return {"type": "object", "properties": properties, "additionalProperties": False}
