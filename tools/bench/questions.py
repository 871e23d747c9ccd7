"""Requests to the API, each compared with the plain SQL statement in the ``mariadb`` command-line client.

Two clients: one started for each statement, as an operator would, for each question to the exporter opens a connection
of its own as well; and one that is kept, which only sends the statement and reads the rows.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

import httpx

from testing.servers import MariaDB, need
from tools.bench import peers
from tools.bench.database import NAME, enlarge, newest_two
from tools.bench.load import answer_of
from tools.bench.row import Row, Scene, seconds
from tools.bench.scrape import counted, resident

_TIMES = 15
_PAGE = 100
_DEEP = 100_000
_RUN = "id, name, status, source, host, type, section, UNIX_TIMESTAMP(start_date), UNIX_TIMESTAMP(end_date), total_size"
_END = "no more rows"


class _Question(NamedTuple):
    measure: str
    path: str
    sql: str


def questions(scene: Scene) -> Iterator[Row]:
    """Yield one row per request."""
    with peers.bernard(scene.directory, scene.server, "1h") as here, httpx.Client(timeout=120) as http:
        answer_of(here.metrics, counted)
        api = f"{here.base}/api/v1"
        with _kept_client(scene.server) as client:
            for question in _questions(scene.server, http, api):
                ask = partial(_get, http, f"{api}/{question.path}")
                yield from _compared(question, ask, scene, client)
        yield Row("resident memory after pages and API", f"{resident(here.pid):.0f} MiB", "", None)


def _get(http: httpx.Client, url: str) -> None:
    http.get(url).raise_for_status()


def _compared(
    question: _Question, ask: Callable[[], object], scene: Scene, client: Callable[[str], None]
) -> Iterator[Row]:
    here = _median(ask)
    once, again = _median(lambda: _once(scene.server, question.sql)), _median(lambda: client(question.sql))
    here_text = f"{here * 1e3:.1f} ms"
    yield Row(
        f"{question.measure}; the statement by a client of its own", here_text, f"{once * 1e3:.1f} ms", once / here, 0.5
    )
    yield Row(
        f"{question.measure}; the statement by a client that is kept", here_text, f"{again * 1e3:.1f} ms", again / here
    )


def _questions(server: MariaDB, http: httpx.Client, api: str) -> Iterator[_Question]:
    newest, before = enlarge(server)
    yield _Question(
        "API, first page of runs", f"runs?limit={_PAGE}", f"SELECT {_RUN} FROM backups ORDER BY id DESC LIMIT {_PAGE}"
    )
    files = "SELECT file_path, file_name, size, UNIX_TIMESTAMP(file_date) FROM backup_files"
    order = f"ORDER BY file_path, file_name LIMIT {_PAGE}"
    yield _Question(
        "API, first page of files", f"runs/{newest}/files?limit={_PAGE}", f"{files} WHERE backup_id = {newest} {order}"
    )
    cursor, name = _deep(http, f"{api}/runs/{newest}/files")
    yield _Question(
        f"API, page of files after {_DEEP:,}",
        f"runs/{newest}/files?limit={_PAGE}&cursor={cursor}",
        f"{files} WHERE backup_id = {newest} AND file_path = '' AND file_name > '{name}' {order}",
    )
    yield _Question(
        "API, search by section and status",
        f"runs?section=s1&status=failed&limit={_PAGE}",
        f"SELECT {_RUN} FROM backups WHERE section = 's1' AND type IN ('dump', 'snapshot', 'cold') "
        f"AND status = 'failed' ORDER BY id DESC LIMIT {_PAGE}",
    )
    yield _Question(
        "API, search by a part of the name, which reads every run",
        f"runs?name=no-such&limit={_PAGE}",
        f"SELECT {_RUN} FROM backups WHERE name LIKE '%no-such%' ORDER BY id DESC LIMIT {_PAGE}",
    )
    ordinary, earlier = newest_two(server, "s1")
    yield _Question("API, diff of ordinary backups", f"runs/{ordinary}/diff", _changed(ordinary, earlier))
    yield _Question("API, diff of backups of 108,000 files", f"runs/{newest}/diff", _changed(newest, before))


def _deep(http: httpx.Client, url: str) -> tuple[str, str]:
    """Return the cursor after a large number of files, and the name of the last of them."""
    cursor, name = "", ""
    for _ in range(_DEEP // 1000):
        page = http.get(f"{url}?limit=1000{cursor and f'&cursor={cursor}'}").raise_for_status().json()
        cursor, name = page["next_cursor"], page["items"][-1]["name"]
    return cursor, name


def _changed(newest: int, before: int) -> str:
    """Return the statement that lists the files that are in only one of two backups, or that differ in size."""
    join = (
        "SELECT one.file_path, one.file_name, one.size, other.size FROM backup_files AS one LEFT JOIN backup_files "
        "AS other ON other.backup_id = {1} AND other.file_path = one.file_path AND other.file_name = one.file_name "
        "WHERE one.backup_id = {0} AND {2}"
    )
    missing = "other.backup_id IS NULL"
    either = f"({missing} OR NOT one.size <=> other.size)"
    return f"{join.format(newest, before, either)} UNION ALL {join.format(before, newest, missing)}"


def _median(act: Callable[[], object]) -> float:
    act()
    return statistics.median(seconds(act) for _ in range(_TIMES))


def _command(server: MariaDB) -> list[str]:
    address = ["--host=127.0.0.1", f"--port={server.port}", "--user=client"]
    return [need("mariadb"), "--no-defaults", *address, "--batch", "--skip-column-names", "--quick", NAME]


def _once(server: MariaDB, sql: str) -> None:
    subprocess.run([*_command(server), "--execute", sql], stdout=subprocess.DEVNULL, check=True)


@contextmanager
def _kept_client(server: MariaDB) -> Iterator[Callable[[str], None]]:
    """Run one client, and yield a function that sends it a statement and reads all rows."""
    running = subprocess.Popen(
        [*_command(server), "--unbuffered"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin, "a pipe was asked for"
    assert running.stdout, "a pipe was asked for"
    statements, rows = running.stdin, running.stdout

    def send(sql: str) -> None:
        statements.write(f"{sql};\nSELECT '{_END}';\n")
        statements.flush()
        while rows.readline().rstrip("\n") != _END:
            pass

    try:
        yield send
    finally:
        statements.close()
        running.wait()
