"""TLS settings as a context that connections are encrypted by."""

from __future__ import annotations

import ssl
from pathlib import Path

from bernard_exporter.errors import ConfigError
from bernard_exporter.toolkit.settings import TLSSettings


def make_context(tls: TLSSettings, file: Path) -> ssl.SSLContext:
    """Return a context that does what the settings say, and no less.

    Args:
        tls: the settings.
        file: where they come from, for errors.

    Raises:
        ConfigError: a certificate or key cannot be used, or OpenSSL cannot do what is asked.
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
        # Without a password OpenSSL would ask for one at the terminal.
        context.load_cert_chain(tls.cert_file, tls.key_file, password="")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{where}: found {_cause(error)} in {tls.cert_file} and {tls.key_file}, "
            "expected a PEM certificate and its key, readable and without a passphrase"
        ) from None


def _authorize(context: ssl.SSLContext, tls: TLSSettings, where: str) -> None:
    context.verify_mode = tls.verify
    if tls.verify is ssl.CERT_NONE:
        return
    try:
        if tls.client_ca_file:
            context.load_verify_locations(tls.client_ca_file)
        else:
            context.load_default_certs(ssl.Purpose.CLIENT_AUTH)
    except (OSError, ValueError) as error:
        found = f"{_cause(error)} in {tls.client_ca_file}"
        raise ConfigError(f"{where}: found {found}, expected readable PEM certificates of authorities") from None


def _choose_ciphers(context: ssl.SSLContext, tls: TLSSettings, where: str) -> None:
    try:
        if tls.ciphers:
            context.set_ciphers(":".join(tls.ciphers))
        if tls.curve:
            context.set_ecdh_curve(tls.curve)
    except (ssl.SSLError, ValueError) as error:
        found = _cause(error)
        raise ConfigError(f"{where}: found {found}, expected cipher suites and a curve that OpenSSL has") from None
    # OpenSSL passes over names it does not offer as long as it offers one.
    missing = set(tls.ciphers) - {cipher["name"] for cipher in context.get_ciphers()}
    if missing:
        found = ", ".join(sorted(missing))
        raise ConfigError(f"{where}: cipher_suites: found {found}, expected cipher suites that OpenSSL offers")


def _cause(error: Exception) -> str:
    """Return what went wrong without the source line that OpenSSL names."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "nothing that OpenSSL can use").replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or "an impossible value"


def alternative_names(certificate: dict[str, object] | None) -> frozenset[str]:
    """Return the alternative names of a verified certificate, as ``SSLObject.getpeercert`` tells of it."""
    found = (certificate or {}).get("subjectAltName", ())
    wanted = ("DNS", "IP Address", "URI", "email")
    return frozenset(value for kind, value in found if kind in wanted)  # type: ignore[attr-defined]
