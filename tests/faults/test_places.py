"""A connection is not reset because all others are being answered."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from testing.exporter import Exporter, exporter
from testing.rows import Rows
from testing.servers import eventually, need
from tests.faults.raw import get

# Leaves 16 connections that have sent something, and as many that have not.
DESCRIPTORS, PLACES = 64, 16


def ask(served: Exporter, path: str) -> socket.socket:
    host, port = served.address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(get(path))
    return connection


def test_connections_wait_while_every_other_one_is_being_answered(tmp_path: Path) -> None:
    """A locked database makes every answer of the API take seconds."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    config = f"database: {{url: '{rows.url}', timeout: 2s}}\npoll_interval: 1h\n"
    by = [need("prlimit"), f"--nofile={DESCRIPTORS}"]
    with exporter(tmp_path, config, by=by) as served, ExitStack() as stack:
        eventually(lambda: served.get("/api/v1/runs").status_code == 200, "it has polled")
        lock = sqlite3.connect(tmp_path / "inventory.sqlite", isolation_level=None)
        stack.callback(lock.close)
        lock.execute("BEGIN EXCLUSIVE")
        asked = [stack.enter_context(ask(served, "/api/v1/runs")) for _ in range(3 * PLACES)]
        scrape = stack.enter_context(ask(served, "/metrics"))
        lock.execute("ROLLBACK")
        assert scrape.recv(12) == b"HTTP/1.1 200"
        for connection in asked:
            assert connection.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 503")
