"""Parses ``database.url`` and ``database.hosts``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bernard_exporter.config.values import InvalidValueError

URL_EXPECTED = "a URL such as mysql+pymysql://bernard@db1.example/dbbackups or sqlite:////path"
HOST_EXPECTED = "a host, NAME or NAME:PORT; an IPv6 address with a port in brackets, such as [::1]:3306"
NAME_EXPECTED = "a host name whose parts between the dots have 1 to 63 characters"
_DRIVERS = ("mysql+pymysql", "mariadb+pymysql", "sqlite", "sqlite+pysqlite")
_BRACKETED = re.compile(r"\[(?P<host>[0-9A-Fa-f:.]+(?:%\w+)?)\](?::(?P<port>\d+))?")
_PLAIN = re.compile(r"(?P<host>[^\s:/@\[\]]+)(?::(?P<port>\d+))?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%\w+)?")
_HIGHEST_PORT = 65535
_MOST_SECONDS = 600


class Host(NamedTuple):
    """A host to connect to; the port is None if not given."""

    name: str
    port: int | None = None


def is_host_name(text: str) -> bool:
    """Return whether a name or address can be looked up: no part of it is empty or longer than 63 characters."""
    try:
        return bool(text.encode("idna"))
    except UnicodeError:
        return False


def parse_host(text: str) -> Host:
    """Parse ``NAME``, ``NAME:PORT``, ``::1`` or ``[::1]:3306``.

    Raises:
        InvalidValueError: the text is not a host; the message says what was expected.
    """
    if _IPV6.fullmatch(text):
        return Host(text)
    match = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    if not match:
        raise InvalidValueError(HOST_EXPECTED)
    if not is_host_name(match["host"]):
        raise InvalidValueError(NAME_EXPECTED)
    return Host(match["host"], None if match["port"] is None else _port(int(match["port"])))


@dataclass(frozen=True, slots=True)
class Address:
    """The parts of a URL; None for those not given.

    Attributes:
        drivername: SQLAlchemy's driver name, such as ``mysql+pymysql``.
        options: the converted query options by name.
    """

    drivername: str = "mysql+pymysql"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: Host | None = None
    port: int | None = None
    database: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_sqlite(self) -> bool:
        """Return whether the URL is an SQLite file."""
        return self.drivername.startswith("sqlite")


def parse_url(text: str) -> Address:
    """Parse a URL.

    Raises:
        InvalidValueError: the URL is invalid; the message says what was expected and quotes no value.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise InvalidValueError(URL_EXPECTED) from None
    if url.drivername not in _DRIVERS:
        raise InvalidValueError(URL_EXPECTED, f"the kind {url.drivername!r}")
    if "\0" in text:
        raise InvalidValueError(URL_EXPECTED, "a zero byte")
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    host = parse_host(url.host if ":" not in url.host else f"[{url.host}]") if url.host else None
    port = None if url.port is None else _port(url.port)
    return Address(url.drivername, url.username, url.password, host, port, url.database, _options(url))


def _sqlite(url: URL) -> Address:
    if not url.database:
        raise InvalidValueError("the path of an SQLite file, such as sqlite:////path", "no path")
    if url.query:
        raise InvalidValueError("the path of an SQLite file without options", f"the options {', '.join(url.query)}")
    return Address(url.drivername, database=url.database)


def _port(port: int) -> int:
    if not 0 < port <= _HIGHEST_PORT:
        raise InvalidValueError(f"a port from 1 to {_HIGHEST_PORT}", f"the port {port}")
    return port


def _options(url: URL) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in url.query.items():
        if name not in URL_OPTIONS:
            raise InvalidValueError(f"one of the options {', '.join(URL_OPTIONS)}", f"the option {name!r}")
        if not isinstance(value, str):
            raise InvalidValueError(f"the option {name} once", "it again")
        found[name] = URL_OPTIONS[name](name, value)
    if "unix_socket" in found and url.host not in (None, "", "localhost"):
        raise InvalidValueError("unix_socket or a host, not both", f"unix_socket and the host {url.host!r}")
    return found


def _path(name: str, value: str) -> str:
    if not value:
        raise InvalidValueError(f"{name}=PATH", f"no value of the option {name}")
    return value


def _flag(name: str, value: str) -> bool:
    if value.lower() not in ("true", "false", "1", "0", "yes", "no", "on", "off"):
        raise InvalidValueError(f"{name}=true or {name}=false", f"another value of the option {name}")
    return value.lower() in ("true", "1", "yes", "on")


def _seconds(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < int(value[:9]) <= _MOST_SECONDS):
        raise InvalidValueError(
            f"{name}=SECONDS, whole ones from 1 to {_MOST_SECONDS}", f"another value of the option {name}"
        )
    return int(value)


def _utf8(name: str, value: str) -> str:
    if value.lower() not in ("utf8mb4", "utf8"):
        raise InvalidValueError(f"{name}=utf8mb4, or no {name}", f"another value of the option {name}")
    return "utf8mb4"


# The options of a URL, with the names of PyMySQL and SQLAlchemy.
URL_OPTIONS: dict[str, Callable[[str, str], object]] = {
    "unix_socket": _path,
    "ssl_ca": _path,
    "ssl_capath": _path,
    "ssl_cert": _path,
    "ssl_key": _path,
    "ssl_cipher": _path,
    "ssl_check_hostname": _flag,
    "ssl_verify_cert": _flag,
    "ssl_verify_identity": _flag,
    "ssl_disabled": _flag,
    "connect_timeout": _seconds,
    "read_timeout": _seconds,
    "write_timeout": _seconds,
    "charset": _utf8,
}
