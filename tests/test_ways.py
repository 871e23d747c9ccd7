"""A row and a request pass through no more modules than docs/explanation/architecture.md says.

A module is on the way if one of its functions is running while a statement is executed, a text is rendered or a
response is built; the modules that such a function calls for a value are only entered.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import NamedTuple

import pytest

from testing.rows import DAY, NOW, Rows
from testing.tree import ROOT
from tests.queries.inventory import S1, policy
from tests.web.api.client import Api

_ARCHITECTURE = ROOT / "docs" / "explanation" / "architecture.md"
# The functions whose callers are on the way.
_STATIONS = {
    ("sqlalchemy.engine.base", "execute"),
    ("jinja2.environment", "render"),
    ("bernard_exporter.metrics.text_format", "lines"),
    ("starlette.responses", "__init__"),
    ("bernard_exporter.metrics.exposition", "answer"),
}


class Way(NamedTuple):
    """The numbers of modules on a way, of their rooms, and of all modules entered."""

    on: int
    rooms: int
    entered: int

    def is_within(self, documented: Way) -> bool:
        """Return whether no number is larger than documented."""
        return all(number <= most for number, most in zip(self, documented, strict=True))


def walk(act: Callable[[], object]) -> Way:
    """Return what a function passes through, in all threads that it starts."""
    on: set[str] = set()
    entered: set[str] = set()

    def module(frame: FrameType) -> str:
        return str(frame.f_globals.get("__name__", ""))

    def called(frame: FrameType, event: str, _: object) -> None:
        code: CodeType = frame.f_code
        if event != "call":
            return
        if module(frame).startswith("bernard_exporter."):
            entered.add(module(frame))
        if (module(frame), code.co_name) in _STATIONS:
            above: FrameType | None = frame
            while above:
                if module(above).startswith("bernard_exporter."):
                    on.add(module(above))
                above = above.f_back

    threading.setprofile(called)
    sys.setprofile(called)
    try:
        act()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return Way(len(on), len({name.split(".")[1] for name in on}), len(entered))


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(id=1)
    rows.add(id=3, start=NOW - DAY)
    for run_id in (1, 3):
        rows.add_files(run_id, {"a.t.sql.gz": 5})
    return rows


@pytest.fixture
def api(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    # A command that another test called in this process has set up the log.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    api = Api(rows, policy(S1))
    # The first request of each kind imports modules; the contents of run 1 are not cached yet.
    for path in ("/api/v1/runs", "/runs/3", "/metrics"):
        assert api.request("GET", path).status_code == 200
    yield api
    api.close()


def documented(way: str) -> Way:
    """Return the numbers in the table of the documentation."""
    row = re.search(rf"^\| {re.escape(way)} \| (\d+) \| (\d+) \| (\d+) \|$", _ARCHITECTURE.read_text(), re.MULTILINE)
    assert row, f"{_ARCHITECTURE} has no row {way!r}"
    return Way(*map(int, row.groups()))


def test_way_of_a_row_to_a_scraped_line_is_no_longer_than_documented(rows: Rows, api: Api) -> None:
    rows.add(id=2, status="failed")

    def poll_and_scrape() -> None:
        api.poller.tick()
        assert api.request("GET", "/metrics").status_code == 200

    found = walk(poll_and_scrape)
    assert found.is_within(documented("a row to a scraped line")), found


@pytest.mark.parametrize("path", ["/api/v1/runs", "/api/v1/runs/1", "/runs/1"])
def test_way_of_a_request_is_no_longer_than_documented(api: Api, path: str) -> None:
    found = walk(lambda: api.request("GET", path))
    assert found.is_within(documented(f"`{path}`")), found
