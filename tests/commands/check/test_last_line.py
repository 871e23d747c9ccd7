"""However a plugin ends, it prints one line and exits in time with the status of UNKNOWN."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testing.exporter import COMMAND
from testing.rows import DAY, Rows
from testing.servers import MariaDB

DROP_IN = str(Path(sys.executable).with_name("check-mariadb-backups"))
POLICY = "policy: {sections: {s1: [dump]}}\n"


@dataclass(frozen=True)
class Ended:
    status: int
    out: str
    err: str
    seconds: float


def run(arguments: list[str], after: Callable[[subprocess.Popen[str]], None] = lambda _: None, **how: object) -> Ended:
    """Run a program to its end; ``after`` is called once it runs."""
    begun = time.monotonic()
    with subprocess.Popen(
        arguments,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **how},  # type: ignore[call-overload]
    ) as running:
        after(running)
        out, err = running.communicate(timeout=60)
    return Ended(running.returncode, out or "", err, time.monotonic() - begun)


@contextmanager
def answering(answer: bytes | None) -> Iterator[int]:
    """Listen, and answer each connection with some bytes and the end, or with nothing at all, for ever."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                kept.append(connection)
                if answer is not None:
                    with connection:
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in kept:
                connection.close()


def configured(directory: Path, *ports: int) -> list[str]:
    hosts = ", ".join(f"'127.0.0.1:{port}'" for port in ports)
    file = directory / "config.yaml"
    file.write_text(f"database: {{url: 'mysql+pymysql://bernard@/dbbackups', hosts: [{hosts}]}}\n{POLICY}")
    return [*COMMAND, "check", f"--config.file={file}"]


def said(ended: Ended) -> tuple[int, str, str, int]:
    return ended.status, ended.out[:17], ended.err, ended.out.count("\n")


UNKNOWN = (3, "BACKUP UNKNOWN - ", "", 1)
ONE = ["-s", "s1", "-d", "eqiad"]


@pytest.mark.parametrize("hosts", [1, 3])
@pytest.mark.parametrize("what", [ONE, ["--all"]])
def test_hosts_that_hang_are_left_within_the_timeout(tmp_path: Path, hosts: int, what: list[str]) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(answering(None)) for _ in range(hosts)]
        ended = run([*configured(tmp_path, *ports), *what, "--timeout=4"])
    assert said(ended) == UNKNOWN
    assert [port for port in ports if f"127.0.0.1:{port}" not in ended.out] == []
    # With room for a machine that is busy; without a bound it is 10 s a host and more.
    assert ended.seconds < 4 + 10


def test_drop_in_ends_after_ten_seconds_whatever_hangs() -> None:
    with answering(None) as port:
        ended = run([DROP_IN, *ONE, "-o", f"127.0.0.1:{port}", "-u", "icinga", "-D", "dbbackups"])
    assert said(ended) == UNKNOWN
    assert f"127.0.0.1:{port}" in ended.out
    assert ended.seconds < 10 + 10


@pytest.mark.parametrize("work", ["time.sleep(60)", "raise SystemExit", "os.kill(os.getpid(), 15); time.sleep(60)"])
def test_last_line_names_the_hosts_that_are_waited_for(work: str) -> None:
    """Even if what hangs reports nothing itself."""
    program = (
        "import os, sys, time\n"
        "from bernard_exporter.commands.plugin_process import run_plugin\n"
        "def work(deadline):\n"
        f"    deadline.hosts = 'db1.example:3306'\n    {work}\n"
        "sys.exit(run_plugin(work, 1))\n"
    )
    ended = run([sys.executable, "-c", program])
    assert said(ended) == UNKNOWN
    assert ("waiting for db1.example:3306" in ended.out) == ("raise" not in work)


