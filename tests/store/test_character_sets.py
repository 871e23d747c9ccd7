"""Columns in latin1 and names that latin1 lacks cause correct results and no errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from bernard_exporter.domain.model import Job
from testing.command_runner import command
from testing.rows import DAY, NOW, Rows
from tests.queries.inventory import S1, policy
from tests.web.api.client import Api

ABSENT, PRESENT = "中", "café"
_LATIN1 = (
    "ALTER TABLE backups MODIFY section VARCHAR(100) CHARACTER SET latin1,"
    " MODIFY type ENUM('dump', 'snapshot', 'cold') CHARACTER SET latin1,"
    " MODIFY status ENUM('ongoing', 'finished', 'failed') CHARACTER SET latin1 NOT NULL"
)


@pytest.fixture
def latin1(mariadb_url: str) -> Rows:
    rows = Rows(mariadb_url)
    rows.execute(_LATIN1)
    for days in (2, 1):
        rows.add(section=PRESENT, start=NOW - days * DAY)
    rows.add(section="s1", start=NOW - DAY)
    return rows


@pytest.mark.parametrize(
    ("query", "sections"),
    [
        (f"section={ABSENT}", []),
        (f"section={PRESENT}", [PRESENT, PRESENT]),
        (f"section={ABSENT}&section=s1", ["s1"]),
        (f"type={ABSENT}", []),
        (f"type={ABSENT}&type=dump&section=s1", ["s1"]),
        (f"source={ABSENT}", []),
        (f"host={ABSENT}", []),
        (f"name={ABSENT}", []),
        (f"name={PRESENT}", [PRESENT, PRESENT]),
        (f"datacenter={ABSENT}", []),
    ],
)
def test_filter_finds_what_is_so_named_and_is_no_error(latin1: Rows, query: str, sections: list[str]) -> None:
    api = Api(latin1, policy(S1, Job(ABSENT, "dump", "eqiad")))
    assert [run["section"] for run in api.json(f"runs?{query}")["items"]] == sections
    assert api.request("GET", f"/runs?{query}").status_code == 200
    assert api.request("GET", f"/jobs/{ABSENT}/dump/eqiad").status_code == 200
    api.close()


@pytest.mark.parametrize(
    ("section", "status", "says"),
    [(ABSENT, 3, "UNKNOWN"), (PRESENT, 2, f"{PRESENT}"), ("s1", 2, "s1")],
)
def test_check_judges_what_is_so_named(
    latin1: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str], section: str, status: int, says: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {{url: '{latin1.url}'}}\npolicy: {{sections: {{s1: [dump]}}}}\n")
    outcome = command(capsys, "check", "-s", section, "-t", "dump", "-d", "eqiad", "--config.file", config)
    assert (outcome.status, outcome.err) == (status, "")
    assert says in outcome.out
    assert "illegal mix" not in outcome.out.lower()
