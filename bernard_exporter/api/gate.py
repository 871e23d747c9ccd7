"""What every request and answer of the API passes: HEAD as GET, bodies of a bounded size, headers of every answer."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.api.problems import problem

# The largest search there can be, generously.
MAX_BODY = 1 << 20


class _TooLargeError(Exception):
    """More of a body came than is read."""


class Gate:
    """An application around the API's."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        """Guard ``app`` and send ``headers`` with each answer that does not say otherwise."""
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        head = scope["method"] == "HEAD"

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    sent.setdefault(name, value)
            elif head:
                message = {**message, "body": b""}
            await send(message)

        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdigit() or len(length) > len(str(MAX_BODY)) or int(length) > MAX_BODY:
            await _refuse(scope, receive, answer)
            return
        inner = {**scope, "method": "GET"} if head else scope
        await self._app(inner, _bounded(receive), answer)


def _bounded(receive: Receive) -> Receive:
    """Return what reads a body no further than is allowed, also one that does not say how long it is."""
    left = MAX_BODY

    async def read() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _TooLargeError
        return message

    return read


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    refusal = problem(413, f"the body is too large, expected at most {MAX_BODY} bytes")
    await refusal(scope, receive, send)
