"""Database connections are encrypted and verified as the option file demands."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymysql.err import OperationalError

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store.client_options import read_client_options
from bernard_exporter.store.tls import Tls, context
from testing.rows import Rows
from testing.servers import MariaDB, need
from tests.config.test_config_any import at_most


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
    """Return a poller that connects with an option file with additional lines."""
    file = directory / "my.cnf"
    lines = options.format(directory=directory)
    file.write_text(
        f"[client]\nuser=bernard\nhost={host}\nport={server.port}\ndatabase=dbbackups\nprotocol=tcp\n{lines}\n"
    )
    return Poller(Settings(DatabaseSettings(option_file=file)))


@pytest.mark.parametrize(
    ("host", "options", "connects"),
    [
        ("localhost", "ssl", True),
        ("localhost", "ssl = 0", False),
        ("localhost", "ssl-ca = {directory}/localhost.pem", True),
        ("localhost", "ssl-ca = {directory}/other.pem", False),
        ("127.0.0.1", "ssl-ca = {directory}/localhost.pem", False),
        ("127.0.0.1", "ssl-ca = {directory}/localhost.pem\nskip-ssl-verify-server-cert", True),
        ("127.0.0.1", "ssl-ca = {directory}/localhost.pem\nssl_verify_server_cert = 0", True),
        ("localhost", "ssl-ca = {directory}/other.pem\ndisable-ssl-verify-server-cert", False),
        ("localhost", "ssl-ca = {directory}/other.pem\nskip-ssl", False),
        ("localhost", "ssl-ca = {directory}/none.pem", False),
        ("localhost", "ssl-cert = {directory}/localhost.pem\nssl-key = {directory}/other.key", False),
        ("localhost", "ssl-ca = {directory}/localhost.pem\nssl-cipher = no-such", False),
        ("localhost", "ssl-ca = {directory}/localhost.pem\ntls-version = TLSv1.1, TLSv1.2", True),
        ("localhost", "ssl-capath = {directory}", False),
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
    assert poller.self_metrics.up is connects
    assert poller.self_metrics.errors == ({} if connects else {"connect": 1})


@pytest.mark.parametrize(
    ("options", "file"),
    [
        ("ssl-ca = {directory}/pipe", "pipe"),
        ("ssl-ca = {directory}/localhost.pem\nssl-cert = {directory}/pipe", "pipe"),
        ("ssl-ca = {directory}/localhost.pem\nssl-key = {directory}/pipe", "pipe"),
        (
            "ssl-ca = {directory}/localhost.pem\nssl-cert = {directory}/localhost.pem\nssl-key = {directory}/pipe",
            "pipe",
        ),
        ("ssl-ca = {directory}/localhost.pem\nssl-crl = {directory}/pipe", "pipe"),
        ("ssl-capath = {directory}", "0123abcd.0"),
        ("ssl-ca = {directory}/localhost.pem\nssl-crlpath = {directory}", "0123abcd.0"),
    ],
)
def test_named_pipe_is_refused_and_never_waited_for(tmp_path: Path, options: str, file: str) -> None:
    certify(tmp_path, "localhost")
    for pipe in ("pipe", "0123abcd.0"):
        os.mkfifo(tmp_path / pipe)
    (tmp_path / "my.cnf").write_text(f"[client]\nhost=localhost\n{options.format(directory=tmp_path)}\n")
    with (
        at_most(20),
        pytest.raises(OperationalError, match=f"cannot be used: {tmp_path / file}: not a regular file, expected one"),
    ):
        context(read_client_options(tmp_path / "my.cnf").tls)


def test_authority_that_is_replaced_on_disk_counts_at_once(encrypted: MariaDB, tmp_path: Path) -> None:
    poller = polling(encrypted, tmp_path, "localhost", "ssl-ca = {directory}/localhost.pem")
    authority, other = tmp_path / "localhost.pem", tmp_path / "other.pem"
    own = authority.read_bytes()
    ups = []
    for text in (own, other.read_bytes(), own):
        authority.write_bytes(text)
        poller.tick()
        ups.append(poller.self_metrics.up)
    poller.stop()
    assert ups == [True, False, True]


@pytest.mark.parametrize("options", ["ssl", "", "skip-ssl-verify-server-cert"])
def test_authorities_of_the_system_are_not_read_where_they_verify_nothing(
    encrypted: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    """It takes longer than the rest of a poll."""

    def read(*_: object) -> None:
        pytest.fail("the authorities are read")

    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", read)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", read)
    poller = polling(encrypted, tmp_path, "localhost", options)
    poller.tick()
    poller.stop()
    assert poller.self_metrics.up


_NO_IDENTIFIERS = "subjectKeyIdentifier=none\nauthorityKeyIdentifier=none\n"
# The extensions of certificate authorities; those without key identifiers and usages are of old Puppet installations.
AUTHORITIES = {
    "today's": "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n",
    "without key usage": "basicConstraints=critical,CA:TRUE\nsubjectKeyIdentifier=hash\n",
    "without identifiers": f"basicConstraints=CA:TRUE\n{_NO_IDENTIFIERS}",
}


@pytest.mark.parametrize("extensions", AUTHORITIES.values(), ids=AUTHORITIES)
def test_authority_that_the_client_of_mariadb_accepts_is_accepted(tmp_path: Path, extensions: str) -> None:
    """By default, Python 3.13 refuses some of them."""
    sign(tmp_path, extensions)
    server = MariaDB(tmp_path)
    server.install()
    with server.serve(f"--ssl-cert={tmp_path / 'server.pem'}", f"--ssl-key={tmp_path / 'server.key'}"):
        server.execute("CREATE DATABASE dbbackups", "CREATE USER bernard@'%' REQUIRE SSL")
        server.execute("GRANT SELECT ON dbbackups.* TO bernard@'%'")
        Rows(server.url("dbbackups")).add()
        poller = polling(server, tmp_path, "localhost", "ssl-ca = {directory}/authority.pem")
        poller.tick()
        poller.stop()
        options = [f"--defaults-file={tmp_path / 'my.cnf'}", "--ssl-verify-server-cert", "--execute=SELECT 1"]
        client = subprocess.run([need("mariadb"), *options], capture_output=True, text=True, check=False)
    assert (client.returncode, client.stderr) == (0, "")
    assert poller.self_metrics.up, poller.self_metrics.errors


def test_certificates_are_never_taken_more_strictly_than_by_the_client() -> None:
    assert not context(Tls(use=True, verify_name=True)).verify_flags & ssl.VERIFY_X509_STRICT


def sign(directory: Path, extensions: str) -> None:
    """Make an authority with these extensions, and a certificate that it signs for localhost."""
    for name, subject in (("authority", "/CN=Some authority"), ("server", "/CN=localhost")):
        request = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-out", f"{name}.csr"]
        openssl(directory, *request, "-keyout", f"{name}.key")
    (directory / "authority.ext").write_text(extensions)
    (directory / "server.ext").write_text(f"subjectAltName=DNS:localhost\n{_NO_IDENTIFIERS}")
    own, by = ["-signkey", "authority.key"], ["-CA", "authority.pem", "-CAkey", "authority.key", "-CAcreateserial"]
    for name, key in (("authority", own), ("server", by)):
        written = ["-extfile", f"{name}.ext", "-out", f"{name}.pem"]
        openssl(directory, "x509", "-req", "-in", f"{name}.csr", *key, *written)


def openssl(directory: Path, *arguments: str) -> None:
    subprocess.run([need("openssl"), *arguments], check=True, capture_output=True, cwd=directory)
