"""All paths but the health check require a user and password."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import httpx
import pytest

from bernard_exporter.web.users.password_queue import Client
from bernard_exporter.web.users.passwords import Passwords
from testing import plain_http
from testing.exporter import COMMAND, Exporter
from testing.served import COST, guarded, hashed
from testing.servers import eventually, free_port, process
from tests.commands.test_serve import run

WEB = f"""
basic_auth_users: {{alice: '{hashed("right")}', böb: '{hashed("pässword")}'}}
http_server_config:
  headers: {{X-Frame-Options: sameorigin, Strict-Transport-Security: max-age=60}}
"""


def authorization(user: str, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(user.encode() + b":" + password)


def status(served: Exporter, path: str = "/metrics", **named: object) -> int:
    return plain_http.get(f"{served.url}{path}", **named).status_code  # type: ignore[arg-type]


def test_everything_but_the_health_check_wants_a_password(tmp_path: Path) -> None:
    with guarded(tmp_path, WEB) as served:
        paths = ["/metrics", "/", "/-/ready", "/nothing", "//-/healthy", "/-/healthy/", "/-/reload"]
        assert {path: status(served, path) for path in paths} == dict.fromkeys(paths, 401)
        assert plain_http.post(f"{served.url}/-/reload").status_code == 401
        assert status(served, "/-/healthy") == 200
        right = {"auth": ("alice", "right")}
        assert {path: status(served, path, **right) for path in paths[:3]} == dict.fromkeys(paths[:3], 200)
        assert status(served, auth=("böb".encode(), "pässword".encode())) == 200
        refused = served.get("/metrics")
        assert refused.headers["www-authenticate"].startswith('Basic realm="')
        assert refused.text == "Unauthorized\n"
        assert "right" not in served.logged()


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ====",
        "Basic " + base64.b64encode(b"alice").decode(),
        "Basic " + base64.b64encode(b"alice:wrong").decode(),
        "Basic " + base64.b64encode(b"Alice:right").decode(),
        "Basic " + base64.b64encode(b":").decode(),
        "Basic " + base64.b64encode(b"alice:right\0").decode(),
        "Basic " + base64.b64encode(b"alice:" + b"x" * 5000).decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Bearer " + base64.b64encode(b"alice:right").decode(),
    ],
)
def test_what_is_no_right_password_is_refused(shared: Exporter, header: str) -> None:
    assert status(shared, headers={"authorization": header}) == 401


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    with guarded(tmp_path_factory.mktemp("users"), WEB) as served:
        yield served


def test_configured_headers_are_on_every_answer_instead_of_the_own(shared: Exporter) -> None:
    for path, auth in (("/-/healthy", None), ("/metrics", None), ("/", ("alice", "right")), ("/nothing", None)):
        headers = plain_http.get(f"{shared.url}{path}", auth=auth).headers
        assert headers.get_list("x-frame-options") == ["sameorigin"], path
        assert headers["strict-transport-security"] == "max-age=60"


def test_health_check_is_open_under_the_path_of_the_external_url(tmp_path: Path) -> None:
    with guarded(tmp_path, WEB, prefix="/backups") as served:
        assert status(served, "/backups/-/healthy") == 200
        assert status(served, "/backups/metrics") == 401
        assert status(served, "/-/healthy") == 401


def test_more_requests_than_rate_limit_lets_in_are_refused(tmp_path: Path) -> None:
    web = f"{WEB}rate_limit: {{interval: 1h, burst: 5}}\n"
    with guarded(tmp_path, web) as served:
        right: dict[str, object] = {"auth": ("alice", "right")}
        # Neither strangers nor the health check take anything from those who are let in.
        assert {status(served, auth=("alice", "wrong")) for _ in range(10)} | {status(served)} == {401}
        assert {status(served, "/-/healthy") for _ in range(10)} == {200}
        found = [
            status(served, path, **right) for path in ("/metrics", "/", "/nothing", "/jobs", "/runs", "/jobs", "/")
        ]
        assert found == [200, 200, 404, 200, 200, 429, 429]
        refused = plain_http.get(f"{served.url}/metrics", **right)  # type: ignore[arg-type]
        assert refused.text == "Too many requests; see rate_limit in the web configuration.\n"
        assert refused.headers["x-frame-options"] == "sameorigin"
        assert status(served, "/-/healthy") == 200
        (tmp_path / "web.yaml").write_text(WEB)
        assert {status(served, "/metrics", **right) for _ in range(10)} == {200}


def test_users_change_without_a_restart_and_a_bad_file_opens_nothing(tmp_path: Path) -> None:
    with guarded(tmp_path, WEB) as served:
        file = tmp_path / "web.yaml"
        assert status(served, auth=("alice", "right")) == 200
        file.write_text(WEB.replace("alice", "carol"))
        assert status(served, auth=("alice", "right")) == 401
        assert status(served, auth=("carol", "right")) == 200
        for bad in ("", "basic_auth_users: {carol: plain}", "basic_auth_users: [", "nonsense: 1"):
            file.write_text(bad)
            assert status(served, auth=("carol", "right")) == 500
            assert status(served) == 500
            assert status(served, "/-/healthy") == 200
        file.unlink()
        assert status(served, auth=("carol", "right")) == 500
        (tmp_path / "new.yaml").write_text(WEB)
        (tmp_path / "new.yaml").rename(file)
        assert status(served, auth=("alice", "right")) == 200
        assert served.logged().count("requests are refused until the file is corrected") == 5
        assert "plain" not in served.logged().replace("text/plain", "")


def test_encryption_that_comes_or_goes_is_refused_until_a_restart(tmp_path: Path) -> None:
    with guarded(tmp_path, WEB) as served:
        (tmp_path / "web.yaml").write_text("tls_server_config: {cert_file: none, key_file: none}")
        assert status(served, auth=("alice", "right")) == 500


def admit(*attempts: tuple[str, bytes], cost: int = COST) -> list[object]:
    """Return the results of concurrent attempts for a user ``alice`` with the password ``right``."""
    users = {"alice": hashed("right", cost)}

    async def ask() -> list[object]:
        passwords = Passwords()
        asked = [passwords.admit(users, authorization(*attempt), Client()) for attempt in attempts]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(ask())


def test_password_is_verified_as_far_as_bcrypt_looks() -> None:
    long = "ä" * 50
    users = {"alice": bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(COST)).decode()}
    admitted = asyncio.run(Passwords().admit(users, authorization("alice", long.encode()), Client()))
    assert admitted
    assert not asyncio.run(Passwords().admit(users, authorization("alice", long.encode()[:71]), Client()))


def counted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Note the hash of every verification that is really made."""
    made: list[bytes] = []
    real = bcrypt.checkpw

    def check(password: bytes, known: bytes) -> bool:
        made.append(known)
        return real(password, known)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    return made


