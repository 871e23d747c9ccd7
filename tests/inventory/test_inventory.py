"""The incremental inventory gives the same result as a full count."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Anomaly, Job, Rejection, Status
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.record import Record
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, DAY, EQIAD, HOUR, MIB, NOW, Rows, run_row

S1 = Job("s1", "dump", "eqiad")
POLICY = Policy(expected={S1: Limits(max_age=8 * 86400.0, retention=90 * 86400.0)})


class Follower:
    """An inventory that is brought up to date with an inventory's rows."""

    def __init__(self, rows: Rows, policy: Policy = POLICY) -> None:
        self.database = Database(rows.settings)
        self.inventory = Inventory(policy)

    def update(self, now: datetime = NOW) -> Inventory:
        with self.database.connect() as connection:
            self.inventory.update(connection, now)
        return self.inventory

    def record(self, job: Job = S1, now: datetime = NOW) -> Record:
        return self.update(now).records.get(job, Record())


def ids(record: Record) -> tuple[int | None, int | None, int | None]:
    """Return the ids of the newest success, the one before, and the newest attempt."""
    runs = (record.newest, record.previous, record.attempt)
    newest, previous, attempt = (run.id if run else None for run in runs)
    return newest, previous, attempt


def fresh(rows: Rows, now: datetime = NOW, policy: Policy = POLICY) -> Inventory:
    return Follower(rows, policy).update(now)


def test_empty_database_has_no_records(rows: Rows) -> None:
    assert fresh(rows).records == {}


def test_newest_two_successes_are_found_by_start_not_by_id(rows: Rows) -> None:
    late = rows.add(start=NOW - DAY)
    early = rows.add(start=NOW - 8 * DAY)
    assert ids(Follower(rows).record()) == (late, early, late)


def test_twins_in_one_second_are_distinguished_by_id(rows: Rows) -> None:
    first = rows.add()
    second = rows.add()
    assert ids(Follower(rows).record()) == (second, first, second)


def test_failed_twin_of_a_success_is_the_attempt_and_never_the_success(rows: Rows) -> None:
    good = rows.add()
    bad = rows.add(status="failed")
    record = Follower(rows).record()
    assert ids(record) == (good, None, bad)
    assert record.consecutive_failures == 1


def test_new_row_is_seen_without_a_resynchronisation(rows: Rows) -> None:
    old = rows.add(start=NOW - 8 * DAY)
    follower = Follower(rows)
    follower.update()
    new = rows.add()
    assert ids(follower.record()) == (new, old, new)
    assert follower.inventory.resyncs == {"start": 1}


def test_row_that_finishes_long_after_newer_ids_exist_is_seen(rows: Rows) -> None:
    slow = rows.add(status="ongoing", start=NOW - 9 * HOUR)
    follower = Follower(rows)
    assert [run.id for run in follower.record().ongoing] == [slow]
    for hour in range(8, 1, -1):
        rows.add(section="s2", start=NOW - hour * HOUR)
    follower.update()
    rows.change(slow, total_size=7 * MIB)
    follower.update()
    rows.change(slow, status="finished", end_date=NOW - HOUR)
    record = follower.record()
    assert ids(record) == (slow, None, slow)
    assert record.newest
    assert record.newest.size == 7 * MIB
    assert record.ongoing == ()
    assert follower.inventory.resyncs == {"start": 1}


def test_host_that_holds_no_run_any_more_is_forgotten(rows: Rows) -> None:
    run = rows.add(status="ongoing", start=NOW - HOUR, host="dbprov1009.eqiad.wmnet")
    follower = Follower(rows)
    assert follower.update().counts.hosts == {"dbprov1009.eqiad.wmnet": 1}
    rows.change(run, host=EQIAD)
    assert dict(follower.update().counts.hosts) == {EQIAD: 1}
    assert follower.inventory.resyncs == {"start": 1}


def test_failed_run_that_began_after_one_that_succeeds_late_still_counts(rows: Rows) -> None:
    rows.add(status="failed", start=NOW - 5 * HOUR)
    slow = rows.add(status="ongoing", start=NOW - 4 * HOUR)
    rows.add(status="failed", start=NOW - 3 * HOUR)
    follower = Follower(rows)
    assert follower.record().consecutive_failures == 2
    rows.change(slow, status="finished", end_date=NOW - HOUR)
    record = follower.record()
    assert (record.consecutive_failures, record.last_failure) == (1, (NOW - 3 * HOUR).timestamp())
    assert follower.inventory.resyncs == {"start": 1}


