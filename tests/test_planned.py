"""A planned job is shown as planned, and raises no alert before its date."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter.commands.report.build import make_report
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.store.connection import Database
from testing.command_runner import command
from testing.rows import DAY, HOUR, NOW, Rows
from tests.web.pages.served import Served, words

S1, X3 = Job("s1", "dump", "eqiad"), Job("x3", "dump", "eqiad")
USUAL = Limits(max_age=8 * 86400.0, schedule=Schedule("0 0 * * *"), team="dba")
FIRST = datetime(2026, 3, 11, tzinfo=UTC)
POLICY = Policy(expected={S1: USUAL, X3: replace(USUAL, expected_from=FIRST, team="web")})


@pytest.fixture
def inventory(rows: Rows) -> Rows:
    """s1 is fresh; of x3 an old and tiny success, a failed run, and one that runs long are recorded."""
    for days in (1, 2):
        rows.add(start=NOW - days * DAY + 11 * HOUR)
    rows.add(section="x3", start=NOW - 20 * DAY, size=1)
    rows.add(section="x3", start=NOW - 3 * DAY, status="failed")
    rows.add(section="x3", start=NOW - 2 * DAY, status="ongoing")
    return rows


def samples(served: Served, metric: str) -> dict[str, float]:
    """Return the samples of a metric by section, the worst of several."""
    found: dict[str, float] = {}
    for line in served.get("/metrics").answer.text.splitlines():
        if line.startswith(f"{metric}{{"):
            section = line.partition('section="')[2].partition('"')[0]
            found[section] = max(float(line.rpartition(" ")[2]), found.get(section, 0.0))
    return found


def test_metrics_say_that_it_is_expected_and_nothing_of_its_state(inventory: Rows) -> None:
    served = Served(inventory.url, POLICY)
    assert samples(served, "bernard_backup_expected") == {"s1": 1.0, "x3": 1.0}
    assert samples(served, "bernard_backup_state") == {"s1": 1.0}
    assert samples(served, "bernard_backup_overdue") == {"s1": 0.0, "x3": 0.0}
    assert samples(served, "bernard_backup_owner_info") == {"s1": 1.0, "x3": 1.0}
    assert samples(served, "bernard_backup_max_age_seconds") == {"s1": 691200.0, "x3": 691200.0}
    midnight = NOW.replace(hour=0).timestamp()
    assert samples(served, "bernard_backup_previous_run_timestamp_seconds") == {"s1": midnight}
    assert samples(served, "bernard_backup_next_run_timestamp_seconds") == dict.fromkeys(
        ("s1", "x3"), FIRST.timestamp()
    )
    served.close()


def test_api_says_why_it_has_no_state(inventory: Rows) -> None:
    served = Served(inventory.url, POLICY)
    found = served.get("/api/v1/jobs/x3/dump/eqiad", accept="application/json").answer.json()
    keys = ("expected", "state", "rank", "reason", "expected_from", "overdue", "start_within", "team", "previous_due")
    assert [found[key] for key in keys] == [
        *(True, None, None, "planned: expected from 2026-03-11 00:00 UTC", "2026-03-11T00:00:00Z"),
        *(False, 86400.0, "web", None),
    ]
    schedule = served.get("/api/v1/schedule?section=x3", accept="application/json").answer.json()["items"]
    assert [(event["time"], event["outcome"]) for event in schedule if event["due"]] == [
        ("2026-03-11T00:00:00Z", "scheduled")
    ]
    served.close()


def test_pages_show_it_as_planned_and_count_it_apart(inventory: Rows) -> None:
    served = Served(inventory.url, POLICY)
    overview = served.get("/")
    assert words(overview.by_id("verdict")) == "All 1 backups are fresh"
    assert {words(link) for link in overview.root.iter("a") if "tile" in link.get("class", "")} >= {
        "1 Planned",
        "1 Fresh",
    }
    assert "Not in policy" not in overview.text()
    assert overview.panel("Did not start") == "No overdue runs."
    assert [row[0] for row in served.get("/jobs?state=planned").rows("jobs")] == ["x3"]
    assert served.get("/jobs?state=none").text().endswith("remove a filter.")
    assert "Planned: expected from 2026-03-11 00:00 UTC." in served.get("/jobs/x3/dump/eqiad").text()
    served.close()


def test_report_leaves_it_out(inventory: Rows) -> None:
    served = Served(inventory.url, POLICY)
    with Database(inventory.settings).connect() as connection:
        report = make_report(connection, served.poller.snapshot, NOW, NOW - DAY)
    assert (report.not_fresh, report.not_started) == ((), ())
    served.close()


def test_it_is_judged_from_its_day_on(inventory: Rows) -> None:
    for now, state in ((FIRST - timedelta(seconds=1), None), (FIRST, "very_stale")):
        served = Served(inventory.url, POLICY, clock=lambda now=now: now)  # type: ignore[misc]
        found = served.get("/api/v1/jobs/x3/dump/eqiad", accept="application/json").answer.json()
        assert found["state"] == state
        served.close()


def written(rows: Rows, folder: Path, name: str, first: str) -> Path:
    file = folder / name
    policy = f"policy: {{sections: {{s1: {{dump: {{datacenters: [eqiad], expected_from: {first}}}}}}}}}\n"
    file.write_text(f"database: {{url: '{rows.url}'}}\n{policy}")
    return file


def test_commands_call_it_planned(rows: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows.add(start=datetime.now(UTC) - 300 * DAY)
    planned = written(rows, tmp_path, "planned.yaml", "2199-01-01")
    outcome = command(capsys, "status", "--config.file", planned)
    assert outcome.status == 0
    assert outcome.out.splitlines()[1].split()[:2] == ["planned", "s1"]
    assert outcome.out.splitlines()[-1] == "0 critical, 0 warning, 0 ok, 1 planned"
    outcome = command(capsys, "check", "--all", "--config.file", planned)
    assert (outcome.status, outcome.out) == (0, "BACKUPS OK - no jobs are expected yet, 1 planned\n")
    shown = command(capsys, "policy", "show", "--json", "--config.file", planned)
    assert json.loads(shown.out)["items"][0]["limits"]["expected_from"]["value"] == "2199-01-01"
    now = written(rows, tmp_path, "now.yaml", "2020-01-01")
    outcome = command(capsys, "policy", "test", "--config.file", now, "--candidate", planned)
    assert outcome.status == 1
    assert outcome.out.splitlines()[1].split()[:6] == ["s1", "dump", "eqiad", "very_stale", "planned", "planned:"]
