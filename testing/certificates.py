"""Certificates for the tests, created with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from testing.servers import need


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a directory."""

    directory: Path
    name: str = "authority"

    def __post_init__(self) -> None:
        usages = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
        made: list[str | Path] = ["-keyout", self.own.key, "-out", self.certificate]
        _openssl("req", "-x509", *_NEW, "-subj", f"/CN={self.name}", *usages, *made)

    @property
    def certificate(self) -> Path:
        return self.directory / f"{self.name}.pem"

    @property
    def own(self) -> Pair:
        return Pair(self.certificate, self.directory / f"{self.name}.key")

    def sign(self, name: str, sans: str) -> Pair:
        """Return a new certificate with alternative names such as ``DNS:localhost,IP:127.0.0.1``."""
        pair = Pair(self.directory / f"{name}.pem", self.directory / f"{name}.key")
        request, extensions = self.directory / f"{name}.csr", self.directory / f"{name}.ext"
        identifiers = "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        extensions.write_text(f"subjectAltName={sans}\n{identifiers}")
        _openssl("req", *_NEW[:-2], "-subj", f"/CN={name}", "-keyout", pair.key, "-out", request)
        signed: list[str | Path] = ["-CA", self.certificate, "-CAkey", self.own.key, "-CAcreateserial", "-days", "2"]
        _openssl("x509", "-req", "-in", request, *signed, "-extfile", extensions, "-out", pair.certificate)
        return pair


_NEW = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]


def _openssl(*arguments: str | Path) -> None:
    subprocess.run([need("openssl"), *map(str, arguments)], check=True, capture_output=True)
