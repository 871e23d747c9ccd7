"""Interprets the connection options of an option file like MariaDB's client."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from bernard_exporter.config.address import NAME_EXPECTED, is_host_name
from bernard_exporter.errors import StoreError
from bernard_exporter.store.option_file import Option, read_options
from bernard_exporter.store.tls import TLS_VERSIONS, Tls

# Each connection option with its shortest unambiguous abbreviation among all options of the client.
ABBREVIATIONS = {
    "user": "us",
    "password": "pas",
    "host": "ho",
    "port": "po",
    "socket": "so",
    "protocol": "prot",
    "database": "da",
    "ssl": "ssl",
    "ssl-ca": "ssl-ca",
    "ssl-capath": "ssl-cap",
    "ssl-cert": "ssl-ce",
    "ssl-cipher": "ssl-ci",
    "ssl-key": "ssl-k",
    "ssl-crl": "ssl-crl",
    "ssl-crlpath": "ssl-crlp",
    "ssl-verify-server-cert": "ssl-v",
    "tls-version": "tl",
}
_FLAGS = ("ssl", "ssl-verify-server-cert")
_TLS_TEXTS = ("ssl-ca", "ssl-capath", "ssl-cert", "ssl-key", "ssl-cipher", "ssl-crl", "ssl-crlpath")
_PREFIX = re.compile(r"(loose|skip|disable|enable)-(.+)")
_ON, _OFF = ("1", "on", "true"), ("0", "off", "false")
_TCP, _SOCKET = "tcp", "socket"
# Numbers as the client takes them.
_PORT = re.compile(r"[ \t\n\v\f\r]*(?:\+?([0-9]{1,20}))?([kK]?)")


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """The connection options of an option file; None for options that are not set.

    Attributes:
        password: as bytes, as the client sends the bytes of the file whatever their encoding.
        tcp: whether to use TCP even for ``localhost``.
    """

    user: bytes | None = None
    password: bytes | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    socket: str | None = None
    database: str | None = None
    tcp: bool = False
    tls: Tls = field(default_factory=Tls)


def read_client_options(path: Path) -> ClientOptions:
    """Read the connection options of an option file.

    Raises:
        StoreError: the file cannot be read, or an option is invalid or not supported.
    """
    return parse_client_options(read_options(path))


def parse_client_options(options: Iterable[Option]) -> ClientOptions:
    """Interpret options; if an option is repeated, the last one counts.

    Other options of the client are ignored.

    Raises:
        StoreError: an option is invalid or not supported.
    """
    parsed = ClientOptions()
    for option in options:
        parsed = _apply(parsed, *_named(option))
    return parsed


def _named(option: Option) -> tuple[str, Option]:
    """Return the full name of a connection option ('' for other options), and its value without prefixes."""
    name = option.name.lower().replace("_", "-")
    prefixes = []
    while _full(name) is None and (match := _PREFIX.fullmatch(name)):
        prefixes.append(match[1])
        name = match[2]
    full = _full(name) or ""
    if not full and "loose" not in prefixes and name.startswith(("ssl", "tls")):
        _fail(option, f"{name}, which is not supported", f"one of {', '.join(_encryption())}, or loose-{name}")
    # The last prefix counts, as in the client.
    prefix = prefixes[-1] if prefixes else "loose"
    if not full or prefix == "loose":
        return full, option
    negated = prefix in ("skip", "disable")
    if full == "password" and negated:
        return full, option._replace(value="")
    if full not in _FLAGS:
        _fail(option, f"{option.name}, a prefix without meaning for this option", full)
    _is_on(full, option)
    # skip-NAME=0 enables the option; any other value after a prefix has no meaning.
    return full, option._replace(value="1" if negated == (option.value == "0") else "0")


def _full(name: str) -> str | None:
    return next(
        (full for full, short in ABBREVIATIONS.items() if full == name),
        next((full for full, short in ABBREVIATIONS.items() if full.startswith(name) and name.startswith(short)), None),
    )


def _encryption() -> list[str]:
    return [name for name in ABBREVIATIONS if name.startswith(("ssl", "tls"))]


def _apply(parsed: ClientOptions, name: str, option: Option) -> ClientOptions:
    if not name:
        return parsed
    if name in _FLAGS:
        return _with_flag(parsed, name, _is_on(name, option))
    if option.value is None:
        valueless = f"{name} without a value"
        _fail(option, valueless if name != "password" else f"{valueless}, which prompts for it", f"{name}=VALUE")
    if name == "tls-version" or name in _TLS_TEXTS:
        return _with_tls(parsed, name, option, option.value)
    return _with_text(parsed, name, option, option.value)


def _with_text(parsed: ClientOptions, name: str, option: Option, value: str) -> ClientOptions:
    data = value.encode("latin-1")
    if name == "user":
        return replace(parsed, user=data)
    if name == "password":
        return replace(parsed, password=data)
    text = os.fsdecode(data)
    if name == "host":
        if text and not is_host_name(text):
            _fail(option, f"the host name {text!r}", NAME_EXPECTED)
        return replace(parsed, host=text or None)
    if name == "database":
        return replace(parsed, database=text or None)
    if name == "port":
        return replace(parsed, port=_port(option, value))
    if name == "protocol":
        return replace(parsed, tcp=_is_tcp(option, value))
    return replace(parsed, socket=text) if text else _fail(option, "an empty socket", "the path of a socket")


def _port(option: Option, value: str) -> int | None:
    match = _PORT.fullmatch(value)
    port = int(match[1] or 0) * (1024 if match[2] else 1) if match else None
    if port is None or port > 65535:
        _fail(option, "a port that is not a number up to 65535", "a port such as 3306")
    # 0 means the default port, as in the client.
    return port or None


def _is_tcp(option: Option, value: str) -> bool:
    protocols = [protocol for protocol in (_TCP, _SOCKET) if value and protocol.startswith(value.lower())]
    return (
        protocols == [_TCP] if protocols else _fail(option, "a protocol that is not supported", f"{_TCP} or {_SOCKET}")
    )


def _with_flag(parsed: ClientOptions, name: str, on: bool) -> ClientOptions:
    tls = replace(parsed.tls, use=on) if name == "ssl" else replace(parsed.tls, verify_name=on)
    return replace(parsed, tls=tls)


def _with_tls(parsed: ClientOptions, name: str, option: Option, value: str) -> ClientOptions:
    """Set a file, cipher or TLS version, which also enables TLS, as in the client."""
    if name == "tls-version":
        versions = tuple(version for version in map(str.strip, value.split(",")) if version in TLS_VERSIONS)
        if not versions:
            _fail(option, "no supported TLS version", f"one or more of {', '.join(TLS_VERSIONS)}")
        return replace(parsed, tls=replace(parsed.tls, use=True, versions=versions))
    text = os.fsdecode(value.encode("latin-1"))
    named: dict[str, Any] = {name.removeprefix("ssl-"): text or None}
    return replace(parsed, tls=replace(parsed.tls, use=True, **named))


def _is_on(name: str, option: Option) -> bool:
    """Return whether a flag is on; the client treats an unknown word as off."""
    value = (option.value if option.value is not None else "1").lower()
    if value not in (*_ON, *_OFF):
        _fail(option, f"{name} that is neither on nor off", f"{name}=1 or {name}=0")
    return value in _ON


def _fail(option: Option, found: str, expected: str) -> NoReturn:
    raise StoreError("connect", f"{option.where}: found {found}, expected {expected}")
