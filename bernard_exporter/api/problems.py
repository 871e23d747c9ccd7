"""An error as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class UnreadError(Exception):
    """The database was not read yet, so that nothing is known of any job."""


def problem(
    status: int, detail: str, parameter: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an error as an answer.

    Args:
        status: the HTTP status.
        detail: what was found, what was expected, what to do.
        parameter: which value of the question is wrong.
        headers: what else to send.
    """
    document: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if parameter is not None:
        document["parameter"] = parameter
    return Response(json.dumps(document), status, headers=headers, media_type=MEDIA_TYPE)
