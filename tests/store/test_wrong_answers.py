"""Any unusable answer of a host causes one error in one line, and the next host is tried."""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
from pymysql.constants import CLIENT
from pymysql.err import OperationalError
from sqlalchemy import text

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.errors import StoreError
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store.connection import Database
from bernard_exporter.store.driver import Raw
from testing.certificates import Authority
from testing.rows import Rows
from testing.servers import MariaDB, eventually

Talk = Callable[[socket.socket], None]


def packet(number: int, body: bytes) -> bytes:
    return struct.pack("<I", len(body))[:3] + bytes([number]) + body


def greeting(
    version: bytes = b"10.11.6-MariaDB", plugin: bytes = b"mysql_native_password", capabilities: int = 0xA20F
) -> bytes:
    described = struct.pack("<HBHHB", capabilities, 45, 2, 0x000F | 0x0008, 21)
    body = b"\x0a" + version + b"\0" + struct.pack("<I", 7) + b"saltsalt\0" + described
    return packet(0, body + b"\0" * 10 + b"saltsaltsalt\0" + plugin + b"\0")


OK = b"\0\0\0\2\0\0\0"


def says(*answers: bytes) -> Talk:
    """Return what sends the first answer at once and each other after something was received."""

    def talk(connection: socket.socket) -> None:
        for number, answer in enumerate(answers):
            if number and not connection.recv(65536):
                return
            connection.sendall(answer)
        connection.recv(65536)

    return talk