def test_last_failure_is_followed_as_it_is_counted_and_forgotten_with_a_success(rows: Rows) -> None:
    follower = Follower(rows)
    found = []
    for hours, status in ((9, "failed"), (8, "failed"), (7, "finished"), (6, "failed"), (5, "ongoing")):
        rows.add(status=status, start=NOW - hours * HOUR)
        record = follower.record()
        assert record.last_failure == Follower(rows).record().last_failure
        found.append(record.last_failure and (NOW.timestamp() - record.last_failure) / 3600)
    assert found == [9, 8, None, 6, 6]


def test_record_that_was_handed_out_does_not_change(rows: Rows) -> None:
    """Another thread may be judging it."""
    rows.add()
    follower = Follower(rows)
    before = follower.record()
    rows.add(start=NOW - 2 * HOUR)
    assert len(follower.record().history) == 2
    assert len(before.history) == 1


def test_size_filled_in_after_the_end_is_seen(rows: Rows) -> None:
    run = rows.add(size=None)
    follower = Follower(rows)
    assert follower.update().counts.anomalies[Anomaly.FINISHED_WITHOUT_SIZE] == 1
    rows.change(run, total_size=5)
    assert follower.update().counts.anomalies[Anomaly.FINISHED_WITHOUT_SIZE] == 0


def test_row_of_a_transaction_that_commits_late_is_seen(rows: Rows) -> None:
    rows.add(id=1)
    follower = Follower(rows)
    follower.update()
    rows.add(id=3, start=NOW - 2 * HOUR)
    follower.update()
    rows.add(id=2, start=NOW - HOUR)
    assert ids(follower.record())[0] == 2
    assert follower.inventory.resyncs == {"start": 1}


def test_purged_newest_success_gives_way_to_the_one_before(rows: Rows) -> None:
    old = rows.add(start=NOW - 8 * DAY)
    new = rows.add()
    follower = Follower(rows)
    follower.update()
    rows.remove(new)
    assert ids(follower.record())[0] == old


def test_purged_old_rows_are_noticed(rows: Rows) -> None:
    first = rows.add(start=NOW - 60 * DAY)
    rows.add(start=NOW - 8 * DAY)
    rows.add()
    rows.add()
    follower = Follower(rows)
    follower.update()
    rows.remove(first)
    later = NOW + timedelta(minutes=15)
    follower.update(later)
    assert follower.inventory.counts.of_job(S1, Status.FINISHED) == 3
    assert follower.inventory.resyncs == {"start": 1, "purged": 1}


def test_job_whose_last_row_is_purged_disappears(rows: Rows) -> None:
    rows.add()
    other = rows.add(section="s9")
    follower = Follower(rows)
    assert Job("s9", "dump", "eqiad") in follower.update().records
    rows.remove(other)
    assert Job("s9", "dump", "eqiad") not in follower.update().records


def test_restored_database_whose_ids_went_back_is_noticed(rows: Rows) -> None:
    keep = rows.add(start=NOW - 8 * DAY)
    gone = rows.add()
    follower = Follower(rows)
    follower.update()
    rows.remove(gone)
    assert ids(follower.record())[0] == keep
    assert sum(follower.inventory.resyncs.values()) == 2


def test_emptied_database_is_noticed(rows: Rows) -> None:
    run = rows.add()
    follower = Follower(rows)
    follower.update()
    rows.remove(run)
    assert follower.update().records == {}


def test_id_used_again_by_another_run_is_noticed(rows: Rows) -> None:
    run = rows.add()
    follower = Follower(rows)
    follower.update()
    rows.remove(run)
    rows.add(id=run, section="s2")
    assert Job("s2", "dump", "eqiad") in follower.update().records
    assert S1 not in follower.inventory.records


