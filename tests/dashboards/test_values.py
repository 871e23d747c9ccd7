"""Key panels show the values of a poll of the same inventory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime

import pytest

from bernard_exporter.domain.model import RANK, Job, Rank, State, Status
from bernard_exporter.domain.policy import size_change
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from dashboards.states import SEVERITY_MAPPING, STATE_MAPPING, STATUS_MAPPING
from tests.dashboards.grafana import Board, Grafana, Json, committed, value
from tests.dashboards.world import World

BOARDS = {board.uid: board for board in committed()}
TOO_OLD = (State.MISSING, State.STALE, State.VERY_STALE)
# Between the poll and the query: seconds.
MEANWHILE = 600
STATE_CODES = {text: float(code) for code, text, _ in STATE_MAPPING}
STATUS_CODES = {text: float(code) for code, text, _ in STATUS_MAPPING}
KINDS = {found["type"] for board in BOARDS.values() for found in board.panels}
Values = dict[Job, float]


def panel(board: Board, title: str, *kinds: str) -> Json:
    return next(found for found in board.panels if found["title"] == title and found["type"] in (kinds or KINDS))


def number(world: World, uid: str, title: str) -> float:
    """Return the value of a stat panel."""
    (series,) = Grafana(world.address, BOARDS[uid]).result(panel(BOARDS[uid], title)["targets"][0])
    return value(series)


def by_labels(world: World, uid: str, title: str, *labels: str) -> dict[tuple[str, ...], float]:
    found = Grafana(world.address, BOARDS[uid]).result(panel(BOARDS[uid], title)["targets"][0])
    return {tuple(series["metric"].get(label, "") for label in labels): value(series) for series in found}


def column(world: World, uid: str, title: str, name: str) -> Values:
    """Return a column of a table, by job."""
    shown = panel(BOARDS[uid], title, "table")
    names = shown["transformations"][1]["options"]["renameByName"]
    ref = next(key for key, renamed in names.items() if renamed == name).removeprefix("Value #")
    target = next(target for target in shown["targets"] if ref in (target["refId"], "Value"))
    found = Grafana(world.address, BOARDS[uid]).result(target)
    return {Job(*(series["metric"][label] for label in Job._fields)): value(series) for series in found}


def expected(snapshot: Snapshot) -> dict[Job, JobStatus]:
    return {status.job: status for status in snapshot.jobs if status.verdict}


def state(status: JobStatus) -> State:
    assert status.verdict
    return status.verdict.state


def values(statuses: dict[Job, JobStatus], of: Callable[[JobStatus], float | None]) -> Values:
    found = {job: of(status) for job, status in statuses.items()}
    return {job: number for job, number in found.items() if number is not None}


def epoch(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def test_numbers_of_the_fleet_are_those_of_the_snapshot(scraped: World) -> None:
    jobs = expected(scraped.snapshot)
    ranks = Counter(RANK[state(status)] for status in jobs.values())
    everywhere: dict[tuple[str, str], bool] = {}
    for job, status in jobs.items():
        pair = (job.section, job.type)
        everywhere[pair] = everywhere.get(pair, True) and state(status) in TOO_OLD
    wanted = {
        "Fresh": ranks[Rank.OK] / len(jobs),
        "Critical": ranks[Rank.CRITICAL],
        "Warning": ranks[Rank.WARNING],
        "Stale everywhere": sum(everywhere.values()),
        "Failed": sum(bool(s.attempt and s.attempt.status is Status.FAILED) for s in scraped.snapshot.jobs),
        "Did not start": sum(bool(s.overdue) for s in scraped.snapshot.jobs),
        "Running": sum(len(s.ongoing) for s in scraped.snapshot.jobs),
    }
    assert {title: number(scraped, "bernard-overview", title) for title in wanted} == pytest.approx(wanted)
    assert number(scraped, "bernard-overview", "Inventory read") < MEANWHILE
    assert number(scraped, "bernard-runs", "Runs recorded") == sum(
        sum(status.runs.values()) for status in scraped.snapshot.jobs
    )
    assert number(scraped, "bernard-runs", "Abandoned") == sum(s.abandoned for s in scraped.snapshot.jobs)


def test_matrix_and_bars_show_the_state_of_every_job(scraped: World) -> None:
    jobs = expected(scraped.snapshot)
    cells = by_labels(scraped, "bernard-overview", "State of every job", "section", "place")
    assert cells == {
        (job.section, f"{job.type}/{job.datacenter}"): STATE_CODES[state(status).replace("_", " ")]
        for job, status in jobs.items()
    }
    counted = Counter((state(status).value,) for status in jobs.values())
    bars = by_labels(scraped, "bernard-overview", "Jobs by state", "state")
    assert bars == {(each.value,): counted[(each.value,)] for each in State}


def test_table_of_problems_shows_each_job_that_is_not_fresh_and_why(scraped: World) -> None:
    jobs = {job: s for job, s in expected(scraped.snapshot).items() if state(s) is not State.FRESH}
    title = "Jobs that are not fresh"

    def shown(name: str) -> Values:
        return column(scraped, "bernard-overview", title, name)

    assert shown("State") == {job: STATE_CODES[state(s).replace("_", " ")] for job, s in jobs.items()}
    taken = scraped.snapshot.taken.timestamp()
    starts = values(jobs, lambda s: epoch(s.newest.start) if s.newest else None)
    assert shown("Age") == pytest.approx({job: taken - start for job, start in starts.items()}, abs=MEANWHILE)
    assert shown("Size") == values(jobs, lambda s: s.newest.size if s.newest else None)
    change = values(
        jobs, lambda s: size_change(s.newest.size if s.newest else None, s.previous.size if s.previous else None)
    )
    assert shown("Change") == pytest.approx(change)
    assert shown("Success") == values(jobs, lambda s: s.newest.id if s.newest else None)
    assert shown("Newest run") == values(jobs, lambda s: STATUS_CODES[s.attempt.status] if s.attempt else None)


def test_tables_of_runs_show_what_failed_runs_and_is_late(scraped: World) -> None:
    everyone = {status.job: status for status in scraped.snapshot.jobs}
    failed = {job: s for job, s in everyone.items() if s.attempt and s.attempt.status is Status.FAILED}
    assert column(scraped, "bernard-overview", "Failed", "Run") == values(
        failed, lambda s: s.attempt.id if s.attempt else None
    )
    assert column(scraped, "bernard-overview", "Failed", "In a row") == values(failed, lambda s: s.consecutive_failures)
    running = {job: s for job, s in everyone.items() if s.ongoing}
    taken = scraped.snapshot.taken.timestamp()
    for uid in ("bernard-overview", "bernard-runs"):
        going = column(scraped, uid, "Running", "For")
        since = values(running, lambda s: epoch(s.ongoing[0].start))
        assert going == pytest.approx({job: taken - start for job, start in since.items()}, abs=MEANWHILE)
    late = {job: s for job, s in everyone.items() if s.overdue}
    due = column(scraped, "bernard-overview", "Overdue", "Last due")
    assert due == values(late, lambda s: s.previous_run.timestamp() * 1000 if s.previous_run else None)
    stuck = values({job: s for job, s in everyone.items() if s.abandoned}, lambda s: s.abandoned)
    assert column(scraped, "bernard-runs", "Abandoned", "Runs") == stuck
    coming = column(scraped, "bernard-overview", "Next", "Due")
    times = values(everyone, lambda s: s.next_run.timestamp() * 1000 if s.next_run else None)
    assert sorted(coming.values()) == sorted(times.values())[:20]
    assert all(times[job] == moment for job, moment in coming.items())


def test_storage_is_what_hosts_retain(scraped: World) -> None:
    kept = scraped.snapshot.storage
    by_host: Counter[tuple[str]] = Counter()
    backups: Counter[tuple[str]] = Counter()
    for (host, _), retained in kept.items():
        by_host[(host,)] += retained.bytes
        backups[(host,)] += retained.backups
    assert by_labels(scraped, "bernard-storage", "Hosts", "host") == pytest.approx(dict(by_host))
    assert number(scraped, "bernard-storage", "Retained") == pytest.approx(by_host.total())
    assert number(scraped, "bernard-storage", "Backups retained") == backups.total()
    newest = sum(s.newest.size or 0 for s in scraped.snapshot.jobs if s.newest)
    assert number(scraped, "bernard-storage", "Newest successes") == pytest.approx(newest)


def test_alerts_that_fire_are_about_the_jobs_in_that_state(scraped: World) -> None:
    shown = by_labels(scraped, "bernard-overview", "Firing alerts", "alertname", *Job._fields)
    for name, held in (("BackupMissing", State.MISSING), ("BackupVeryStale", State.VERY_STALE)):
        about = {job for job, status in expected(scraped.snapshot).items() if state(status) is held}
        assert about == {Job(*labels[1:]) for labels in shown if labels[0] == name}
    codes = {text: float(code) for code, text, _ in SEVERITY_MAPPING}
    assert {value for labels, value in shown.items() if labels[0] == "BackupVeryStale"} == {codes["page"]}


def test_board_of_a_job_shows_that_job(scraped: World) -> None:
    status = next(s for s in scraped.snapshot.jobs if s.job == Job("s1", "dump", "eqiad"))
    assert status.newest
    assert status.newest.start
    assert status.limits
    board = BOARDS["bernard-job"]
    grafana = Grafana(scraped.address, board, {"section": ["s1"], "type": ["dump"], "datacenter": ["eqiad"]})
    shown = {
        title: value(grafana.result(panel(board, title)["targets"][0])[0])
        for title in ("State", "Size", "Duration, of its limit", "Failures in a row")
    }
    assert shown == {
        "State": STATE_CODES[state(status).replace("_", " ")],
        "Size": status.newest.size,
        "Duration, of its limit": pytest.approx((status.newest.duration or 0) / status.limits.max_duration),
        "Failures in a row": status.consecutive_failures,
    }
    age = value(grafana.result(panel(board, "Age of the newest success")["targets"][0])[0])
    assert age == pytest.approx(grafana.now - status.newest.start.timestamp(), abs=1)
    (where,) = grafana.result(panel(board, "Newest success")["targets"][-1])
    assert (where["metric"]["source"], where["metric"]["host"]) == (status.newest.source, status.newest.host)
