"""What the exporter answers over HTTP: metrics, health, reload, and a page that says what is where."""

from __future__ import annotations

import html
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bernard_exporter import __version__
from bernard_exporter.errors import BernardError
from bernard_exporter.poller import Poller
from bernard_exporter.web.headers import HEADERS
from bernard_exporter.web.metrics import Metrics, MetricsFirst

_WHERE = {
    "metrics": "what Prometheus scrapes",
    "-/healthy": "200 while the process runs",
    "-/ready": "200 once the database was read",
}


def application(poller: Poller, reload: Callable[[], None], prefix: str = "") -> ASGIApp:
    """Return the web application.

    Args:
        poller: whose results are served.
        reload: follows the configuration file anew; its errors mean that the old one stays in force.
        prefix: the path under which everything is, such as ``/backups``.
    """

    async def healthy(_: Request) -> Response:
        return _text("The exporter runs.\n")

    async def ready(_: Request) -> Response:
        if poller.ready:
            return _text("The inventory is loaded.\n")
        return _text("The database could not be read yet.\n", 503)

    def reload_now(_: Request) -> Response:
        try:
            reload()
        except BernardError as error:
            return _text(f"The old configuration stays in force: {error}\n", 500)
        return _text("The configuration is loaded.\n")

    async def index(_: Request) -> Response:
        return HTMLResponse(_index(), headers=HEADERS)

    metrics = Metrics(poller)
    routes: list[BaseRoute] = [
        Route("/", index),
        Route("/metrics", metrics, methods=["GET", "HEAD"]),
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/-/reload", reload_now, methods=["POST"]),
    ]
    others = Starlette(routes=[Mount(prefix, routes=routes)] if prefix else routes)
    return MetricsFirst(metrics, f"{prefix}/metrics", others)


def _text(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status, headers=HEADERS)


def _index() -> str:
    lines = "".join(f'<li><a href="{path}">{path}</a>: {html.escape(what)}</li>' for path, what in _WHERE.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Bernard exporter</title></head>'
        f"<body><h1>Bernard exporter</h1><p>Version {__version__}</p><ul>{lines}</ul></body></html>"
    )
