"""The section ``tls_server_config`` of the web configuration file."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StrictBool, model_validator

from bernard_exporter.config.validation import shaped
from bernard_exporter.config.values import HIDDEN, InvalidValueError, text
from bernard_exporter.web.tls import names
from bernard_exporter.web.tls.context import alternative_name
from bernard_exporter.web.web_config.section import Documented, WebSection, listed
from bernard_exporter.web.web_config.settings import TLSSettings

T = TypeVar("T")


def _one_of(choices: Mapping[str, T], refused: Mapping[str, str]) -> PlainValidator:
    """Return a validator that gives the value of a name.

    Args:
        choices: the values by name.
        refused: the other names of the format with the reason.
    """
    expected = f"one of {', '.join(choices)}"

    def choose(value: object) -> T:
        name = text(expected)(value)
        if name not in choices:
            raise InvalidValueError(f"{expected}: {refused[name]}" if name in refused else expected)
        return choices[name]

    return PlainValidator(choose)


def _one_curve(curves: tuple[str, ...]) -> tuple[str, ...]:
    if len(curves) > 1:
        raise InvalidValueError("a list of one curve, as the order of several cannot be set", f"{len(curves)} curves")
    return curves


def _one_or_more(sans: frozenset[str]) -> frozenset[str]:
    if not sans:
        raise InvalidValueError("at least one name", "an empty list")
    return sans


def _pem(value: object) -> str:
    if not isinstance(value, str) or "-----BEGIN " not in value:
        raise InvalidValueError("a text in PEM, from -----BEGIN on", HIDDEN)
    return value


_Path: TypeAlias = Annotated[str | None, PlainValidator(text("the path of a PEM file"))]
_Pem: TypeAlias = Annotated[str | None, PlainValidator(_pem)]
_Version: TypeAlias = Annotated[
    ssl.TLSVersion,
    _one_of(names.VERSIONS, dict.fromkeys(names.OLD_VERSIONS, "OpenSSL does not support older ones")),
]
_Verification: TypeAlias = Annotated[
    ssl.VerifyMode,
    _one_of(names.VERIFICATION, dict.fromkeys(names.UNVERIFIED, "unverified certificates are not accepted")),
]
_FIXED = "cipher suites of TLS 1.3 cannot be configured; set max_version: TLS12"
_Cipher: TypeAlias = Annotated[str, _one_of(names.CIPHERS, dict.fromkeys(names.FIXED_CIPHERS, _FIXED))]
_Curve: TypeAlias = Annotated[str, _one_of(names.CURVES, {})]
_San: TypeAlias = Annotated[str, PlainValidator(lambda value: alternative_name(text("a name")(value)))]


class TLSSection(WebSection):
    """The section ``tls_server_config``."""

    cert_file: Annotated[
        _Path, Documented("PEM file with the certificate and its chain", "`cert` is required", "together with `cert`")
    ] = None
    key_file: Annotated[
        _Path,
        Documented("PEM file with the private key, without a passphrase", "`key` is required", "together with `key`"),
    ] = None
    cert: Annotated[
        _Pem, Documented("the certificate as PEM text", "`cert_file` is required", "together with `cert_file`")
    ] = None
    key: Annotated[
        _Pem,
        Documented(
            "the private key as PEM text, without a passphrase", "`key_file` is required", "together with `key_file`"
        ),
    ] = None
    client_auth_type: Annotated[
        _Verification,
        Documented(
            listed(names.VERIFICATION),
            "`NoClientCert`",
            f"{listed(names.UNVERIFIED)}: they accept unverified certificates",
        ),
    ] = ssl.CERT_NONE
    client_ca_file: Annotated[
        _Path,
        Documented(
            "PEM file with the CA certificates for client certificates",
            "the CA certificates of the system",
            "together with `client_ca`; without a `client_auth_type` that verifies",
        ),
    ] = None
    client_ca: Annotated[
        _Pem,
        Documented(
            "these CA certificates as PEM text",
            "the CA certificates of the system",
            "together with `client_ca_file`; without a `client_auth_type` that verifies",
        ),
    ] = None
    client_allowed_sans: Annotated[
        frozenset[_San],
        AfterValidator(_one_or_more),
        BeforeValidator(shaped(list, "a list of names")),
        Documented(
            "allowed alternative names (DNS, IP, URI, e-mail); the client's certificate must have one of them",
            "any name",
            "an empty list; without `RequireAndVerifyClientCert`",
        ),
    ] = frozenset()
    min_version: Annotated[_Version, Documented(listed(names.VERSIONS), "`TLS12`", listed(names.OLD_VERSIONS))] = (
        ssl.TLSVersion.TLSv1_2
    )
    max_version: Annotated[
        _Version,
        Documented(listed(names.VERSIONS), "`TLS13`", f"{listed(names.OLD_VERSIONS)}; one below `min_version`"),
    ] = ssl.TLSVersion.TLSv1_3
    cipher_suites: Annotated[
        tuple[_Cipher, ...],
        BeforeValidator(shaped(list, "a list of cipher suites")),
        Documented(
            "cipher suites of TLS 1.2 with ECDHE, by Go's names, in order of preference",
            "OpenSSL's default",
            "cipher suites of TLS 1.3, which cannot be configured; suites that OpenSSL does not support",
        ),
    ] = ()
    prefer_server_cipher_suites: Annotated[
        StrictBool,
        Documented("whether the server's order of preference is used instead of the client's", "true"),
    ] = True
    curve_preferences: Annotated[
        tuple[_Curve, ...],
        AfterValidator(_one_curve),
        BeforeValidator(shaped(list, "a list of one curve")),
        Documented(
            f"a list of one of {listed(names.CURVES)}",
            "OpenSSL's default",
            "more than one, as Python's `ssl` cannot set an order",
        ),
    ] = ()

    @model_validator(mode="after")
    def _versions_agree(self) -> Self:
        if self.min_version > self.max_version:
            raise InvalidValueError("a version that is not below min_version", loc=("max_version",))
        return self

    @model_validator(mode="after")
    def _one_of_file_and_text(self) -> Self:
        for name in ("cert", "key", "client_ca"):
            file, text = getattr(self, f"{name}_file"), getattr(self, name)
            if file and text:
                raise InvalidValueError(f"one of {name}_file and {name}", "both", (f"{name}_file",))
            if name != "client_ca" and not file and not text:
                raise InvalidValueError(f"the key {name}_file or {name}", "none")
        return self

    @model_validator(mode="after")
    def _verifies(self) -> Self:
        """Refuse keys for client certificates that are not verified."""
        verifies = self.client_auth_type is not ssl.CERT_NONE
        requires = self.client_auth_type is ssl.CERT_REQUIRED
        for name, allowed in (
            ("client_ca_file", verifies),
            ("client_ca", verifies),
            ("client_allowed_sans", requires),
        ):
            if name in self.model_fields_set and not allowed:
                stated = "client_auth_type" in self.model_fields_set
                expected = f"client_auth_type RequireAndVerifyClientCert with {name}"
                raise InvalidValueError(expected, None if stated else "none", ("client_auth_type" if stated else name,))
        return self

    def settings(self, directory: Path) -> TLSSettings:
        """Return the TLS settings.

        Args:
            directory: that of the file, to which paths are relative.
        """

        def pem(file: str | None, text: str | None) -> Path | str | None:
            return directory / file if file else text

        cert, key = pem(self.cert_file, self.cert), pem(self.key_file, self.key)
        assert cert, "refused otherwise"
        assert key, "refused otherwise"
        return TLSSettings(
            cert=cert,
            key=key,
            verify=self.client_auth_type,
            client_ca=pem(self.client_ca_file, self.client_ca),
            client_allowed_sans=self.client_allowed_sans,
            min_version=self.min_version,
            max_version=self.max_version,
            ciphers=self.cipher_suites,
            prefer_server_ciphers=self.prefer_server_cipher_suites,
            curve=self.curve_preferences[0] if self.curve_preferences else None,
        )
