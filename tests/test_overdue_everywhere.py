"""Metric, API, pages, report and alert agree on overdue jobs, at both sides of each limit of each schedule."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alerts import render
from bernard_exporter.commands.report.build import make_report
from bernard_exporter.domain.filters import JobFilter
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.metrics.catalogue import EXPECTED, LAST_POLL, NEWEST_EVENT, OVERDUE, START_WITHIN, STATE, UP
from bernard_exporter.store.connection import Database
from monitoring.settings import SiteSettings
from testing.rows import DAY, HOUR, Rows, run_row
from testing.servers import need
from tests.web.pages.served import Served

# A Tuesday.
DUE = datetime(2026, 3, 10, 6, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
# Each with the time a run may take to start, None for what follows from the schedule.
SCHEDULES: dict[str, tuple[Schedule, timedelta | None, timedelta]] = {
    "weekly": (Schedule("0 6 * * 2"), None, DAY),
    "daily": (Schedule("0 6 * * *"), 2 * HOUR, 2 * HOUR),
    "madrid": (Schedule("0 7 * * *", "Europe/Madrid"), 2 * HOUR, 2 * HOUR),
    "hourly": (Schedule("0 * * * *"), None, HOUR),
    "minutes": (Schedule("* * * * *"), None, MINUTE),
    "yearly": (Schedule("0 6 10 3 *"), 6 * HOUR, 6 * HOUR),
    "slow": (Schedule("0 6 * * 2"), 10 * DAY, 10 * DAY),
}
# When the newest run of a job started, from when it was due; None for a job that never ran.
STARTS: dict[str, timedelta | None] = {
    "never": None,
    "long-ago": -400 * DAY,
    "too-early": -15 * MINUTE - SECOND,
    "early": -15 * MINUTE,
    "at-once": timedelta(0),
    "after-2h": 2 * HOUR,
    "nearly-2h": 2 * HOUR - SECOND,
    "after-a-day": DAY,
}
_AGES = [-15 * MINUTE, timedelta(0), MINUTE, HOUR, 2 * HOUR, 6 * HOUR, DAY, 10 * DAY]
MOMENTS = [DUE + age + near for age in _AGES for near in (-SECOND, timedelta(0))]
# What is due every minute takes long to report.
JOBS = {
    Job(f"{name}-{ran}", "dump", "eqiad"): (name, ran)
    for name in SCHEDULES
    for ran in (STARTS if name != "minutes" else ("too-early",))
}
Said = dict[Job, bool]


def policy() -> Policy:
    """Return the policy of all jobs, and of one that is planned."""
    expected = {}
    for job, (name, _) in JOBS.items():
        schedule, within, _ = SCHEDULES[name]
        seconds = within.total_seconds() if within else None
        expected[job] = Limits(max_age=8 * 86400.0, schedule=schedule, start_within=seconds)
    return Policy(expected=expected)


def rows_at(now: datetime) -> list[dict[str, Any]]:
    """Return the runs that had begun; an older failed one of each job shows that it ran before."""
    found = []
    for job, (_, ran) in JOBS.items():
        offset = STARTS[ran]
        if offset is None:
            continue
        found.append(run_row(section=job.section, start=DUE - 500 * DAY, status="failed"))
        if DUE + offset <= now:
            found.append(run_row(section=job.section, start=DUE + offset, end=None, status="ongoing"))
    return found


def should(now: datetime) -> Said:
    """Return the expected result, computed from the schedule alone."""
    found = {}
    for job, (name, ran) in JOBS.items():
        schedule, _, within = SCHEDULES[name]
        begun = [DUE - 500 * DAY, *([DUE + offset] if (offset := STARTS[ran]) and DUE + offset <= now else [])]
        begun += [DUE] if ran == "at-once" and now >= DUE else []
        expired = schedule.last_before(now - within)
        found[job] = ran != "never" and max(begun) < expired - 15 * MINUTE
    return found


_SAMPLE = re.compile(r'^bernard_backup_overdue\{datacenter="eqiad",section="([^"]+)",type="dump"\} ([01])\.0$', re.M)


def metric_says(served: Served) -> Said:
    found = _SAMPLE.findall(served.get("/metrics").answer.text)
    return {Job(section, "dump", "eqiad"): value == "1" for section, value in found}


def jobs_of_the_api_say(served: Served) -> Said:
    items = served.get("/api/v1/jobs?limit=1000", accept="application/json").answer.json()["items"]
    return {Job(item["section"], item["type"], item["datacenter"]): item["overdue"] for item in items}


def pages_say(served: Served) -> Said:
    rows = served.get("/jobs").rows("jobs")
    return {Job(*row[:3]): "did not start" in row[-1] for row in rows}


def overview_agrees(served: Served, said: Said) -> bool:
    """Return whether the overview agrees, which lists a few jobs and their number."""
    panel, overdue = served.get("/").panel("Did not start"), sum(said.values())
    return f"All {overdue}" in panel if overdue else "No overdue runs." in panel


def schedule_says(served: Served, now: datetime) -> Said:
    """Return whether the newest due time that is no longer open was missed, and nothing began since."""
    attempts = {
        item["section"]: item["last_attempt"]["start"] if item["last_attempt"] else None
        for item in served.get("/api/v1/jobs?limit=1000", accept="application/json").answer.json()["items"]
    }
    found = {}
    for name, (schedule, _, within) in SCHEDULES.items():
        mine = [job for job, (other, _) in JOBS.items() if other == name]
        start = schedule.last_before(now - within) - MINUTE
        end = min(now + SECOND, start + 30 * DAY)
        query = f"from={start:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&limit=1000"
        query += "".join(f"&section={job.section}" for job in mine)
        events = served.get(f"/api/v1/schedule?{query}", accept="application/json").answer.json()["items"]
        for job in mine:
            past = [event for event in events if event["section"] == job.section and event["due"]]
            last = [event for event in past if event["outcome"] not in ("due", "scheduled")][-1]
            newest, early = attempts[job.section], datetime.fromisoformat(last["due"]) - 15 * MINUTE
            missed = last["outcome"] == "missed"
            found[job] = missed and newest is not None and datetime.fromisoformat(newest) < early
    return found


def report_says(rows: Rows, snapshot: Snapshot, now: datetime) -> Said:
    """Return what reports say: one for each job of the schedule of every minute, which is due so often."""
    often = [(job.section,) for job, (name, _) in JOBS.items() if name == "minutes"]
    seldom = tuple(job.section for job, (name, _) in JOBS.items() if name != "minutes")
    found: set[Job] = set()
    for sections in (seldom, *often):
        with Database(rows.settings).connect() as connection:
            report = make_report(connection, snapshot, now, now - DAY, job_filter=JobFilter(section=sections))
        found |= {one.job for one in report.not_started if one.overdue}
    return {job: job in found for job in JOBS}


def alerts_say(snapshots: dict[int, Snapshot], folder: Path) -> dict[int, Said]:
    """Return whether the alert fires, evaluated by promtool for all moments at once."""
    files = dict(render.rule_files(SiteSettings(pace=0)))
    (folder / "bernard_backups.yaml").write_text(files["rules/bernard_backups.yaml"])
    exporter = '{job="bernard",instance="a"}'
    told = {f"up{exporter}": "1", f"{LAST_POLL.name}{exporter}": "0"}
    told |= {f"{UP.name}{exporter}": "1", f"{NEWEST_EVENT.name}{exporter}": "1"}
    for number, snapshot in snapshots.items():
        told |= dict(_samples(number, snapshot))
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in told.items()],
        "promql_expr_test": [{"expr": 'ALERTS{alertstate="firing",alertname="BackupDidNotStart"}', "eval_time": "0m"}],
    }
    document = {"rule_files": ["bernard_backups.yaml"], "evaluation_interval": "1m", "tests": [test]}
    (folder / "overdue_test.yaml").write_text(render.as_yaml(document))
    command = [need("promtool"), "test", "rules", "overdue_test.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    fired = set(re.findall(r'section="(\d+)/([^"]+)"', done.stdout + done.stderr))
    assert fired, done.stderr
    return {number: {job: (str(number), job.section) in fired for job in JOBS} for number in snapshots}


def _samples(number: int, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    for metric in (EXPECTED, STATE, OVERDUE, START_WITHIN):
        for (section, *labels), value in metric.samples(snapshot, None):  # type: ignore[arg-type]
            if metric is STATE and not value:
                continue
            pairs = zip(metric.labels, (f"{number}/{section}", *labels), strict=True)
            inside = ",".join(f'{name}="{text}"' for name, text in (*pairs, ("job", "bernard"), ("instance", "a")))
            yield f"{metric.name}{{{inside}}}", f"{value:g}"


def test_metrics_pages_api_report_and_alerts_agree(tmp_path: Path) -> None:
    snapshots, expected = {}, {}
    for number, now in enumerate(MOMENTS):
        rows = Rows(f"sqlite:///{tmp_path / f'{number}.sqlite'}")
        rows.add_all(rows_at(now))
        served = Served(rows.url, policy(), clock=lambda now=now: now)  # type: ignore[misc]
        said = should(now)
        assert metric_says(served) == said, now
        assert jobs_of_the_api_say(served) == said, now
        assert pages_say(served) == said, now
        assert overview_agrees(served, said), now
        assert schedule_says(served, now) == said, now
        assert report_says(rows, served.poller.snapshot, now) == said, now
        snapshots[number], expected[number] = served.poller.snapshot, said
        served.close()
    assert alerts_say(snapshots, tmp_path) == expected
    every = [value for said in expected.values() for value in said.values()]
    assert any(every)
    assert not all(every)
