"""Connections that hold nothing for long: what a client may send, how slowly, and how many there may be."""

from __future__ import annotations

import asyncio
import http
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bernard_exporter.errors import ConfigError
from bernard_exporter.toolkit.context import alternative_names
from bernard_exporter.toolkit.watched import WebConfig

# Bytes of a request line and headers together, and of a body. The largest question asked here has a few kilobytes.
_HEAD = 32 * 1024
_BODY = 64 * 1024
# Seconds in which a request must have come whole, and in which a client must read something of an answer.
_REQUEST_SECONDS = 10.0
_READ_SECONDS = 30.0
# Open at once; above it one that is idle is closed for a new one.
CONNECTIONS = 4096
# Longer than a scrape interval, so that a scraper over TLS need not shake hands each time.
KEEP_ALIVE_SECONDS = 75


class LimitedProtocol(HttpToolsProtocol):
    """HTTP/1.1 within limits."""

    def __init__(self, *arguments: Any, web: WebConfig | None = None, **named: Any) -> None:
        """Prepare for one connection; ``web`` says which certificates are let in."""
        super().__init__(*arguments, **named)
        self._web = web
        self._head = self._body = 0
        self._refusal = http.HTTPStatus.BAD_REQUEST
        self._arriving: asyncio.TimerHandle | None = None
        self._leaving: asyncio.TimerHandle | None = None
        self._cycles: list[Any] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless its certificate has no name that is let in."""
        super().connection_made(transport)
        if self._web and not _let_in(self._web, transport):
            transport.abort()
            return
        if len(self.connections) > CONNECTIONS:
            idle = (other for other in self.connections if other is not self and _is_idle(other))
            next(idle, self).transport.close()
        self._arriving = self.loop.call_later(_REQUEST_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection and its limits."""
        self._stop_arriving()
        self._stop_leaving()
        # The base class tells the newest request alone, and answers to the others would be written to nowhere.
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to count what a request brings."""
        super().on_message_begin()
        self._head = self._body = 0
        self._stop_arriving()
        self._arriving = self.loop.call_later(_REQUEST_SECONDS, self.transport.close)

    def on_url(self, url: bytes) -> None:
        """Take a part of the request line."""
        self._count_head(len(url), http.HTTPStatus.REQUEST_URI_TOO_LONG)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count_head(len(name) + len(value), http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Take the end of the headers; the answer begins."""
        super().on_headers_complete()
        self._cycles = [cycle for cycle in self._cycles if not cycle.response_complete]
        if self.cycle:
            self._cycles.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._body += len(body)
        if self._body > _BODY:
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request."""
        self._stop_arriving()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request, or too large, and close; after an answer has begun only close."""
        if self.cycle and self.cycle.response_started and not self.cycle.response_complete:
            self.transport.abort()
            return
        if not self.transport.is_closing():
            text = f"{self._refusal.phrase}\n".encode()
            self.transport.write(
                f"HTTP/1.1 {self._refusal.value} {self._refusal.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
                f"content-length: {len(text)}\r\nconnection: close\r\n\r\n".encode()
                + text
            )
            self.transport.close()

    def pause_writing(self) -> None:
        """Note that the client does not read as fast as it is answered."""
        super().pause_writing()
        self._leaving = self.loop.call_later(_READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._stop_leaving()

    def _count_head(self, size: int, refusal: http.HTTPStatus) -> None:
        self._head += size
        if self._head > _HEAD:
            self._refuse(refusal)

    def _refuse(self, refusal: http.HTTPStatus) -> None:
        """Refuse the request.

        Raises:
            ValueError: always; it ends the parsing, and so leads to :meth:`send_400_response`.
        """
        self._refusal = refusal
        raise ValueError(refusal.phrase)

    def _stop_arriving(self) -> None:
        if self._arriving:
            self._arriving.cancel()

    def _stop_leaving(self) -> None:
        if self._leaving:
            self._leaving.cancel()


def _is_idle(protocol: Any) -> bool:
    """Tell whether nobody waits for an answer on a connection."""
    return protocol.cycle is None or protocol.cycle.response_complete


def _let_in(web: WebConfig, transport: asyncio.Transport) -> bool:
    """Tell whether a client's certificate has one of the names that the web configuration asks for, if it does."""
    try:
        tls = web.settings().tls
    except ConfigError:
        # Each request is refused, with an answer.
        return True
    if tls is None or not tls.client_allowed_sans:
        return True
    encrypted = transport.get_extra_info("ssl_object")
    return bool(encrypted and tls.client_allowed_sans & alternative_names(encrypted.getpeercert()))


def raise_descriptor_limit() -> None:
    """Let the process have as many descriptors as connections need, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
