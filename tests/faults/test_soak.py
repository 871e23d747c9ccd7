"""Days of polling do not increase memory; `make soak` is the long version."""

from __future__ import annotations

import json
import subprocess
import sys

from testing.tree import ROOT
from tools.soak import JOBS, POLLS, RUNS


def test_three_simulated_days_leave_threads_descriptors_and_memory_as_they_are(mariadb_url: str) -> None:
    command = [sys.executable, "-m", "tools.soak", "--days=3", "--url", mariadb_url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=500)
    assert done.returncode == 0, done.stderr
    days = [json.loads(line) for line in done.stdout.splitlines()]
    first, last = days[0], days[-1]
    assert (last["polls"], last["failures"]) == (3 * POLLS, 0)
    assert last["runs"] == 3 * RUNS * len(JOBS)
    assert last["threads"] == first["threads"]
    assert last["descriptors"] == first["descriptors"]
    assert last["resident"] < first["resident"] + (8 << 20)
    assert last["scrape"] < 1.1 * first["scrape"]