def endlessly(connection: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection.sendall(packet(0, b"\x0a" + b"x" * 0xFFFFFE))


def trickling(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.sendall(packet(0, b"")[:3] + b"\0")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)


def trickling_greeting(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.sendall(b"\xff\xff\x00\x00")
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)


def closing(_: socket.socket) -> None:
    """Close at once."""


def resetting(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


LOGIN = [
    closing,
    resetting,
    # What a server answers in place of a greeting: too many connections, a host that is blocked, a code unknown here.
    says(packet(0, b"\xff\x10\x04Too many connections")),
    says(packet(0, b"\xff\x69\x04Host '127.0.0.1' is blocked because of many connection errors")),
    says(packet(0, b"\xff\xff\xff")),
    says(b"\0" * 64),
    says(b""),
    says(greeting()[:30]),
    says(packet(0, greeting()[4:30])),
    says(packet(0, b"\x0a")),
    says(packet(0, b"\x0a\xff\xff")),
    says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    says(b"SSH-2.0-OpenSSH_9.2p1\r\n" * 100),
    says(os.urandom(4096)),
    says(greeting(version=b"not a version")),
    says(greeting(version=b"\xff\xfe")),
    says(greeting(plugin=b"\xff\xfe")),
    says(greeting(), b"\0" * 64),
    says(greeting(), packet(2, b"")),
    says(greeting(), packet(2, b"\xfe")),
    says(greeting(), packet(2, b"\xfeno_such_plugin\0abc")),
    says(greeting(), packet(2, b"\xfedialog\0\x02Your name?")),
    says(greeting(), packet(2, b"\xfe\xff\xfe\0abc")),
    says(greeting(), packet(2, b"\xfecaching_sha2_password\0abc"), packet(4, b"\x01")),
    says(greeting(), packet(2, b"\x01\x04")),
    says(greeting(), packet(2, b"\xff")),
    says(greeting(), packet(2, b"\xff\x15\x04#28000\xff\xfe")),
    says(greeting(), packet(2, OK), b"\0" * 64),
    says(greeting(), packet(2, OK), packet(1, OK), packet(1, OK), packet(1, b"\xfb/etc/passwd")),
    says(greeting(), packet(2, OK), packet(1, OK), packet(1, OK), packet(1, OK), packet(1, b"\x01"), b"\xff" * 64),
    endlessly,
    trickling,
    trickling_greeting,
]


@contextmanager
def host(talk: Talk) -> Iterator[str]:
    """A server that sends given answers to every client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection, suppress(OSError):
                        talk(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(30)


@pytest.mark.parametrize("talk", LOGIN, ids=range(len(LOGIN)))
def test_host_that_answers_nonsense_is_passed_over_and_counted_once_alone(
    mariadb: MariaDB, mariadb_url: str, caplog: pytest.LogCaptureFixture, talk: Talk
) -> None:
    Rows(mariadb_url).add()
    with host(talk) as wrong:
        both = DatabaseSettings(url=mariadb_url, hosts=(wrong, f"127.0.0.1:{mariadb.port}"), timeout=1)
        poller = Poller(Settings(both))
        poller.tick()
        assert (poller.self_metrics.up, poller.self_metrics.errors) == (True, {})
        poller.stop()
        begun = time.monotonic()
        alone = Poller(Settings(DatabaseSettings(url=mariadb_url, hosts=(wrong,), timeout=1)))
        descriptors = len(os.listdir("/proc/self/fd"))
        for _ in range(2):
            alone.tick()
        # The wrong host is of this process, and ends its side a little later.
        eventually(lambda: len(os.listdir("/proc/self/fd")) <= descriptors, "no descriptor is left over")
        alone.stop()
        assert time.monotonic() - begun < 20
    errors = alone.self_metrics.errors
    assert sum(errors.values()) == 2
    assert errors.keys() <= {"connect", "timeout"}
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1, lines
    assert f"cannot read the database: {wrong}: " in lines[0]
    assert "Traceback" not in caplog.text


PASSWORD = b"a-secret"
CLEAR_TEXT = [b"mysql_clear_password\0", b"dialog\0\x04Password: "]


def asks_for_the_password(plugin: bytes, received: list[bytes], encrypt: ssl.SSLContext | None = None) -> Talk:
    """Return what asks for the password in clear text, and notes every message of the client."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(greeting(capabilities=0xA20F | (CLIENT.SSL if encrypt else 0)))
        if encrypt:
            connection.recv(36, socket.MSG_WAITALL)
            connection = encrypt.wrap_socket(connection, server_side=True)
        number = 3 if encrypt else 2
        received.append(connection.recv(65536))
        connection.sendall(packet(number, b"\xfe" + plugin))
        received.append(connection.recv(65536))
        connection.sendall(packet(number + 2, b"\xff\x15\x04#28000Access denied"))
        connection.close()

    return talk


@pytest.mark.parametrize("plugin", CLEAR_TEXT)
def test_password_is_not_sent_in_clear_text_without_tls(plugin: bytes) -> None:
    received: list[bytes] = []
    with host(asks_for_the_password(plugin, received)) as wrong:
        url = f"mysql+pymysql://bernard:{PASSWORD.decode()}@{wrong}/dbbackups"
        with pytest.raises(StoreError) as raised, Database(DatabaseSettings(url=url, timeout=5)).connect():
            pass
        eventually(lambda: len(received) == 2, "the connection ends")
    assert PASSWORD not in b"".join(received)
    name = plugin.partition(b"\0")[0].decode()
    assert str(raised.value) == (
        f"{wrong}: error 2061: the server requested the password in clear text, over a connection without TLS; it was "
        f"not sent (plugin {name}); require TLS in the configuration, or change the account to another authentication "
        "plugin, such as mysql_native_password"
    )
    assert raised.value.reason == "connect"


@pytest.mark.parametrize("plugin", CLEAR_TEXT)
def test_password_is_sent_in_clear_text_within_tls(tmp_path: Path, plugin: bytes) -> None:
    received: list[bytes] = []
    encrypt, pair = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), Authority(tmp_path).own
    encrypt.load_cert_chain(pair.certificate, pair.key)
    with host(asks_for_the_password(plugin, received, encrypt)) as asking:
        url = f"mysql+pymysql://bernard:{PASSWORD.decode()}@{asking}/dbbackups"
        with pytest.raises(StoreError, match="error 1045"), Database(DatabaseSettings(url=url, timeout=5)).connect():
            pass
    assert received[1][4:] == PASSWORD + b"\0"


@pytest.mark.parametrize("plugin", CLEAR_TEXT)
def test_password_is_sent_in_clear_text_over_the_local_socket(plugin: bytes) -> None:
    received: list[bytes] = []
    client, server = socket.socketpair()
    thread = threading.Thread(target=asks_for_the_password(plugin, received), args=(server,))
    thread.start()
    local = Raw(unix_socket="/run/mysqld/mysqld.sock", user="bernard", password=PASSWORD, connect_timeout=5)
    with pytest.raises(OperationalError, match="1045"):
        local.connect(client)
    thread.join()
    assert received[1][4:] == PASSWORD + b"\0"


def resets_after(*answers: bytes) -> Talk:
    """Return what resets the connection after some answers, each but the first after something was received."""

    def talk(connection: socket.socket) -> None:
        for number, answer in enumerate(answers):
            if number:
                connection.recv(65536)
            connection.sendall(answer)
        resetting(connection)

    return talk


LOST = [
    closing,
    resetting,
    resets_after(b""),
    resets_after(greeting()),
    resets_after(greeting(), b""),
    resets_after(greeting(), packet(2, OK), b""),
    lambda connection: connection.sendall(greeting()[:30]),
    lambda connection: connection.sendall(greeting()),
]


@pytest.mark.parametrize("talk", LOST, ids=range(len(LOST)))
def test_lost_login_has_the_same_text_whenever_it_is_noticed(talk: Talk) -> None:
    with host(talk) as wrong:
        database = Database(DatabaseSettings(url="mysql+pymysql://bernard@/dbbackups", hosts=(wrong,), timeout=2))
        with pytest.raises(StoreError) as raised, database.connect():
            pass
    assert raised.value.found == f"{wrong}: error 2013: the connection was lost"


def test_login_lost_before_it_is_seen_as_connected_has_the_same_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_: object) -> NoReturn:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")

    monkeypatch.setattr(socket, "create_connection", lost)
    with pytest.raises(StoreError, match="error 2013: the connection was lost;"):
        Database(DatabaseSettings(url="mysql+pymysql://bernard@db1.example/dbbackups")).connect().__enter__()


