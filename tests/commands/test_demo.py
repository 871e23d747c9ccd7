"""The demo contains every state and keeps changing."""

from __future__ import annotations

import re
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import select

from bernard_exporter.commands.sample.activity import Activity
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.domain.model import State
from bernard_exporter.store.schema import backup_files, backups
from bernard_exporter.store.writable import open_writable
from bernard_exporter.store.writer import Writer
from testing import plain_http
from testing.exporter import COMMAND
from testing.rows import NOW, Rows
from testing.servers import eventually, free_port, process


def test_runs_start_finish_fail_and_jump_within_two_minutes(rows: Rows) -> None:
    fleet = make_fleet()
    activity = Activity(Writer(rows.url), fleet, seed=1)
    for second in range(0, 121, 3):
        activity.step(NOW + timedelta(seconds=second))
    with open_writable(rows.url).connect() as connection:
        found = connection.execute(select(backups)).all()
        files = connection.execute(select(backup_files)).all()
    statuses = Counter(row.status for row in found)
    assert set(statuses) == {"ongoing", "finished", "failed"}
    assert statuses["ongoing"] <= 3
    assert all(row.end_date >= row.start_date for row in found if row.status != "ongoing")
    usual = {(m.job.section, m.job.type, m.host): m.size for m in fleet.members}
    ratios = [row.total_size / usual[row.section, row.type, row.host] for row in found if row.status == "finished"]
    assert max(ratios) > 1.2
    assert min(ratios) < 1.1
    sums: Counter[int] = Counter()
    for file in files:
        sums[file.backup_id] += file.size
    assert sums == {row.id: row.total_size for row in found if row.status == "finished"}


def test_demo_serves_every_state_and_comes_alive(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    log = tmp_path / "log"
    with process([*COMMAND, "demo", "--web.listen-address", address], log, {"TMPDIR": str(tmp_path)}) as running:

        def scraped() -> str:
            try:
                return plain_http.get(f"http://{address}/metrics").text
            except httpx.TransportError:
                return ""

        eventually(lambda: "bernard_up 1.0" in scraped(), "the demo is up")
        states = set(re.findall(r'bernard_backup_state\{.*state="(\w+)".*\} 1\.0', scraped()))
        assert states == {state.value for state in State}

        def runs(status: str) -> float:
            values = re.findall(rf'bernard_backup_runs\{{.*status="{status}".*\}} (\S+)', scraped())
            return sum(float(value) for value in values)

        assert "bernard_backup_overdue{" in scraped()

        def events(start: int, end: int) -> list[dict[str, Any]]:
            days = [datetime.now(UTC) + timedelta(days=day) for day in (start, end)]
            asked = {"from": f"{days[0]:%Y-%m-%dT00:00:00Z}", "to": f"{days[1]:%Y-%m-%dT00:00:00Z}", "limit": "1000"}
            items: list[dict[str, Any]] = plain_http.get(f"http://{address}/api/v1/schedule", params=asked).json()[
                "items"
            ]
            return items

        around = events(-9, 7)
        outcomes = {event["outcome"] for event in around}
        assert outcomes >= {"finished", "failed", "ongoing", "due", "missed", "scheduled"}
        assert [event for event in around if event["late"]], "a run that began too late"
        assert [event for event in events(30, 39) if event["section"] == "x3"], "a job that is planned"

        finished = runs("finished")
        eventually(lambda: runs("finished") > finished, "a run finishes while one watches", 90)
        assert f"http://{address}/metrics" in log.read_text()
        running.send_signal(signal.SIGINT)
        assert running.wait(20) == 0
    assert "Traceback" not in log.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
