"""Polling survives any failure of the database, reports it, and recovers by itself."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import ConfigError, StoreError
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import TEXT, Renderer
from bernard_exporter.polling import loop, publisher
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store.connection import Database
from testing.rows import DAY, NOW, Rows
from testing.servers import MariaDB, eventually

POLICY = Policy(expected={Job("s1", "dump", "eqiad"): Limits(max_age=1e12)})


def poll(settings: DatabaseSettings, times: int = 1, interval: float = 60.0) -> Poller:
    poller = Poller(Settings(settings, poll_interval=interval, policy=POLICY))
    for _ in range(times):
        poller.tick()
    return poller


def scraped(poller: Poller) -> str:
    return b"".join(poller.scrape.answer(TEXT, gzip=False)).decode()


def connections(server: MariaDB) -> int:
    found = server.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'bernard'")
    return int(str(found[0][0]))


@pytest.fixture
def reader(own_mariadb: MariaDB) -> DatabaseSettings:
    """An inventory with one run, read by a user who may only read."""
    own_mariadb.execute(
        "CREATE DATABASE dbbackups",
        "CREATE USER bernard@'%' IDENTIFIED BY 'secret-word'",
        "GRANT SELECT ON dbbackups.* TO bernard@'%'",
    )
    Rows(own_mariadb.url("dbbackups")).add(start=NOW - DAY)
    return DatabaseSettings(url=own_mariadb.url("dbbackups", "bernard:secret-word"), timeout=1)


def test_database_that_hangs_blocks_no_scrape_and_leaks_nothing(
    own_mariadb: MariaDB, reader: DatabaseSettings, caplog: pytest.LogCaptureFixture
) -> None:
    poller = poll(reader, interval=0.5)
    assert "bernard_up 1.0" in scraped(poller)
    threads = threading.active_count()
    assert own_mariadb.running
    own_mariadb.running.send_signal(signal.SIGSTOP)
    for _ in range(8):
        poller.tick()
        begun = time.monotonic()
        text = scraped(poller)
        assert time.monotonic() - begun < 0.5
    assert "bernard_up 0.0" in text
    assert 'bernard_backup_last_success_id{datacenter="eqiad",section="s1",type="dump"} 1.0' in text
    # One reads, and one more watches that a login does not take too long.
    assert threading.active_count() <= threads + 2
    own_mariadb.running.send_signal(signal.SIGCONT)

    def recovered() -> bool:
        poller.tick()
        return "bernard_up 1.0" in scraped(poller)

    eventually(recovered, "the exporter recovers")
    eventually(lambda: connections(own_mariadb) == 0, "no connection stays open")
    poller.stop()
    assert len([r for r in caplog.records if r.levelno == logging.ERROR]) <= 3


def test_database_that_is_restarted_is_read_again(own_mariadb: MariaDB, tmp_path: Path) -> None:
    own_mariadb.execute("CREATE DATABASE dbbackups")
    rows = Rows(own_mariadb.url("dbbackups"))
    rows.add()
    poller = poll(rows.settings)
    own_mariadb.execute("SHUTDOWN")
    assert own_mariadb.running
    own_mariadb.running.wait(30)
    for _ in range(3):
        poller.tick()
    assert poller.self_metrics.errors == {"connect": 3}
    assert 'bernard_backup_last_success_id{datacenter="eqiad",section="s1",type="dump"} 1.0' in scraped(poller)
    with own_mariadb.serve():
        rows.add()
        poller.tick()
        assert "bernard_up 1.0" in scraped(poller)
        assert 'bernard_backup_last_success_id{datacenter="eqiad",section="s1",type="dump"} 2.0' in scraped(poller)
    poller.stop()


def test_overdue_is_as_of_the_last_poll_while_the_database_is_away_and_states_age(own_mariadb: MariaDB) -> None:
    job = Job("s1", "dump", "eqiad")
    due = NOW.replace(hour=0) + DAY
    limits = Limits(max_age=2 * DAY.total_seconds(), schedule=Schedule("0 0 * * *"), start_within=3600.0)
    own_mariadb.execute("CREATE DATABASE dbbackups")
    rows = Rows(own_mariadb.url("dbbackups"))
    rows.add(start=due - DAY)
    now = due + timedelta(minutes=59)
    poller = Poller(Settings(rows.settings, policy=Policy(expected={job: limits})), Clock(lambda: now))

    def judged(after: timedelta = timedelta()) -> tuple[bool | None, str]:
        nonlocal now
        now += after
        poller.tick()
        [status] = poller.snapshot.jobs
        assert status.verdict
        return status.overdue, status.verdict.state.value

    assert judged() == (False, "only_one")
    own_mariadb.execute("SHUTDOWN")
    assert own_mariadb.running
    own_mariadb.running.wait(30)
    assert judged(after=DAY) == (False, "stale")
    assert poller.self_metrics.errors == {"connect": 1}
    with own_mariadb.serve():
        assert judged() == (True, "stale")
    poller.stop()


@pytest.mark.parametrize(
    ("break_it", "reason", "advice"),
    [
        ("ALTER USER bernard@'%' IDENTIFIED BY 'other'", "connect", "check user and password"),
        ("REVOKE SELECT ON dbbackups.* FROM bernard@'%'", "connect", "run GRANT SELECT"),
        ("DROP TABLE dbbackups.backups", "schema", "the table is missing"),
        ("ALTER TABLE dbbackups.backups DROP COLUMN total_size", "schema", "the table lacks a column"),
        ("DROP DATABASE dbbackups", "schema", "create the database"),
    ],
)
def test_error_is_counted_by_reason_and_logged_once_with_advice(
    own_mariadb: MariaDB,
    reader: DatabaseSettings,
    caplog: pytest.LogCaptureFixture,
    break_it: str,
    reason: str,
    advice: str,
) -> None:
    poller = poll(reader)
    own_mariadb.execute(break_it)
    for _ in range(3):
        poller.tick()
    poller.stop()
    assert poller.self_metrics.errors == {reason: 3}
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(errors) == 1
    assert advice in errors[0]
    assert "secret-word" not in caplog.text
    assert 'bernard_backup_last_success_id{datacenter="eqiad",section="s1",type="dump"} 1.0' in scraped(poller)


def test_locked_table_times_out_and_is_read_when_it_is_free(own_mariadb: MariaDB, reader: DatabaseSettings) -> None:
    poller = poll(reader)
    connection = own_mariadb.connect("dbbackups")
    connection.cursor().execute("LOCK TABLES backups WRITE")
    poller.tick()
    assert poller.self_metrics.errors == {"timeout": 1}
    connection.close()
    poller.tick()
    assert poller.self_metrics.up
    poller.stop()


def test_hosts_are_tried_in_order(own_mariadb: MariaDB, reader: DatabaseSettings) -> None:
    dead = replace(reader, hosts=("127.0.0.1:1", f"127.0.0.1:{own_mariadb.port}"))
    assert poll(dead).self_metrics.up
    both = poll(replace(reader, hosts=("127.0.0.1:1", "127.0.0.1:2")))
    assert both.self_metrics.errors == {"connect": 1}


def test_option_file_describes_the_connection(own_mariadb: MariaDB, reader: DatabaseSettings, tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(
        "# comment\n!include /nowhere\n[mysqld]\nskip-networking\n[client]\nuser = bernard\n"
        f'password = "secret-word"\nhost = 127.0.0.1\nport = {own_mariadb.port}\ndatabase = dbbackups\n'
    )
    poller = poll(DatabaseSettings(option_file=file))
    assert poller.self_metrics.up, poller.self_metrics.errors
    url = "mysql+pymysql://bernard@/dbbackups"
    assert poll(DatabaseSettings(url=url, option_file=file)).self_metrics.up


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user = x", ":1: found an option before the first group, expected a group such as [client]"),
        ("[mysqld]\nuser = x", "no [client] section"),
        ("[client]\nport = secret", ":2: found a port that is not a number up to 65535, expected a port such as 3306"),
    ],
)
def test_option_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(text)
    with pytest.raises(StoreError) as raised:
        Database(DatabaseSettings(option_file=file))
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)
    with pytest.raises(StoreError, match="No such file"):
        Database(DatabaseSettings(option_file=tmp_path / "none"))


def test_reload_follows_the_new_policy_or_keeps_the_old_one_whole(rows: Rows) -> None:
    rows.add()
    poller = poll(rows.settings)
    other = Policy(expected={Job("s9", "dump", "codfw"): Limits(max_age=1.0)})

    def refuse() -> Settings:
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        poller.reload(refuse)
    assert "bernard_config_last_reload_successful 0.0" in scraped(poller)
    assert 'bernard_backup_expected{datacenter="eqiad",section="s1",type="dump"} 1.0' in scraped(poller)
    poller.reload(lambda: replace(poller.settings, policy=other))
    poller.tick()
    poller.stop()
    assert "bernard_config_last_reload_successful 1.0" in scraped(poller)
    assert 'bernard_backup_expected{datacenter="eqiad",section="s1",type="dump"} 0.0' in scraped(poller)
    assert 'bernard_backup_state{datacenter="codfw",section="s9",state="missing",type="dump"} 1.0' in scraped(poller)


def test_thread_polls_again_and_again_and_ends(rows: Rows) -> None:
    rows.add()
    poller = Poller(Settings(rows.settings, poll_interval=0.05, policy=POLICY))
    poller.start()
    eventually(lambda: poller.self_metrics.polls["success"] >= 3, "three polls")
    poller.stop()
    eventually(lambda: not [t for t in threading.enumerate() if t.name in ("poller",)], "the thread ends")


def test_internal_error_is_logged_and_polling_continues(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows.add()
    poller = Poller(Settings(rows.settings, poll_interval=0.05, policy=POLICY))
    monkeypatch.setattr(Inventory, "update", lambda *_: 1 / 0)
    poller.start()
    eventually(lambda: poller.self_metrics.errors["internal"] >= 2, "two failed polls")
    monkeypatch.undo()
    eventually(lambda: poller.self_metrics.up, "a poll that succeeds")
    poller.stop()
    assert "ZeroDivisionError" in caplog.text


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Poller]:
    """A poller that has polled and goes on, often."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=NOW - DAY)
    poller = Poller(Settings(DatabaseSettings(url=rows.url), poll_interval=0.05, policy=POLICY))
    poller.start()
    eventually(lambda: "bernard_up 1.0" in scraped(poller), "it has polled")
    yield poller
    poller.stop()


