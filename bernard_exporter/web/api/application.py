"""The FastAPI application, mounted at ``/api``."""

from __future__ import annotations

import json

from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bernard_exporter.queries.executor import QueryExecutor
from bernard_exporter.web.api import error_handlers, jobs, runs, schedule
from bernard_exporter.web.api.dependencies import check_names
from bernard_exporter.web.api.docs_page import STYLE, page
from bernard_exporter.web.api.openapi import document
from bernard_exporter.web.api.responses import JSON, negotiated

ROUTER = APIRouter(
    prefix="/v1", dependencies=[Depends(check_names)], generate_unique_id_function=lambda route: route.name
)
for _router in (jobs.ROUTER, runs.ROUTER, schedule.ROUTER):
    ROUTER.include_router(_router)


def application(executor: QueryExecutor, prefix: str) -> FastAPI:
    """Create the application.

    Args:
        executor: runs queries on the inventory.
        prefix: the path prefix, such as ``/backups``; the API is at ``/api`` below it.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.executor = executor
    # The router's own redirects use the host of the request, which is not trusted.
    app.router.redirect_slashes = False
    error_handlers.register(app)
    app.include_router(ROUTER)
    _add_documentation(app, prefix)
    return app


def _add_documentation(app: FastAPI, prefix: str) -> None:
    schema = document(ROUTER.routes, prefix)
    text, reading = json.dumps(schema, indent=1), page(schema, prefix)

    async def openapi(request: Request) -> Response:
        return (await negotiated(request)).tagged(text, JSON)

    async def docs(request: Request) -> Response:
        return (await negotiated(request)).tagged(reading, "text/html; charset=utf-8")

    async def style(request: Request) -> Response:
        return (await negotiated(request)).tagged(STYLE, "text/css; charset=utf-8")

    async def start(_: Request) -> Response:
        return RedirectResponse(f"{prefix}/api/docs")

    app.add_route("/v1/openapi.json", openapi)
    app.add_route("/docs", docs)
    app.add_route("/docs.css", style)
    for path in ("/", "/v1", "/v1/"):
        app.add_route(path, start)
