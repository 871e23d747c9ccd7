"""Unusual requests and names cause no internal errors, and links with unusual names work."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bernard_exporter.domain.model import Job
from bernard_exporter.web.pages.links import Links
from bernard_exporter.web.url_prefix import Prefix
from testing.rows import HOUR, NOW, Rows
from tests.queries.inventory import S1, policy
from tests.web.api.client import Api

SECTIONS = ["a/b", "..", ".", "%2f", "a b?c", "x\ny", "x\ry", "\n", "x\\y", "x\0y", "x\n"]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    rows = Rows(f"sqlite:///{tmp_path_factory.mktemp('odd') / 'inventory.sqlite'}")
    rows.add(id=1)
    rows.add(id=2, status="failed")
    for section in SECTIONS:
        rows.add(section=section, start=NOW - HOUR)
    rows.add_files(1, {"d.t\udcff.sql.gz".encode("utf-8", "replace").decode(): 1, "d.list@dada.sql.gz": 2})
    made = Api(rows, policy(S1))
    yield made
    made.close()


@pytest.mark.parametrize("section", SECTIONS)
def test_job_of_any_name_has_a_link_that_works(api: Api, section: str) -> None:
    link = Links().job(Job(section, "dump", "eqiad"))
    page = api.request("GET", link)
    assert page.status_code == 200
    assert f"<bdi>{section}</bdi>" in page.text or section in page.text
    assert "/../" not in link
    if section not in ("..", "."):
        answer = api.request("GET", f"/api/v1{link}")
        assert (answer.status_code, answer.json()["section"]) == (200, section)


@pytest.mark.parametrize("section", ["x\ny", "x\n", "\n"])
def test_job_with_a_line_break_is_found_under_a_prefix_too(tmp_path: Path, section: str) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(section=section)
    made = Api(rows, policy(S1), prefix=Prefix("/backups", "/backups"))
    link = Links().job(Job(section, "dump", "eqiad"))
    assert section in made.request("GET", f"/backups{link}").text
    assert made.request("GET", f"/backups/api/v1{link}").json()["section"] == section
    made.close()


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/runs"])
def test_header_that_is_sent_twice_means_both(api: Api, path: str) -> None:
    def kind(*accept: str) -> str:
        answer = api.request("GET", path, headers=[("accept", value) for value in accept])
        return answer.headers["content-type"].partition(";")[0]

    special = "application/openmetrics-text" if path == "/metrics" else "text/csv"
    usual = kind("*/*")
    assert kind(special) == kind(special, "*/*;q=0.1") == kind("*/*;q=0.1", special) == special != usual
    assert kind(f"{special};q=0", "*/*") == kind("*/*", f"{special};q=0.5") == usual


@pytest.mark.parametrize("name", ["path", "self", "run_id", "job", "parameters", "cursor_", "page"])
def test_parameter_of_any_name_is_passed_on_in_links(api: Api, name: str) -> None:
    for path in ("/runs", "/runs/1", "/runs/1?sort=size"):
        assert api.request("GET", path, params={name: "x"}).status_code == 200
    assert f"/runs.csv?{name}=x" in api.request("GET", "/runs", params={name: "x"}).text


_IDS = ["9" * 5000, "9" * 20, "0" * 5000, str(1 << 32), str(1 << 63), "-1", "1.0", "٣", "%00"]


@pytest.mark.parametrize("path", ["runs/{}", "runs/{}/files", "runs/{}/objects", "runs/{}/diff"])
@pytest.mark.parametrize("run_id", _IDS)
def test_id_beyond_all_ids_is_refused(api: Api, path: str, run_id: str) -> None:
    assert api.get(path.format(run_id)).status_code in (400, 404)
    assert api.request("GET", f"/{path.format(run_id)}").status_code == 404


_INVISIBLE = (" ", "\xa0", "\u3000", "\ufeff", "\u200b", "\u2060", "\xad", "\x01", "\u200e \ufeff")
_FORMULAS = (
    *("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"),
    *("\t", "\r", "\n", "\v", "\t=", "\r=", "\n=", "\v="),
    *(f"{invisible}{sign}" for invisible in _INVISIBLE for sign in ("=", "\uff20")),
)
_NO_FORMULAS = ("", " ", "\ufeff", "x=", "'=", "(-", "\u4e00=", "1=")


def test_downloads_hold_no_formula_and_the_api_is_exact(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    begins = (*_FORMULAS, *_NO_FORMULAS)
    for number, begin in enumerate(begins, 1):
        rows.add(id=number, source=f"{begin}1+1", start=NOW - number * HOUR)
        rows.add_files(number, {f"{begin}x.t.sql.gz": 5})
    made = Api(rows, policy(S1))

    def cells(path: str, column: str, **headers: str) -> list[str]:
        answer = made.request("GET", path, headers=headers)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return [row[column] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]

    plain = [f"{begin}1+1" for begin in begins]
    assert cells("/api/v1/runs?sort=id", "source", accept="text/csv") == plain
    escaped = [f"'{begin}1+1" for begin in _FORMULAS]
    assert cells("/runs.csv?sort=id", "source") == [*escaped, *plain[len(_FORMULAS) :]]
    assert cells("/runs.csv?sort=id&section=s1", "id") == [str(number) for number in range(1, len(begins) + 1)]
    for number, begin in enumerate(("=", "+", "-", "@"), 1):
        assert cells(f"/runs/{number}/files.csv", "name") == [f"'{begin}x.t.sql.gz"]
        assert set(cells(f"/runs/{number}/objects.csv", "db")) == {f"'{begin}x"}
    for path, link in (("/runs?section=s1", "/runs.csv?section=s1"), ("/runs/1", "/runs/1/files.csv")):
        assert f'href="{link}"' in made.request("GET", path).text
    assert made.request("GET", "/runs/99/files.csv").status_code == 404
    made.close()


def test_filter_in_a_body_is_one_value_or_a_list(api: Api) -> None:
    def found(body: Any) -> list[int]:
        answer = api.request("POST", "/api/v1/runs/search", json=body)
        assert answer.status_code == 200, answer.text
        return [run["id"] for run in answer.json()["items"]]

    assert found({"status": "failed"}) == found({"status": ["failed"]}) == [2]
    assert found({"section": "s1", "type": ["dump", "snapshot"]}) == [2, 1]
    for wrong in ({"status": "gone"}, {"status": 1}, {"status": {"a": 1}}, {"status": [["failed"]]}, {"status": None}):
        assert api.request("POST", "/api/v1/runs/search", json=wrong).status_code == 400


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"section": 5}, "section: found 5, expected a text"),
        ({"section": None}, "section: found null, expected a text"),
        ({"section": [{}]}, "section: found an object, expected a text"),
        ({"status": 5}, "status: found 5, expected one of ongoing, finished, failed, deleted, unknown"),
        ({"status": ["gone"]}, "status: found 'gone', expected one of ongoing, finished, failed, deleted, unknown"),
        ({"limit": "x", "status": 5}, "status: found 5, expected one of ongoing, finished, failed, deleted, unknown"),
        ({"limit": 1.5}, "limit: found 1.5, expected a whole number"),
        ({"limit": 0}, "limit: found 0, expected at least 1"),
        ({"limit": 1001}, "limit: found 1001, expected at most 1000"),
        ({"min_size": 1 << 63}, "min_size: found 9223372036854775808, expected less than 9223372036854775808"),
        ({"name": "x" * 301}, "name: found 301 characters, expected at most 300"),
        ({"name": "\ud800"}, "name: found a lone surrogate, expected valid Unicode text"),
        ({"host": ["x"] * 51}, "host: found 51 values, expected at most 50"),
        ({"ended_after": "2026-02-29"}, "ended_after: found '2026-02-29', expected a date, or a time with a time zone"),
        ([], "body: found a list, expected a JSON object"),
        ("x" * 50, f"body: found '{'x' * 40}', expected a JSON object"),
    ],
)
def test_error_in_a_body_says_what_was_found_and_expected(api: Api, body: Any, detail: str) -> None:
    headers = {"content-type": "application/json"}
    problem = api.request("POST", "/api/v1/runs/search", content=json.dumps(body), headers=headers).json()
    assert f"{problem['parameter']}: {problem['detail']}".startswith(detail)


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("limit=many", "limit: found 'many', expected a whole number"),
        ("sort=x", "sort: found 'x', expected one of -id, id, -start"),
        ("x=1", "x: unknown parameter, expected section, type, datacenter, status, source"),
        ("limit=1&limit=2", "limit: given more than once, expected once"),
    ],
)
def test_error_in_a_query_says_what_was_found_and_expected(api: Api, query: str, detail: str) -> None:
    problem = api.get(f"runs?{query}").json()
    assert f"{problem['parameter']}: {problem['detail']}".startswith(detail)


def test_names_of_attributes_are_no_parameters(api: Api) -> None:
    """Pydantic also accepts the attribute ``from_`` for its alias."""
    problem = api.get("schedule?from_=2026-03-10").json()
    assert (problem["status"], problem["parameter"]) == (400, "from_")
    assert api.get("schedule?from=x").json()["parameter"] == "from"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"NaN",
        b'{"limit": NaN}',
        b'{"min_size": 1e400}',
        b'{"limit": ' + b"9" * 5000 + b"}",
        b'{"limit": 1, "limit": 2}',
        b"[" * 100_000,
        b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"name": "\\ud800"}',
        b'{"name": "\\u0000"}',
        b'{"cursor": "\\ud800"}',
        b"\xff\xfe{}",
    ],
)
def test_body_that_is_no_search_is_no_server_error(api: Api, body: bytes) -> None:
    for kind in ("application/json", "text/plain", "application/json; charset=\xff", ""):
        headers = {"content-type": kind.encode("latin-1")} if kind else {}
        answer = api.request("POST", "/api/v1/runs/search", content=body, headers=headers)
        assert answer.status_code < 500, (kind, answer.text)


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=6,
)
_CURSORS = st.one_of(
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
    st.text(max_size=40),
    st.tuples(st.sampled_from(["-id", "id", "-start", "name", "-size"]), st.lists(_VALUES, max_size=4)).map(
        lambda made: base64.urlsafe_b64encode(json.dumps([made[0], *made[1]]).encode()).decode().rstrip("=")
    ),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=_CURSORS, sort=st.sampled_from(["id", "-id", "-start", "-size", "duration"]))
def test_no_cursor_is_a_server_error(api: Api, cursor: str, sort: str) -> None:
    for path, order in (("runs", sort), ("runs/1/files", "-size"), ("runs/1/objects", "name"), ("jobs", None)):
        asked = {"cursor": cursor} | ({"sort": order} if order else {})
        assert api.request("GET", f"/api/v1/{path}", params=asked).status_code < 500
    assert api.request("GET", "/runs", params={"cursor": cursor, "sort": sort}).status_code < 500
    assert api.request("GET", "/runs/1", params={"cursor": cursor, "object_cursor": cursor}).status_code < 500


_FOLDERS = ["", "jobs/", "runs/", "api/v1/", "api/v1/jobs/", "api/v1/runs/1/"]
_NAMED = ["runs?name", "runs?q", "runs?section", "jobs?section", "schedule?day", "metrics?name[]", "api/v1/runs?host"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=30), folder=st.sampled_from(_FOLDERS))
def test_no_address_is_a_server_error(api: Api, raw: bytes, folder: str) -> None:
    quoted = "".join(f"%{byte:02x}" for byte in raw)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "TRACE"):
        assert api.request(method, f"/{folder}{quoted}").status_code < 500
    for named in _NAMED:
        assert api.request("GET", f"/{named}={quoted}").status_code < 500
