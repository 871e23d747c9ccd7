"""Creates the TLS context from the settings."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

from bernard_exporter.config.regular_file import in_memory, read_regular
from bernard_exporter.errors import ConfigError
from bernard_exporter.web.web_config.settings import TLSSettings


def make_context(tls: TLSSettings, file: Path) -> ssl.SSLContext:
    """Create a TLS context for the settings.

    Args:
        tls: the settings.
        file: their file, for errors.

    Raises:
        ConfigError: a certificate or key cannot be used, or OpenSSL does not support a setting.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = tls.min_version, tls.max_version
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    if tls.prefer_server_ciphers:
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    else:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    where = f"{file}: tls_server_config"
    _certify(context, tls, where)
    _authorize(context, tls, where)
    _choose_ciphers(context, tls, where)
    return context


def _certify(context: ssl.SSLContext, tls: TLSSettings, where: str) -> None:
    try:
        with _as_file(tls.cert) as certificate, _as_file(tls.key) as key:
            # Without a password OpenSSL would prompt for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{where}: found {_cause(error)} in {_name(tls.cert, 'cert')} and {_name(tls.key, 'key')}, "
            "expected a PEM certificate and its key, readable and without a passphrase"
        ) from None


def _authorize(context: ssl.SSLContext, tls: TLSSettings, where: str) -> None:
    context.verify_mode = tls.verify
    if tls.verify is ssl.CERT_NONE:
        return
    try:
        if tls.client_ca:
            with _as_file(tls.client_ca) as authorities:
                context.load_verify_locations(authorities)
        else:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    except (OSError, ValueError) as error:
        cause = f"{_cause(error)} in {_name(tls.client_ca, 'client_ca')}"
        raise ConfigError(f"{where}: found {cause}, expected readable PEM certificates of CAs") from None


@contextmanager
def _as_file(pem: Path | str) -> Iterator[Path]:
    """Yield a file in memory with the content of ``pem``.

    OpenSSL would block on a named pipe, so it opens none of the files that the configuration names.
    """
    with in_memory(read_regular(pem) if isinstance(pem, Path) else pem.encode()) as file:
        yield file


def _name(pem: Path | str | None, key: str) -> str:
    """Return the name of a file, or of inline text (which is never quoted), for errors."""
    return f"{key}_file {pem}" if isinstance(pem, Path) else key


def _choose_ciphers(context: ssl.SSLContext, tls: TLSSettings, where: str) -> None:
    try:
        if tls.ciphers:
            context.set_ciphers(":".join(tls.ciphers))
        if tls.curve:
            context.set_ecdh_curve(tls.curve)
    except (ssl.SSLError, ValueError) as error:
        cause = _cause(error)
        raise ConfigError(f"{where}: found {cause}, expected cipher suites and a curve that OpenSSL supports") from None
    # OpenSSL ignores unsupported names if at least one is supported.
    missing = set(tls.ciphers) - {cipher["name"] for cipher in context.get_ciphers()}
    if missing:
        unsupported = ", ".join(sorted(missing))
        raise ConfigError(f"{where}: cipher_suites: found {unsupported}, expected cipher suites that OpenSSL offers")


def _cause(error: Exception) -> str:
    """Return the reason of an error without OpenSSL's source line."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "nothing that OpenSSL can read").replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or "an invalid value"


def alternative_names(certificate: dict[str, object] | None) -> frozenset[str]:
    """Return the alternative names of a verified certificate from ``SSLObject.getpeercert``."""
    entries = (certificate or {}).get("subjectAltName", ())
    supported = ("DNS", "IP Address", "URI", "email")
    return frozenset(alternative_name(value) for name_type, value in entries if name_type in supported)  # type: ignore[attr-defined]


def alternative_name(text: str) -> str:
    """Normalize a name for comparison: an address to its shortest form, such as ``::1``."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return text
