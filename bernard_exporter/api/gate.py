"""What every request of the API passes: HEAD as GET, and bodies of a bounded size.

The API itself is made with the first question, for whoever only scrapes needs neither its framework nor its memory.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.api.problems import problem
from bernard_exporter.inspection.access import Access

_log = logging.getLogger(__name__)
# The largest search there can be, generously.
MAX_BODY = 1 << 20


class Gate:
    """An application around the API's, which is run aside so that no scrape waits for it."""

    def __init__(self, make: Callable[[], ASGIApp], access: Access) -> None:
        """Guard the application that ``make`` returns, and make and run it on the loop that ``access`` keeps aside."""
        self._make = make
        self._app: ASGIApp | None = None
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await _read(scope, receive)
        if body is None:
            refusal = problem(413, f"the body is too large, expected at most {MAX_BODY} bytes")
            await refusal(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if head else scope
        start, content = await self._access.aside(self._answer(inner, body))
        await send(start)
        await send({"type": "http.response.body", "body": b"" if head else content})

    async def _answer(self, scope: Scope, body: bytes) -> tuple[Message, bytes]:
        # All are answered on one loop, so nothing comes between asking and making.
        if self._app is None:
            self._app = self._make()
        return await _collect(self._app, scope, body)


async def _read(scope: Scope, receive: Receive) -> bytes | None:
    """Return the body of a request, None as soon as it is too large."""
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
    """Return how the answer of an application starts, and its body."""
    asked = [{"type": "http.request", "body": body, "more_body": False}]
    told: list[Message] = []

    async def receive() -> Message:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        told.append(message)

    try:
        await app(scope, receive, send)
    except Exception:
        # The application has answered 500 before it raised.
        _log.exception("an answer failed in a way nobody thought of")
    return told[0], b"".join(message.get("body", b"") for message in told[1:])
