"""The attacks: many connections that hold resources or send many requests. They only target this machine."""

from __future__ import annotations

import argparse
import asyncio
import base64
import functools
import itertools
import json
import logging
import resource
import socket
import ssl
import struct
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

# New connections per second, and the number opened at a time.
_RATE = 2000
_AT_ONCE = 100
# Interval of checks whether a connection is still open.
_PAUSE = 0.2
_ESTABLISHED = 1
# Closing a socket with this option set sends a reset.
_RESET = struct.pack("ii", 1, 0)
_NUMBERS = itertools.count(1)


def request(path: str, *headers: str, method: str = "GET") -> bytes:
    """Return a request without a body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


@functools.cache
def hello() -> bytes:
    """Return the first message of a TLS client, always the same, so that it costs the attacker nothing."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def wrong_password(*headers: str) -> bytes:
    """Return a request with a new password, for a known or an unknown user."""
    number = next(_NUMBERS)
    credentials = f"{'alice' if number % 2 else f'user{number}'}:{number}"
    return request("/metrics", f"Authorization: Basic {base64.b64encode(credentials.encode()).decode()}", *headers)


@dataclass(frozen=True, slots=True)
class Attack:
    """The behaviour of each connection.

    Attributes:
        says: what is sent, for people.
        count: connections at a time, and for a run that must be short.
        sends: what each sends first.
        drips: what each sends every second from then on.
        asks_again: whether it sends the first again once it is answered; else it only holds the connection.
        reads: whether it reads answers.
        resets: whether it resets the connection once it is answered, which the server would keep open.
        server: ``open`` lets every client in, ``users`` asks for a password, ``mutual`` for a certificate.
    """

    says: str
    count: int
    few: int
    sends: Callable[[], bytes] = lambda: b""
    drips: bytes = b""
    asks_again: bool = False
    reads: bool = True
    resets: bool = False
    server: str = "users"


_FILLER = [f"X-Filler-{number}: {'x' * 300}" for number in range(90)]
ATTACKS = {
    "pipelined": Attack(
        "13,800 requests in one write, on each of 20 connections, again and again",
        20,
        20,
        lambda: b"GET /x HTTP/1.1\r\n\r\n" * 13_800,
    ),
    "silent": Attack("8,400 TLS connections that send not one byte", 8400, 800, server="mutual"),
    "hello": Attack("8,400 TLS connections that begin a handshake and do not go on", 8400, 800, hello, server="mutual"),
    "heads": Attack(
        "4,200 requests that send one byte of a header per second",
        4200,
        800,
        lambda: request("/metrics")[:-2],
        drips=b"a",
    ),
    "large-heads": Attack(
        "4,200 requests with 27 KiB of headers and no end",
        4200,
        800,
        lambda: request("/metrics", *_FILLER)[:-2],
    ),
    "heads-below-limit": Attack(
        "4,200 requests with 15 KiB of headers and no end",
        4200,
        800,
        lambda: request("/metrics", *_FILLER[:47])[:-2],
    ),
    "endless-header": Attack(
        "500 requests with a header that does not end",
        500,
        100,
        lambda: request("/metrics", "X-Long: ")[:-4] + b"x" * 200_000,
        drips=b"x" * 200_000,
    ),
    "bodies": Attack(
        "4,200 times POST with `Content-Length: 10` and no body",
        4200,
        800,
        lambda: request("/api/v1/runs/search", "Content-Length: 10", method="POST"),
    ),
    "unread": Attack(
        "1,000 clients that ask for the metrics and pages and read nothing",
        1000,
        300,
        lambda: request("/metrics") + request("/") + request("/api/v1/runs?limit=1000"),
        reads=False,
        server="open",
    ),
    "flood": Attack(
        "50 connections that ask as fast as they are answered", 50, 50, lambda: request("/x"), asks_again=True
    ),
    "reconnecting": Attack(
        "a new connection for each request, up to 2,000 a second",
        50,
        50,
        lambda: request("/x", "Connection: close"),
    ),
    "resetting": Attack(
        "a new connection for each request, up to 2,000 a second, that is reset once the answer is there",
        50,
        50,
        lambda: request("/x"),
        resets=True,
    ),
    "passwords": Attack("50 connections that try one password after another", 50, 50, wrong_password, asks_again=True),
    "passwords-reconnecting": Attack(
        "50 clients that try one password after another, each over a new connection",
        50,
        50,
        lambda: wrong_password("Connection: close"),
    ),
    "passwords-many": Attack(
        "2,000 connections that try one password after another", 2000, 500, wrong_password, asks_again=True
    ),
    "garbage": Attack("200 connections that send noise", 200, 200, lambda: b"\x16\x03\x01noise\r\n\r\n\x00\xff" * 50),
    "reload": Attack(
        "50 connections that ask for a reload, as a page of another site can",
        50,
        50,
        lambda: request(
            "/-/reload",
            "Content-Length: 0",
            "Origin: http://other.example",
            "Sec-Fetch-Site: cross-site",
            method="POST",
        ),
        asks_again=True,
        server="open",
    ),
}


def _is_established(connection: socket.socket) -> bool:
    """Return whether the server has not closed a connection, without reading from it."""
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == _ESTABLISHED


@dataclass
class _Campaign:
    """A running attack."""

    attack: Attack
    address: tuple[str, int]
    count: int
    opened: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    async def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        gate = asyncio.Semaphore(_AT_ONCE)
        clients = [asyncio.create_task(self._client(gate)) for _ in range(self.count)]
        await asyncio.sleep(max(end - time.monotonic(), 0))
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    async def _client(self, gate: asyncio.Semaphore) -> None:
        while True:
            async with gate:
                await asyncio.sleep(_AT_ONCE / _RATE)
                connection = socket.socket()
                connection.setblocking(False)
                if not self.attack.reads:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                try:
                    await asyncio.get_running_loop().sock_connect(connection, self.address)
                except OSError:
                    connection.close()
                    continue
                self.opened += 1
            reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 16)
            with suppress(OSError):
                await self._attack(reader, writer)
            writer.transport.abort()

    async def _attack(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.attack.sends())
        if not self.attack.reads:
            # The stream reads ahead.
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            while _is_established(writer.get_extra_info("socket")):
                await asyncio.sleep(_PAUSE)
            return
        while True:
            waiting = asyncio.create_task(reader.read(1 << 16))
            while not (await asyncio.wait([waiting], timeout=1.0))[0]:
                writer.write(self.attack.drips)
            answer = waiting.result()
            if not answer:
                return
            for line in answer.split(b"\r\n"):
                if line.startswith(b"HTTP/1.1 "):
                    self.statuses[line[9:12].decode("latin-1")] += 1
            if self.attack.resets:
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                return
            if self.attack.asks_again:
                writer.write(self.attack.sends())


def main(arguments: Sequence[str] | None = None) -> None:
    """Attack, and print the number of opened connections and of responses by status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=ATTACKS)
    parser.add_argument("port", type=int, help="of 127.0.0.1")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--few", action="store_true", help="fewer connections")
    options = parser.parse_args(arguments)
    # Resets of connections are expected.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    attack = ATTACKS[options.name]
    campaign = _Campaign(attack, ("127.0.0.1", options.port), attack.few if options.few else attack.count)
    asyncio.run(campaign.run(options.seconds))
    print(json.dumps({"opened": campaign.opened, "statuses": campaign.statuses}))


if __name__ == "__main__":
    main()
