"""The API as an application to be mounted at ``/api``, behind a gate."""

from __future__ import annotations

import json

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from bernard_exporter.api import failures, jobs, runs, schedule
from bernard_exporter.api.answers import JSON, tagged, wish
from bernard_exporter.api.openapi import document
from bernard_exporter.api.operation import add
from bernard_exporter.api.reading import STYLE, page
from bernard_exporter.inspection.access import Access

OPERATIONS = (*jobs.OPERATIONS, *runs.OPERATIONS, *schedule.OPERATIONS)


def application(access: Access, prefix: str) -> ASGIApp:
    """Return the application.

    Args:
        access: answers questions about the inventory.
        prefix: the path under which everything is, such as ``/backups``; the API itself is at ``/api`` below it.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # The router's own redirects lead to whatever host the request names.
    app.router.redirect_slashes = False
    failures.register(app)
    for operation in OPERATIONS:
        add(app, access, operation)
    found = document(OPERATIONS, prefix)
    text, reading = json.dumps(found, indent=1), page(found, prefix)

    async def openapi(request: Request) -> Response:
        return tagged(wish(request.headers, has_csv=False), text, JSON, {})

    async def docs(request: Request) -> Response:
        return tagged(wish(request.headers, has_csv=False), reading, "text/html; charset=utf-8", {})

    async def style(request: Request) -> Response:
        return tagged(wish(request.headers, has_csv=False), STYLE, "text/css; charset=utf-8", {})

    async def start(_: Request) -> Response:
        return RedirectResponse(f"{prefix}/api/docs")

    app.add_route("/v1/openapi.json", openapi)
    app.add_route("/docs", docs)
    app.add_route("/docs.css", style)
    for path in ("/", "/v1", "/v1/"):
        app.add_route(path, start)
    return app