@pytest.mark.parametrize(
    "broken",
    [b"\0" * 64, packet(1, b"\xff"), packet(9, b"x"), packet(1, b"\xfc\xff"), packet(1, b"\x01") + b"\xff" * 9, b""],
)
@pytest.mark.parametrize("stream", [False, True])
def test_result_that_turns_into_nonsense_is_an_error_of_the_database(
    mariadb: MariaDB, caplog: pytest.LogCaptureFixture, broken: bytes, stream: bool
) -> None:
    with turning(mariadb.port, broken) as (port, turn):
        database = Database(DatabaseSettings(url=mariadb.url("mysql"), hosts=(f"127.0.0.1:{port}",), timeout=2))
        with database.connect():
            pass

        def read() -> None:
            with database.connect() as connection:
                turn.set()
                streaming = connection.execution_options(stream_results=stream)
                streaming.execute(text("SELECT 'a' UNION SELECT 'b'")).all()

        with pytest.raises(StoreError) as raised:
            read()
    assert raised.value.reason in ("connect", "query", "timeout")
    assert caplog.text == ""


@contextmanager
def turning(target: int, answer: bytes) -> Iterator[tuple[int, threading.Event]]:
    """A way to a server that, from a moment on, answers something else."""
    turn = threading.Event()

    def forward(source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(answer if answers and turn.is_set() else data)
                if answers and turn.is_set():
                    break
        for each in (source, sink):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def talk(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", target)) as server:
            thread = threading.Thread(target=forward, args=(client, server, False))
            thread.start()
            forward(server, client, True)
            thread.join()

    with host(talk) as place:
        yield int(place.rpartition(":")[2]), turn


def test_fault_of_our_own_is_not_taken_for_one_of_the_database(mariadb: MariaDB) -> None:
    with pytest.raises(IndexError), Database(DatabaseSettings(url=mariadb.url("mysql"))).connect():
        _ = [][0]
