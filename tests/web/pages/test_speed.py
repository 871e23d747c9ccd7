"""Rendering a page costs little more than reading its data."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median

import pytest

from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.generate import generate
from testing.rows import NOW
from tests.web.pages.served import Served

JOBS = 1600


@pytest.mark.alone
def test_overview_of_1600_jobs_takes_at_most_three_times_as_long_as_their_json(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    generate(url, days=30, runs=2 * JOBS, jobs=JOBS, files=0, seed=1, now=NOW)
    served = Served(url, make_fleet(JOBS).policy, clock=lambda: NOW + timedelta(minutes=1))

    def json() -> None:
        first = served.get("/api/v1/jobs?limit=1000").answer.json()
        rest = served.get(f"/api/v1/jobs?limit=1000&cursor={first['next_cursor']}").answer.json()
        assert len(first["items"]) + len(rest["items"]) >= JOBS

    def page() -> None:
        assert served.get("/").status == 200

    times = [(seconds(page), seconds(json)) for _ in range(9)]
    assert median(one for one, _ in times) <= 3 * median(other for _, other in times)
    served.close()


def seconds(what: Callable[[], None]) -> float:
    begun = time.perf_counter()
    what()
    return time.perf_counter() - begun
