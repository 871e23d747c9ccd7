"""A web configuration file as settings; what cannot be honoured is refused, never made weaker."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from bernard_exporter.config.document import Entry, read
from bernard_exporter.toolkit import names
from bernard_exporter.toolkit.settings import TLSSettings, WebSettings

T = TypeVar("T")
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}")
_TLS_KEYS = (
    "cert_file",
    "key_file",
    "client_auth_type",
    "client_ca_file",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
)


def load(file: Path) -> WebSettings:
    """Return the settings a web configuration file describes.

    An empty file is refused: one that is just being written must not open what it protects.

    Raises:
        ConfigError: it cannot be read, or says something that cannot be honoured.
    """
    sections = ("tls_server_config", "http_server_config", "basic_auth_users")
    keys = read(file, "--web.config.file", f"one of the keys {', '.join(sections)}").mapping(sections)
    return WebSettings(
        tls=_tls(keys["tls_server_config"]) if "tls_server_config" in keys else None,
        headers=_http(keys["http_server_config"]) if "http_server_config" in keys else {},
        users=_users(keys["basic_auth_users"]) if "basic_auth_users" in keys else {},
    )


def _tls(entry: Entry) -> TLSSettings:
    keys = entry.mapping(_TLS_KEYS)
    for needed in ("cert_file", "key_file"):
        if needed not in keys:
            entry.fail(f"the key {needed}", "none")
    low = _version(keys, "min_version", ssl.TLSVersion.TLSv1_2)
    high = _version(keys, "max_version", ssl.TLSVersion.TLSv1_3)
    if low > high:
        keys["max_version"].fail("a version that is not below min_version")
    verify = _verification(keys)
    return TLSSettings(
        cert_file=_path(keys["cert_file"]),
        key_file=_path(keys["key_file"]),
        verify=verify,
        client_ca_file=_authorities(keys, verify),
        client_allowed_sans=_sans(keys, verify),
        min_version=low,
        max_version=high,
        ciphers=_ciphers(keys["cipher_suites"]) if "cipher_suites" in keys else (),
        prefer_server_ciphers="prefer_server_cipher_suites" not in keys
        or keys["prefer_server_cipher_suites"].boolean(),
        curve=_curve(keys["curve_preferences"]) if "curve_preferences" in keys else None,
    )


def _path(entry: Entry) -> Path:
    return entry.file.parent / entry.text("the path of a PEM file")


def _choose(entry: Entry, choices: Mapping[str, T], refused: Mapping[str, str]) -> T:
    """Return what a name stands for; ``refused`` are the format's other names, each with why not."""
    expected = f"one of {', '.join(choices)}"
    name = entry.text(expected)
    if name in refused:
        entry.fail(f"{expected}: {refused[name]}")
    return choices[name] if name in choices else entry.fail(expected)


def _version(keys: Mapping[str, Entry], name: str, default: ssl.TLSVersion) -> ssl.TLSVersion:
    if name not in keys:
        return default
    return _choose(keys[name], names.VERSIONS, dict.fromkeys(names.OLD_VERSIONS, "OpenSSL does not offer older ones"))


def _verification(keys: Mapping[str, Entry]) -> ssl.VerifyMode:
    if "client_auth_type" not in keys:
        return ssl.CERT_NONE
    refused = dict.fromkeys(names.UNVERIFIED, "certificates that nobody verifies are not accepted")
    return _choose(keys["client_auth_type"], names.VERIFICATION, refused)


def _authorities(keys: Mapping[str, Entry], verify: ssl.VerifyMode) -> Path | None:
    if "client_ca_file" not in keys:
        return None
    if verify is ssl.CERT_NONE:
        keys["client_ca_file"].fail("client_auth_type RequireAndVerifyClientCert beside client_ca_file", "no such one")
    return _path(keys["client_ca_file"])


def _sans(keys: Mapping[str, Entry], verify: ssl.VerifyMode) -> frozenset[str]:
    if "client_allowed_sans" not in keys:
        return frozenset()
    entry = keys["client_allowed_sans"]
    if verify is not ssl.CERT_REQUIRED:
        entry.fail("client_auth_type RequireAndVerifyClientCert beside client_allowed_sans", "another one")
    sans = frozenset(item.text("a name") for item in entry.items("a list of names"))
    return sans or entry.fail("a name at least", "an empty list")


def _ciphers(entry: Entry) -> tuple[str, ...]:
    refused = dict.fromkeys(names.FIXED_CIPHERS, "the suites of TLS 1.3 cannot be chosen; set max_version: TLS12")
    return tuple(_choose(item, names.CIPHERS, refused) for item in entry.items("a list of cipher suites"))


def _curve(entry: Entry) -> str | None:
    curves = [_choose(item, names.CURVES, {}) for item in entry.items("a list of one curve")]
    if len(curves) > 1:
        entry.fail("a list of one curve: an order of several cannot be set", f"{len(curves)} curves")
    return curves[0] if curves else None


def _http(entry: Entry) -> dict[str, str]:
    keys = entry.mapping(("http2", "headers"))
    if "http2" in keys and keys["http2"].boolean():
        keys["http2"].fail("false: only HTTP/1.1 is served")
    return _headers(keys["headers"]) if "headers" in keys else {}


def _headers(entry: Entry) -> dict[str, str]:
    found = {}
    for name, value in entry.mapping(tuple(names.HEADERS)).items():
        text = value.scalar()
        if text in ("", None):
            continue
        choices = names.HEADERS[name]
        if not isinstance(text, str) or not text.isascii() or not text.isprintable():
            value.fail("a text of printable ASCII characters")
        if choices and text not in choices:
            value.fail(f"one of {', '.join(choices)}")
        found[name.lower()] = text
    return found


def _users(entry: Entry) -> dict[str, str]:
    if entry.empty:
        return {}
    found = {}
    for user, value in Entry(entry.file, entry.key, entry.node, secret=True).mapping().items():
        if ":" in user:
            value.fail("a user name without a colon", f"the user {user!r}")
        hashed = value.text("a bcrypt hash")
        found[user] = hashed if _HASH.fullmatch(hashed) else value.fail("a bcrypt hash, such as htpasswd -nBC 10 makes")
    return found
