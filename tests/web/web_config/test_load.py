"""A web configuration file is applied completely, or refused with position and reason."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from bernard_exporter.errors import ConfigError
from bernard_exporter.web.web_config.load import load
from bernard_exporter.web.web_config.settings import RateLimit, TLSSettings, WebSettings
from bernard_exporter.web.web_config.watched import WebConfig
from testing.certificates import Authority

HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
EVERYTHING = f"""
tls_server_config:
  cert_file: server.pem
  key_file: /keys/server.key
  client_auth_type: RequireAndVerifyClientCert
  client_ca_file: ca.pem
  client_allowed_sans: [prometheus.example, 10.0.0.1]
  min_version: TLS12
  max_version: TLS13
  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305]
  prefer_server_cipher_suites: false
  curve_preferences: [CurveP384]
http_server_config:
  http2: false
  headers: {{X-Frame-Options: deny, Strict-Transport-Security: max-age=60, X-XSS-Protection: ''}}
basic_auth_users: {{alice: {HASH}, 7: {HASH}}}
rate_limit: {{interval: 100ms, burst: 20}}
"""


def written(directory: Path, text: str) -> Path:
    file = directory / "web.yaml"
    file.write_text(text)
    return file


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    assert load(written(tmp_path, EVERYTHING)) == WebSettings(
        tls=TLSSettings(
            cert=tmp_path / "server.pem",
            key=Path("/keys/server.key"),
            verify=ssl.CERT_REQUIRED,
            client_ca=tmp_path / "ca.pem",
            client_allowed_sans=frozenset({"prometheus.example", "10.0.0.1"}),
            min_version=ssl.TLSVersion.TLSv1_2,
            max_version=ssl.TLSVersion.TLSv1_3,
            ciphers=("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"),
            prefer_server_ciphers=False,
            curve="secp384r1",
        ),
        headers={"x-frame-options": "deny", "strict-transport-security": "max-age=60"},
        users={"alice": HASH, "7": HASH},
        rate_limit=RateLimit(0.1, 20),
    )


def test_what_is_left_out_has_the_usual_value(tmp_path: Path) -> None:
    pair = "tls_server_config: {cert_file: c, key_file: k}"
    assert load(written(tmp_path, pair)) == WebSettings(tls=TLSSettings(tmp_path / "c", tmp_path / "k"))


def test_hashes_are_in_no_text_of_the_settings(tmp_path: Path) -> None:
    assert HASH not in repr(load(written(tmp_path, EVERYTHING)))


TLS = "tls_server_config: {cert_file: c, key_file: k, "


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "web.yaml:1: found nothing, expected a mapping with one of the keys tls_server_config"),
        ("tls_server_config: []", "tls_server_config: found a list, expected a mapping"),
        ("tls_server_config: 0", "tls_server_config: found '0', expected a mapping"),
        ("basic_auth_users: secret", "basic_auth_users: found a value that is not shown, expected a mapping"),
        (f"basic_auth_users: {{!x alice: {HASH}}}", "found the key 'alice' with the tag !x, expected a user name"),
        (f'basic_auth_users: {{"al\\nice": {HASH}}}', "a user name without a colon, of printable characters"),
        ("tls: {}", "found the key 'tls', expected one of the keys tls_server_config, http_server_config"),
        ("tls_server_config: {min_version: TLS13}", "found none, expected the key cert_file"),
        ("tls_server_config: {cert_file: '', key_file: ''}", "found none, expected the key cert_file or cert"),
        ("tls_server_config: {cert_file: c}", "the key key_file"),
        ("rate_limit: {interval: 1s}", "rate_limit: found none, expected a burst of at least 1"),
        (TLS + "client_auth_type: RequireAnyClientCert}", "unverified certificates are not accepted"),
        (TLS + "client_auth_type: RequestClientCert}", "unverified certificates are not accepted"),
        (TLS + "client_auth_type: Any}", "expected one of NoClientCert, VerifyClientCertIfGiven, RequireAndVerify"),
        (
            TLS + "client_ca_file: ca}",
            "found none, expected client_auth_type RequireAndVerifyClientCert with client_ca_file",
        ),
        (
            TLS + "client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: [x]}",
            "client_auth_type: found 'VerifyClientCertIfGiven', expected client_auth_type RequireAndVerifyClientCert "
            "with client_allowed_sans",
        ),
        (
            TLS + "client_allowed_sans: }",
            "client_allowed_sans: found nothing, expected a list of names",
        ),
        (TLS + "client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: []}", "found an empty list"),
        (TLS + "min_version: TLS10}", "expected one of TLS12, TLS13: OpenSSL does not support older ones"),
        (TLS + "min_version: TLS13, max_version: TLS12}", "a version that is not below min_version"),
        (TLS + "cipher_suites: [TLS_AES_128_GCM_SHA256]}", "cipher suites of TLS 1.3 cannot be configured"),
        (TLS + "cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}", "expected one of TLS_ECDHE_ECDSA_WITH_AES_128_GCM"),
        (TLS + "curve_preferences: [X25519, CurveP256]}", "found 2 curves, expected a list of one curve"),
        (TLS + "curve_preferences: [P-256]}", "expected one of CurveP256, CurveP384, CurveP521, X25519"),
        (TLS + "prefer_server_cipher_suites: 1}", "expected true or false"),
        ("http_server_config: {http2: true}", "expected false: only HTTP/1.1 is served"),
        ("http_server_config: {headers: {Server: x}}", "found the key 'Server', expected one of the keys Content-Sec"),
        ("http_server_config: {headers: {X-Frame-Options: allow}}", "found 'allow', expected one of deny, sameorigin"),
        ('http_server_config: {headers: {X-XSS-Protection: "a\\r\\nb: c"}}', "printable ASCII"),
        ("basic_auth_users: {alice: secret}", "found a value that is not shown, expected a bcrypt hash"),
        (f"basic_auth_users: {{alice: {HASH[:-1]}}}", "found a value that is not shown, expected a bcrypt hash"),
        (
            f"basic_auth_users: {{alice: {HASH.replace('$10$', '$14$')}}}",
            "expected a bcrypt hash with a cost from 4 to 13",
        ),
        ("basic_auth_users: {alice: $2b$05$" + "C" * 53 + "}", "a bcrypt hash as it was made"),
        (f"basic_auth_users: {{alice: {HASH[:-1]}j}}", "a bcrypt hash as it was made"),
        (f"basic_auth_users: {{'a:b': {HASH}}}", "a user name without a colon"),
        (f"basic_auth_users: {{a: {HASH}, a: {HASH}}}", "each key once"),
        ("- a\n- b", "found a list"),
        ("basic_auth_users: {a: [", "expected YAML"),
    ],
)
def test_what_cannot_be_honoured_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(written(tmp_path, text))
    assert says in str(raised.value)
    assert "secret" not in str(raised.value)
    assert HASH[:-1] not in str(raised.value)


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ("cert_file: none.pem, key_file: server.key", "found No such file or directory in"),
        ("cert_file: server.pem, key_file: other.key", "found key values mismatch in"),
        ("cert_file: web.yaml, key_file: web.yaml", "expected a PEM certificate and its key"),
        (
            "cert_file: server.pem, key_file: server.key, client_auth_type: RequireAndVerifyClientCert, "
            "client_ca_file: web.yaml",
            "expected readable PEM certificates of CAs",
        ),
    ],
)
def test_certificate_that_cannot_be_used_is_refused(tmp_path: Path, tls: str, says: str) -> None:
    authority = Authority(tmp_path)
    authority.sign("server", "DNS:localhost")
    authority.sign("other", "DNS:localhost")
    with pytest.raises(ConfigError) as raised:
        WebConfig(written(tmp_path, f"tls_server_config: {{{tls}}}"))
    assert says in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path / 'web.yaml'}: tls_server_config: ")


def test_missing_file_says_which_flag_names_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"No such file or directory, .* name it with --web\.config\.file"):
        WebConfig(tmp_path / "none.yaml")
