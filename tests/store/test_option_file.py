"""Option files are read as by MariaDB's own client, with which these tests compare."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.errors import StoreError
from bernard_exporter.store.client_options import ABBREVIATIONS, ClientOptions, read_client_options
from bernard_exporter.store.connection import Database
from bernard_exporter.store.option_file import GROUPS, read_options
from testing.servers import MariaDB, need

PIECES = [
    *"ab=#;'\"\\ \t\r\v!-_[]ntsr\xa0\xe9\x85",
    "\n",
    "\n[client]\n",
    "\n[mysqld]\n",
    "\n[ client-mariadb ]\n",
    "\n[Client-Server\t] x\n",
    "user=",
    "password = ",
    "\n!include @/other.cnf\n",
    "\n !  includedir\t@/directory \n",
    "\n!include @/none.cnf\n",
    "\n!includes\n",
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with files to include."""
    made = tmp_path_factory.mktemp("option files")
    (made / "directory").mkdir()
    for name in ("other.cnf", "directory/b.cnf", "directory/A.cnf", "directory/.c.cnf", "directory/d.ini", "e.cnf~"):
        (made / name).write_text(f"[client]\nuser={name}\n[mysqld]\nport=1\n")
    return made


def printed(file: Path) -> bytes | None:
    """Return the client's settings from a file; None if it refuses the file or an included file."""
    command = [need("my_print_defaults"), f"--defaults-file={file}", *GROUPS]
    ran = subprocess.run(command, capture_output=True, check=False)
    return None if ran.returncode or b"error:" in ran.stderr else ran.stdout


def read(file: Path) -> bytes | None:
    try:
        options = read_options(file)
    except StoreError:
        return None
    lines = (f"--{option.name}" + ("" if option.value is None else f"={option.value}") for option in options)
    return b"".join(line.encode("latin-1") + b"\n" for line in lines)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@example("user=a\n")
@example('password="a\\"#b" # c\n')
@example("password=a\\sb\\")
def test_file_is_read_as_by_the_client(directory: Path, text: str) -> None:
    file = directory / "my.cnf"
    file.write_bytes(f"[client]\n{text}".replace("@", str(directory)).encode("latin-1"))
    expected = printed(file)
    if not re.search(r"^[ \t\r\v\xa0]*=", text, re.MULTILINE):
        assert read(file) == expected
    else:
        # The client goes on with an option without a name, and refuses that only then.
        assert read(file) in (expected, None)


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf[client]\nuser=x\n",
        b"[client\nuser=x\n",
        b"user=x\n",
        b"[client]\n!include\n",
        b"[mysqld]\n!includedir /none\n[client]\nuser=x\n",
    ],
)
def test_file_that_the_client_refuses_is_refused(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "my.cnf"
    file.write_bytes(data)
    assert printed(file) is None
    with pytest.raises(StoreError, match="expected"):
        read_options(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mysqld]\nuser=x\n", "no [client] section; expected one with user and password"),
        ("[client]\nuser=" + "x" * 4095, ":2: found a line of 4094 bytes or more, or with a zero byte, expected"),
        ("[client]\nuser=a\0b", ":2: found a line of 4094 bytes or more, or with a zero byte, expected lines of text"),
        (
            "[client]\n" + "!include @/my.cnf\n" * 9,
            ": found more than 5000 included files, or 1024 KiB in all, expected fewer; a file or directory that",
        ),
        ("[client]\nport=0x10", ":2: found a port that is not a number up to 65535, expected a port such as 3306"),
        (
            "[client]\nhost=a..b",
            ":2: found the host name 'a..b', expected a host name whose parts between the dots have",
        ),
        ("[client]\nhost=.", ":2: found the host name '.', expected a host name whose parts between the dots have 1"),
        ("[client]\nhost", ":2: found host without a value, expected host=VALUE"),
        (
            "[client]\npassword",
            ":2: found password without a value, which prompts for it, expected",
        ),
        ("[client]\nprotocol=pipe", ":2: found a protocol that is not supported, expected tcp or socket"),
        ("[client]\nskip-host", ":2: found skip-host, a prefix without meaning for this option, expected host"),
        ("[client]\nssl=yes", ":2: found ssl that is neither on nor off, expected ssl=1 or ssl=0"),
        (
            "[client]\nskip-ssl-verify-server-cert=x",
            "found ssl-verify-server-cert that is neither on nor off",
        ),
        ("[client]\nssl-mode=REQUIRED", ":2: found ssl-mode, which is not supported, expected one of ssl, ssl-ca, "),
        ("[client]\nssl-fp=00", ":2: found ssl-fp, which is not supported, expected one of ssl, ssl-ca, "),
        ("[client]\nssl-c=x", ":2: found ssl-c, which is not supported, expected one of ssl, ssl-ca, "),
        ("[client]\ntls-version=SSLv3", ":2: found no supported TLS version, expected one or more of"),
        ("[client]\nsocket=", ":2: found an empty socket, expected the path of a socket"),
    ],
)
def test_file_that_cannot_be_followed_is_refused_with_line_found_and_expected(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(text.replace("@", str(tmp_path)))
    with pytest.raises(StoreError) as raised:
        read_client_options(file)
    assert str(raised.value).startswith(str(file))
    assert message in str(raised.value)


def test_file_that_everybody_can_write_to_is_refused_since_the_client_ignores_it(tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text("[client]\nuser=x\n")
    file.chmod(0o666)
    assert printed(file) == b""
    with pytest.raises(StoreError, match=r"the file is world-writable, so the client ignores it; chmod o-w "):
        read_options(file)


def test_what_is_no_file_of_sensible_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="/dev/zero: not a regular file, expected one"):
        read_options(Path("/dev/zero"))
    file = tmp_path / "my.cnf"
    file.write_text("[client]\n" + "#\n" * (1 << 19))
    with pytest.raises(StoreError, match=r"my\.cnf: found more than 1 MiB, expected a smaller file"):
        read_options(file)


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("user=a\n!include @/my.cnf\nuser=b\n", {}),
        ("user=a\n!include @/other.cnf\nuser=b\n", {"other.cnf": "user=c\n!include @/my.cnf\nuser=d\n"}),
        ("user=a\n!includedir @\nuser=b\n", {"other.cnf": "user=c\n"}),
        ("user=a\n!includedir @\nuser=b\n", {"other.cnf": "user=c\n!includedir @\n"}),
    ],
)
def test_file_that_includes_itself_is_read_as_by_the_client(tmp_path: Path, text: str, others: dict[str, str]) -> None:
    for name, body in {"my.cnf": text, **others}.items():
        (tmp_path / name).write_text(f"[client]\n{body}".replace("@", str(tmp_path)))
    expected = printed(tmp_path / "my.cnf")
    assert expected
    assert read(tmp_path / "my.cnf") == expected


