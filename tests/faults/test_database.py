"""On any failure of the database the exporter reports it, keeps its data, and recovers by itself."""

from __future__ import annotations

import gc
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pymysql
import pytest
from sqlalchemy import text

from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.errors import StoreError
from bernard_exporter.store.connection import Database
from testing.attack_scene import PASSWORD, SAMPLE, Scene, prepare, scene
from testing.exporter import exporter
from testing.servers import PATIENCE, MariaDB, eventually

GRANT = "GRANT SELECT ON dbbackups.* TO bernard@'%'"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A scene for faults that can be undone."""
    directory = tmp_path_factory.mktemp("faults")
    server = MariaDB(directory)
    server.install()
    with server.serve():
        prepare(server)
        with scene(directory, server) as running:
            yield running


@pytest.mark.parametrize(
    ("break_it", "mend_it", "reason", "says"),
    [
        (
            ["ALTER TABLE dbbackups.backups CHANGE total_size bytes BIGINT UNSIGNED"],
            ["ALTER TABLE dbbackups.backups CHANGE bytes total_size BIGINT UNSIGNED"],
            "schema",
            "the table lacks a column",
        ),
        (
            ["RENAME TABLE dbbackups.backups TO dbbackups.away"],
            ["RENAME TABLE dbbackups.away TO dbbackups.backups"],
            "schema",
            "the table is missing",
        ),
        (
            ["REVOKE SELECT ON dbbackups.* FROM bernard@'%'"],
            [GRANT],
            "connect",
            "run GRANT SELECT",
        ),
        (["ALTER USER bernard@'%' ACCOUNT LOCK"], ["ALTER USER bernard@'%' ACCOUNT UNLOCK"], "connect", "locked"),
        (
            ["ALTER USER bernard@'%' WITH MAX_CONNECTIONS_PER_HOUR 1"],
            ["ALTER USER bernard@'%' WITH MAX_CONNECTIONS_PER_HOUR 0", "FLUSH USER_RESOURCES"],
            "connect",
            "has exceeded one of its resource limits",
        ),
    ],
)
def test_fault_ends_once_it_is_fixed(
    shared: Scene, break_it: list[str], mend_it: list[str], reason: str, says: str
) -> None:
    with shared.survived(reason, says):
        shared.server.execute(*break_it)
        shared.stays_away()
        shared.server.execute(*mend_it)


@pytest.mark.parametrize(
    ("change_it", "undo_it"),
    [
        (["SET GLOBAL read_only = 1"], ["SET GLOBAL read_only = 0"]),
        (["SET GLOBAL max_allowed_packet = 1024"], ["SET GLOBAL max_allowed_packet = 16777216"]),
        (["SET GLOBAL time_zone = '+13:00'"], ["SET GLOBAL time_zone = 'SYSTEM'"]),
        (["SET GLOBAL sql_mode = 'ANSI,STRICT_ALL_TABLES'"], ["SET GLOBAL sql_mode = DEFAULT"]),
        (["SET GLOBAL tx_isolation = 'SERIALIZABLE'"], ["SET GLOBAL tx_isolation = 'REPEATABLE-READ'"]),
        (["SET GLOBAL character_set_server = 'latin1'"], ["SET GLOBAL character_set_server = 'utf8mb4'"]),
        (
            ["ALTER TABLE dbbackups.backups ADD COLUMN more INT FIRST, DROP INDEX last_backup"],
            [
                "ALTER TABLE dbbackups.backups DROP COLUMN more, "
                "ADD INDEX last_backup (type, section, status, start_date)"
            ],
        ),
        (
            ["ALTER TABLE dbbackups.backups MODIFY status ENUM('deleted','failed','finished','ongoing') NOT NULL"],
            ["ALTER TABLE dbbackups.backups MODIFY status ENUM('ongoing','finished','failed') NOT NULL"],
        ),
    ],
)
def test_change_of_the_server_changes_no_value(shared: Scene, change_it: list[str], undo_it: list[str]) -> None:
    start = 'bernard_backup_last_success_start_timestamp_seconds{datacenter="eqiad",section="s1",type="dump"}'
    before = shared.value(start)
    with shared.survived(None, log_lines=0):
        shared.server.execute(*change_it)
        shared.await_polls(3)
        assert shared.value(start) == before
        shared.server.execute(*undo_it)


def take_all_connections(server: MariaDB, stack: ExitStack) -> list[pymysql.Connection[pymysql.cursors.Cursor]]:
    """Connect until the server refuses; the exporter may hold a place meanwhile, which it does not get again."""
    taken: list[pymysql.Connection[pymysql.cursors.Cursor]] = []
    while True:
        try:
            taken.append(stack.enter_context(server.connect()))
        except pymysql.err.OperationalError:
            return taken


def test_connection_limit_is_said_and_over_when_others_leave(shared: Scene) -> None:
    with shared.survived("connect", "increase max_connections or wait"), ExitStack() as stack:
        shared.server.execute("SET GLOBAL max_connections = 10")
        others = take_all_connections(shared.server, stack)
        shared.stays_away()
        others[0].cursor().execute("SET GLOBAL max_connections = 151")


def test_locked_table_is_said_and_over_when_it_is_free(shared: Scene) -> None:
    with shared.survived("timeout"):
        locking = shared.server.connect("dbbackups")
        locking.cursor().execute("LOCK TABLES backups WRITE")
        shared.stays_away()
        locking.close()


def test_result_that_stops_in_the_middle_is_given_up(shared: Scene) -> None:
    with shared.survived("timeout", log_lines=4):
        shared.proxy.stall_after = 4000
        shared.stays_away()
        eventually(lambda: shared.proxy.waiting, "a result stopped in the middle")
        shared.proxy.heal()


def test_half_open_connections_are_given_up(shared: Scene) -> None:
    with shared.survived("timeout", log_lines=4):
        shared.proxy.stalled = True
        shared.stays_away()
        accepted = shared.proxy.accepted
        eventually(lambda: shared.proxy.accepted >= accepted + 2, "it tries again")
        shared.proxy.heal()


def test_broken_connections_are_made_anew(shared: Scene) -> None:
    with shared.survived("connect", log_lines=60):
        until = time.monotonic() + 30
        failed = shared.failures("connect")
        while shared.failures("connect") == failed:
            assert time.monotonic() < until
            shared.proxy.reset()


def test_slow_network_makes_polls_slow_and_nothing_else(shared: Scene) -> None:
    with shared.survived(None, log_lines=0):
        shared.proxy.chunk, shared.proxy.pause = 8192, 0.005
        shared.await_polls(3)
        # Healing would break the connection of a poll.
        shared.proxy.chunk, shared.proxy.pause = 65536, 0.0


def test_read_that_takes_many_intervals_is_no_failure_within_the_timeout(own_mariadb: MariaDB, tmp_path: Path) -> None:
    """Neither the first, as of a large inventory, nor a later one."""
    prepare(own_mariadb)
    url = own_mariadb.url("dbbackups", f"bernard:{PASSWORD}")
    config = f"database: {{url: '{url}', timeout: 10s}}\npoll_interval: 200ms\n"
    locking = own_mariadb.connect("dbbackups")
    locking.cursor().execute("LOCK TABLES backups WRITE")
    with exporter(tmp_path, config) as running:
        for up in (0, 1):
            eventually(lambda: own_mariadb.execute(_WAITS), "a statement of the exporter waits for a long time")
            text = running.get("/metrics").text
            assert f"bernard_up {up}.0" in text
            assert 'bernard_polls_total{outcome="failure"} 0.0' in text
            locking.cursor().execute("UNLOCK TABLES")
            eventually(lambda: "bernard_up 1.0" in running.get("/metrics").text, "the exporter is up")
            locking.cursor().execute("LOCK TABLES backups WRITE")
        locking.close()
        assert "cannot read the database" not in running.logged()


# Fifteen intervals.
_WAITS = (
    "SELECT 1 FROM information_schema.processlist WHERE user = 'bernard' AND state LIKE '%lock%' AND time_ms > 3000"
)


def test_result_that_trickles_is_broken_off(own_mariadb: MariaDB, tmp_path: Path) -> None:
    """Every byte comes within the time limit of a read, and the result never ends."""
    prepare(own_mariadb)
    with scene(tmp_path, own_mariadb, timeout="600ms") as running:
        with running.survived("timeout", "poll aborted: no statement ended in", log_lines=8):
            running.proxy.chunk, running.proxy.pause, running.proxy.free = 1, 0.05, 2000
            running.stays_away()
            eventually(lambda: "poll aborted" in running.exporter.logged(), "poll aborted", 120)
            accepted = running.proxy.accepted
            eventually(lambda: running.proxy.accepted > accepted, "another poll begins")
            running.proxy.heal()
        running.proxy.chunk, running.proxy.pause, running.proxy.free = 1, 0.05, 2000
        running.stays_away()
        running.exporter.running.send_signal(signal.SIGTERM)
        # It would trickle for minutes.
        assert running.exporter.running.wait(30) == 0


def test_query_that_hangs_does_not_keep_the_process_from_exiting(own_mariadb: MariaDB, tmp_path: Path) -> None:
    prepare(own_mariadb)
    url = own_mariadb.url("dbbackups", f"bernard:{PASSWORD}")
    with exporter(tmp_path, f"database: {{url: '{url}', timeout: 60s}}\npoll_interval: 1h\n") as running:
        eventually(lambda: running.get("/-/ready").status_code == 200, "it has polled")
        assert running.get("/api/v1/runs").status_code == 200
        locking = own_mariadb.connect("dbbackups")
        locking.cursor().execute("LOCK TABLES backups WRITE")
        host, port = running.address.split(":")
        with socket.create_connection((host, int(port))) as client:
            client.sendall(b"GET /api/v1/runs HTTP/1.1\r\nHost: x\r\n\r\n")
            eventually(lambda: own_mariadb.execute(_QUERIES), "the query waits")
            assert running.get("/metrics").status_code == 200
            assert running.get("/api/v1/jobs").status_code == 200
            begun = time.monotonic()
            running.running.send_signal(signal.SIGTERM)
            # Ten seconds for responses in progress.
            assert running.running.wait(PATIENCE) == 0
        assert time.monotonic() - begun < 40
        locking.close()


_QUERIES = "SELECT 1 FROM information_schema.processlist WHERE user = 'bernard' AND state LIKE '%lock%'"


def test_result_that_is_broken_off_leaves_one_error_and_no_traceback(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fails while an object is freed cannot be caught; Python writes it to standard error."""
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    database = Database(DatabaseSettings(url=mariadb.url("mysql")))

    def read() -> None:
        with database.connect() as connection:
            rows = connection.execution_options(stream_results=True).execute(text("SELECT seq FROM seq_1_to_1000000"))
            next(iter(rows))
            database.abort(threading.get_ident())
            rows.fetchall()

    with pytest.raises(StoreError, match="2013"):
        read()
    gc.collect()
    assert unraisable == []


