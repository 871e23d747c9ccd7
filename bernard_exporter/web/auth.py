"""Applies the web configuration to every request except the health check: authentication, rate limit, headers."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bernard_exporter.errors import ConfigError
from bernard_exporter.web.headers import HEADERS
from bernard_exporter.web.users.password_queue import Client
from bernard_exporter.web.users.passwords import Passwords
from bernard_exporter.web.users.rate_limit import Bucket
from bernard_exporter.web.web_config.settings import RateLimit, WebSettings
from bernard_exporter.web.web_config.watched import WebConfig


class AuthMiddleware:
    """Wraps an application, and applies the current web configuration."""

    def __init__(self, app: ASGIApp, web: WebConfig, prefix: str = "") -> None:
        """Guard an application.

        Args:
            app: the application.
            web: the web configuration.
            prefix: the path prefix.
        """
        self._app = app
        self._web = web
        self._open = f"{prefix}/-/healthy"
        self._passwords = Passwords()
        self._bucket: Bucket | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        settings = self._settings()
        app = self._app if scope["path"] == self._open else await self._chosen(scope, settings)
        await app(scope, receive, _with_headers(send, settings.headers if settings else {}))

    def _settings(self) -> WebSettings | None:
        """Return the current settings; None while the file is invalid."""
        try:
            return self._web.settings()
        except ConfigError:
            return None

    async def _chosen(self, scope: Scope, settings: WebSettings | None) -> ASGIApp:
        """Return the application, or a refusal of the request."""
        if settings is None:
            # The reason is only in the log, as the client is not authenticated.
            return _refuse(500, "The web configuration is invalid; see the log.\n")
        authorization = dict(scope["headers"]).get(b"authorization", b"")
        if not settings.users or await self._passwords.admit(settings.users, authorization, _client(scope)):
            newest = self._settings()
            # The user may have been removed while the password was waiting. Settings are compared by value, because a
            # file that was just written is read again for each request.
            return self._within(settings.rate_limit) if newest == settings else await self._chosen(scope, newest)
        return _refuse(401, "Unauthorized\n", {"www-authenticate": 'Basic realm="bernard-exporter", charset="UTF-8"'})

    def _within(self, limit: RateLimit | None) -> ASGIApp:
        """Return the application, or a refusal if the rate limit is exceeded."""
        if limit is None:
            return self._app
        if self._bucket is None or self._bucket.limit != limit:
            self._bucket = Bucket(limit)
        if self._bucket.take():
            return self._app
        return _refuse(429, "Too many requests; see rate_limit in the web configuration.\n")


def _client(scope: Scope) -> Client:
    """Return the client that :class:`LimitedProtocol` sets; other servers set none."""
    client = scope.get("extensions", {}).get("bernard", {}).get("client")
    return client if isinstance(client, Client) else Client()


def _refuse(status: int, text: str, more: Mapping[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(text, status, headers={**HEADERS, **(more or {})})


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a ``send`` that adds headers to the response, replacing those of the same name."""
    if not headers:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            merged = MutableHeaders(raw=list(message.get("headers", ())))
            for name, value in headers.items():
                merged[name] = value
            message = {**message, "headers": merged.raw}
        await send(message)

    return sending
