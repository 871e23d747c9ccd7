"""A request parser that ignores requests to change the protocol."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Parser:
    """Parses requests as httptools does, but ignores the header Upgrade, as RFC 9110 (7.8) allows.

    httptools ends a request with that header at its headers, so that its body and the requests behind it would be lost.
    Java's HTTP client sends ``Upgrade: h2c`` with each request without TLS, also with those that have a body.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        """Pass what is parsed to the callbacks of a protocol."""
        self._events = _Events(protocol)
        self._parser = httptools.HttpRequestParser(self._events)
        # As uvicorn does, so that the first of several pipelined requests is answered. httptools of Debian 13 lacks it.
        with suppress(AttributeError):
            self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.get_http_version = self._parser.get_http_version
        self.get_method = self._parser.get_method
        self.should_keep_alive = self._parser.should_keep_alive
        self.found_upgrade = self._parser.should_upgrade

    def feed_data(self, data: bytes) -> None:
        """Parse received data.

        Raises:
            httptools.HttpParserError: it is no valid request, or a callback refused it.
        """
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
            if head := self._events.take_framing():
                self._parser.feed_data(head)

    def should_upgrade(self) -> bool:
        """Return False, so that uvicorn answers a request with the header as any other."""
        return False


class _Events:
    """The callbacks of httptools, which belong to a protocol.

    The parser can only read the body of a request with the header Upgrade as that of a second request. The head of the
    second one is not passed on.
    """

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self._framing = b""
        self._is_second = False
        self.on_body = protocol.on_body

    def take_framing(self) -> bytes:
        """Return the head of a second request with the framing of the unread body; empty without such a body."""
        framing, self._framing = self._framing, b""
        self._is_second = bool(framing)
        return framing

    def on_message_begin(self) -> None:
        if not self._is_second:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self._is_second:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._is_second:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._is_second:
            self._is_second = False
            return
        self._protocol.on_headers_complete()
        # Asked through the protocol, as a reference to the parser would be a cycle.
        parser = cast("Parser", self._protocol.parser)
        if parser.found_upgrade():
            self._framing = _framing(self._protocol.headers)

    def on_message_complete(self) -> None:
        if not self._framing:
            self._protocol.on_message_complete()


def _framing(headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return a head with the same length of the body; empty without a body."""
    lines = [
        b"%s: %s\r\n" % (name, value)
        for name, value in headers
        if name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0 "))
    ]
    return b"POST / HTTP/1.1\r\n%s\r\n" % b"".join(lines) if lines else b""