@pytest.mark.parametrize("when", ["connect", "query", "result"])
def test_server_that_is_stopped_is_given_up_and_read_when_it_goes_on(
    own_mariadb: MariaDB, tmp_path: Path, when: str
) -> None:
    prepare(own_mariadb)
    assert own_mariadb.running
    with scene(tmp_path, own_mariadb) as running, running.survived("timeout", log_lines=5), ExitStack() as stack:
        if when == "query":
            locking = stack.enter_context(own_mariadb.connect("dbbackups"))
            locking.cursor().execute("LOCK TABLES backups WRITE")
            waits = "SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table%'"
            eventually(lambda: own_mariadb.execute(waits), "a query waits")
        elif when == "result":
            running.proxy.stall_after = 4000
            eventually(lambda: running.proxy.waiting, "a result is on its way")
        own_mariadb.running.send_signal(signal.SIGSTOP)
        running.stays_away()
        # Scrapes and states go on.
        assert 'section="s1",state="only_one",type="dump"} 1.0' in running.scraped()
        own_mariadb.running.send_signal(signal.SIGCONT)
        running.proxy.heal()


def test_server_that_is_killed_and_started_again_is_read_again(own_mariadb: MariaDB, tmp_path: Path) -> None:
    # Else the last second of what was written is lost with it.
    own_mariadb.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
    prepare(own_mariadb)
    assert own_mariadb.running
    with ExitStack() as servers, scene(tmp_path, own_mariadb) as running, running.survived("connect", log_lines=6):
        for _ in range(2):
            assert own_mariadb.running
            own_mariadb.running.kill()
            own_mariadb.running.wait()
            running.stays_away()
            servers.enter_context(own_mariadb.serve())
            eventually(running.is_up, "it is read again")