def test_backlog_of_many_new_rows_is_counted_afresh(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rows.add()
    follower = Follower(rows)
    follower.update()
    monkeypatch.setattr("bernard_exporter.inventory.sync._NEW_AT_ONCE", 3)
    monkeypatch.setattr("bernard_exporter.inventory.sync._BACKLOG", 4)
    rows.add_all([run_row(start=NOW - hour * HOUR) for hour in range(2, 12)])
    assert follower.update().counts.of_job(S1, Status.FINISHED) == 11
    assert follower.inventory.resyncs == {"start": 1, "backlog": 1}


def test_inventory_is_counted_afresh_after_the_interval_and_after_the_clock_went_back(rows: Rows) -> None:
    rows.add()
    follower = Follower(rows)
    for now in (NOW, NOW + HOUR, NOW - DAY):
        follower.update(now)
    assert follower.inventory.resyncs == {"start": 1, "interval": 2}


def test_run_in_the_future_is_rejected_until_its_time_comes(rows: Rows) -> None:
    rows.add(start=NOW + HOUR)
    follower = Follower(rows)
    assert ids(follower.record()) == (None, None, None)
    assert follower.inventory.counts.rejected[Rejection.START_FUTURE] == 1
    later = NOW + timedelta(minutes=30)
    assert ids(follower.record(now=later)) == (None, None, None)
    # Within the interval, so that no resynchronisation helps.
    follower.inventory.resync_interval = 9e9
    assert ids(follower.record(now=NOW + HOUR)) == (None, None, 1)
    assert ids(follower.record(now=NOW + 2 * HOUR)) == (1, None, 1)
    assert follower.inventory.counts.rejected[Rejection.START_FUTURE] == 0


def test_unknown_start_is_never_a_success(rows: Rows) -> None:
    rows.execute(
        "INSERT INTO backups (section, type, status, host, end_date) VALUES ('s1', 'dump', 'finished', "
        f"'{EQIAD}', '2026-03-01 00:00:00')"
    )
    follower = Follower(rows)
    assert ids(follower.record()) == (None, None, None)
    assert follower.inventory.counts.rejected[Rejection.START_UNKNOWN] == 1
    assert follower.inventory.counts.of_job(S1, Status.FINISHED) == 1


def test_success_far_older_than_retention_is_still_found(rows: Rows) -> None:
    old = rows.add(start=NOW - 900 * DAY)
    older = rows.add(start=NOW - 1000 * DAY)
    failed = rows.add(start=NOW - 800 * DAY, status="failed")
    record = Follower(rows).record()
    assert ids(record) == (old, older, failed)
    assert record.consecutive_failures == 1


def test_old_ongoing_run_is_not_in_progress(rows: Rows) -> None:
    rows.add(status="ongoing", start=NOW - 7 * DAY - timedelta(seconds=1))
    still = rows.add(status="ongoing", start=NOW - 7 * DAY)
    assert [run.id for run in Follower(rows).record().in_progress(NOW)] == [still]


@pytest.mark.parametrize("ended", ["finished", "failed"])
def test_ongoing_run_is_abandoned_when_a_newer_one_has_ended(rows: Rows, ended: str) -> None:
    rows.add(status="ongoing", start=NOW - 3 * HOUR)
    follower = Follower(rows)
    assert len(follower.record().in_progress(NOW)) == 1
    rows.add(status=ended, start=NOW - 2 * HOUR)
    assert follower.record().in_progress(NOW) == ()


def test_run_whose_start_is_still_to_come_is_not_abandoned(rows: Rows) -> None:
    rows.add(status="ongoing", start=NOW + timedelta(seconds=2))
    rows.add(status="ongoing", start=NOW - 8 * DAY)
    found = build(fresh(rows), ContentsCounter(), Calendar(), NOW).jobs[0]
    assert (len(found.ongoing), found.abandoned) == (0, 1)


def test_datacenters_of_a_section_do_not_mix(rows: Rows) -> None:
    here = rows.add()
    there = rows.add(host=CODFW, start=NOW - HOUR)
    inventory = fresh(rows)
    assert ids(inventory.records[S1]) == (here, None, here)
    assert ids(inventory.records[Job("s1", "dump", "codfw")]) == (there, None, there)


def test_names_that_differ_in_case_are_different_jobs(rows: Rows) -> None:
    rows.add(section="s1")
    rows.add(section="S1")
    inventory = fresh(rows)
    assert {job.section for job in inventory.records} == {"s1", "S1"}
    assert [ids(record)[1] for record in inventory.records.values()] == [None, None]


@pytest.mark.parametrize(
    ("columns", "rejection"),
    [
        ({"status": ""}, Rejection.STATUS_UNKNOWN),
        ({"section": None}, Rejection.NO_JOB),
        ({"type": None}, Rejection.NO_JOB),
        ({"size": 1 << 62}, Rejection.BAD_SIZE),
    ],
)
def test_nonsense_is_counted_and_harms_no_other_job(rows: Rows, columns: dict[str, Any], rejection: Rejection) -> None:
    good = rows.add(section="s2")
    rows.add(**columns)
    inventory = fresh(rows)
    assert inventory.counts.rejected[rejection] == 1
    assert ids(inventory.records[Job("s2", "dump", "eqiad")])[0] == good


def test_every_nullable_column_may_be_null(rows: Rows) -> None:
    rows.add(section="s2")
    nothing = dict.fromkeys(("name", "source", "host", "end_date", "total_size"))
    rows.add(**nothing)
    inventory = fresh(rows)
    assert inventory.counts.anomalies[Anomaly.UNKNOWN_HOST] == 1
    assert inventory.records[Job("s1", "dump", "unknown")].newest is None
    assert inventory.records[Job("s2", "dump", "eqiad")].newest


def test_end_before_start_is_an_anomaly_without_a_duration(rows: Rows) -> None:
    rows.add(start=NOW - HOUR, end=NOW - 2 * HOUR)
    inventory = fresh(rows)
    assert inventory.counts.anomalies[Anomaly.ENDED_BEFORE_START] == 1
    newest = inventory.records[S1].newest
    assert newest
    assert newest.duration is None


def test_finished_without_end_is_an_anomaly_and_no_success(rows: Rows) -> None:
    rows.add(end=None)
    inventory = fresh(rows)
    assert inventory.counts.anomalies[Anomaly.FINISHED_WITHOUT_END] == 1
    assert inventory.records[S1].newest is None


def test_gap_between_ids_costs_no_statements(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bernard_exporter.inventory.crowds.CROWD", 2)
    read = []
    for gap in (10, 30_000_000):
        rows.execute("DELETE FROM backups")
        rows.add_all([run_row(start=NOW - place * HOUR, id=place) for place in range(1, 6)])
        rows.add(start=NOW + HOUR, id=gap)
        follower, statements = Follower(rows), list[str]()
        [engine] = follower.database.engines
        event.listen(engine, "before_cursor_execute", lambda *a, to=statements: to.append(a[2]))
        inventory = follower.update()
        assert ids(inventory.records[S1])[0] == 1
        assert inventory.counts.rejected[Rejection.START_FUTURE] == 1
        read.append(len(statements))
    # The next id after each range, for each of the three scans.
    assert read[1] <= read[0] + 6


def test_another_policy_moves_runs_to_its_datacenters(rows: Rows) -> None:
    rows.add()
    follower = Follower(rows)
    follower.update()
    follower.inventory.adopt(Policy({"east": re.compile("eqiad")}), 3600.0)
    assert set(follower.update().records) == {Job("s1", "dump", "east")}
    assert follower.inventory.resyncs == {"start": 1, "policy": 1}


def test_bytes_that_are_no_text_harm_nothing(rows: Rows) -> None:
    good = rows.add(section="s2")
    bad = rows.add()
    # As latin1 these are characters; as UTF-8 they are none.
    byte = "x'FFFE80'" if rows.engine.dialect.name != "sqlite" else "CAST(x'FFFE80' AS TEXT)"
    rows.execute(f"UPDATE backups SET name = {byte}, source = {byte} WHERE id = {bad}")
    inventory = fresh(rows)
    assert ids(inventory.records[S1])[0] == bad
    assert ids(inventory.records[Job("s2", "dump", "eqiad")])[0] == good


def test_negative_size_is_rejected(tmp_path: Path) -> None:
    """MariaDB's column holds none; SQLite's holds anything."""
    rows = Rows(f"sqlite:///{tmp_path / 'x'}")
    first, second = rows.add(section="s2"), rows.add()
    rows.execute(f"UPDATE backups SET total_size = -5 WHERE id = {second}")
    rows.execute(f"UPDATE backups SET total_size = 'plenty' WHERE id = {first}")
    inventory = fresh(rows)
    assert inventory.counts.rejected[Rejection.BAD_SIZE] == 2
    assert [record.newest.size for record in inventory.records.values() if record.newest] == [None, None]
