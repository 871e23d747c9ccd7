"""Sends responses over TLS in pieces, so that little is encrypted and buffered for a client that does not read."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.web.server.protocol import WRITE_BUFFER


class PacedResponses:
    """Wraps an application, and splits its responses into pieces if the connection uses TLS.

    A TLS transport encrypts and buffers all data that it is given at once, however little the client has read.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def sending(message: Message) -> None:
            body = message.get("body", b"")
            last = max(len(body) - 1, 0) // WRITE_BUFFER * WRITE_BUFFER
            for begin in range(0, last, WRITE_BUFFER):
                piece = body[begin : begin + WRITE_BUFFER]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({**message, "body": body[last:]} if last else message)

        await self._app(scope, receive, sending if scope.get("scheme") == "https" else send)
