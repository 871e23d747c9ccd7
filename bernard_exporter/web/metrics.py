"""Scrapes: the bytes the poller rendered, and nothing in between."""

from __future__ import annotations

from urllib.parse import parse_qsl

from prometheus_client.exposition import choose_encoder, gzip_accepted
from starlette.types import Receive, Scope, Send

from bernard_exporter.exposition import OPENMETRICS, TEXT
from bernard_exporter.poller import Poller


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
