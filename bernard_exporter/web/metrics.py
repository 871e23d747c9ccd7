"""Scrapes: the bytes the poller rendered, and nothing in between."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl

from prometheus_client.exposition import choose_encoder, gzip_accepted
from starlette.types import ASGIApp, Receive, Scope, Send

from bernard_exporter.exposition import OPENMETRICS, TEXT
from bernard_exporter.poller import Poller

# Every scraper asks the same way each time; strangers must not fill the memory.
_WAYS_OF_ASKING = 64
_VARY = (b"vary", b"accept, accept-encoding")
_NOSNIFF = (b"x-content-type-options", b"nosniff")
_GZIP = (b"content-encoding", b"gzip")


@lru_cache(maxsize=_WAYS_OF_ASKING)
def _negotiate(accept: bytes, encodings: bytes) -> tuple[str, bool]:
    """Return the format that is asked for, and whether it may be compressed."""
    encoder = choose_encoder(accept.decode("latin-1"))[1]
    kind = OPENMETRICS if encoder.startswith("application/openmetrics-text") else TEXT
    return kind, bool(gzip_accepted(encodings.decode("latin-1")))


def _asked(scope: Scope) -> tuple[str, bool, frozenset[str]]:
    """Return the format, whether it may be compressed, and the names of metrics that are asked for."""
    accept = encodings = b""
    for name, value in scope["headers"]:
        if name == b"accept":
            accept = value
        elif name == b"accept-encoding":
            encodings = value
    query = scope["query_string"]
    names = (value for key, value in parse_qsl(query.decode("latin-1")) if key == "name[]") if query else ()
    return *_negotiate(accept, encodings), frozenset(names)


class Metrics:
    """Answers scrapes with bytes that are ready; an ASGI application, for nothing stands between."""

    def __init__(self, poller: Poller) -> None:
        """Answer from what the poller last rendered."""
        self._scrape = poller.scrape

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        kind, gzip, names = _asked(scope)
        parts = self._scrape.answer(kind, gzip, names)
        headers = [
            (b"content-type", kind.encode()),
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
    """Answers scrapes itself and leaves everything else to another application, so that no router stands before."""

    def __init__(self, metrics: Metrics, path: str, others: ASGIApp) -> None:
        """Answer ``path`` with the metrics."""
        self._metrics = metrics
        self._path = path
        self._others = others

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] in ("GET", "HEAD"):
            await self._metrics(scope, receive, send)
        else:
            await self._others(scope, receive, send)
