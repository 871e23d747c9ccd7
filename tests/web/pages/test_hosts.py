"""The pages of hosts: what is stored where."""

from __future__ import annotations

from pathlib import Path

import pytest

from testing.rows import CODFW, EQIAD, NOW, Rows
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.served import Served


def test_list_has_every_host_with_what_it_stores(served: Served) -> None:
    assert served.get("/hosts").rows("hosts") == [
        [CODFW, "codfw", "of 1 job 1 not fresh", "1", "90.0 MiB", "1", "0", "2"],
        [EQIAD, "eqiad", "of 3 jobs 1 not fresh", "1", "679.0 MiB", "7", "1", "11"],
    ]


def test_page_has_the_jobs_whose_newest_success_it_stores_and_its_runs(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/hosts/{EQIAD}")
    assert page.status == 200
    assert [row[:2] for row in page.rows("jobs")] == [
        ["s2 dump · eqiad", "Wrong size"],
        ["s1 dump · eqiad", "Fresh"],
        ["m1 dump · eqiad", "Not in policy"],
    ]
    assert page.rows("jobs")[1][5] == str(ids["newest"])
    assert "Retained 679.0 MiB in 7 backups" in page.text()
    assert len(page.rows("runs")) == 11
    assert {row[7] for row in page.rows("runs")} == {EQIAD}
    assert f"/runs?host={EQIAD}" in page.links()


def test_short_name_leads_to_the_host(served: Served) -> None:
    assert served.get(f"/hosts/{CODFW.partition('.')[0]}").rows("jobs")[0][0] == "s1 dump · codfw"


@pytest.mark.parametrize("name", ["nowhere", "%3Cscript%3E", "."])
def test_unknown_host_is_a_404(served: Served, name: str) -> None:
    page = served.get(f"/hosts/{name}")
    assert page.status == 404 or (name == "." and page.status == 200)


def test_rows_of_runs_link_job_run_source_and_host(served: Served, ids: dict[str, int]) -> None:
    links = served.get("/runs").links()
    newest = ids["newest"]
    for link in (f"/runs/{newest}", "/jobs/s1/dump/eqiad", f"/hosts/{EQIAD}"):
        assert link in links
    assert any(link.startswith("/runs?source=") for link in links)
    links = served.get(f"/runs/{newest}").links()
    assert f"/hosts/{EQIAD}" in links


def test_while_the_database_is_away_the_last_inventory_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "inventory.sqlite"
    fill(Rows(f"sqlite:///{file}"))
    served = Served(f"sqlite:///{file}", POLICY, clock=lambda: NOW)
    file.rename(tmp_path / "away")
    served.poller.tick()
    assert len(served.get("/hosts").rows("hosts")) == 2
    page = served.get(f"/hosts/{EQIAD}")
    assert page.status == 200
    assert "so runs are not shown" in page.text()
    served.close()