def fail_by(error: BaseException) -> Any:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


def cannot_start(thread: threading.Thread) -> None:
    if thread.name != "poller":
        raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    "error", [MemoryError(), SystemExit(1), KeyboardInterrupt(), RuntimeError("no"), OSError(24, "")]
)
@pytest.mark.parametrize("place", [(Inventory, "update"), (Renderer, "_render_inventory"), (publisher, "build")])
def test_error_of_any_kind_at_any_step_is_seen_and_ends_no_polling(
    quick: Poller, place: tuple[Any, str], error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*place, fail_by(error))
    eventually(lambda: quick.self_metrics.polls["failure"] >= 3, "failed polls")
    eventually(lambda: "bernard_up 0.0" in scraped(quick), "the failure is seen")
    assert "bernard_backup_last_success_id{" in scraped(quick)
    monkeypatch.undo()
    eventually(lambda: "bernard_up 1.0" in scraped(quick), "a poll that succeeds")
    assert quick.is_alive


def test_no_thread_to_be_had_is_a_failed_poll_and_no_more(
    quick: Poller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading.Thread, "start", cannot_start)
    eventually(lambda: "bernard_up 0.0" in scraped(quick), "the failure is seen")
    succeeded = quick.self_metrics.polls["success"]
    monkeypatch.undo()
    eventually(lambda: quick.self_metrics.polls["success"] >= succeeded + 2, "polls that succeed")
    assert [record.exc_text for record in caplog.records if record.levelno == logging.ERROR][1:] == []


