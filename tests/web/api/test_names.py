"""For any file names in a backup, API, CSV, cursors, pages and metrics succeed."""

from __future__ import annotations

import csv
import io
import json
import urllib.parse
from collections.abc import Iterator

import pytest

from testing.rows import DAY, HOUR, MIB, NOW, Rows
from tests.web.pages.fleet import POLICY
from tests.web.pages.served import Served

ODD = [
    "x@d800",
    "@dfff",
    "\x01\x1b[31m",
    "\x85\u2028",
    "..",
    "'\"`;--",
    "\u202e",
    "w" * 140,
    "é@0p@d83d",
    "-schema" * 9,
]
RUNS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    rows = Rows(f"sqlite:///{tmp_path_factory.mktemp('names') / 'inventory.sqlite'}")
    for run_id, backup_type in zip(RUNS, ("dump", "dump", "snapshot", "snapshot"), strict=True):
        age = DAY if run_id % 2 else HOUR * 3
        rows.add(id=run_id, type=backup_type, start=NOW - age, size=MIB)
        names = ODD[run_id % 2 :: 1 + run_id % 2]
        if backup_type == "dump":
            files = [f"{odd}.{odd}{end}" for odd in names for end in ("-schema.sql", ".00000.sql.gz", ".sql")]
        else:
            files = [f"{odd}/{odd}.{end}" for odd in names for end in ("frm", "ibd.qp")]
        rows.add_files(run_id, dict.fromkeys(files, 10))
    served = Served(rows.url, POLICY)
    yield served
    served.close()


def items(served: Served, address: str) -> list[dict[str, object]]:
    """Return what a client finds who follows the cursors, one item a page."""
    found: list[dict[str, object]] = []
    cursor = ""
    while True:
        page = served.get(f"{address}?limit=1{cursor}")
        assert page.status == 200
        document = json.loads(page.answer.content.decode("utf-8"))
        found += document["items"]
        if document["next_cursor"] is None:
            return found
        cursor = f"&cursor={urllib.parse.quote(document['next_cursor'])}"


@pytest.mark.parametrize("run_id", RUNS)
@pytest.mark.parametrize("what", ["files", "objects"])
def test_every_name_is_in_json_csv_and_on_some_page_of_one(served: Served, run_id: int, what: str) -> None:
    address = f"/api/v1/runs/{run_id}/{what}"
    whole = json.loads(served.get(f"{address}?limit=1000", **{"accept-encoding": "gzip"}).answer.content)["items"]
    assert whole
    assert items(served, address) == whole
    table = served.get(f"{address}?limit=1000", accept="text/csv")
    rows = list(csv.DictReader(io.StringIO(table.answer.content.decode("utf-8"), newline="")))
    assert [row["name"] for row in rows] == [item["name"] or "" for item in whole]


@pytest.mark.parametrize("run_id", RUNS)
def test_files_of_each_database_are_found_by_its_name(served: Served, run_id: int) -> None:
    objects = items(served, f"/api/v1/runs/{run_id}/objects")
    for thing in (thing for thing in objects if thing["name"] is None):
        address = f"/api/v1/runs/{run_id}/files?limit=1000&db={urllib.parse.quote(str(thing['db']))}"
        assert len(json.loads(served.get(address).answer.content)["items"]) == thing["files"], thing


def test_pages_diff_and_metrics_answer(served: Served) -> None:
    for address in [f"/runs/{run_id}" for run_id in RUNS] + ["/metrics", "/api/v1/jobs"]:
        assert served.get(address).status == 200, address
    for run_id in RUNS:
        against = RUNS[(run_id + 1) % 4]
        assert served.get(f"/api/v1/runs/{run_id}/diff?against={against}").status == 200
