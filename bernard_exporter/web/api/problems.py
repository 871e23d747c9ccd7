"""An error as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class UnreadError(Exception):
    """The database has not been read yet, so that no job is known."""


def problem(
    status: int,
    detail: str,
    parameter: str | None = None,
    headers: Mapping[str, str] | None = None,
    title: str | None = None,
) -> Response:
    """Return an error as a response.

    Args:
        status: the HTTP status.
        detail: what was found, what was expected, how to fix it.
        parameter: the name of the invalid parameter.
        headers: additional headers.
        title: the kind of error (default: the reason phrase of the status).
    """
    document: dict[str, object] = {
        "type": "about:blank",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if parameter is not None:
        document["parameter"] = parameter
    return Response(json.dumps(document), status, headers=headers, media_type=MEDIA_TYPE)
