"""Serves scrapes with the bytes that the poller rendered."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Receive, Scope, Send

from bernard_exporter.metrics.exposition import OPENMETRICS, TEXT
from bernard_exporter.polling.poller import Poller
from bernard_exporter.web.negotiation import offers, quality

# A scraper always sends the same headers; the cache is limited so that other clients cannot fill the memory.
_WAYS_OF_ASKING = 64
_VARY = (b"vary", b"accept, accept-encoding")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_OPENMETRICS, _VERSION = "application/openmetrics-text", "1.0.0"
_GZIP = (b"content-encoding", b"gzip")


@lru_cache(maxsize=_WAYS_OF_ASKING)
def _negotiate(accept: bytes, encodings: bytes) -> tuple[str, bool]:
    """Return the requested format, and whether the client accepts gzip."""
    return _format(accept.decode("latin-1")), _gzip(encodings.decode("latin-1"))


def _format(accept: str) -> str:
    """Return OpenMetrics if a supported version is accepted and plain text is not preferred, else plain text."""
    openmetrics = max(
        (
            offer.quality
            for offer in offers(accept)
            if offer.value == _OPENMETRICS and offer.parameters.get("version", _VERSION) == _VERSION
        ),
        default=0.0,
    )
    text = quality(accept, "text/plain", "text/*", "*/*") or 0.0
    return OPENMETRICS if openmetrics > 0 and openmetrics >= text else TEXT


def _gzip(encodings: str) -> bool:
    """Return whether gzip is accepted and preferred."""
    gzip = quality(encodings, "gzip", "*") or 0.0
    return gzip > 0 and gzip >= (quality(encodings, "identity") or 0.0)


def _requested(scope: Scope) -> tuple[str, bool, frozenset[str]]:
    """Return the requested format, whether to compress, and the requested names of metrics."""
    accept = encodings = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept += b"," + value
        elif name == b"accept-encoding":
            encodings += b"," + value
    query = scope["query_string"]
    names = (value for key, value in parse_qsl(query.decode("latin-1")) if key == "name[]") if query else ()
    return *_negotiate(accept, encodings), frozenset(names)


class Metrics:
    """An ASGI application that answers scrapes with rendered bytes."""

    def __init__(self, poller: Poller) -> None:
        """Serve the metrics of a poller."""
        self._scrape = poller.scrape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        media_type, gzip, names = _requested(scope)
        parts = self._scrape.answer(media_type, gzip, names)
        headers = [
            (b"content-type", media_type.encode()),
            (b"content-length", b"%d" % sum(map(len, parts))),
            _VARY,
            _NOSNIFF,
        ]
        if gzip:
            headers.append(_GZIP)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        *first, last = parts if scope["method"] != "HEAD" else (b"",)
        for part in first:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": last})


class MetricsFirst:
    """Routes scrapes to the metrics, and all other requests to another application, without the cost of a router."""

    def __init__(self, metrics: Metrics, path: str, others: ASGIApp) -> None:
        """Serve the metrics at ``path``."""
        self._metrics = metrics
        self._path = path
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] in ("GET", "HEAD"):
            await self._metrics(scope, receive, send)
        else:
            await self._others(scope, receive, send)
