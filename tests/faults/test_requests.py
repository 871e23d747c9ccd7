"""No bytes from a client cause an internal error or a traceback, for any names in the inventory."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

from testing.exporter import exporter
from testing.rows import DAY, HOUR, Rows
from testing.servers import eventually
from tests.faults.requests import Requests

# A request that is not whole is waited for by the server; the client is gone before.
_PATIENCE = 2.0
_COUNT = 1600


def fill(rows: Rows) -> None:
    now = datetime.now(UTC)
    rows.add(id=1, start=now - 2 * DAY)
    rows.add(id=2, start=now - HOUR, status="failed")
    rows.add(id=3, start=now - 2 * HOUR)
    for name in ("a/b", "..", "%2f", "é\u202e", "list@dada"):
        rows.add(section=name, start=now - 3 * HOUR, source=name, host=name)
    rows.add_files(1, {"d.list@dada.sql.gz": 2, "a.b.sql.gz": 3, "a.b-schema.sql.gz": 1, "metadata": None})
    rows.add_files(3, {"d.list@dada.sql.gz": 2, "a.c.sql.gz": 3, "x/y@d800.ibd": 1})
    if rows.url.startswith("sqlite"):
        # SQLite checks no encoding; MariaDB takes none of this.
        rows.execute(
            "UPDATE backups SET name = CAST(X'FFEDA080' AS TEXT), source = CAST(X'EDB0BF' AS TEXT) WHERE id = 2"
        )
        rows.execute("UPDATE backup_files SET file_path = CAST(X'FF' AS TEXT) WHERE file_name = 'a.b.sql.gz'")


async def last_head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of an answer; one that says only to go on is followed by it."""
    while (head := await reader.readuntil(b"\r\n\r\n")).split()[1] == b"100":
        pass
    return head


async def statuses(address: str, requests: Requests) -> Counter[int]:
    """Send requests, a few at a time; return how often each status came, 0 for none.

    Raises:
        AssertionError: a status says that the server failed.
    """
    host, port = address.split(":")
    found: Counter[int] = Counter()

    async def work(count: int) -> None:
        for request in (requests.next() for _ in repeat(None, count)):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(request)
                head = await asyncio.wait_for(last_head(reader), _PATIENCE)
            except (TimeoutError, OSError, asyncio.IncompleteReadError):
                head = b""
            finally:
                writer.close()
            status = int(head.split()[1]) if head else 0
            assert status < 500, (request[:2000], head)
            found[status] += 1

    await asyncio.gather(*(work(_COUNT // 4) for _ in range(4)))
    return found


def test_no_bytes_are_a_server_error_or_leave_a_traceback(url: str, tmp_path: Path) -> None:
    fill(Rows(url))
    policy = "{datacenters: {eqiad: eqiad}, sections: {s1: [dump]}}"
    with exporter(tmp_path, f"database: {{url: '{url}', timeout: 60s}}\npolicy: {policy}\n") as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "it has polled")
        found = asyncio.run(statuses(running.address, Requests(seed=16)))
        assert running.get("/metrics").status_code == 200
        logged = running.logged()
    assert "Traceback" not in logged
    assert "level=error" not in logged
    # Of all kinds, so that what is asked is no longer refused at the first byte alone.
    assert min(found[200], found[400], found[404]) > _COUNT / 20, found
