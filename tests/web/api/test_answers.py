"""Every operation of the API, on each kind of store, with a fixed clock."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bernard_exporter.domain.model import Job
from testing.rows import CODFW, DAY, HOUR, MIB, NOW, Rows
from tests.queries.inventory import KINDS, S1, inventory, policy
from tests.web.api.client import Api

GOLDEN = Path(__file__).parent / "golden"
ODD = "'; DROP TABLE backups; -- <script>alert(1)</script>"
FILES: dict[str, int | None] = {
    "metadata": 100,
    "enwiki.page.sql.gz": 4 * MIB,
    "enwiki.watch.sql.gz": 2 * MIB,
    "<b>.t.sql.gz": None,
}
BEFORE: dict[str, int | None] = {
    "metadata": 100,
    "enwiki.page.sql.gz": 2 * MIB,
    "enwiki.old.sql.gz": 1000,
    "gone.x.sql.gz": 5,
}


@pytest.fixture(scope="module", params=KINDS)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with inventory(request.param, request, tmp_path_factory.mktemp("api")) as rows:
        fill(rows)
        found = Api(rows, policy(S1, Job("s1", "dump", "codfw")))
        yield found
        found.close()


def fill(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 8 * DAY, size=9 * MIB)
    rows.add(id=2, start=NOW - DAY)
    rows.add(id=3, start=NOW - HOUR, status="ongoing")
    rows.add(id=4, start=NOW - 2 * DAY, host=CODFW, status="failed")
    rows.add(id=5, start=NOW - 3 * DAY, type="snapshot", section=ODD[:50], name=ODD, source=ODD, host=ODD)
    rows.add_files(1, dict(BEFORE))
    rows.add_files(2, dict(FILES))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("jobs", "jobs"),
        ("job", "jobs/s1/dump/eqiad"),
        ("runs", "runs"),
        ("run", "runs/5"),
        ("files", "runs/2/files"),
        ("objects", "runs/2/objects"),
        ("diff", "runs/2/diff"),
        ("diff-unknown", "runs/1/diff"),
        ("schedule", "schedule?from=2026-03-02T00:00:00Z&to=2026-03-18T00:00:00Z"),
        ("sections", "sections"),
        ("datacenters", "datacenters"),
        ("types", "types"),
        ("hosts", "hosts"),
    ],
)
def test_answer_is_as_recorded(api: Api, name: str, path: str) -> None:
    """To record the expected responses again, delete the file and run the test twice."""
    golden = GOLDEN / f"{name}.json"
    found = api.json(path)
    if not golden.exists():
        golden.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
        pytest.fail(f"{golden} is recorded; look at it")
    assert found == json.loads(golden.read_text())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("jobs?state=missing", [["s1", "codfw"]]),
        ("jobs?section=s1&datacenter=eqiad", [["s1", "eqiad"]]),
        ("jobs?section=s1&section=s2", [["s1", "codfw"], ["s1", "eqiad"]]),
        ("jobs?limit=1", [["s1", "codfw"], ["s1", "eqiad"], [ODD[:50], "unknown"]]),
        ("jobs?type=cold", []),
        (f"jobs?section={ODD[:50].replace(';', '%3B')}", [[ODD[:50], "unknown"]]),
    ],
)
def test_jobs_are_filtered(api: Api, path: str, expected: list[list[str]]) -> None:
    assert sorted([job["section"], job["datacenter"]] for job in api.items(path)) == sorted(expected)


def test_job_that_is_not_there_is_named(api: Api) -> None:
    detail = api.request("GET", "/api/v1/jobs/s1/dump/nowhere").json()["detail"]
    assert detail == "no job s1/dump/nowhere in the policy or the inventory"


def test_jobs_are_filtered_by_the_rank_that_they_have(api: Api) -> None:
    jobs = api.items("jobs")
    assert {job["rank"] for job in jobs} >= {None, "critical"}
    for rank in ("ok", "warning", "critical"):
        assert api.items(f"jobs?rank={rank}") == [job for job in jobs if job["rank"] == rank]
    assert api.items("jobs?rank=ok&rank=critical&rank=warning") == [job for job in jobs if job["rank"]]


def test_runs_are_filtered_by_the_duration_that_they_have(api: Api) -> None:
    runs = api.items("runs")
    durations = {run["duration"] for run in runs} - {None}
    assert durations
    for least in {0, *durations, *(duration + 1 for duration in durations)}:
        long = [run for run in runs if run["duration"] is not None and run["duration"] >= least]
        assert api.items(f"runs?min_duration={least:.0f}") == long


def test_date_alone_is_its_midnight(api: Api) -> None:
    by_date = api.items("schedule?from=2026-03-02&to=2026-03-18")
    assert by_date == api.items("schedule?from=2026-03-02T00:00:00Z&to=2026-03-18T00:00:00Z")
    assert by_date
    for name in ("started_after", "started_before", "ended_after", "ended_before"):
        assert api.items(f"runs?{name}=2026-03-09") == api.items(f"runs?{name}=2026-03-09T00:00:00Z"), name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"section": ["s1"], "status": ["failed", "ongoing"]}, [4, 3]),
        ({"datacenter": ["eqiad"], "sort": "-size"}, [2, 1, 3]),
        ({"name": "<SCRIPT>"}, [5]),
        ({"source": [ODD], "host": [ODD], "section": [ODD[:50]]}, [5]),
        ({"started_after": "2026-03-09T12:00:00+00:00"}, [3, 2]),
        ({"started_after": "2026-03-09", "started_before": "2026-03-10"}, [2]),
        ({"ended_before": "2026-03-03T12:00:00Z", "min_size": 1, "max_size": 9 * MIB}, [1]),
        ({"limit": 2}, [5, 4]),
        ({}, [5, 4, 3, 2, 1]),
    ],
)
def test_search_by_body_finds_what_the_query_finds(api: Api, query: dict[str, Any], expected: list[int]) -> None:
    by_query = api.request("GET", "/api/v1/runs", params=query)
    by_body = api.request("POST", "/api/v1/runs/search", json=query)
    assert (by_query.status_code, by_body.status_code) == (200, 200)
    assert by_query.json() == by_body.json()
    assert [run["id"] for run in by_query.json()["items"]] == expected


def test_cursors_lead_through_every_list(api: Api) -> None:
    for path in ("runs?sort=-start", "runs/2/files?sort=-size", "runs/2/objects", "sections?", "hosts?", "schedule?"):
        whole = api.json(path)
        assert whole["next_cursor"] is None
        assert len(whole["items"]) > 1
        assert api.items(f"{path}{'' if path.endswith('?') else '&' if '?' in path else '?'}limit=1") == whole["items"]


def test_page_ends_with_a_cursor_where_there_is_more(api: Api) -> None:
    page = api.get("runs?limit=2", accept="text/csv")
    assert page.headers["x-next-cursor"] == api.json("runs?limit=2")["next_cursor"]


@pytest.mark.parametrize("path", ["jobs", "runs", "runs/2/files", "runs/2/objects", "schedule", "sections", "hosts"])
def test_list_is_csv_when_asked_for(api: Api, path: str) -> None:
    answer = api.get(path, accept="text/csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["vary"] == "accept"
    header, *lines = csv.reader(io.StringIO(answer.text))
    items = api.json(path)["items"]
    assert len(lines) == len(items) > 0
    column = next(name for name in header if name in items[0] and isinstance(items[0][name], str))
    assert [line[header.index(column)] for line in lines] == [item[column] for item in items]


def test_hostile_names_are_whole_in_csv(api: Api) -> None:
    rows = list(csv.DictReader(io.StringIO(api.get("runs", accept="text/csv").text)))
    assert [row["name"] for row in rows if row["id"] == "5"] == [ODD]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("text/html", "application/json"),
    ],
)
def test_format_is_negotiated(api: Api, accept: str, kind: str) -> None:
    assert api.get("runs", accept=accept).headers["content-type"] == kind


@pytest.mark.parametrize("path", ["jobs", "runs/2", "runs/2/files", "openapi.json", "../docs", "../docs.css"])
def test_answer_that_did_not_change_is_not_sent_again(api: Api, path: str) -> None:
    first = api.get(path)
    again = api.get(path, **{"if-none-match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert api.get(path, **{"if-none-match": '"other"'}).status_code == 200


def test_head_has_the_headers_and_no_body(api: Api) -> None:
    answer = api.request("HEAD", "/api/v1/runs")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == api.get("runs").headers["etag"]


@pytest.mark.parametrize(
    ("path", "status", "parameter"),
    [
        ("runs?nothing=1", 400, "nothing"),
        ("runs?limit=0", 400, "limit"),
        ("runs?limit=1001", 400, "limit"),
        ("runs?limit=many", 400, "limit"),
        ("runs?limit=1&limit=2", 400, "limit"),
        ("runs?limit=", 400, "limit"),
        ("runs?min_size=-1", 400, "min_size"),
        ("runs?max_size=99999999999999999999", 400, "max_size"),
        ("runs?min_duration=-1", 400, "min_duration"),
        ("runs?min_duration=1h", 400, "min_duration"),
        ("runs?min_duration=9999999999999", 400, "min_duration"),
        ("jobs?rank=bad", 400, "rank"),
        ("runs?status=good", 400, "status"),
        ("runs?sort=name", 400, "sort"),
        ("runs?cursor=garbage", 400, "cursor"),
        ("runs?cursor=", 400, "cursor"),
        ("runs?started_after=yesterday", 400, "started_after"),
        ("runs?started_after=2026-02-29", 400, "started_after"),
        ("runs?started_after=20260310", 400, "started_after"),
        ("runs?started_after=2026-03-10T12:00:00", 400, "started_after"),
        ("runs?started_after=2026-13-10T12:00:00Z", 400, "started_after"),
        (f"runs?name={'x' * 301}", 400, "name"),
        ("runs?" + "&".join("section=s1" for _ in range(51)), 400, "section"),
        ("jobs?" + "&".join("state=fresh" for _ in range(51)), 400, "state"),
        ("runs?" + "&".join("status=failed" for _ in range(51)), 400, "status"),
        ("runs/0", 400, "id"),
        ("runs/4294967296", 400, "id"),
        ("runs/abc", 404, None),
        ("runs/99", 404, None),
        ("runs/99/files", 404, None),
        ("runs/99/objects", 404, None),
        ("runs/99/diff", 404, None),
        ("runs/2/diff?against=99", 404, None),
        ("runs/2/diff?against=0", 400, "against"),
        ("runs/2/diff?threshold=-1", 400, "threshold"),
        ("runs/2/diff?threshold=nan", 400, "threshold"),
        ("runs/2/files?path=a&path=b", 400, "path"),
        ("jobs?state=rotten", 400, "state"),
        ("jobs/s1/dump/nowhere", 404, None),
        ("jobs/s1/dump/eqiad?x=1", 400, "x"),
        ("schedule?from=2026-03-10T12:00:00Z&to=2026-03-10T11:00:00Z", 400, "to"),
        ("schedule?from=0001-01-01T00:00:00Z", 400, "from"),
        ("hosts?limit=0", 400, "limit"),
        ("nothing", 404, None),
    ],
)
def test_bad_question_is_a_problem_that_says_what(api: Api, path: str, status: int, parameter: str | None) -> None:
    answer = api.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem.get("parameter")) == (status, status, parameter)
    assert problem["detail"]
    assert set(problem) <= {"type", "title", "status", "detail", "parameter"}


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ("", "body"),
        ("{", None),
        ("[]", "body"),
        ('"x"', "body"),
        ('{"nothing": 1}', "nothing"),
        ('{"limit": 0}', "limit"),
        ('{"limit": null}', "limit"),
        ('{"section": ["\\ud800"]}', "section"),
        ('{"min_size": 1e400}', "min_size"),
        ('{"started_after": 5}', "started_after"),
        ('{"cursor": "' + "W" * 9000 + '"}', "cursor"),
    ],
)
def test_bad_body_is_a_problem_that_says_what(api: Api, body: str, parameter: str | None) -> None:
    headers = {"content-type": "application/json"}
    answer = api.request("POST", "/api/v1/runs/search", content=body, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    if parameter:
        assert answer.json()["parameter"] == parameter


def test_body_that_is_too_large_is_refused(api: Api) -> None:
    large = '{"name": "' + "x" * (1 << 20) + '"}'
    assert api.request("POST", "/api/v1/runs/search", content=large).status_code == 413

    async def chunks() -> Any:
        for _ in range(20):
            yield b" " * 65536

    assert api.request("POST", "/api/v1/runs/search", content=chunks()).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "runs"), ("DELETE", "runs/2"), ("PUT", "jobs"), ("GET", "runs/search")]
)
def test_other_methods_are_refused_with_those_there_are(api: Api, method: str, path: str) -> None:
    answer = api.request(method, f"/api/v1/{path}")
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["allow"] == ("POST" if path.endswith("search") else "GET")


def test_every_answer_tells_browsers_to_trust_nothing(api: Api) -> None:
    for path in ("v1/runs", "v1/nothing", "docs", "docs.css"):
        headers = api.request("GET", f"/api/{path}").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "unsafe" not in headers["content-security-policy"]


def test_docs_say_of_every_operation_without_another_host(api: Api) -> None:
    page = api.request("GET", "/api/docs")
    document = api.json("openapi.json")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "//" not in page.text.replace("</", "")
    assert "<script" not in page.text
    assert "<style" not in page.text
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} /api{path}</code>" in page.text
            for parameter in operation.get("parameters", []):
                assert f"<code>{parameter['name']}</code>" in page.text
    assert api.request("GET", "/api").headers["location"] == "/api/docs"
    assert api.request("GET", "/api/").headers["location"] == "/api/docs"
