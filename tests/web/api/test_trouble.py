"""Responses of the API while the database is unavailable or slow, or under overload."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.runs import find_run
from bernard_exporter.web.url_prefix import prefix
from testing.rows import NOW, Rows
from testing.servers import MariaDB
from tests.queries.inventory import S1, policy
from tests.web.api.client import Api


@pytest.fixture
def sqlite(tmp_path: Path) -> Rows:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(id=1)
    return rows


def test_database_that_is_away_is_503_and_jobs_are_still_told(own_mariadb: MariaDB) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups")
    rows = Rows(own_mariadb.url("dbbackups"))
    rows.add(id=1)
    api = Api(rows, policy(S1))
    assert own_mariadb.running
    own_mariadb.running.kill()
    own_mariadb.running.wait()
    for path in ("runs", "runs/1", "runs/1/files", "runs/1/objects", "runs/1/diff", "schedule"):
        answer = api.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        assert answer.json()["detail"] == "the database cannot be read at the moment (connect)"
    assert [job["state"] for job in api.items("jobs")] == ["only_one"]
    api.close()


def test_nothing_is_said_of_jobs_before_the_first_poll(sqlite: Rows) -> None:
    api = Api(sqlite, policy(S1), polls=0)
    for path in ("jobs", "jobs/s1/dump/eqiad", "sections", "hosts", "schedule", "runs?datacenter=eqiad"):
        assert (api.get(path).status_code, api.get(path).headers["retry-after"]) == (503, "30")
    assert [run["id"] for run in api.items("runs")] == [1]
    api.close()


def test_question_that_takes_too_long_is_503_and_says_what_to_narrow(own_mariadb: MariaDB) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups")
    rows = Rows(own_mariadb.url("dbbackups"))
    rows.add(id=1)
    api = Api(rows, policy(S1))
    locked = own_mariadb.connect("dbbackups")
    locked.cursor().execute("LOCK TABLES backups WRITE, backup_files WRITE")
    answer = api.get("runs?name=x")
    locked.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["detail"].startswith(
        "the database took longer than 5 s; narrow the query: filter by section and"
    )
    api.close()


def test_error_that_the_database_answers_is_503_in_its_words_and_not_worth_asking_again(own_mariadb: MariaDB) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups", "CREATE USER reader@'%'")
    rows = Rows(own_mariadb.url("dbbackups"))
    rows.add(id=1)
    own_mariadb.execute("GRANT SELECT ON dbbackups.backups TO reader@'%'")
    rows.url = own_mariadb.url("dbbackups", "reader")
    api = Api(rows, policy(S1))
    answer = api.get("runs/1/files")
    assert answer.status_code == 503
    assert "retry-after" not in answer.headers
    assert answer.json()["title"] == "The database returned an error"
    assert answer.json()["detail"] == (
        "error 1142: SELECT command denied to the exporter's account for table "
        "`dbbackups`.`backup_files`; run GRANT SELECT ON dbbackups.* TO the exporter's user"
    )
    page = api.request("GET", "/runs/1")
    assert page.status_code == 503
    assert "retry-after" not in page.headers
    assert "The database returned an error" in page.text
    assert "away" not in page.text
    assert "reader" not in page.text
    api.close()


def test_database_that_the_server_does_not_have_is_503_without_its_address(own_mariadb: MariaDB) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups")
    rows = Rows(own_mariadb.url("dbbackups"))
    api = Api(rows, policy(S1))
    own_mariadb.execute("DROP DATABASE dbbackups")
    answer = api.get("runs")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, False)
    assert answer.json()["detail"].startswith("error 1049: Unknown database 'dbbackups'; ")
    api.close()


def test_more_questions_than_can_wait_are_503_at_once(sqlite: Rows) -> None:
    """Those that wait are answered in the end, and then there is room again."""
    api = Api(sqlite, policy(S1))
    free, begun = threading.Event(), threading.Semaphore(0)

    def hang(_: DatabaseView) -> None:
        begun.release()
        free.wait(60)

    async def ask() -> tuple[list[int], list[int], int]:
        transport = httpx.ASGITransport(app=api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            hanging = [asyncio.ensure_future(api.executor.query_database(hang)) for _ in range(2)]
            await asyncio.to_thread(lambda: [begun.acquire(timeout=60) for _ in hanging])
            waiting = [asyncio.ensure_future(client.get("/api/v1/runs")) for _ in range(32)]
            await asyncio.sleep(0.5)
            refused = [await client.get("/api/v1/runs") for _ in range(3)]
            jobs = await client.get("/api/v1/jobs")
            metrics = await client.get("/metrics")
            free.set()
            answers = await asyncio.gather(*waiting)
            await asyncio.gather(*hanging)
            assert [answer.headers["retry-after"] for answer in refused] == ["1"] * 3
            assert (jobs.status_code, metrics.status_code) == (200, 200)
            later = await client.get("/api/v1/runs")
            return [a.status_code for a in answers], [a.status_code for a in refused], later.status_code

    assert asyncio.run(ask()) == ([200] * 32, [503] * 3, 200)
    api.close()


def test_one_question_that_takes_long_keeps_no_other_waiting(sqlite: Rows) -> None:
    api = Api(sqlite, policy(S1))
    free, begun = threading.Event(), threading.Event()

    def hang(_: DatabaseView) -> None:
        begun.set()
        free.wait(60)

    async def ask() -> list[int]:
        hanging = asyncio.ensure_future(api.executor.query_database(hang))
        await asyncio.to_thread(begun.wait, 60)
        ids = (await api.executor.query_database(lambda view: find_run(view.connection, 1).id) for _ in range(3))
        found = [id async for id in ids]
        assert not hanging.done()
        free.set()
        await hanging
        return found

    assert asyncio.run(ask()) == [1, 1, 1]
    api.close()


def test_questions_follow_a_reload_to_another_database(sqlite: Rows, tmp_path: Path) -> None:
    api = Api(sqlite, policy(S1))
    other = Rows(f"sqlite:///{tmp_path / 'other.sqlite'}")
    other.add(id=7, start=NOW)
    settings = type(api.poller.settings)(other.settings, policy=policy(S1))
    api.poller.reload(lambda: settings)
    assert [run["id"] for run in api.items("runs")] == [7]
    api.close()


def test_error_nobody_thought_of_is_a_problem_without_its_text(sqlite: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(sqlite, policy(S1))
    monkeypatch.setattr("bernard_exporter.queries.runs.page_of", lambda *_: 1 / 0)
    answer = api.get("runs")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "division" not in answer.text
    assert api.get("jobs").status_code == 200
    api.close()


def test_everything_is_under_the_prefix(sqlite: Rows) -> None:
    api = Api(sqlite, policy(S1), prefix=prefix("/backups", None))
    assert api.request("GET", "/backups/api/v1/runs").status_code == 200
    assert api.request("GET", "/api/v1/runs").status_code == 404
    document = api.request("GET", "/backups/api/v1/openapi.json").json()
    assert document["servers"] == [{"url": "/backups/api"}]
    assert 'href="/backups/api/docs.css"' in api.request("GET", "/backups/api/docs").text
    assert api.request("GET", "/backups/api/").headers["location"] == "/backups/api/docs"
    api.close()


def test_slow_bodies_keep_no_request_out(sqlite: Rows) -> None:
    api = Api(sqlite, policy(S1))

    async def ask() -> int:
        free = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"{"
            await free.wait()
            yield b"}"

        transport = httpx.ASGITransport(app=api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            sending = [asyncio.ensure_future(client.post("/api/v1/runs/search", content=slow())) for _ in range(100)]
            await asyncio.sleep(0.2)
            status = (await client.get("/api/v1/runs")).status_code
            free.set()
            await asyncio.gather(*sending)
            return status

    assert asyncio.run(ask()) == 200
    api.close()


def test_more_requests_than_the_framework_should_see_are_503(sqlite: Rows) -> None:
    api = Api(sqlite, policy(S1))

    async def ask() -> Counter[int]:
        transport = httpx.ASGITransport(app=api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://exporter.test") as client:
            # Not a query: fewer of them may wait.
            answers = await asyncio.gather(*(client.get("/api/docs") for _ in range(100)))
            assert {answer.headers.get("retry-after") for answer in answers if answer.status_code == 503} == {"1"}
            return Counter(answer.status_code for answer in answers)

    assert asyncio.run(ask()) == {200: 64, 503: 36}
    assert api.request("GET", "/api/docs").status_code == 200
    api.close()
