"""TLS of the database connection, and the verification of the server."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pymysql.constants import CR
from pymysql.err import OperationalError

from bernard_exporter.config.regular_file import in_memory, read_regular
from bernard_exporter.errors import ConfigError

# The names by which OpenSSL finds certificates and revocation lists in a directory.
_HASHED = re.compile(r"[0-9a-f]{8}\.r?\d+")
TLS_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


@dataclass(frozen=True, slots=True)
class Tls:
    """The TLS settings; None for settings that are not given.

    Attributes:
        use: True to require TLS, False to disable it, None to use it if the server offers it.
        ca: file with the CA certificates for the server certificate.
        capath: directory with CA certificates.
        crl: file with revoked certificates.
        versions: some of :data:`TLS_VERSIONS`; empty for all.
        verify_name: whether the certificate must match the host. None means yes with a CA; without a CA the server
            certificate is not verified.
    """

    use: bool | None = None
    ca: str | None = None
    capath: str | None = None
    cert: str | None = None
    key: str | None = None
    cipher: str | None = None
    crl: str | None = None
    crlpath: str | None = None
    versions: tuple[str, ...] = ()
    verify_name: bool | None = None

    @property
    def required(self) -> bool:
        """Return whether TLS is required."""
        return self.use or (self.use is None and bool(self.verify_name))


def context(tls: Tls) -> ssl.SSLContext:
    """Return the TLS context of one connection; files are read each time, so that renewed ones are used.

    Certificates are verified like in MariaDB's client: by default, Python 3.13 refuses CA certificates without key
    identifiers or key usages, such as those of old Puppet installations.

    Raises:
        OperationalError: a file or a cipher cannot be used.
    """
    tls_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls_context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    verified = bool(tls.ca or tls.capath or tls.verify_name)
    tls_context.check_hostname = verified and tls.verify_name is not False
    tls_context.verify_mode = ssl.CERT_REQUIRED if verified else ssl.CERT_NONE
    if verified:
        _load_authorities(tls_context, tls)
    if tls.cert or tls.key:
        cert = tls.cert or str(tls.key)
        _use(f"the certificate {cert} or its key", lambda: _load_certificate(tls_context, cert, tls.key or cert))
    if tls.cipher:
        cipher = tls.cipher
        _use(f"the cipher {cipher}", lambda: tls_context.set_ciphers(cipher))
    if tls.versions:
        versions = [TLS_VERSIONS[name] for name in tls.versions]
        tls_context.minimum_version, tls_context.maximum_version = min(versions), max(versions)
    return tls_context


@cache
def unverified() -> ssl.SSLContext:
    """Return a TLS context that does not verify the server and reads no files."""
    return context(Tls())


def _load_authorities(tls_context: ssl.SSLContext, tls: Tls) -> None:
    if tls.ca or tls.capath:
        _use(f"the CA certificate {tls.ca or tls.capath}", lambda: _load_locations(tls_context, tls.ca, tls.capath))
    else:
        tls_context.load_default_certs()
    if tls.crl or tls.crlpath:
        _use(
            f"the revocation list {tls.crl or tls.crlpath}", lambda: _load_locations(tls_context, tls.crl, tls.crlpath)
        )
        tls_context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _load_locations(tls_context: ssl.SSLContext, file: str | None, directory: str | None) -> None:
    """Load certificates or revocation lists from regular files: OpenSSL would block on a named pipe."""
    if file:
        with in_memory(read_regular(Path(file))) as content:
            tls_context.load_verify_locations(content)
    if directory:
        for entry in Path(directory).iterdir():
            if _HASHED.fullmatch(entry.name) and not entry.is_file():
                raise ConfigError(f"{entry}: not a regular file, expected one")
        tls_context.load_verify_locations(capath=directory)


def _load_certificate(tls_context: ssl.SSLContext, cert: str, key: str) -> None:
    with in_memory(read_regular(Path(cert))) as certificate, in_memory(read_regular(Path(key))) as private:
        tls_context.load_cert_chain(certificate, private, password=_no_password)


def _no_password() -> str:
    # Otherwise OpenSSL would prompt on the terminal.
    raise ValueError("the key has a password")


def _use(description: str, load: Callable[[], object]) -> None:
    try:
        load()
    except (ConfigError, OSError, ValueError) as error:
        # SSLError is a subclass of OSError.
        cause = getattr(error, "strerror", None) or error
        raise OperationalError(CR.CR_SSL_CONNECTION_ERROR, f"{description} cannot be used: {cause}") from error
