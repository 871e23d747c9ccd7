"""The settings from the web configuration file."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """The TLS settings, including client authentication.

    A path is a PEM file; a string is the PEM text.

    Attributes:
        verify: whether a client certificate is required, optional or not requested; a given one is always verified.
        client_ca: the CA certificates for client certificates; None for those of the system.
        client_allowed_sans: the allowed alternative names of client certificates; empty for any.
        ciphers: OpenSSL's names of cipher suites for TLS 1.2, in order of preference; empty for OpenSSL's default.
        curve: OpenSSL's name of the only offered curve; None for OpenSSL's default.
    """

    cert: Path | str
    key: Path | str = field(repr=False)
    verify: ssl.VerifyMode = ssl.CERT_NONE
    client_ca: Path | str | None = None
    client_allowed_sans: frozenset[str] = frozenset()
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    prefer_server_ciphers: bool = True
    curve: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files from which the context is made."""
        return tuple(pem for pem in (self.cert, self.key, self.client_ca) if isinstance(pem, Path))


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The rate limit.

    Attributes:
        interval: the average seconds (> 0) between requests.
        burst: the number (> 0) of requests allowed at once.
    """

    interval: float
    burst: int


@dataclass(frozen=True, slots=True)
class WebSettings:
    """All settings from the web configuration file.

    Attributes:
        tls: None without TLS.
        headers: headers added to every response, replacing the exporter's own; names in lower case.
        users: bcrypt hashes by user name; empty without authentication.
        rate_limit: None without a rate limit.
    """

    tls: TLSSettings | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    rate_limit: RateLimit | None = None