def test_reader_that_ends_without_a_word_is_a_failed_poll(quick: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "run", lambda _: None)
    eventually(lambda: "bernard_up 0.0" in scraped(quick), "the failure is seen")
    monkeypatch.undo()
    eventually(lambda: "bernard_up 1.0" in scraped(quick), "a poll that succeeds")


def test_thread_that_ended_is_seen_and_begun_again_by_a_reload(quick: Poller) -> None:
    assert quick.is_alive
    quick._loop._stopped.set()
    eventually(lambda: not quick.is_alive, "the end is seen")
    quick._loop._stopped.clear()
    quick.reload(lambda: quick.settings)
    polled = quick.self_metrics.polls["success"]
    eventually(lambda: quick.self_metrics.polls["success"] > polled, "it polls again")
    assert quick.is_alive


def test_polling_that_can_publish_nothing_is_seen(quick: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_INTERVALS", 0)
    monkeypatch.setattr(loop, "_MORE", 0.5)
    monkeypatch.setattr(Renderer, "render", fail_by(MemoryError()))
    eventually(lambda: not quick.is_alive, "the watchdog is not fed")
    monkeypatch.undo()
    eventually(lambda: quick.is_alive, "it is fed again")


def test_read_that_takes_long_feeds_the_watchdog_all_the_time(quick: Poller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_MORE", 0.5)
    monkeypatch.setattr(Inventory, "update", lambda *_: time.sleep(2))
    failures = quick.self_metrics.polls["failure"]
    until = time.monotonic() + 1.8
    while time.monotonic() < until:
        assert quick.is_alive
        time.sleep(0.01)
    assert quick.self_metrics.polls["failure"] == failures


def test_unchanged_settings_are_not_counted_afresh(rows: Rows) -> None:
    rows.add()
    poller = poll(rows.settings)
    for settings, recounts in (
        (poller.settings, 0),
        (replace(poller.settings, poll_interval=30.0), 0),
        (replace(poller.settings, resync_interval=1800.0), 0),
        (replace(poller.settings, policy=Policy()), 1),
        (replace(poller.settings, database=replace(rows.settings, timeout=7)), 2),
    ):
        poller.reload(lambda settings=settings: settings)  # type: ignore[misc]
        poller.tick()
        assert poller.self_metrics.resyncs["policy"] == recounts
        assert poller.settings == settings
    assert poller._inventory.resync_interval == poller.settings.resync_interval
    poller.stop()


def test_policy_that_changes_twice_before_it_is_read_is_counted_afresh(rows: Rows) -> None:
    rows.add()
    poller = poll(rows.settings)
    old = poller.settings
    poller.reload(lambda: replace(old, policy=Policy()))
    poller.reload(lambda: replace(old, policy=Policy(), resync_interval=1800.0))
    poller.tick()
    poller.stop()
    assert poller.self_metrics.resyncs["policy"] == 1
    assert (poller._inventory.policy, poller._inventory.resync_interval) == (Policy(), 1800.0)


def test_many_polls_leave_no_descriptor_open(rows: Rows) -> None:
    rows.add()
    poller = poll(rows.settings, times=3)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        poller.tick()
    poller.stop()
    assert len(os.listdir("/proc/self/fd")) <= before


def test_rendering_that_takes_longer_than_an_interval_is_no_database_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the first time, when what renders is imported, on a machine that is busy."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=NOW - DAY)
    render = Renderer.render

    def slowly(*arguments: Any) -> Any:
        time.sleep(1.5)
        return render(*arguments)

    poller = Poller(Settings(DatabaseSettings(url=rows.url), poll_interval=1.0, policy=POLICY))
    assert "bernard_up 0.0" in scraped(poller)
    monkeypatch.setattr(Renderer, "render", slowly)
    poller.tick()
    assert "bernard_up 1.0" in scraped(poller)
    assert 'bernard_poll_errors_total{reason="timeout"} 0.0' in scraped(poller)


def test_success_is_exposed_only_with_the_jobs_of_its_poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It also holds for the first scrape while the first poll is being published."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=NOW - DAY)
    poller = Poller(Settings(DatabaseSettings(url=rows.url), policy=POLICY))
    meanwhile = []

    def watched(*arguments: Any) -> Any:
        meanwhile.append(scraped(poller))
        return build(*arguments)

    monkeypatch.setattr(publisher, "build", watched)
    poller.tick()
    assert meanwhile
    assert "bernard_up 0.0" in meanwhile[0]
    assert "bernard_up 1.0" in scraped(poller)
    assert "bernard_backup_last_success_id{" in scraped(poller)


def test_exporter_is_ready_only_once_what_it_found_can_be_scraped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that waits for it never scrapes the empty initial state."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=NOW - DAY)
    poller = Poller(Settings(DatabaseSettings(url=rows.url), policy=POLICY))
    while_rendering = []
    render = Renderer.render

    def watched(*arguments: Any) -> Any:
        while_rendering.append(poller.ready)
        return render(*arguments)

    monkeypatch.setattr(Renderer, "render", watched)
    poller.tick()
    assert (while_rendering[0], poller.ready) == (False, True)
    assert "bernard_backup_last_success_id{" in scraped(poller)
