"""Requests to change the protocol are answered as if they did not ask for it."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest

from testing.exporter import Exporter, exporter
from testing.rows import Rows
from testing.servers import eventually
from tests.faults.raw import ask

UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
WEBSOCKET = "Connection: upgrade\r\nUpgrade: websocket\r\n"
LAST = b"GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    directory = tmp_path_factory.mktemp("upgrade")
    rows = Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
    for section in ("s1", "s2"):
        rows.add(section=section)
    with exporter(directory, f"database: {{url: '{rows.url}'}}\n") as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "it has polled")
        yield running


def search(framing: str, body: str, upgrade: str = UPGRADE) -> bytes:
    lines = f"POST /api/v1/runs/search HTTP/1.1\r\nHost: x\r\n{upgrade}Content-Type: application/json\r\n{framing}"
    return f"{lines}\r\n\r\n{body}".encode()


WANTED = '{"section": "s2"}'
HALVES = f"9\r\n{WANTED[:9]}\r\n{len(WANTED) - 9:x}\r\n{WANTED[9:]}\r\n0\r\n\r\n"
SIZED = f"Content-Length: {len(WANTED)}"


@pytest.mark.parametrize(
    ("framing", "body"), [(SIZED, WANTED), ("Transfer-Encoding: chunked", HALVES)], ids=["sized", "chunked"]
)
@pytest.mark.parametrize(
    "upgrade", [UPGRADE, "Connection: upgrade\r\nUpgrade: websocket\r\n"], ids=["h2c", "websocket"]
)
@pytest.mark.parametrize("is_slow", [False, True], ids=["at-once", "byte-by-byte"])
def test_body_of_a_request_with_upgrade_and_the_requests_behind_it_are_read(
    served: Exporter, framing: str, body: str, upgrade: str, is_slow: bool
) -> None:
    request = search(framing, body, upgrade)
    received = send(served.address, [request, request, LAST], is_slow=is_slow)
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)] == [200, 200, 200]
    answers = re.findall(rb"\r\n\r\n(\{.*?\})(?=HTTP/1\.1)", received, re.DOTALL)
    assert [[run["section"] for run in json.loads(answer)["items"]] for answer in answers] == [["s2"], ["s2"]]
    assert received.endswith(b"The exporter is running.\n")


def send(address: str, requests: list[bytes], *, is_slow: bool) -> bytes:
    """Send pipelined requests, at once or byte by byte, and return all that comes back."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = b"".join(requests)
        for part in (data[at : at + 1] for at in range(len(data))) if is_slow else [data]:
            connection.sendall(part)
            time.sleep(0.001 if is_slow else 0)
        received = b""
        while part := connection.recv(65536):
            received += part
    return received


@pytest.mark.parametrize(
    "first", [f"GET /-/healthy HTTP/1.1\r\nHost: x\r\n{UPGRADE}\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n"]
)
def test_request_behind_one_with_upgrade_and_without_a_body_is_answered(served: Exporter, first: str) -> None:
    """A request that is refused ends the connection."""
    received = send(served.address, [first.encode(), LAST], is_slow=False)
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+)", received)]
    assert statuses == ([200, 200] if first.startswith("GET") else [400])


def test_body_that_is_too_large_is_refused_with_upgrade_too(served: Exporter) -> None:
    head = search("Transfer-Encoding: chunked", "")
    assert ask(served.address, head + (b"4000\r\n" + b"a" * 0x4000 + b"\r\n") * 5).status in (413, 0)
    assert served.get("/metrics").status_code == 200
