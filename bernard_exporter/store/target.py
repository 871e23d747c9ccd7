"""The servers to connect to, and the connection arguments, from URL, option file and hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL

from bernard_exporter.config.address import Address, Host, parse_host, parse_url
from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.config.values import InvalidValueError
from bernard_exporter.errors import StoreError
from bernard_exporter.store.client_options import ClientOptions, read_client_options
from bernard_exporter.store.tls import Tls

DATABASE = "dbbackups"
PORT = 3306
# The socket paths of Debian's, Red Hat's and MariaDB's packages.
_SOCKETS = ("/run/mysqld/mysqld.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock")  # noqa: S108
_OWN = ("unix_socket", "charset")


@dataclass(frozen=True, slots=True)
class Target:
    """A server, and the arguments to connect to it.

    Attributes:
        drivername: SQLAlchemy's driver name.
        name: its name in messages.
        host: the host; None for the socket.
        arguments: the arguments of ``pymysql.connect`` without TLS.
    """

    drivername: str
    name: str
    database: str
    host: str | None
    arguments: Mapping[str, Any] = field(repr=False)
    tls: Tls

    @property
    def url(self) -> URL:
        """The target as an SQLAlchemy URL, without secrets."""
        return URL.create(self.drivername, host=self.host, database=self.database)


def targets(settings: DatabaseSettings) -> list[Target]:
    """Return the servers in the order in which they are tried; reads the option file again.

    Raises:
        StoreError: the option file or the URL is invalid.
    """
    options = read_client_options(settings.option_file) if settings.option_file else ClientOptions()
    try:
        address = parse_url(settings.url) if settings.url else Address()
        hosts = [parse_host(host) for host in settings.hosts]
    except InvalidValueError as error:
        # Loading the configuration refuses it earlier, with file and line.
        raise StoreError("connect", f"the database URL or host is invalid, expected {error}") from None
    seconds = max(1, round(settings.timeout))
    return [_target(address, options, host, seconds) for host in hosts or (None,)]


def _target(address: Address, options: ClientOptions, host: Host | None, seconds: int) -> Target:
    """Return one server; the URL takes precedence over the option file."""
    where = _place(_with_host(address, host), options)
    limits = {f"{phase}_timeout": seconds for phase in ("connect", "read", "write")}
    options_of_url = {
        key: value for key, value in address.options.items() if not key.startswith("ssl_") and key not in _OWN
    }
    user = address.user.encode() if address.user is not None else options.user
    password = address.password.encode() if address.password is not None else options.password
    return Target(
        drivername=address.drivername,
        name=_name(address, where),
        database=address.database or options.database or DATABASE,
        host=where.get("host"),
        arguments={**where, **limits, **options_of_url, "user": user, "password": password, "charset": "utf8mb4"},
        tls=_tls(address.options, options.tls),
    )


def _with_host(address: Address, host: Host | None) -> Address:
    if host is None:
        return address
    return replace(address, host=host, port=host.port or address.port)


def _place(address: Address, options: ClientOptions) -> dict[str, Any]:
    """Return host and port, or the socket, with the rules of MariaDB's client.

    Without a host, and for ``localhost``, the socket is used, unless the URL has a port (like ``--port`` on the
    client's command line) or the option file a protocol.
    """
    name = address.host.name if address.host else options.host
    by_tcp = address.port is not None or options.tcp
    if name in (None, "localhost") and (not by_tcp or "unix_socket" in address.options):
        return {"unix_socket": str(address.options.get("unix_socket") or options.socket or _usual_socket())}
    return {"host": name or "localhost", "port": address.port or options.port or PORT}


def _name(address: Address, where: Mapping[str, Any]) -> str:
    if address.is_sqlite:
        return str(address.database)
    return str(where["unix_socket"]) if "unix_socket" in where else _shown(where["host"], where["port"])


def _usual_socket() -> str:
    return next((path for path in _SOCKETS if Path(path).exists()), _SOCKETS[0])


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _tls(url: Mapping[str, Any], file: Tls) -> Tls:
    """Return the TLS settings: those of the URL if it has any, or else those of the option file."""
    if not any(key.startswith("ssl_") for key in url):
        return file
    paths: dict[str, Any] = {key: url.get(f"ssl_{key}") for key in ("ca", "capath", "cert", "key", "cipher")}
    names = [url.get(f"ssl_{key}") for key in ("check_hostname", "verify_cert", "verify_identity")]
    # Only an explicit no disables the verification of the host name.
    name = False if False in names else True in names or None
    return Tls(use=not url.get("ssl_disabled"), verify_name=name, **paths)
