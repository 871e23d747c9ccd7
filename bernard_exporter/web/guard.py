"""What stands before every answer but the health check: users and their passwords, and headers that are added."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.errors import ConfigError
from bernard_exporter.toolkit.passwords import BusyError, Passwords
from bernard_exporter.toolkit.settings import WebSettings
from bernard_exporter.toolkit.watched import WebConfig
from bernard_exporter.web.headers import HEADERS


class Guard:
    """An application around the application, that follows the web configuration file."""

    def __init__(self, app: ASGIApp, web: WebConfig, prefix: str = "") -> None:
        """Guard an application.

        Args:
            app: what answers those who are let in.
            web: the file that says who is.
            prefix: the path under which everything is.
        """
        self._app = app
        self._web = web
        self._open = f"{prefix}/-/healthy"
        self._passwords = Passwords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            settings = self._web.settings()
        except ConfigError:
            settings = None
        app = self._app if scope["path"] == self._open else await self._chosen(scope, settings)
        await app(scope, receive, _with_headers(send, settings.headers if settings else {}))

    async def _chosen(self, scope: Scope, settings: WebSettings | None) -> ASGIApp:
        """Return what answers a request: the application, or a refusal."""
        if settings is None:
            # The log says what is wrong; whoever asks may be anybody.
            return _refuse(500, "The web configuration cannot be used; see the log.\n")
        try:
            authorization = dict(scope["headers"]).get(b"authorization", b"")
            if not settings.users or await self._passwords.admit(settings.users, authorization):
                return self._app
        except BusyError:
            return _refuse(503, "Too many passwords wait to be verified; ask again.\n", {"retry-after": "1"})
        return _refuse(401, "Unauthorized\n", {"www-authenticate": 'Basic realm="bernard-exporter", charset="UTF-8"'})


def _refuse(status: int, text: str, more: Mapping[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(text, status, headers={**HEADERS, **(more or {})})


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a ``send`` that adds headers; one that the answer has already is replaced."""
    if not headers:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            found = MutableHeaders(raw=list(message.get("headers", ())))
            for name, value in headers.items():
                found[name] = value
            message = {**message, "headers": found.raw}
        await send(message)

    return sending
