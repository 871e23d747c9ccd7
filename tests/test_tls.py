"""Connections are encrypted and verified as the option file says."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.poller import Poller
from tests.rows import Rows
from tests.servers import MariaDB, need


def certify(directory: Path, name: str) -> None:
    """Make a self-signed certificate and key for a host name."""
    command = [need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}"]
    command += ["-addext", f"subjectAltName=DNS:{name}", "-keyout", f"{directory / name}.key"]
    subprocess.run([*command, "-out", f"{directory / name}.pem"], check=True, capture_output=True)


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[MariaDB]:
    """A server named localhost, and a user it lets in only over TLS."""
    for name in ("localhost", "other"):
        certify(tmp_path, name)
    server = MariaDB(tmp_path)
    server.install()
    with server.serve(f"--ssl-cert={tmp_path / 'localhost.pem'}", f"--ssl-key={tmp_path / 'localhost.key'}"):
        server.execute(
            "CREATE DATABASE dbbackups",
            "CREATE USER bernard@'%' REQUIRE SSL",
            "GRANT SELECT ON dbbackups.* TO bernard@'%'",
        )
        Rows(server.url("dbbackups")).add()
        yield server


def polling(server: MariaDB, directory: Path, host: str, options: str) -> Poller:
    """Return a poller that connects as an option file with some further lines says."""
    file = directory / "my.cnf"
    lines = options.format(directory=directory)
    file.write_text(f"[client]\nuser=bernard\nhost={host}\nport={server.port}\ndatabase=dbbackups\n{lines}\n")
    return Poller(Settings(DatabaseSettings(option_file=file)))


@pytest.mark.parametrize(
    ("host", "options", "connects"),
    [
        ("localhost", "ssl", True),
        ("localhost", "ssl = 0", False),
        ("localhost", "ssl-ca = {directory}/localhost.pem", True),
        ("localhost", "ssl-ca = {directory}/other.pem", False),
        ("127.0.0.1", "ssl-ca = {directory}/localhost.pem", True),
        ("localhost", "ssl-ca = {directory}/localhost.pem\nssl-verify-server-cert", True),
        ("127.0.0.1", "ssl-ca = {directory}/localhost.pem\nssl-verify-server-cert", False),
        ("localhost", "ssl-verify-server-cert", False),
    ],
)
def test_option_file_decides_about_encryption(
    encrypted: MariaDB, tmp_path: Path, host: str, options: str, connects: bool
) -> None:
    poller = polling(encrypted, tmp_path, host, options)
    poller.tick()
    poller.stop()
    assert poller.telemetry.up is connects
    assert poller.telemetry.errors == ({} if connects else {"connect": 1})


@pytest.mark.parametrize(("options", "times"), [("ssl", 0), ("ssl-ca = {directory}/localhost.pem", 9)])
def test_authorities_are_read_for_a_connection_only_where_they_verify_it(
    encrypted: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, times: int
) -> None:
    """It takes longer than the rest of a poll; but one that is renewed on disk must be followed."""
    read, create = [], ssl.create_default_context

    def counted(*arguments: object, **named: object) -> ssl.SSLContext:
        read.append(named)
        return create(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    poller = polling(encrypted, tmp_path, "localhost", options)
    for _ in range(9):
        poller.tick()
    poller.stop()
    assert poller.telemetry.polls["success"] == 9
    assert len(read) == times