def test_failover_to_a_replica_with_older_data_and_back_shows_what_each_has(
    own_mariadb: MariaDB, tmp_path: Path
) -> None:
    (tmp_path / "replica").mkdir()
    replica = MariaDB(tmp_path / "replica")
    replica.install()
    with replica.serve():
        for server in (replica, own_mariadb):
            prepare(server, runs=50)
        # What the replica does not have yet: a newer success, and an end of a run.
        own_mariadb.execute(
            "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
            "SELECT name, status, source, host, type, section, start_date + INTERVAL 1 HOUR, end_date, total_size "
            "FROM backups WHERE section = 's1'",
            database="dbbackups",
        )
        with scene(tmp_path, own_mariadb) as running:
            newest = running.value(SAMPLE)
            footprint = running.footprint()
            for _ in range(3):
                running.proxy.target = replica.port
                eventually(lambda: running.value(SAMPLE) == 1, "the replica's newest success")
                eventually(running.is_up, "the replica is read")
                running.proxy.target = own_mariadb.port
                eventually(lambda: running.value(SAMPLE) == newest, "the newest success again")
            assert running.failures("internal") == 0
            eventually(lambda: running.footprint().descriptors <= footprint.descriptors + 1, "nothing is left over")
    assert newest is not None
    assert newest > 1
