"""What the exporter answers over HTTP: metrics, health, reload, and a page that says what is where."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable
from urllib.parse import parse_qsl

from prometheus_client.exposition import choose_encoder, gzip_accepted
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from bernard_exporter import __version__
from bernard_exporter.errors import BernardError
from bernard_exporter.exposition import OPENMETRICS, TEXT
from bernard_exporter.poller import Poller

_log = logging.getLogger(__name__)
_HEADERS = {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_WHERE = {
    "metrics": "what Prometheus scrapes",
    "-/healthy": "200 while the process runs",
    "-/ready": "200 once the database was read",
}


class Metrics:
    """Answers scrapes with bytes that are ready; an ASGI application, for nothing stands between."""

    def __init__(self, poller: Poller) -> None:
        """Answer from what the poller last rendered."""
        self._scrape = poller.scrape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        openmetrics = choose_encoder(headers.get(b"accept", ""))[1].startswith("application/openmetrics-text")
        kind = OPENMETRICS if openmetrics else TEXT
        gzip = bool(gzip_accepted(headers.get(b"accept-encoding", "")))
        names = frozenset(value for key, value in parse_qsl(scope["query_string"].decode("latin-1")) if key == "name[]")
        parts = self._scrape.answer(kind, gzip, names)
        answer = [
            (b"content-type", kind.encode()),
            (b"content-length", str(sum(map(len, parts))).encode()),
            (b"vary", b"accept, accept-encoding"),
            (b"x-content-type-options", b"nosniff"),
        ]
        if gzip:
            answer.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": answer})
        for part in parts if scope["method"] != "HEAD" else ():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def application(poller: Poller, reload: Callable[[], None], prefix: str = "") -> Starlette:
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
        return HTMLResponse(_index(), headers=_HEADERS)

    routes: list[BaseRoute] = [
        Route("/", index),
        Route("/metrics", Metrics(poller), methods=["GET", "HEAD"]),
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/-/reload", reload_now, methods=["POST"]),
    ]
    return Starlette(routes=[Mount(prefix, routes=routes)] if prefix else routes)


def _text(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status, headers=_HEADERS)


def _index() -> str:
    lines = "".join(f'<li><a href="{path}">{path}</a>: {html.escape(what)}</li>' for path, what in _WHERE.items())
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Bernard exporter</title></head>'
        f"<body><h1>Bernard exporter</h1><p>Version {__version__}</p><ul>{lines}</ul></body></html>"
    )
