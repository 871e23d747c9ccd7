# ruff: noqa: E501
"""Only users of a complete and valid web configuration file have access, whatever happens to the file."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import ssl
import time
from pathlib import Path

import httpx
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from bernard_exporter.web.auth import AuthMiddleware
from bernard_exporter.web.tls.context import alternative_names
from bernard_exporter.web.users.password_queue import Client
from bernard_exporter.web.web_config import watched
from bernard_exporter.web.web_config.load import load
from bernard_exporter.web.web_config.settings import WebSettings
from bernard_exporter.web.web_config.watched import WebConfig
from testing import plain_http
from testing.certificates import Authority
from testing.exporter import Exporter
from testing.served import guarded, hashed, trusting
from testing.servers import eventually

RIGHT = hashed("right")
ALICE, CAROL = f"basic_auth_users: {{alice: '{RIGHT}'}}\n", f"basic_auth_users: {{carol: '{RIGHT}'}}\n"
ODD = [
    "!vault abc", "2020-13-45", "2026-02-30", "!!binary aGk=", "!!int x", "!!timestamp x", "!!bool x", "&a [*a]", "&a {b: *a}",
    "*nowhere", "[" * 4000, "- " * 2000, "0b_", "1:30", "9" * 5000, '"\\0"', '"\\ud800"', '"\\U00110000"', "{<<: {alice: x}}",
    "{? [a]: b}", "[]", "{}", "~", "''", RIGHT, f"{{alice: !x '{RIGHT}'}}", f"{{!x alice: '{RIGHT}'}}", "!!set {alice}",
    f"!!omap [alice: '{RIGHT}']", "[!x good.example]", "'../../../../dev/zero'", '"a\\0b"', "'" + "a" * 5000 + "'",
]  # fmt: skip
KEYS = ["basic_auth_users", "tls_server_config", "http_server_config", "rate_limit", "<<", "alice"]


class Served:
    """An application behind a file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write(ALICE.encode())
        self._transport = httpx.ASGITransport(AuthMiddleware(PlainTextResponse("let in"), WebConfig(file)))

    def write(self, content: bytes) -> None:
        new = self.file.with_suffix(".new")
        new.write_bytes(content)
        new.replace(self.file)

    def status(self, user: str | None = "alice", path: str = "/metrics") -> int:
        async def ask() -> int:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://exporter") as client:
                return (await client.get(path, auth=(user, "right") if user else None)).status_code

        return asyncio.run(ask())


def is_user(content: bytes, user: str) -> bool:
    """Return whether a document plainly lists a user."""
    try:
        users = yaml.safe_load(content)["basic_auth_users"]
        return bool(users[user] == RIGHT)
    except Exception:
        return False


def asks_nobody(file: Path) -> bool:
    """Return whether a file is complete and has no users."""
    try:
        return not load(file).users
    except Exception:
        return False


contents = st.one_of(
    st.binary(max_size=100),
    st.tuples(st.sampled_from(KEYS), st.sampled_from(ODD)).map(lambda pair: f"{pair[0]}: {pair[1]}\n".encode()),
    st.tuples(st.sampled_from(KEYS), st.sampled_from(ODD)).map(lambda pair: f"{CAROL}{pair[0]}: {pair[1]}\n".encode()),
    st.sampled_from(ODD).map(lambda odd: f"basic_auth_users: {{carol: {odd}}}\n".encode()),
    st.tuples(st.integers(0, len(CAROL)), st.binary(max_size=6), st.integers(0, 8)).map(
        lambda cut: CAROL.encode()[: cut[0]] + cut[1] + CAROL.encode()[cut[0] + cut[2] :]
    ),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(contents, min_size=1, max_size=3))
