"""Passes requests to the API: HEAD as GET, bodies up to a maximum size, a limited number at a time.

The API is created on the first request, so that an exporter that is only scraped does not load the framework.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from anyio import Lock, to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.web.api.problems import problem

_log = logging.getLogger(__name__)
# Larger than any valid search.
MAX_BODY = 1 << 20
# Maximum number of requests that are answered or wait at a time: about twice as many as may wait for the database. More
# are refused here, as the framework would spend much time on each.
_MOST = 64
_RETRY = {"retry-after": "1"}


class Gate:
    """An application that creates the API on first use, and limits its requests."""

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        """Create the application with ``make`` on first use, in a thread."""
        self._make = make
        self._making = Lock()
        self._app: ASGIApp | None = None
        self._in_progress = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        # Read before it is counted, so that slow clients keep no others out.
        body = await _read(scope, receive)
        if body is None:
            await problem(413, f"the body is too large, expected at most {MAX_BODY} bytes")(scope, receive, send)
            return
        if self._in_progress >= _MOST:
            text = f"{_MOST} requests are running or waiting; retry later"
            await problem(503, text, headers=_RETRY)(scope, receive, send)
            return
        # The server leaves out the body of a response to HEAD.
        inner = {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
        received: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_again() -> Message:
            return received.pop() if received else await receive()

        self._in_progress += 1
        try:
            await (await self._application())(inner, receive_again, send)
        except Exception:
            # The application sent a 500 response before it raised the error.
            _log.exception("internal error in an API request")
        finally:
            self._in_progress -= 1

    async def _application(self) -> ASGIApp:
        async with self._making:
            if self._app is None:
                self._app = await to_thread.run_sync(self._make)
        return self._app


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