def known_to_client(file: Path, text: str) -> dict[str, str]:
    """Return the value that the client has for each of its options after reading a file; none if it refuses it."""
    file.write_text(f"[client]\n{text}\n")
    command = [need("mariadb"), f"--defaults-file={file}", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    # It helps in spite of an error.
    if "ambiguous option" in ran.stderr or "unknown " in ran.stderr:
        return {}
    return dict(re.findall(r"^([a-z-]+) +(\S.*)$", ran.stdout.partition("-----\n")[2], re.MULTILINE))


@pytest.mark.parametrize("name", [name for name in ABBREVIATIONS if name not in ("ssl-verify-server-cert", "ssl")])
def test_abbreviation_means_what_it_means_to_the_client(tmp_path: Path, name: str) -> None:
    value = {"port": "33", "protocol": "tcp", "tls-version": "TLSv1.3"}.get(name, "/value")
    for length in range(1, len(name) + 1):
        file = tmp_path / "my.cnf"
        short = name[:length].replace("-", "_").upper()
        client = known_to_client(file, f"{short}={value}")
        # The client shows no password; that it takes it is enough.
        expected = bool(client) if name == "password" else client.get(name, "").lower() == value.lower()
        try:
            options = read_client_options(file)
        except StoreError:
            options = ClientOptions()
        assert bool(said(options, name)) == expected, short


def said(options: ClientOptions, name: str) -> object:
    """Return what options say of one of the client's."""
    if name.startswith("ssl-"):
        return getattr(options.tls, name.removeprefix("ssl-"))
    return {"tls-version": options.tls.versions, "protocol": options.tcp}.get(name) or getattr(options, name, None)


@pytest.mark.parametrize(
    "prefix", ["", "skip-", "disable_", "enable-", "loose-skip-", "LOOSE_", "skip-loose-", "skip-skip-"]
)
@pytest.mark.parametrize("value", ["", "=0", "=1", "=off", "=TRUE"])
def test_prefix_of_a_flag_means_what_it_means_to_the_client(tmp_path: Path, prefix: str, value: str) -> None:
    client = known_to_client(tmp_path / "my.cnf", f"{prefix}ssl{value}")
    assert read_client_options(tmp_path / "my.cnf").tls.use == (client["ssl"] == "TRUE")


@pytest.mark.parametrize(
    "value",
    ["+33915", "000000033915", "' 33915'", "'33915 '", "+1k", "63K", "64k", "k", "", "0", "+0", "+", "++1", "-1", "-0"],
)
def test_port_is_the_number_that_the_client_takes(tmp_path: Path, value: str) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nport={value}\n")
    command = [need("mariadb"), f"--defaults-file={file}", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    [port] = re.findall(r"(?m)^port +(\d+)$", ran.stdout)
    if "Error while setting value" in ran.stderr or int(port) > 65535:
        with pytest.raises(StoreError, match="found a port that is not a number up to 65535"):
            read_client_options(file)
    else:
        assert (read_client_options(file).port or 0) == int(port)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    directory = tmp_path_factory.mktemp("server")
    made = MariaDB(directory)
    made.install()
    with made.serve():
        made.execute(
            "CREATE DATABASE dbbackups", "CREATE USER bernard@'%'", "GRANT SELECT ON dbbackups.* TO bernard@'%'"
        )
        yield made


@pytest.mark.parametrize(
    ("password", "lines"),
    [
        ("secret", "password=secret"),
        ("ab#cd", 'password="ab#cd"'),
        ("ab", "password=ab#cd"),
        ("ab\\cd", "password=ab\\\\cd"),
        ("abc'", 'password="abc\'"'),
        ("abc'", "password=abc'"),
        ("a%40b:c/d?e&f=g;h", 'password="a%40b:c/d?e&f=g;h"'),
        ("pässwörd€ 🔑", "password=pässwörd€ 🔑"),
        ("=abc", "password==abc"),
        ("", "password="),
        ("secret", "  user = guest # comment\r\n  user = bernard\r\npassword = 'secret'\r\n"),
        ("secret", "password=wrong\n[mysqld]\nport=1\n[client]\npassword=secret\ncompress\nconnect-timeout=5"),
        ("secret", "[client-mariadb]\npassword=secret\n[DEFAULT]\nuser=root2\n[client_server]\nuser=root3"),
        ("secret", "pass=secret\nloose-ssl-mode=DISABLED\nskip_ssl\ndisable-ssl-verify-server-cert"),
        ("", "password=x\nskip-password"),
    ],
)
@pytest.mark.parametrize("place", ["host=127.0.0.1\nport=@P@", "socket=@S@", "host=localhost\nport=@P@\nprotocol=TCP"])
def test_connection_is_made_where_the_client_makes_one(
    server: MariaDB, tmp_path: Path, password: str, lines: str, place: str
) -> None:
    file = tmp_path / "my.cnf"
    place = place.replace("@P@", str(server.port)).replace("@S@", str(server.directory / "socket"))
    file.write_text(f"[client]\nuser=bernard\n{place}\n{lines}\n", encoding="utf-8")
    connection = server.connect()
    connection.set_character_set("utf8mb4")
    connection.cursor().execute("SET PASSWORD FOR bernard@'%%' = PASSWORD(%s)", (password,))
    connection.close()
    asked = "SELECT CURRENT_USER(), host LIKE '127.%' FROM information_schema.processlist WHERE id = CONNECTION_ID()"
    client = subprocess.run(
        [need("mariadb"), f"--defaults-file={file}", "-N", "-e", asked], capture_output=True, text=True, check=False
    )
    with Database(DatabaseSettings(option_file=file)).connect() as opened:
        row = opened.exec_driver_sql(asked.replace("%", "%%")).one()
        assert opened.exec_driver_sql("SELECT DATABASE()").scalar() == "dbbackups"
    assert client.stdout.split() == [str(value) for value in row]


def test_password_that_was_changed_on_the_server_and_in_the_file_is_found_without_a_reload(
    server: MariaDB, tmp_path: Path
) -> None:
    file = tmp_path / "my.cnf"
    database = None
    for password in ("old", "new"):
        server.execute(f"SET PASSWORD FOR bernard@'%' = PASSWORD('{password}')")
        file.write_text(f"[client]\nuser=bernard\nhost=127.0.0.1\nport={server.port}\npassword={password}\n")
        database = database or Database(DatabaseSettings(option_file=file))
        with database.connect() as opened:
            assert opened.exec_driver_sql("SELECT 1").scalar() == 1


def test_account_of_ed25519_is_let_in_with_pynacl(server: MariaDB, tmp_path: Path) -> None:
    server.execute(
        "INSTALL SONAME 'auth_ed25519'",
        "CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('pässwörd')",
        "GRANT SELECT ON dbbackups.* TO ed@'%'",
    )
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\nuser=ed\nhost=127.0.0.1\nport={server.port}\npassword=pässwörd\n", encoding="utf-8")
    with Database(DatabaseSettings(option_file=file)).connect() as opened:
        assert opened.exec_driver_sql("SELECT CURRENT_USER()").scalar() == "ed@%"