@pytest.mark.parametrize("answer", [b"", b"\0" * 64, b"\x4a\0\0\0\x0a5.5.5", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_garbage_is_unknown_in_one_line(tmp_path: Path, answer: bytes) -> None:
    with answering(answer) as port:
        assert said(run([*configured(tmp_path, port), *ONE])) == UNKNOWN
        flags = ["-o", f"127.0.0.1:{port}", "-u", "icinga", "-D", "dbbackups"]
        assert said(run([DROP_IN, *ONE, *flags])) == UNKNOWN


def test_second_host_is_used_if_the_first_hangs(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    rows = Rows(mariadb_url)
    for days in (1, 2):
        rows.add(start=datetime.now(UTC) - days * DAY)
    user = mariadb_url.partition("://")[2].partition("@")[0]
    file = tmp_path / "config.yaml"
    with answering(None) as port:
        hosts = f"['127.0.0.1:{port}', '127.0.0.1:{mariadb.port}']"
        url = f"mysql+pymysql://{user}@/{mariadb_url.rpartition('/')[2]}"
        file.write_text(f"database: {{url: '{url}', hosts: {hosts}}}\n{POLICY}")
        ended = run([*COMMAND, "check", f"--config.file={file}", *ONE, "--timeout=20"])
    assert (ended.status, ended.out[:12], ended.err) == (0, "BACKUP OK - ", ""), ended


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signal_leaves_a_line(tmp_path: Path, number: signal.Signals) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)

        def interrupt(running: subprocess.Popen[str]) -> None:
            # It waits for a greeting that does not come.
            with listener.accept()[0]:
                running.send_signal(number)
                running.wait(20)

        url = f"mysql+pymysql://x@127.0.0.1:{listener.getsockname()[1]}/x"
        file = tmp_path / "config.yaml"
        file.write_text(f"database: {{url: '{url}'}}\n{POLICY}")
        ended = run([*COMMAND, "check", f"--config.file={file}", *ONE, "--timeout=60"], interrupt)
    assert said(ended) == UNKNOWN
    assert f"terminated by {number.name}" in ended.out


@pytest.fixture
def config(tmp_path: Path) -> str:
    """An inventory whose one expected job is fresh in eqiad, with a name beyond ASCII beside it."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    for days in (1, 2):
        rows.add(start=datetime.now(UTC) - days * DAY, source="café.eqiad.wmnet")
    file = tmp_path / "config.yaml"
    file.write_text(
        f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: {{dump: {{datacenters: [eqiad]}}}}}}}}\n"
    )
    return f"--config.file={file}"


COMMANDS = [
    ([*COMMAND, "check", *ONE], 3),
    ([*COMMAND, "check", "--all"], 3),
    ([*COMMAND, "check", "--bad"], 3),
    ([DROP_IN, *ONE, "-m", "/nowhere"], 3),
    ([*COMMAND, "status"], 3),
    ([*COMMAND, "status", "--json"], 3),
    ([*COMMAND, "doctor"], 2),
]


def with_config(command: list[str], config: str) -> list[str]:
    return command if command[0] == DROP_IN else [*command, config]


@pytest.mark.parametrize(("command", "status"), COMMANDS)
def test_output_that_cannot_be_written_is_no_verdict(config: str, command: list[str], status: int) -> None:
    with open("/dev/full", "w") as full:
        ended = run(with_config(command, config), stdout=full)
    assert (ended.status, ended.err.count("\n"), "No space left on device" in ended.err) == (status, 1, True), ended.err
    closed = run(["sh", "-c", 'exec "$@" >&-', "sh", *with_config(command, config)])
    assert (closed.status, closed.err.count("\n"), "Traceback" in closed.err) == (status, 1, False), closed.err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-16", "utf-8"])
@pytest.mark.parametrize("command", [COMMANDS[0][0], COMMANDS[1][0], COMMANDS[4][0], COMMANDS[5][0], COMMANDS[6][0]])
def test_output_in_any_encoding_is_the_same_verdict(config: str, command: list[str], encoding: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
    ended = run([*command, config], env=env, encoding=encoding, errors="replace")
    assert (ended.status, ended.err) == (0, "")


def test_line_shows_what_the_encoding_lacks_as_an_escape(config: str) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    assert r" from caf\xe9.eqiad.wmnet: 10.0 MiB" in run([*COMMANDS[0][0], config], env=env).out
