"""What the exporter answers over HTTP: metrics, health, reload, and the pages."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bernard_exporter.api.gate import Gate
from bernard_exporter.errors import BernardError
from bernard_exporter.inspection.access import Access
from bernard_exporter.memory import lasting
from bernard_exporter.pages.site import Site
from bernard_exporter.poller import Poller
from bernard_exporter.web.headers import Secured
from bernard_exporter.web.metrics import Metrics, MetricsFirst


def application(poller: Poller, access: Access, reload: Callable[[], None], prefix: str = "") -> ASGIApp:
    """Return the web application.

    Args:
        poller: whose results are served.
        access: answers what goes beyond them.
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

    site = Site(poller, access, prefix)
    metrics = Metrics(poller)
    routes: list[BaseRoute] = [
        Route("/metrics", metrics, methods=["GET", "HEAD"]),
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/-/reload", reload_now, methods=["POST"]),
        Route("/api", RedirectResponse(f"{prefix}/api/docs")),
        Mount("/api", Gate(lambda: _api(access, prefix), access)),
        *site.routes(),
    ]
    if prefix:
        routes = [Route(prefix, RedirectResponse(f"{prefix}/")), Mount(prefix, routes=routes)]
    others = Starlette(routes=routes, exception_handlers={404: site.not_found})
    # The router's own redirects lead to whatever host the request names.
    others.router.redirect_slashes = False
    return MetricsFirst(metrics, f"{prefix}/metrics", Secured(others))


def _api(access: Access, prefix: str) -> ASGIApp:
    """Return the API; its framework is imported only here."""
    with lasting():
        from bernard_exporter.api.application import application as api

        return api(access, prefix)


def _text(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status)
