"""Real servers for the tests, on temporary directories and free ports."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pymysql
import pytest

PATIENCE = 60.0
# Ports below are often taken, and browsers refuse some of them.
_FIRST_PORT = 11_000


def need(*names: str) -> str:
    """Return the path of the first of the named programs; fail with advice if none is installed."""
    for name in names:
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")
        if path:
            return path
    return pytest.fail(f"{names[0]} is not installed; `make test` installs it")


def free_port() -> int:
    """Return a free port that no client gets from the system before a server listens on it."""
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        # The tests of several workers draw at the same time, and with the same seed.
        port = secrets.choice(range(_FIRST_PORT, max(first_of_clients, 2 * _FIRST_PORT)))
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def eventually(condition: Callable[[], object], expectation: str, seconds: float = PATIENCE) -> None:
    """Wait until the condition holds; an OSError that it raises means not yet."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if condition():
                return
        except (OSError, pymysql.err.MySQLError):
            pass
        if time.monotonic() > deadline:
            pytest.fail(f"{expectation}: not within {seconds:.0f} s")
        time.sleep(0.05)


@contextmanager
def process(arguments: list[str], log: Path, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its output in a file, and end it at the end of the block."""
    with log.open("ab") as output:
        running = subprocess.Popen(arguments, stdout=output, stderr=output, env={**os.environ, **(env or {})})
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGCONT)
            running.terminate()
            try:
                running.wait(20)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@dataclass
class MariaDB:
    """A MariaDB server of the tests, with a database for each test."""

    directory: Path
    port: int = field(default_factory=free_port)
    running: subprocess.Popen[bytes] | None = None

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _places(self) -> list[str]:
        """The options that keep a server in its own directory.

        Its temporary tables too: at its start mariadbd removes those in its tmpdir, also those of other servers.
        """
        temporary = self.directory / "tmp"
        temporary.mkdir(exist_ok=True)
        return [f"--datadir={self._data}", f"--tmpdir={temporary}"]

    def install(self) -> None:
        """Create the system tables of a new server."""
        installed = subprocess.run(
            [
                need("mariadb-install-db"),
                "--no-defaults",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                f"--user={os.environ.get('USER') or 'root'}" if os.getuid() else "--user=root",
                *self._places,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            pytest.fail(f"mariadb-install-db: exit {installed.returncode}\n{installed.stdout}{installed.stderr}")

    @contextmanager
    def serve(self, *flags: str) -> Iterator[None]:
        arguments = [
            need("mariadbd"),
            "--no-defaults",
            *self._places,
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            "--innodb-buffer-pool-size=256M",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-flush-method=nosync",
            "--skip-name-resolve",
            "--skip-log-bin",
            *(["--user=root"] if not os.getuid() else []),
            *flags,
        ]
        with process(arguments, self.directory / "log") as self.running:
            eventually(self.connect, "mariadbd answers")
            yield
        self.running = None

    def connect(
        self, database: str | None = None, user: str = "root", password: str = ""
    ) -> pymysql.Connection[pymysql.cursors.Cursor]:
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=user,
            password=password,
            database=database,
            autocommit=True,
            connect_timeout=5,
            read_timeout=600,
            init_command="SET time_zone = '+00:00'",
        )

    def execute(self, *statements: str, database: str | None = None) -> list[tuple[object, ...]]:
        """Run statements as root; return the rows of the last."""
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def url(self, database: str, user: str = "root") -> str:
        return f"mysql+pymysql://{user}@127.0.0.1:{self.port}/{database}"
