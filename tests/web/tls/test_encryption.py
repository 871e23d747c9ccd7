"""Connections are encrypted as the current web configuration demands, and never more weakly."""

from __future__ import annotations

import ssl
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest

from testing import plain_http
from testing.certificates import Authority, Pair
from testing.exporter import Exporter
from testing.prometheus import Prometheus
from testing.served import guarded, hashed, trusting
from testing.servers import eventually, free_port, need, process

SERVED = "cert_file: server.pem, key_file: server.key"
VERIFIED = "client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.pem"


@dataclass
class Place:
    """A directory with an authority, and certificates it signed."""

    directory: Path
    authority: Authority
    prometheus: Pair
    other: Pair

    def write(self, tls: str, more: str = "") -> None:
        (self.directory / "web.yaml").write_text(f"tls_server_config: {{{tls}}}\n{more}")


def make_place(directory: Path) -> Place:
    authority = Authority(directory)
    authority.sign("server", "DNS:localhost,IP:127.0.0.1")
    names = "DNS:prometheus.example,IP:10.0.0.1,URI:spiffe://example/prometheus,email:ops@example.org"
    return Place(directory, authority, authority.sign("client", names), authority.sign("other", "DNS:other.example"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return make_place(tmp_path_factory.mktemp("encryption"))


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Exporter]:
    web = f"tls_server_config: {{{SERVED}}}"
    with guarded(place.directory, web, scheme="https", client={"verify": trusting(place.authority)}) as started:
        yield started


@pytest.fixture
def served(place: Place, running: Exporter) -> Exporter:
    """An exporter that the tests share; its file is as at the start."""
    place.write(SERVED)
    assert running.get("/-/healthy").status_code == 200
    return running


def status(served: Exporter, place: Place, pair: Pair | None = None) -> int | None:
    """Return the status of a scrape, None when the connection is refused."""
    try:
        return httpx.get(f"{served.url}/metrics", verify=trusting(place.authority, pair), timeout=10).status_code
    except httpx.TransportError:
        return None


def handshake(served: Exporter, *flags: str) -> dict[str, str]:
    """Return what openssl says of a handshake: protocol, cipher and the temporary key; empty for one that fails."""
    command = [need("openssl"), "s_client", "-connect", served.address, "-brief", *flags]
    done = subprocess.run(command, input=b"", capture_output=True, check=False, timeout=30)
    lines = (line.partition(": ") for line in done.stderr.decode().splitlines())
    found = {name: value for name, _, value in lines}
    return {
        key: found[key]
        for key in ("Protocol version", "Ciphersuite", "Server Temp Key", "Peer Temp Key")
        if key in found
    }


def test_connection_is_encrypted_and_plain_text_is_refused(served: Exporter, place: Place) -> None:
    assert status(served, place) == 200
    assert handshake(served)["Protocol version"] == "TLSv1.3"
    assert handshake(served, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0") == {}
    with pytest.raises(httpx.TransportError):
        plain_http.get(f"http://{served.address}/metrics")
    assert served.get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("tls", "accepted", "refused"),
    [
        ("min_version: TLS13", ["-tls1_3"], ["-tls1_2"]),
        ("max_version: TLS12", ["-tls1_2"], ["-tls1_3"]),
        (
            "max_version: TLS12, cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]",
            ["-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"],
            ["-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"],
        ),
        ("curve_preferences: [CurveP384]", ["-curves", "P-384"], ["-curves", "P-256:X25519"]),
        ("curve_preferences: [X25519]", ["-curves", "X25519"], ["-curves", "P-384"]),
    ],
)
def test_handshake_follows_what_the_file_says_now(
    served: Exporter, place: Place, tls: str, accepted: list[str], refused: list[str]
) -> None:
    assert handshake(served, *refused) != {}
    place.write(f"{SERVED}, {tls}")
    assert handshake(served, *refused) == {}
    assert handshake(served, *accepted) != {}


@pytest.mark.parametrize("prefers", [True, False])
def test_server_or_client_prefers_a_cipher(served: Exporter, place: Place, prefers: bool) -> None:
    ours, theirs = "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"
    suites = "[TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256]"
    place.write(f"{SERVED}, cipher_suites: {suites}, prefer_server_cipher_suites: {str(prefers).lower()}")
    found = handshake(served, "-tls1_2", "-cipher", f"{theirs}:{ours}")
    assert found["Ciphersuite"] == (ours if prefers else theirs)


@pytest.mark.parametrize(
    ("tls", "client", "other", "none"),
    [
        ("", 200, 200, 200),
        ("client_auth_type: NoClientCert", 200, 200, 200),
        ("client_auth_type: VerifyClientCertIfGiven, client_ca_file: authority.pem", 200, 200, 200),
        (VERIFIED, 200, 200, None),
        (f"{VERIFIED}, client_allowed_sans: [prometheus.example]", 200, None, None),
        (f"{VERIFIED}, client_allowed_sans: [10.0.0.1]", 200, None, None),
        (f"{VERIFIED}, client_allowed_sans: ['spiffe://example/prometheus']", 200, None, None),
        (f"{VERIFIED}, client_allowed_sans: [ops@example.org]", 200, None, None),
        (f"{VERIFIED}, client_allowed_sans: [example, prometheus]", None, None, None),
        # The authorities of the system have signed none of them.
        ("client_auth_type: RequireAndVerifyClientCert", None, None, None),
        ("client_auth_type: VerifyClientCertIfGiven", None, None, 200),
    ],
)
def test_client_certificates_are_requested_as_the_file_says_now(
    served: Exporter, place: Place, tls: str, client: int | None, other: int | None, none: int | None
) -> None:
    place.write(f"{SERVED}, {tls}")
    found = [status(served, place, pair) for pair in (place.prometheus, place.other, None)]
    assert found == [client, other, none]


ALLOWED = f"{VERIFIED}, client_allowed_sans: [prometheus.example]"


@pytest.mark.parametrize(
    ("before", "after", "is_kept"),
    [
        (VERIFIED, VERIFIED, True),
        (VERIFIED, f"{VERIFIED}, min_version: TLS13", True),
        (VERIFIED, VERIFIED.replace("authority.pem", "same.pem"), True),
        (VERIFIED, VERIFIED.replace("authority.pem", "stranger.pem"), False),
        (VERIFIED, f"{VERIFIED}, client_allowed_sans: [other.example]", False),
        (ALLOWED, ALLOWED.replace("prometheus.example", "other.example"), False),
        ("client_auth_type: NoClientCert", VERIFIED, False),
        (VERIFIED, "client_auth_type: NoClientCert", False),
    ],
)
def test_open_connection_ends_at_its_next_request_once_client_certificates_are_verified_otherwise(
    served: Exporter, place: Place, before: str, after: str, is_kept: bool
) -> None:
    (place.directory / "same.pem").write_bytes(place.authority.certificate.read_bytes())
    Authority(place.directory, "stranger")
    place.write(f"{SERVED}, {before}")
    host, _, port = served.address.rpartition(":")
    kept = HTTPSConnection(host, int(port), context=trusting(place.authority, place.prometheus), timeout=10)
    with closing(kept):
        for _ in range(2):
            kept.request("GET", "/metrics")
            with kept.getresponse() as answer:
                assert (answer.status, bool(answer.read())) == (200, True)
        place.write("nonsense: 1")
        kept.request("GET", "/metrics")
        with kept.getresponse() as answer:
            assert (answer.status, bool(answer.read())) == (500, True)
        place.write(f"{SERVED}, {after}")
        kept.request("GET", "/metrics")
        if is_kept:
            assert kept.getresponse().status == 200
        else:
            with pytest.raises(ConnectionError):
                kept.getresponse()


def test_certificate_of_another_authority_is_refused(served: Exporter, place: Place, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").sign("forged", "DNS:prometheus.example")
    for kind in ("RequireAndVerifyClientCert", "VerifyClientCertIfGiven"):
        place.write(f"{SERVED}, client_auth_type: {kind}, client_ca_file: authority.pem")
        assert status(served, place, stranger) is None
        assert status(served, place, place.prometheus) == 200


def test_certificate_is_changed_without_a_restart(served: Exporter, place: Place) -> None:
    def serial() -> str:
        return ssl.get_server_certificate(("127.0.0.1", int(served.address.split(":")[1])))

    with httpx.Client(verify=trusting(place.authority)) as kept:
        assert kept.get(f"{served.url}/metrics").status_code == 200
        before = serial()
        place.authority.sign("server", "DNS:localhost,IP:127.0.0.1")
        assert serial() != before
        assert serial() == (place.directory / "server.pem").read_text()
        assert kept.get(f"{served.url}/metrics").status_code == 200


@pytest.mark.parametrize("bad", ["nonsense: 1", "", "basic_auth_users: {}", "tls_server_config: {cert_file: x}"])
def test_invalid_file_refuses_every_client_until_it_is_fixed(served: Exporter, place: Place, bad: str) -> None:
    good = (place.directory / "web.yaml").read_text()
    refusals = served.logged().count("requests are refused until the file is corrected")
    with httpx.Client(verify=trusting(place.authority)) as kept:
        kept.get(f"{served.url}/metrics")
        (place.directory / "web.yaml").write_text(bad)
        assert kept.get(f"{served.url}/metrics").status_code == 500
    assert status(served, place) is None
    (place.directory / "web.yaml").write_text(good)
    assert status(served, place) == 200
    assert served.logged().count("requests are refused until the file is corrected") == refusals + 1


def test_certificates_may_stand_in_the_file_itself(place: Place, tmp_path: Path) -> None:
    """Each stands there itself or in a file of its own, as the toolkit takes it."""

    def text(pem: Path) -> str:
        return "|\n" + textwrap.indent(pem.read_text(), "    ")

    server = Authority(tmp_path, "own").sign("inner", "DNS:localhost,IP:127.0.0.1")
    trusted = trusting(Authority(tmp_path, "own-2"))
    trusted.load_verify_locations(tmp_path / "own.pem")
    verified = f"  client_auth_type: RequireAndVerifyClientCert\n  client_ca: {text(place.authority.certificate)}"
    web = f"tls_server_config:\n  cert: {text(server.certificate)}  key: {text(server.key)}{verified}"
    trusted.load_cert_chain(place.prometheus.certificate, place.prometheus.key)
    with guarded(tmp_path, web, scheme="https", client={"verify": trusted}) as started:
        assert started.get("/metrics").status_code == 200
        stranger = Authority(tmp_path, "stranger").sign("forged", "DNS:prometheus.example")
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{started.url}/metrics", verify=trusting(Authority(tmp_path, "own-3"), stranger))
        (tmp_path / "web.yaml").write_text(web.replace(text(server.key), "key.pem\n"))
        with pytest.raises(httpx.TransportError):
            started.get("/metrics")
        (tmp_path / "web.yaml").write_text(web.replace(f"key: {text(server.key)}", f"key_file: {server.key}\n"))
        assert started.get("/metrics").status_code == 200
        assert "PRIVATE KEY" not in started.logged()
        assert "MII" not in started.logged()


def test_key_that_does_not_match_refuses_every_client_until_it_does(served: Exporter, place: Place) -> None:
    key = place.directory / "server.key"
    good = key.read_bytes()
    key.write_bytes(place.other.key.read_bytes())
    assert status(served, place) is None
    key.write_bytes(good)
    assert status(served, place) == 200
    assert "PRIVATE KEY" not in served.logged()


def test_prometheus_scrapes_with_a_password_and_a_certificate(tmp_path: Path) -> None:
    place = make_place(tmp_path)
    users = f"basic_auth_users: {{prometheus: '{hashed('right', 10)}'}}\n"
    allowed = "client_allowed_sans: [prometheus.example]"
    web = f"tls_server_config: {{{SERVED}, {VERIFIED}, {allowed}}}\n{users}"
    client = {"verify": trusting(place.authority, place.prometheus), "auth": ("prometheus", "right")}
    with guarded(tmp_path, web, scheme="https", client=client) as served:
        password = "basic_auth: {username: prometheus, password: right}"
        asked_as = {
            "both": f"{password}, tls_config: {_tls(place, place.prometheus)}",
            "no-password": f"tls_config: {_tls(place, place.prometheus)}",
            "no-certificate": f"{password}, tls_config: {_tls(place)}",
            "other-certificate": f"{password}, tls_config: {_tls(place, place.other)}",
        }
        jobs = "".join(
            f"- {{job_name: {name}, scheme: https, {how}, static_configs: [{{targets: ['{served.address}']}}]}}\n"
            for name, how in asked_as.items()
        )
        file = tmp_path / "prometheus.yml"
        file.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs:\n{jobs}")
        address = f"127.0.0.1:{free_port()}"
        flags = [f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address={address}"]
        with process([need("prometheus"), *flags], tmp_path / "prometheus.log"):
            asked = Prometheus(address)

            def by_job(query: str) -> dict[str, float]:
                try:
                    return {labels[-1]: value for labels, value in asked.ask(query).items()}
                except httpx.TransportError:
                    return {}

            eventually(lambda: len(by_job("max_over_time(up[1m])")) == 4, "every job was scraped")
            eventually(lambda: by_job("up")["both"] == 1, "the one who may scrapes")
            assert by_job("up") == {"both": 1, "no-password": 0, "no-certificate": 0, "other-certificate": 0}
            assert by_job("bernard_up") == {"both": 1}


def _tls(place: Place, pair: Pair | None = None) -> str:
    own = f", cert_file: {pair.certificate}, key_file: {pair.key}" if pair else ""
    return f"{{ca_file: {place.authority.certificate}{own}}}"
