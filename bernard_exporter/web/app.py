"""The web application: metrics, health checks, reload, API and pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from bernard_exporter.errors import BernardError
from bernard_exporter.polling.poller import Poller
from bernard_exporter.queries.executor import QueryExecutor
from bernard_exporter.tuning import frozen_imports
from bernard_exporter.web.api.gate import Gate
from bernard_exporter.web.headers import SecurityHeaders
from bernard_exporter.web.metrics import Metrics, MetricsFirst
from bernard_exporter.web.pages.site import Site
from bernard_exporter.web.reload import is_foreign
from bernard_exporter.web.url_prefix import Prefix


def application(
    poller: Poller, executor: QueryExecutor, reload: Callable[[], Awaitable[None]], prefix: Prefix
) -> ASGIApp:
    """Create the web application.

    Args:
        poller: the source of metrics and snapshots.
        executor: runs queries of the database.
        reload: reloads the configuration file; if it raises an error, the old configuration is kept.
        prefix: the path prefix.
    """

    async def healthy(_: Request) -> Response:
        return _text("The exporter is running.\n")

    async def ready(_: Request) -> Response:
        if poller.ready:
            return _text("The inventory is loaded.\n")
        return _text("The database has not been read yet.\n", 503)

    async def reload_now(request: Request) -> Response:
        if is_foreign(request):
            return _text(
                "The reload was requested by a page of another site; request it from this site or without a browser.\n",
                403,
            )
        try:
            await reload()
        except BernardError as error:
            return _text(f"Reload failed, the old configuration is kept: {error}\n", 500)
        return _text("Configuration reloaded.\n")

    site = Site(poller, executor, prefix.links)
    metrics = Metrics(poller)
    routes: list[BaseRoute] = [
        Route("/metrics", metrics, methods=["GET", "HEAD"]),
        Route("/-/healthy", healthy),
        Route("/-/ready", ready),
        Route("/-/reload", reload_now, methods=["POST"]),
        Route("/api", RedirectResponse(f"{prefix.links}/api/docs")),
        Mount("/api", Gate(lambda: _api(executor, prefix.links))),
        *site.routes(),
    ]
    if prefix.routes:
        routes = [Route(prefix.routes, RedirectResponse(f"{prefix.links}/")), Mount(prefix.routes, routes=routes)]
    others = Starlette(routes=routes, exception_handlers={404: site.not_found})
    # The router's own redirects use the host of the request, which is not trusted.
    others.router.redirect_slashes = False
    return MetricsFirst(metrics, f"{prefix.routes}/metrics", SecurityHeaders(others))


def _api(executor: QueryExecutor, prefix: str) -> ASGIApp:
    """Create the API, and import its framework."""
    with frozen_imports():
        from bernard_exporter.web.api.application import application as api

        return api(executor, prefix)


def _text(text: str, status: int = 200) -> Response:
    return PlainTextResponse(text, status)