def test_no_user_is_let_in_who_is_not_in_a_whole_file(tmp_path: Path, written: list[bytes]) -> None:
    served = Served(tmp_path / "web.yaml")
    assert served.status() == 200
    for content in written:
        served.write(content)
        for user in ("alice", "carol", "mallory", None):
            status = served.status(user)
            assert status in (200, 401, 500)
            if status == 200:
                assert asks_nobody(served.file) or (user and is_user(content, user)), (user, content)
        assert served.status(path="/-/healthy") == 200
    served.write(CAROL.encode())
    assert [served.status(user) for user in ("alice", "carol", None)] == [401, 200, 401]


def test_file_that_was_just_written_is_read_a_few_times_per_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, readings = Served(tmp_path / "web.yaml"), []

    def counted(file: Path) -> WebSettings:
        readings.append(file)
        # It stays too new to be recognized by its time.
        os.utime(file)
        return load(file)

    monkeypatch.setattr(watched, "load", counted)
    assert served.status() == 200
    assert len(readings) == 2


@pytest.mark.parametrize(
    "raised", [RuntimeError, RecursionError, MemoryError, ssl.SSLError, KeyError, UnicodeError, BaseException]
)
def test_unforeseen_error_while_the_file_is_read_lets_nobody_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    served = Served(tmp_path / "web.yaml")

    def fail(_: Path) -> None:
        raise raised

    with monkeypatch.context() as patched:
        patched.setattr(watched, "load", fail)
        served.write(CAROL.encode())
        assert [served.status(user) for user in ("alice", "carol", "alice", None)] == [500] * 4
        assert served.status(path="/-/healthy") == 200
    assert caplog.text.count("requests are refused until the file is corrected") == 1
    served.write(CAROL.encode())
    assert [served.status(user) for user in ("alice", "carol")] == [401, 200]


