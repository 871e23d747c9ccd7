"""The exporter notifies systemd of readiness and progress; the process is real, and the test reads its socket."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from testing.exporter import COMMAND, exporter
from testing.rows import Rows
from testing.servers import PATIENCE, MariaDB, eventually, free_port


class Systemd:
    """The socket that a service reports to."""

    def __init__(self, path: Path) -> None:
        self.env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "300000"}
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))

    def hear(self, seconds: float = PATIENCE) -> str:
        """Return the next message, '' when none comes in time."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return ""

    def hear_until(self, holds: Callable[[str], bool]) -> list[str]:
        """Return the messages up to one that holds."""
        heard = [self.hear()]
        while not holds(heard[-1]):
            assert heard[-1], heard
            heard.append(self.hear())
        return heard

    def drain(self) -> None:
        while self.hear(0.01):
            pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    listening = Systemd(tmp_path / "notify")
    yield listening
    listening.close()


def config(url: str, timeout: str = "1s") -> str:
    return f"database: {{url: '{url}', timeout: {timeout}}}\npoll_interval: 200ms\n"


def test_ready_comes_after_the_first_poll_and_then_the_watchdog_is_fed(tmp_path: Path, systemd: Systemd) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    with exporter(tmp_path, config(rows.url), env=systemd.env) as running:
        before = systemd.hear_until(lambda message: message == "READY=1")
        assert all(message.startswith("EXTEND_TIMEOUT_USEC=30000000\n") for message in before[:-1])
        assert [systemd.hear() for _ in range(3)] == ["WATCHDOG=1\nSTATUS=1 jobs known"] * 3
        assert running.get("/-/ready").status_code == 200
        running.running.send_signal(signal.SIGTERM)
        systemd.hear_until(lambda message: message == "STOPPING=1")
        assert running.running.wait(20) == 0


def test_exporter_without_database_is_ready_and_reports_it(tmp_path: Path, systemd: Systemd) -> None:
    with exporter(tmp_path, config("mysql+pymysql://u@127.0.0.1:1/d"), env=systemd.env):
        systemd.hear_until(lambda message: message == "READY=1")
        fed = "WATCHDOG=1\nSTATUS=0 jobs known; the database cannot be read"
        assert [systemd.hear() for _ in range(3)] == [fed] * 3


def test_database_that_hangs_starves_no_watchdog(own_mariadb: MariaDB, tmp_path: Path, systemd: Systemd) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups")
    Rows(own_mariadb.url("dbbackups")).add()
    with exporter(tmp_path, config(own_mariadb.url("dbbackups"), "30s"), env=systemd.env):
        systemd.hear_until(lambda message: message == "WATCHDOG=1\nSTATUS=1 jobs known")
        assert own_mariadb.running
        own_mariadb.running.send_signal(signal.SIGSTOP)
        # Longer than a poller that hangs is given.
        systemd.hear_until(lambda message: "cannot be read" in message)
        deadline = time.monotonic() + 8
        while time.monotonic() < deadline:
            assert systemd.hear(5).startswith("WATCHDOG=1")
        own_mariadb.running.send_signal(signal.SIGCONT)


def test_poller_that_hangs_starves_the_watchdog(tmp_path: Path, systemd: Systemd) -> None:
    """A log pipe that is full blocks any thread that logs, here the poller."""
    reading, writing = os.pipe()
    file = tmp_path / "config.yaml"
    file.write_text(config("mysql+pymysql://u@127.0.0.1:1/d"))
    # Room for the lines of the start and no more.
    size = fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writing, b"x" * (size - 700))
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, "serve", "--config.file", str(file), "--web.listen-address", address]
    with subprocess.Popen(command, stderr=writing, env={**os.environ, **systemd.env}) as running:
        try:
            systemd.hear_until(lambda message: message == "READY=1")
            systemd.hear()
            # The next complaint of the poller does not fit into the pipe.
            file.write_text(config("mysql+pymysql://u@127.0.0.1:2/d"))
            running.send_signal(signal.SIGHUP)
            eventually(lambda: systemd.hear(3) == "", "the watchdog is no longer fed")
            assert running.poll() is None
        finally:
            running.kill()
            os.close(reading)
            os.close(writing)
