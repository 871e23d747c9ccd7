"""What a web configuration file says, as frozen values."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class TLSSettings:
    """How connections are encrypted, and which clients may make one.

    Attributes:
        verify: whether clients must, may or need not show a certificate; one that is shown is always verified.
        client_ca_file: the authorities that sign clients' certificates; None for those of the system.
        client_allowed_sans: alternative names, one of which a client's certificate must have; empty for any.
        ciphers: OpenSSL's names for TLS 1.2, in order of preference; empty for OpenSSL's own choice.
        curve: OpenSSL's name of the only curve that is offered; None for OpenSSL's own choice.
    """

    cert_file: Path
    key_file: Path
    verify: ssl.VerifyMode = ssl.CERT_NONE
    client_ca_file: Path | None = None
    client_allowed_sans: frozenset[str] = frozenset()
    min_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2
    max_version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
    ciphers: tuple[str, ...] = ()
    prefer_server_ciphers: bool = True
    curve: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files whose change changes the context."""
        return tuple(file for file in (self.cert_file, self.key_file, self.client_ca_file) if file)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Everything a web configuration file says.

    Attributes:
        tls: None when connections are not encrypted.
        headers: added to every answer, instead of the exporter's own of the same name; names in lower case.
        users: bcrypt hashes by user name; empty when everybody may read.
    """

    tls: TLSSettings | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