def test_right_password_is_hashed_once_and_wrong_ones_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    users = {"alice": hashed("right")}

    async def ask() -> None:
        passwords = Passwords()
        right, wrong = authorization("alice", b"right"), authorization("alice", b"wrong")
        assert all(await asyncio.gather(*(passwords.admit(users, right, Client()) for _ in range(20))))
        assert await passwords.admit(users, right, Client())
        assert len(made) == 1
        for _ in range(2):
            assert not await passwords.admit(users, wrong, Client())
        assert len(made) == 3
        changed = {"alice": hashed("other")}
        assert not await passwords.admit(changed, right, Client())

    asyncio.run(ask())


def test_unknown_user_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    assert admit(("mallory", b"right"), ("", b""), cost=5) == [False, False]
    assert [known[:7] for known in made] == [b"$2b$05$"] * 2


def test_refusal_of_each_user_costs_what_the_dearest_hash_does(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    users = {"cheap": hashed("right", 4), "dear": hashed("right", 7)}
    for user, password in (("cheap", b"wrong"), ("dear", b"wrong"), ("mallory", b"right"), ("cheap", b"a\0b")):
        made.clear()
        assert not asyncio.run(Passwords().admit(users, authorization(user, password), Client()))
        assert sum(2 ** int(known[4:6]) for known in made) == 2**7, user


@pytest.mark.parametrize("raised", [ValueError, RuntimeError, BaseException])
def test_password_that_cannot_be_checked_is_wrong_and_costs_the_same(
    monkeypatch: pytest.MonkeyPatch, raised: type[BaseException]
) -> None:
    made: list[bytes] = []
    users = {"alice": hashed("right"), "dear": hashed("right", 6)}

    def check(_: bytes, known: bytes) -> bool:
        if known in (users["alice"].encode(), users["dear"].encode()):
            raise raised
        made.append(known)
        return False

    monkeypatch.setattr(bcrypt, "checkpw", check)
    for user in users:
        made.clear()
        assert not asyncio.run(Passwords().admit(users, authorization(user, b"right"), Client()))
        assert sum(2 ** int(known[4:6]) for known in made) == 2**6, user


def test_request_without_credentials_costs_no_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    made = counted(monkeypatch)
    for header in (b"", b"Basic", b"Basic ====", b"Bearer YTpi", b"Basic YWxpY2U="):
        assert not asyncio.run(Passwords().admit({"alice": hashed("right")}, header, Client()))
    assert made == []


def test_flood_of_wrong_passwords_delays_no_scraper_that_is_known(tmp_path: Path) -> None:
    web = f"basic_auth_users: {{alice: '{hashed('right', 10)}'}}"
    with guarded(tmp_path, web) as served, plain_http.Client(auth=("alice", "right"), timeout=60) as scraper:
        assert scraper.get(f"{served.url}/metrics").status_code == 200

        async def flood() -> list[int]:
            async with plain_http.AsyncClient(timeout=60) as strangers:
                return [
                    answer.status_code
                    for answer in await asyncio.gather(
                        *(strangers.get(f"{served.url}/metrics", auth=("x", str(n))) for n in range(60))
                    )
                ]

        async def both() -> tuple[list[int], int]:
            flooding = asyncio.create_task(flood())
            scrapes = 0
            while not flooding.done():
                answer = await asyncio.to_thread(scraper.get, f"{served.url}/metrics")
                assert answer.status_code == 200
                scrapes += 1
            return await flooding, scrapes

        begun = time.monotonic()
        answers, scrapes = asyncio.run(both())
        each = (time.monotonic() - begun) / scrapes
    assert set(answers) == {401}
    # 60 hashes of cost 10 are computed meanwhile, each dearer than many scrapes.
    assert scrapes > 60, each


def test_file_that_cannot_be_used_at_the_start_is_one_line(tmp_path: Path) -> None:
    config, web = tmp_path / "config.yaml", tmp_path / "web.yaml"
    config.write_text("database: {url: 'sqlite:////nowhere/x'}")
    web.write_text("basic_auth_users: {alice: plain}")
    for command in (["serve", "--config.file", str(config)], ["demo"]):
        done = run(*command, "--web.config.file", str(web))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert done.stderr.startswith(f"bernard-exporter: {web}:1: basic_auth_users.alice: found a value that is not")


def test_demo_stands_behind_the_file_too(tmp_path: Path) -> None:
    web = tmp_path / "web.yaml"
    web.write_text(WEB)
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, "demo", "--web.listen-address", address, "--web.config.file", str(web)]

    def answers(status: int, **named: object) -> bool:
        try:
            return plain_http.get(f"http://{address}/metrics", **named).status_code == status  # type: ignore[arg-type]
        except httpx.TransportError:
            return False

    with process(command, tmp_path / "log", {"TMPDIR": str(tmp_path)}):
        eventually(lambda: answers(401), "the demo asks for a password")
        assert answers(200, auth=("alice", "right"))
