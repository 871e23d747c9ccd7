"""Every key of the web configuration format is supported or refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from bernard_exporter.errors import ConfigError
from bernard_exporter.web.web_config.load import WebFile, load
from bernard_exporter.web.web_config.section import documented
from bernard_exporter.web.web_config.settings import WebSettings
from bernard_exporter.web.web_config.watched import WebConfig
from testing.certificates import Authority
from testing.tree import ROOT
from tests.web.web_config.test_load import HASH

TLS, HTTP, HEADERS = "tls_server_config", "http_server_config", "http_server_config.headers"


class Examples(NamedTuple):
    """Values of a key, as JSON, which is YAML.

    Attributes:
        supported: each changes the settings.
        usual: each says what holds without the key.
        refused: each with what the error says.
        beside: other keys that this one requires; None takes one away.
    """

    supported: tuple[object, ...]
    refused: tuple[tuple[object, str], ...] = ()
    usual: tuple[object, ...] = (None,)
    beside: dict[str, object] = {}  # noqa: RUF012 - a default that is only read


VERIFIED: dict[str, object] = {
    f"{TLS}.client_auth_type": "RequireAndVerifyClientCert",
    f"{TLS}.client_ca_file": "authority.pem",
}
# Without the values that stand in files, `PEM:FILE` is what the file holds.
EXAMPLES = {
    f"{TLS}.cert_file": Examples(("other.pem", "./other.pem"), beside={f"{TLS}.key_file": "other.key"}, usual=()),
    f"{TLS}.key_file": Examples(("other.key",), beside={f"{TLS}.cert_file": "other.pem"}, usual=()),
    f"{TLS}.cert": Examples(
        ("PEM:server.pem",),
        (("server.pem", "expected a text in PEM"), (7, "expected a text in PEM")),
        beside={f"{TLS}.cert_file": None},
        usual=(),
    ),
    f"{TLS}.key": Examples(
        ("PEM:server.key",), (("secret", "a value that is not shown"),), beside={f"{TLS}.key_file": ""}, usual=()
    ),
    f"{TLS}.client_auth_type": Examples(
        ("VerifyClientCertIfGiven", "RequireAndVerifyClientCert"),
        tuple(
            (name, "unverified certificates are not accepted")
            for name in ("RequestClientCert", "RequireAnyClientCert", "RequireClientCert")
        ),
        usual=(None, "", "NoClientCert"),
    ),
    f"{TLS}.client_ca_file": Examples(
        ("authority.pem",),
        (("none.pem", "found No such file or directory in"),),
        beside={f"{TLS}.client_auth_type": "RequireAndVerifyClientCert"},
        usual=(None, ""),
    ),
    f"{TLS}.client_ca": Examples(
        ("PEM:authority.pem",),
        (("PEM:web.yaml", "expected a text in PEM"), ("-----BEGIN x", "expected readable PEM certificates")),
        beside={f"{TLS}.client_auth_type": "VerifyClientCertIfGiven"},
        usual=(None, ""),
    ),
    f"{TLS}.client_allowed_sans": Examples(
        (["prometheus.example"], ["::1", "spiffe://x/y"]),
        (([], "found an empty list"), (None, "expected a list of names"), ("x", "expected a list of names")),
        beside=VERIFIED,
        usual=(),
    ),
    f"{TLS}.min_version": Examples(
        ("TLS13",), (("TLS10", "OpenSSL does not support"), ("TLS11", "OpenSSL does")), (None, "TLS12")
    ),
    f"{TLS}.max_version": Examples(("TLS12",), (("TLS11", "OpenSSL does not support"),), (None, "TLS13")),
    f"{TLS}.cipher_suites": Examples(
        (["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"],),
        (
            (["TLS_AES_128_GCM_SHA256"], "cipher suites of TLS 1.3 cannot be configured"),
            (["TLS_RSA_WITH_AES_128_GCM_SHA256"], "expected one of TLS_ECDHE_"),
        ),
        (None, []),
    ),
    f"{TLS}.prefer_server_cipher_suites": Examples((False,), (("perhaps", "true or false"),), (None, True)),
    f"{TLS}.curve_preferences": Examples(
        (["CurveP256"], ["CurveP384"], ["CurveP521"], ["X25519"]),
        ((["X25519", "CurveP256"], "found 2 curves"), (["X448"], "expected one of")),
        (None, []),
    ),
    f"{HTTP}.http2": Examples((), ((True, "expected false: only HTTP/1.1 is served"),), (None, False)),
    f"{HEADERS}.Content-Security-Policy": Examples(("default-src 'none'",), (("ä", "ASCII"),), (None, "")),
    f"{HEADERS}.Strict-Transport-Security": Examples(
        ("max-age=60", 7), ((["x"], "ASCII"), ({}, "ASCII"), (True, "ASCII")), (None, "")
    ),
    f"{HEADERS}.X-Content-Type-Options": Examples(("nosniff",), (("sniff", "one of nosniff"),), (None, "")),
    f"{HEADERS}.X-Frame-Options": Examples(("deny", "sameorigin"), (("allow", "one of deny"),), (None, "")),
    f"{HEADERS}.X-XSS-Protection": Examples(("0", 0, 1), (("a\nb", "ASCII"),), (None, "")),
    "basic_auth_users": Examples(
        ({"alice": HASH},),
        (({"alice": "secret"}, "a value that is not shown"), ({"alice": HASH.replace("$10$", "$14$")}, "from 4 to 13")),
        (None, {}),
    ),
    "rate_limit.interval": Examples(
        ("100ms", "1.5s", "1h30m", "24h", "5us", "7µs", "300ns"),
        tuple((value, "a duration with its unit") for value in (1, "1", "1d", "-1s", "25h", "1s1", True, [1], "soon")),
        (None, 0, "0", "0s"),
        beside={"rate_limit.burst": 20},
    ),
    "rate_limit.burst": Examples(
        (1, 20),
        ((0, "a burst of at least 1"), (-1, "whole number"), (1.5, "whole number"), (True, "whole number")),
        (),
        beside={"rate_limit.interval": "1s"},
    ),
}
# Sections without a value are ignored.
EMPTY = ["tls_server_config", "http_server_config", "http_server_config.headers", "rate_limit", "basic_auth_users"]

NOTHING: dict[str, object] = {EMPTY[0]: None}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("keys")
    authority = Authority(found)
    for name in ("server", "other"):
        authority.sign(name, "DNS:localhost")
    return found


def loaded(directory: Path, values: dict[str, object]) -> WebSettings:
    """Return the settings of a file with some keys, once it is taken whole: certificates, too."""
    document: dict[str, object] = {}
    for name, value in values.items():
        *above, last = name.split(".")
        section = document
        for part in above:
            section = section.setdefault(part, {})  # type: ignore[assignment]
        if isinstance(value, str) and value.startswith("PEM:"):
            value = (directory / value.removeprefix("PEM:")).read_text()
        section[last] = value
    file = directory / "web.yaml"
    file.write_text(json.dumps(document, ensure_ascii=False))
    WebConfig(file)
    return load(file)


def around(name: str) -> dict[str, object]:
    """Return a file without a key, but with the other keys that it requires."""
    pair = {f"{TLS}.cert_file": "server.pem", f"{TLS}.key_file": "server.key"} if name.startswith(TLS) else {}
    return {**pair, **EXAMPLES[name].beside}


def test_code_reference_and_these_tests_know_the_same_keys() -> None:
    names = [name for name, _ in documented(WebFile)]
    assert sorted(names) == sorted(EXAMPLES)
    page = (ROOT / "docs" / "reference" / "web-configuration.md").read_text()
    assert [name for name in names if f"| `{name}` |" not in page] == []


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, examples in EXAMPLES.items() for value in examples.supported]
)
def test_example_is_supported(directory: Path, name: str, value: object) -> None:
    found = loaded(directory, {**around(name), name: value})
    # A key that has no usual value is needed, or cannot be empty.
    assert found != (loaded(directory, around(name) or NOTHING) if EXAMPLES[name].usual else WebSettings())


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, examples in EXAMPLES.items() for value in examples.usual]
)
def test_usual_value_is_as_if_left_out(directory: Path, name: str, value: object) -> None:
    assert loaded(directory, {**around(name), name: value}) == loaded(directory, around(name) or NOTHING)


@pytest.mark.parametrize(
    ("name", "value", "says"), [(name, *refused) for name, examples in EXAMPLES.items() for refused in examples.refused]
)
def test_what_is_not_supported_is_refused_by_name(directory: Path, name: str, value: object, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(directory, {**around(name), name: value})
    assert says in str(raised.value)
    assert name.rpartition(".")[2] in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("value", [None, {}])
def test_empty_section_is_as_if_left_out(directory: Path, name: str, value: object) -> None:
    assert loaded(directory, {name: value}) == WebSettings()


@pytest.mark.parametrize("name", ["x", f"{TLS}.ca", f"{HTTP}.http3", f"{HEADERS}.Server", "rate_limit.x"])
def test_key_that_the_format_does_not_have_is_refused(directory: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=f"found the key '{name.rpartition('.')[2]}'"):
        loaded(directory, {name: 1})


@pytest.mark.parametrize("name", ["cert", "key", "client_ca"])
def test_text_beside_its_file_is_refused(directory: Path, name: str) -> None:
    pem = "PEM:server.key" if name == "key" else "PEM:server.pem"
    pair = {f"{TLS}.cert_file": "server.pem", f"{TLS}.key_file": "server.key"}
    with pytest.raises(ConfigError, match=f"found both, expected one of {name}_file and {name}"):
        loaded(directory, {**pair, **VERIFIED, f"{TLS}.{name}": pem})
