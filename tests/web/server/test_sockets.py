"""The exporter on sockets passed as systemd does; the process is real, and the test passes the sockets."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from bernard_exporter.errors import WebError
from bernard_exporter.web.server.listener import inherit, shown
from testing import plain_http
from testing.exporter import COMMAND
from testing.rows import Rows
from testing.servers import eventually, need
from tests.commands.test_serve import config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    written = tmp_path / "config.yaml"
    written.write_text(config(rows))
    return written


@contextmanager
def passed(file: Path, *sockets: socket.socket, command: str = "serve") -> Iterator[subprocess.Popen[bytes]]:
    """Run the exporter on sockets as systemd passes them."""
    # Out of the way of the descriptors that they become.
    high = [os.dup2(found.fileno(), 100 + number) for number, found in enumerate(sockets)]
    moves = "\n".join(f"exec {3 + number}<&{number + 100}" for number in range(len(sockets)))
    script = f'{moves}\nLISTEN_PID=$$ LISTEN_FDS={len(sockets)} exec "$@"'
    arguments = [*COMMAND, command, *([f"--config.file={file}"] if command == "serve" else []), "--web.systemd-socket"]
    with ExitStack() as stack:
        for descriptor in high:
            stack.callback(os.close, descriptor)
        log = stack.enter_context((file.parent / "log").open("wb"))
        bash = [need("bash"), "-c", script, "bash", *arguments]
        running = stack.enter_context(subprocess.Popen(bash, pass_fds=high, stdout=log, stderr=log))
        try:
            yield running
        finally:
            running.terminate()


def healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/-/healthy").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_every_socket_that_is_passed_is_served(file: Path, tmp_path: Path, command: str) -> None:
    path = str(tmp_path / "socket")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(path)
        unix.listen()
        running = stack.enter_context(passed(file, *sockets, unix, command=command))
        urls = [f"http://127.0.0.1:{listening.getsockname()[1]}" for listening in sockets]
        clients = [plain_http.Client(base_url=url) for url in urls]
        clients.append(httpx.Client(base_url="http://exporter", transport=httpx.HTTPTransport(uds=path)))
        for client in clients:
            stack.enter_context(client)
            eventually(lambda client=client: healthy(client), "it answers on each socket")  # type: ignore[misc]
            assert "bernard_exporter_build_info{" in client.get("/metrics").text
        log = (file.parent / "log").read_text()
        assert f"serving http on {shown(sockets[0])}, {shown(sockets[1])}, {path}" in log
        assert ":10279" not in log
        running.terminate()
        assert running.wait(20) == 0


def test_no_more_connections_wait_in_a_socket_that_is_passed_than_in_one_of_its_own(file: Path) -> None:
    """By systemd's default a new one would wait behind 4,096 others."""
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening, passed(file, listening):
        eventually(lambda: most_waiting(listening) == 256, "the exporter has set its own limit")


def most_waiting(listening: socket.socket) -> int:
    """Return how many connections may wait to be accepted, the sixth number of Linux's struct tcp_info."""
    found: int = struct.unpack_from("8x6I", listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64))[5]
    return found


def test_connection_waits_in_the_socket_while_the_exporter_is_started_again(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with passed(file, listening), plain_http.Client(base_url=url) as client:
            eventually(lambda: healthy(client), "it answers")
        with socket.create_connection(listening.getsockname()) as early:
            early.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
            early.settimeout(60)
            with passed(file, listening):
                assert early.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_client_that_was_accepted_before_sigterm_is_answered(file: Path) -> None:
    def answered() -> bool:
        with socket.create_server(("127.0.0.1", 0)) as listening, passed(file, listening) as running:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with plain_http.Client(base_url=url) as client, socket.create_connection(listening.getsockname()) as early:
                eventually(lambda: healthy(client), "it answers, so it has accepted the earlier connection as well")
                running.terminate()
                time.sleep(0.25)
                early.settimeout(60)
                early.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
                return early.recv(1000).startswith(b"HTTP/1.1 200 OK") and running.wait(20) == 0

    # A busy machine may take longer than a client has.
    assert any(answered() for _ in range(5))


def test_systemds_own_activation_is_understood(file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = shown(probe)
    activate = [need("systemd-socket-activate"), f"--listen={address}", *COMMAND, "serve", f"--config.file={file}"]
    with (file.parent / "log").open("wb") as log:
        running = subprocess.Popen([*activate, "--web.systemd-socket"], stdout=log, stderr=log)
    try:
        with plain_http.Client(base_url=f"http://{address}", timeout=60) as client:
            eventually(lambda: healthy(client), "it is started by the first connection")
    finally:
        running.terminate()
        assert running.wait(20) == 0


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid())},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "one"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1"},
    ],
)
def test_no_socket_of_its_own_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, named: dict[str, str]) -> None:
    for name in ("LISTEN_PID", "LISTEN_FDS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WebError, match=r"found no socket from systemd .* start the exporter from a \.socket unit"):
        inherit()
    assert "LISTEN_FDS" not in os.environ


@pytest.mark.parametrize("kind", ["datagrams", "deaf", "file", "connected"])
def test_descriptor_that_does_not_listen_is_one_line(file: Path, tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        if kind == "datagrams":
            found = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        elif kind == "deaf":
            found = stack.enter_context(socket.socket())
        elif kind == "connected":
            found, _ = map(stack.enter_context, socket.socketpair())
        else:
            found = stack.enter_context((tmp_path / "x").open("w"))  # type: ignore[assignment]
        with passed(file, found) as running:
            assert running.wait(30) == 1
    log = (file.parent / "log").read_text()
    assert log.count("\n") == 1
    assert "--web.systemd-socket: found the descriptor 3 (" in log
    assert "set ListenStream= and Accept=no in the .socket unit" in log
