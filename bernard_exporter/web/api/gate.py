"""Passes requests to the API: HEAD as GET, bodies up to a maximum size.

The API is created on the first request, so that an exporter that is only scraped does not load the framework.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.queries.executor import QueryExecutor
from bernard_exporter.web.api.problems import problem

_log = logging.getLogger(__name__)
# Larger than any valid search.
MAX_BODY = 1 << 20
# Maximum number of requests that are answered or wait at a time: about twice as many as may wait for the database. More
# are refused here, as the framework would spend much time on each.
_MOST = 64
_RETRY = {"retry-after": "1"}


class Gate:
    """An application that runs the API on a separate event loop, so that no scrape waits for it."""

    def __init__(self, make: Callable[[], ASGIApp], executor: QueryExecutor) -> None:
        """Create the application with ``make`` on first use; create and run it on the separate loop of ``executor``."""
        self._make = make
        self._app: ASGIApp | None = None
        self._executor = executor
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(scope, receive)
        if body is None:
            await problem(413, f"the body is too large, expected at most {MAX_BODY} bytes")(scope, receive, send)
            return
        if self._in_progress >= _MOST:
            text = f"{_MOST} requests are running or waiting; retry later"
            await problem(503, text, headers=_RETRY)(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope
        self._in_progress += 1
        try:
            start, content = await self._executor.run(self._answer(inner, body))
        finally:
            self._in_progress -= 1
        await send(start)
        await send({"type": "http.response.body", "body": b"" if head else content})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[Message, bytes]:
        # All requests run on one loop, so no other request can come between check and creation.
        if self._app is None:
            self._app = self._make()
        return await _collect(self._app, scope, body)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Read the body of a request; return None as soon as it is too large."""
    length = Headers(scope=scope).get("content-length", "0")
    if not length.isdigit() or len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
        return None
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
        if sum(map(len, parts)) > MAX_BODY:
            return None
    return b"".join(parts)


async def _collect(app: ASGIApp, scope: Scope, body: bytes) -> tuple[Message, bytes]:
    """Return the first message and the body of an application's response."""
    received = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return received.pop() if received else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    try:
        await app(scope, receive, send)
    except Exception:
        # The application sent a 500 response before it raised the error.
        _log.exception("internal error in an API request")
    return sent[0], b"".join(message.get("body", b"") for message in sent[1:])
