"""Raw HTTP requests that no HTTP library sends."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 when the connection was closed without an answer."""

    status: int
    head: str
    body: bytes


NOTHING = Answer(0, "", b"")


def ask(address: str, data: bytes, seconds: float = 60) -> Answer:
    """Send bytes and return all that comes back until the server closes or has nothing more to say."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        received = b""
        with suppress(OSError):
            connection.sendall(data)
        with suppress(OSError):
            while part := connection.recv(65536):
                received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return Answer(int(head.split()[1]), head.decode("latin-1"), body) if head else NOTHING


def get(path: str, *headers: str) -> bytes:
    """Return a request that closes; lines of ``headers`` instead of the usual host."""
    lines = headers or ("Host: localhost",)
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode("latin-1")


async def read_answer(reader: asyncio.StreamReader) -> int:
    """Read one answer of a connection that stays open; return its status."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    status = int(head.split()[1])
    if "transfer-encoding: chunked" in head:
        while (line := await reader.readline()) not in (b"0\r\n", b""):
            await reader.readexactly(int(line, 16) + 2)
        await reader.readline()
    elif "content-length: " in head and status != 304:
        await reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
    return status