def test_user_who_is_removed_while_the_password_waits_is_not_let_in(tmp_path: Path) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(ALICE)
    guard = AuthMiddleware(PlainTextResponse("let in"), WebConfig(file))
    queue = guard._passwords._queue

    async def scene() -> list[int]:
        await queue.acquire(Client())
        transport = httpx.ASGITransport(guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
            requests = [
                asyncio.create_task(client.get("/metrics", auth=(user, "right"))) for user in ("alice", "carol")
            ]
            while len(queue._waiting) < len(requests):
                await asyncio.sleep(0.01)
            file.write_text(CAROL)
            queue.release()
            return [answer.status_code for answer in await asyncio.gather(*requests)]

    assert asyncio.run(scene()) == [401, 401]


def test_file_of_the_same_size_and_time_is_read_again(tmp_path: Path) -> None:
    """The kernel's times are coarse: two writes may leave the same one."""
    served = Served(tmp_path / "web.yaml")
    found = served.file.stat()
    with served.file.open("r+b") as same:
        same.write(CAROL.encode())
    os.utime(served.file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert [served.status(user) for user in ("alice", "carol")] == [401, 200]


def test_file_that_changes_with_its_size_and_time_kept_is_read_again(tmp_path: Path) -> None:
    """Its times are older than those of a write that may leave the same ones."""
    served = Served(tmp_path / "web.yaml")
    hour = (served.file.stat().st_mtime_ns - 3600 * 10**9,) * 2
    os.utime(served.file, ns=hour)
    time.sleep(0.2)
    assert served.status() == 200
    with served.file.open("r+b") as same:
        same.write(CAROL.encode())
    os.utime(served.file, ns=hour)
    assert [served.status(user) for user in ("alice", "carol")] == [401, 200]


def test_file_is_tried_again_after_an_error_that_was_not_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    served = Served(tmp_path / "web.yaml")
    with monkeypatch.context() as patched:
        patched.setattr("os.open", broken_open)
        served.write(CAROL.encode())
        time.sleep(0.2)
        assert served.status("carol") == 500
    eventually(lambda: served.status("carol") == 200, "the file reloaded")
    assert served.status("alice") == 401
    assert caplog.text.count("requests are refused until the file is corrected") == 1


def broken_open(*_: object) -> int:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_bad_file_refuses_removed_users_on_a_real_process(tmp_path: Path) -> None:
    with guarded(tmp_path, ALICE) as served:
        for count, odd in enumerate(("!vault abc", "2020-13-45", "[" * 4000), 1):
            (tmp_path / "web.yaml").write_text(f"basic_auth_users: {{carol: {odd}}}\n")
            statuses = [plain_http.get(f"{served.url}/metrics", auth=("alice", "right")).status_code for _ in range(3)]
            assert statuses == [500] * 3
            assert plain_http.get(f"{served.url}/-/healthy").status_code == 200
            assert served.logged().count("requests are refused until the file is corrected") == count
        (tmp_path / "web.yaml").write_text(CAROL)
        assert plain_http.get(f"{served.url}/metrics", auth=("alice", "right")).status_code == 401
        assert plain_http.get(f"{served.url}/metrics", auth=("carol", "right")).status_code == 200
        assert "Traceback" not in served.logged()


def test_handshake_that_an_older_file_began_is_not_the_newest(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("server", "DNS:localhost")
    file = tmp_path / "web.yaml"
    text = f"tls_server_config: {{cert_file: '{pair.certificate}', key_file: '{pair.key}'}}\n"
    file.write_text(text)
    web = WebConfig(file)
    older = web.context()
    assert web.client_policy_of(older)
    file.write_text(text + "\n")
    assert web.client_policy_of(older), "nothing that it is made of has changed"
    file.write_text("tls_server_config: {client_allowed_sans: [!x good.example]}\n")
    assert web.client_policy_of(older) is None
    demand = f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: '{authority.certificate}'"
    file.write_text(text.replace("}", f", {demand}}}"))
    assert web.client_policy_of(older) is None
    assert web.context().verify_mode is ssl.CERT_REQUIRED


def test_address_in_a_certificate_is_compared_in_one_spelling() -> None:
    certificate: dict[str, object] = {"subjectAltName": (("IP Address", "0:0:0:0:0:0:0:1"), ("DNS", "a.example"))}
    assert alternative_names(certificate) == {"::1", "a.example"}


# Makes the exporter fail in the way that a file names, whenever it reads its web configuration.
BROKEN = """
import builtins, os, ssl
from bernard_exporter.web.web_config import watched

def broken(real):
    def call(*arguments):
        if os.path.exists({raised!r}):
            name = open({raised!r}).read()
            raise getattr(ssl, name, None) or getattr(builtins, name)
        return real(*arguments)
    return call

watched.load, watched.make_context = broken(watched.load), broken(watched.make_context)
"""


def test_no_handshake_succeeds_while_the_file_cannot_be_read_for_any_reason(tmp_path: Path) -> None:
    """A real process in which reading the file raises an unexpected error; client certificates are required."""
    authority = Authority(tmp_path)
    pair = authority.sign("server", "DNS:localhost,IP:127.0.0.1")
    client = trusting(authority, authority.sign("client", "DNS:client.example"))
    raised, place = tmp_path / "raised", tmp_path / "patched"
    place.mkdir()
    (place / "sitecustomize.py").write_text(BROKEN.format(raised=str(raised)))
    demand = f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {authority.certificate}"
    web = f"tls_server_config: {{cert_file: {pair.certificate}, key_file: {pair.key}, {demand}}}\n{ALICE}"
    client_options = {"verify": client, "auth": ("alice", "right")}
    with guarded(tmp_path, web, scheme="https", client=client_options, env={"PYTHONPATH": str(place)}) as served:
        with httpx.Client(verify=client, auth=("alice", "right")) as kept:
            for odd in ("RuntimeError", "MemoryError", "RecursionError", "KeyError", "SSLError", "BaseException"):
                assert kept.get(f"{served.url}/metrics").status_code == 200
                raised.write_text(odd)
                (tmp_path / "web.yaml").write_text(web + "# touched\n")
                for _ in range(2):
                    with pytest.raises(httpx.TransportError):
                        served.get("/metrics")
                assert [kept.get(f"{served.url}/metrics").status_code for _ in range(2)] == [500, 500], odd
                assert served.running.poll() is None
                raised.unlink()
                (tmp_path / "web.yaml").write_text(web)
        assert served.get("/metrics").status_code == 200


def test_reload_reads_the_web_configuration_anew_even_if_nothing_shows_a_change(tmp_path: Path) -> None:
    raised, place = tmp_path / "raised", tmp_path / "patched"
    place.mkdir()
    (place / "sitecustomize.py").write_text(BROKEN.format(raised=str(raised)))
    with guarded(tmp_path, ALICE, env={"PYTHONPATH": str(place)}) as served:
        right = httpx.BasicAuth("alice", "right")
        time.sleep(0.2)
        assert plain_http.get(f"{served.url}/metrics", auth=right).status_code == 200
        for number in (1, 2):
            raised.write_text("RuntimeError")
            assert plain_http.get(f"{served.url}/metrics", auth=right).status_code == 200
            if number == 1:
                served.running.send_signal(signal.SIGHUP)
            else:
                assert plain_http.post(f"{served.url}/-/reload", auth=right).status_code == 200
            eventually(
                lambda: plain_http.get(f"{served.url}/metrics", auth=right).status_code == 500, "it is read again"
            )
            raised.unlink()
            eventually(
                lambda: plain_http.get(f"{served.url}/metrics", auth=right).status_code == 200, "it is whole again"
            )
            assert served.logged().count("requests are refused until the file is corrected") == number


def asked_for_certificates(tmp_path: Path) -> tuple[Authority, str, dict[str, object]]:
    """Return an authority, a configuration that names a certificate, a key and that authority, and a client."""
    authority = Authority(tmp_path)
    pair = authority.sign("server", "DNS:localhost,IP:127.0.0.1")
    client = trusting(authority, authority.sign("client", "DNS:client.example"))
    demand = f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {authority.certificate}"
    web = f"tls_server_config: {{cert_file: {pair.certificate}, key_file: {pair.key}, {demand}}}\n{ALICE}"
    return authority, web, {"verify": client, "auth": ("alice", "right")}


def refuses(served: Exporter) -> bool:
    try:
        served.get("/metrics")
    except httpx.TransportError:
        return True
    return False


def test_named_file_that_becomes_a_pipe_is_refused_and_stops_nothing(tmp_path: Path) -> None:
    _, web, client_options = asked_for_certificates(tmp_path)
    with guarded(tmp_path, web, scheme="https", client=client_options) as served:
        for name in ("server.pem", "server.key", "authority.pem"):
            whole, pipe = tmp_path / "whole", tmp_path / "pipe"
            os.link(tmp_path / name, whole)
            os.mkfifo(pipe)
            pipe.replace(tmp_path / name)
            assert refuses(served), name
            assert f"{tmp_path / name}: not a regular file, expected one" in served.logged()
            whole.replace(tmp_path / name)
            assert served.get("/metrics").status_code == 200, name
        (tmp_path / "server.key").unlink()
        os.mkfifo(tmp_path / "server.key")
        assert refuses(served)
        served.running.terminate()
        assert served.running.wait(20) == 0


def test_change_of_permissions_is_seen_and_undone(tmp_path: Path) -> None:
    # Root may read every file but for this.
    by = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    _, web, client_options = asked_for_certificates(tmp_path)
    with guarded(tmp_path, web, scheme="https", client=client_options, by=by) as served:
        for name in ("web.yaml", "server.pem", "server.key", "authority.pem"):
            assert served.get("/metrics").status_code == 200
            (tmp_path / name).chmod(0)
            assert refuses(served), name
            (tmp_path / name).chmod(0o600)
            assert served.get("/metrics").status_code == 200, name
