"""The OpenAPI document, and the responses that the endpoints have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from bernard_exporter import __version__
from bernard_exporter.web.api.models import Problem
from bernard_exporter.web.api.problems import MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]
_TEXT = {"type": "string"}
_ETAG = {
    "ETag": {
        "description": "Entity tag; sent as If-None-Match, the response is 304 if nothing has changed.",
        "schema": _TEXT,
    },
}
_CURSOR = {
    "X-Next-Cursor": {"description": "The next_cursor of the page, for CSV; absent on the last page.", "schema": _TEXT}
}
_INVALID: Responses = {
    304: {"description": "Not modified since the response with this entity tag."},
    400: {"description": "A parameter is unknown or invalid; the response names it and the reason.", "model": Problem},
}
_UNAVAILABLE: Responses = {
    503: {
        "description": "The database is unavailable, the query takes too long, or there are too many requests: retry "
        "after Retry-After. Without that header the database returned an error, which the response quotes.",
        "model": Problem,
    }
}
_LONG_URL: Responses = {
    # This response comes before the API is reached.
    414: {
        "description": "The URL is too long; use the search with a body.",
        "content": {"text/plain": {"schema": _TEXT}},
    }
}
NOT_FOUND: Responses = {404: {"description": "Not found.", "model": Problem}}
LARGE_BODY: Responses = {413: {"description": "The body is too large.", "model": Problem}}
DOCUMENT: Responses = {200: {"headers": _ETAG}, **_INVALID, **_LONG_URL, **_UNAVAILABLE}
_PAGE: Responses = {200: {"headers": _ETAG | _CURSOR, "content": {"text/csv": {"schema": _TEXT}}}}
PAGE: Responses = {**DOCUMENT, **_PAGE}
SEARCH: Responses = {**_PAGE, **_INVALID, **LARGE_BODY, **_UNAVAILABLE}


def document(routes: Sequence[BaseRoute], prefix: str) -> dict[str, Any]:
    """Return the OpenAPI document.

    Args:
        routes: the routes of the endpoints.
        prefix: the path prefix, such as ``/backups``.
    """
    found = get_openapi(
        title="Bernard exporter",
        version=__version__,
        description="Read-only API for the inventory of MariaDB backups. Times are RFC 3339 in UTC, sizes in bytes, "
        "durations in seconds; unknown values are null. Lists return a page and the cursor of the next one.",
        routes=routes,
        servers=[{"url": f"{prefix}/api"}],
    )
    for methods in found["paths"].values():
        for operation in methods.values():
            operation["responses"] = dict(sorted(_corrected(operation["responses"])))
    for unused in ("HTTPValidationError", "ValidationError"):
        found["components"]["schemas"].pop(unused, None)
    return found


def _corrected(responses: dict[str, dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the responses with the errors of the exception handlers in place of FastAPI's own."""
    for status, response in responses.items():
        if status >= "400" and "application/json" in response["content"]:
            response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}
        if status != "422":
            yield status, response
