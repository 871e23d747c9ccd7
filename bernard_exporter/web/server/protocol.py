"""HTTP/1.1 on one connection, with limits of size, time and memory."""

from __future__ import annotations

import asyncio
import http
import time
from collections import deque
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bernard_exporter.web.server.admission import Admission
from bernard_exporter.web.server.connection_limits import Guest, Room, network
from bernard_exporter.web.server.parsing import Parser
from bernard_exporter.web.users.password_queue import Client
from bernard_exporter.web.web_config.watched import WebConfig

# Maximum bytes of request line and headers together, and of a body. The largest valid request has a few kilobytes.
_HEAD = 16 * 1024
_BODY = 64 * 1024
# Maximum number of headers, and the memory overhead of a header.
_HEADERS = 100
_HEADER_SIZE = 200
# The memory overhead of a request, and the memory of a connection that is not counted.
_REQUEST_SIZE = 2048
_LITTLE = 4096
# The maximum ratio of received bytes to body bytes, for a body in many small chunks.
_CHUNKED = 8
# Maximum number of pipelined requests on a connection. Scrapers and browsers do not pipeline.
_PIPELINED = 8
# Seconds within which a request must be complete after its first byte, and within which a client must read a response.
REQUEST_SECONDS = 10.0
_READ_SECONDS = 30.0
# Longer than a scrape interval, so that scrapes over TLS reuse a connection.
KEEP_ALIVE_SECONDS = 75
_AGAIN_SECONDS = 0.5
# Bytes of a response that may be buffered before writing is paused.
WRITE_BUFFER = 64 * 1024
_FOREVER = float("inf")
_HEADERS_TOO_LARGE = http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


class LimitedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with limits.

    Attributes:
        handshake: the handshake that this connection replaces, with TLS.
    """

    def __init__(self, *arguments: Any, room: Room, web: WebConfig | None = None, **named: Any) -> None:
        """Prepare for one connection.

        Args:
            arguments: arguments of the base class.
            room: the limits of all connections together.
            web: the web configuration, for the allowed client certificates.
            named: keyword arguments of the base class.
        """
        super().__init__(*arguments, **named)
        self.parser = Parser(self)  # type: ignore[assignment]
        self._room = room
        self._admission = Admission(web)
        self.handshake: Guest | None = None
        self._head = self._body = self._headers = 0
        # Bytes of the incomplete request, and memory of the requests that are not answered.
        self._received = self._held = 0
        # Unsent bytes at the last check, and the timer of the next check.
        self._unread = 0
        self._looking: asyncio.TimerHandle | None = None
        self._whole = 0
        self._in_head = False
        self._refusal = http.HTTPStatus.BAD_REQUEST
        # When the incomplete request started; before the first request, when the client could start to send.
        self._begun: float | None = time.monotonic()
        # The client for the verification of passwords, and until when a password may wait.
        self._sender = Client()
        self._turn_until: float | None = None
        # Requests that are not answered yet, in order, including the one that is being answered.
        self._cycles: deque[Any] = deque()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start a connection, unless its certificate has no allowed name."""
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=WRITE_BUFFER)
        self._sender.network = network(_address(transport))
        self._sender.waits = self._wait_for_turn
        has_place = True
        if self.handshake:
            # Take the place of the handshake. Without TLS it has a place already, and the request has arrived.
            self._room.leave(self.handshake)
            has_place = self._room.enter(self, _address(transport))
            self._settle()
        if not has_place or not self._admission.admits_connection(transport):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._room.leave(self)
        self._sender.leave()
        # The base class only notifies the newest request; the others would continue to write to a closed connection.
        for cycle in self._cycles:
            cycle.disconnected = True
            cycle.message_event.set()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)
        self.forget()

    def forget(self) -> None:
        """Break reference cycles, so that the memory is freed at once without the garbage collector.

        In a flood of connections they would otherwise pile up, and the garbage collector would delay every response.
        """
        if self._looking:
            self._looking.cancel()
        self.parser = self.cycle = None  # type: ignore[assignment]
        self.pipeline.clear()
        self._cycles.clear()

    def abort(self) -> None:
        """Close the connection at once, without sending the rest."""
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Handle received data."""
        if self.transport.is_closing():
            return
        if self._begun is None:
            self._begun = time.monotonic()
        if not self._received and data.find(b"\r\n\r\n", 0, _HEAD) < 0 and len(data) > _HEAD:
            # Neither parsed nor kept, as that would cost more than it costs the client to send it.
            line = data.find(b"\r\n", 0, _HEAD) >= 0
            self._refusal = _HEADERS_TOO_LARGE if line else http.HTTPStatus.REQUEST_URI_TOO_LONG
            self.send_400_response("")
            return
        whole = self._whole
        super().data_received(data)
        if self._begun is not None:
            self._count_received(len(data), fresh=self._whole != whole)
        self._settle()

    def on_message_begin(self) -> None:
        """Start to count the bytes of a request."""
        super().on_message_begin()
        self.scope["extensions"] = {"bernard": {"client": self._sender}}
        self._head = self._body = self._headers = 0
        self._in_head = True
        self._held += _REQUEST_SIZE
        self._begun = time.monotonic()

    def on_url(self, url: bytes) -> None:
        """Handle a part of the request line."""
        self._count_head(len(url), http.HTTPStatus.REQUEST_URI_TOO_LONG)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Handle a header."""
        self._headers += 1
        if self._headers > _HEADERS:
            self._refuse(_HEADERS_TOO_LARGE)
        self._count_head(len(name) + len(value), _HEADERS_TOO_LARGE)
        self._held += _HEADER_SIZE
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Handle the end of the headers: the response starts, or waits for the previous one."""
        self._in_head = False
        if not self._admission.admits_request():
            # Without an answer, so that clients try again: with a new handshake, which a certificate that is still
            # allowed passes.
            self.abort()
            return
        if len(self._cycles) > _PIPELINED:
            self._refuse(http.HTTPStatus.TOO_MANY_REQUESTS)
        super().on_headers_complete()
        if any(name == b"content-length" and int(value) > _BODY for name, value in self.headers):
            # The body will not be read, so that the connection ends with the response.
            self.cycle.keep_alive = False
        self._cycles.append(self.cycle)

    def on_body(self, body: bytes) -> None:
        """Handle a part of the body."""
        self._body += len(body)
        self._held += len(body)
        if self._body > _BODY:
            self._refuse(http.HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of a request."""
        self._whole += 1
        self._received = 0
        self._begun = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request, or wait for one."""
        if self._cycles:
            self._cycles.popleft()
        super().on_response_complete()
        self._settle()

    def send_400_response(self, msg: str) -> None:
        """Refuse a malformed or too large request and close the connection; only close if a response has started."""
        if self._cycles and self._cycles[0].response_started:
            self.abort()
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
        """Note that the client reads more slowly than data is sent."""
        super().pause_writing()
        self._settle()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        super().resume_writing()
        self._settle()

    def _settle(self) -> None:
        """Update the state of the connection and the memory it holds."""
        cycle = self._cycles[0] if self._cycles else None
        unread = self.transport.get_write_buffer_size()
        if self._begun is not None and (cycle is None or cycle.more_body):
            self._room.wait(self, self._begun + REQUEST_SECONDS)
        elif self._turn_until is not None:
            self._room.wait(self, self._turn_until)
        elif unread and (cycle is None or self.flow.write_paused):
            self._room.stick(self, time.monotonic() + _READ_SECONDS)
            if unread != self._unread:
                self._room.progress(self)
            self._look_again()
        elif cycle:
            self._room.answer(self)
        else:
            self._held = 0
            self._room.wait(self, _FOREVER)
        self._unread = unread
        held = self._held + self._received + unread
        self._room.hold(self, held if held > _LITTLE else 0)

    def _look_again(self) -> None:
        """Settle again soon: there is no callback when a part of the buffer, or its small rest, has been sent."""
        if self._looking is None and self.parser:
            self._looking = self.loop.call_later(_AGAIN_SECONDS, self._looked)

    def _looked(self) -> None:
        self._looking = None
        self._settle()

    def _wait_for_turn(self, waits: bool) -> None:
        """Note that a password starts or stops waiting for its verification."""
        self._turn_until = time.monotonic() + KEEP_ALIVE_SECONDS if waits else None
        self._settle()

    def _count_received(self, size: int, *, fresh: bool) -> None:
        """Count bytes of an incomplete request, including those that the parser buffers."""
        self._received = size if fresh else self._received + size
        most = 2 * _HEAD if self._in_head else _HEAD + _CHUNKED * _BODY
        if self._received > most and not fresh:
            self._refusal = _HEADERS_TOO_LARGE
            self.send_400_response("")

    def _count_head(self, size: int, refusal: http.HTTPStatus) -> None:
        self._head += size
        self._held += size
        if self._head > _HEAD:
            self._refuse(refusal)

    def _refuse(self, refusal: http.HTTPStatus) -> None:
        """Refuse the request.

        Raises:
            ValueError: always; it stops the parser, which then calls :meth:`send_400_response`.
        """
        self._refusal = refusal
        raise ValueError(refusal.phrase)


def _address(transport: asyncio.Transport) -> str:
    peer = transport.get_extra_info("peername")
    return str(peer[0]) if isinstance(peer, tuple) else ""
