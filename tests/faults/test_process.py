"""Whatever happens to the process, it goes on, or ends as it was asked to."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bernard_exporter.config.settings import Settings
from bernard_exporter.exposition import TEXT
from bernard_exporter.model import Job
from bernard_exporter.policy import Limits, Policy
from bernard_exporter.poller import Clock, Poller
from tests.exporter import COMMAND, Exporter, exporter
from tests.faults.scene import footprint
from tests.rows import DAY, NOW, Rows
from tests.servers import PATIENCE, MariaDB, eventually, free_port, process


@pytest.fixture
def sqlite(tmp_path: Path) -> Rows:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    return rows


def config(url: str, section: str = "s1") -> str:
    return (
        f"database: {{url: '{url}', timeout: 1s}}\npoll_interval: 500ms\npolicy: {{sections: {{{section}: [dump]}}}}\n"
    )


@pytest.fixture
def running(sqlite: Rows, tmp_path: Path) -> Iterator[Exporter]:
    with exporter(tmp_path, config(sqlite.url)) as started:
        eventually(lambda: started.get("/-/ready").status_code == 200, "it has polled")
        yield started


@pytest.mark.parametrize("how", ["post", "signal"])
def test_1000_reloads_leave_nothing_behind(running: Exporter, sqlite: Rows, how: str) -> None:
    with httpx.Client(base_url=running.url, timeout=30) as client:

        def reload(times: int) -> None:
            for number in range(times):
                running.config.write_text(config(sqlite.url, f"s{number % 2 + 1}"))
                if how == "post":
                    assert client.post("/-/reload").status_code == 200
                else:
                    running.running.send_signal(signal.SIGHUP)

        reload(100)
        before = footprint(running.running.pid)
        reload(900)
        running.config.write_text(config(sqlite.url, "s3"))
        running.running.send_signal(signal.SIGHUP)
        last = 'section="s3",state="missing",type="dump"} 1.0'
        eventually(lambda: last in client.get("/metrics").text, "the last file is followed")
        assert "bernard_up 1.0" in client.get("/metrics").text
        after = footprint(running.running.pid)
    assert after.threads <= before.threads + 2
    assert after.descriptors <= before.descriptors + 2
    assert after.resident < before.resident + (16 << 20)


def test_storm_of_signals_with_bad_files_between_keeps_a_good_configuration(running: Exporter, sqlite: Rows) -> None:
    for number in range(300):
        good = config(sqlite.url, f"s{number}")
        running.config.write_text("nonsense: 1\n" if number % 3 else good)
        running.running.send_signal(signal.SIGHUP)
    running.config.write_text(good)
    running.running.send_signal(signal.SIGHUP)
    eventually(lambda: 'section="s299"' in running.get("/metrics").text, "the last file is followed")
    assert "bernard_config_last_reload_successful 1.0" in running.get("/metrics").text
    assert "Traceback" not in running.logged()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_at_any_moment_of_the_start_ends_it_well_or_not_at_all(
    sqlite: Rows, tmp_path: Path, number: signal.Signals
) -> None:
    """Until it listens to signals SIGTERM ends it as it does any program; SIGHUP must not end a started service."""
    file = tmp_path / "config.yaml"
    file.write_text(config(sqlite.url))
    command = [*COMMAND, "serve", "--config.file", str(file), "--web.listen-address", "127.0.0.1:0"]
    for tenths in range(1, 24, 2):
        log = tmp_path / f"log{tenths}"
        with process(command, log) as started:
            time.sleep(tenths / 10)
            listening = "event=" in log.read_text()
            started.send_signal(number)
            if number is signal.SIGHUP:
                time.sleep(0.1)
                assert started.poll() is None or not listening
                # One that was not listening yet may have begun to in time.
                started.send_signal(signal.SIGTERM)
            assert started.wait(PATIENCE) in (0, -signal.SIGTERM, -number if not listening else 0)
        assert "Traceback" not in log.read_text()


def test_full_disk_for_the_log_ends_nothing(tmp_path: Path) -> None:
    """/dev/full answers each write as a full disk does; the database is away, so that there is something to log."""
    file = tmp_path / "config.yaml"
    file.write_text(config("mysql+pymysql://u@127.0.0.1:1/d"))
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, "serve", "--config.file", str(file), "--web.listen-address", address]
    with process(command, Path("/dev/full")) as started:

        def failed() -> bool:
            try:
                found = httpx.get(f"http://{address}/metrics").text
            except httpx.TransportError:
                return False
            polls = re.search(r'^bernard_polls_total{outcome="failure"} (\S+)$', found, re.MULTILINE)
            return polls is not None and float(polls[1]) >= 3

        eventually(failed, "three polls failed")
        for number in range(5):
            file.write_text(config(f"mysql+pymysql://u@127.0.0.1:{number + 2}/d"))
            assert httpx.post(f"http://{address}/-/reload").status_code == 200
        assert httpx.get(f"http://{address}/-/healthy").status_code == 200
        started.send_signal(signal.SIGTERM)
        # 120 is how Python ends when its last words cannot be written.
        assert started.wait(20) in (0, 120)


def test_port_taken_by_another_exporter_is_one_line_and_leaves_the_other_alone(
    running: Exporter, sqlite: Rows, tmp_path: Path
) -> None:
    command = [*COMMAND, "serve", "--config.file", str(running.config), "--web.listen-address", running.address]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "Address already in use; choose another address" in done.stderr
    assert running.get("/metrics").status_code == 200


def test_clock_that_jumps_changes_ages_and_nothing_else(rows: Rows) -> None:
    rows.add(start=NOW - DAY)
    now, seconds = NOW, 0.0
    policy = Policy(expected={Job("s1", "dump", "eqiad"): Limits(max_age=3 * DAY.total_seconds(), read_only=True)})
    settings = Settings(rows.settings, policy=policy)
    poller = Poller(settings, Clock(now=lambda: now, monotonic=lambda: seconds))

    def state() -> str:
        nonlocal seconds
        seconds += 60
        poller.tick()
        text = b"".join(poller.scrape.answer(TEXT, gzip=False)).decode()
        assert "bernard_up 1.0" in text
        held = [
            line for line in text.splitlines() if line.startswith("bernard_backup_state{") and line.endswith(" 1.0")
        ]
        assert len(held) == 1
        return held[0].split('state="')[1].split('"')[0]

    assert state() == "fresh"
    for jump, expected in (
        (timedelta(days=4), "stale"),
        (timedelta(days=400), "very_stale"),
        (timedelta(hours=-20), "fresh"),
        # Before the run began: it is not believed until its time has come.
        (timedelta(days=-3), "missing"),
        (datetime(1970, 1, 2, tzinfo=UTC) - NOW, "missing"),
        (datetime(2105, 1, 1, tzinfo=UTC) - NOW, "very_stale"),
        (timedelta(0), "fresh"),
    ):
        now = NOW + jump
        assert state() == expected, jump
    assert poller.telemetry.polls == {"success": 8}
    poller.stop()


def test_process_whose_clock_jumps_goes_on_polling_and_ages_with_the_clock(tmp_path: Path, sqlite: Rows) -> None:
    """The clock of the real process alone is moved, as NTP or a person does it; what waits goes by another."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    shift = tmp_path / "shift"
    shift.write_text("+0")
    moved = {"LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(shift), "FAKETIME_NO_CACHE": "1"}
    moved |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    sqlite.add(section="s2", start=datetime.now(UTC) - 2 * DAY)
    with exporter(tmp_path, config(sqlite.url, "s2"), env=moved) as running:

        def value(sample: str) -> float:
            found = re.search(rf"^{re.escape(sample)} (\S+)$", running.get("/metrics").text, re.MULTILINE)
            return float(found[1]) if found else 0

        def holds(state: str) -> bool:
            labels = f'datacenter="eqiad",section="s2",state="{state}",type="dump"'
            return value(f"bernard_backup_state{{{labels}}}") == 1

        eventually(lambda: holds("only_one"), "the backup is young")
        before = footprint(running.running.pid)
        for jump, state in (("+10d", "stale"), ("+400d", "very_stale"), ("-3d", "missing"), ("+1h", "only_one")):
            shift.write_text(jump)
            eventually(lambda state=state: holds(state), f"by the clock it is {state}")  # type: ignore[misc]
            polls = value('bernard_polls_total{outcome="success"}')
            eventually(
                lambda polls=polls: value('bernard_polls_total{outcome="success"}') > polls + 2,  # type: ignore[misc]
                "polls go on",
            )
        assert value("bernard_up") == 1
        assert footprint(running.running.pid).threads <= before.threads + 1
        assert "Traceback" not in running.logged()


def test_password_is_in_no_log_line_traceback_or_process_list(tmp_path: Path, own_mariadb: MariaDB) -> None:
    word = "w0rd-of-honour"
    url = f"mysql+pymysql://bernard:{word}@127.0.0.1:{own_mariadb.port}/dbbackups"
    with exporter(tmp_path, config(url), "--log.level=debug") as running:
        eventually(lambda: "cannot read the database" in running.logged(), "the password is refused")
        for bad in (url.replace("mysql+pymysql", "postgresql"), url.replace("127.0.0.1", "[::1"), f"'{url}"):
            running.config.write_text(f'database: {{url: "{bad}"}}\n')
            answer = httpx.post(f"{running.url}/-/reload")
            assert answer.status_code == 500
            assert word not in answer.text
        shown = [Path(f"/proc/{running.running.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        pages = [running.get(path).text for path in ("/", "/metrics", "/-/ready", "/nothing")]
        assert word not in running.logged()
        assert not [text for text in pages if word in text]
        assert not [text for text in shown if word.encode() in text]


def test_password_is_in_no_traceback_of_an_error_nobody_thought_of(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback shows lines of code and the error's own text, so that the error of the driver is what counts."""
    word = "w0rd-of-honour"
    settings = Settings(rows.settings.__class__(url=f"mysql+pymysql://bernard:{word}@127.0.0.1:1/d", timeout=1))
    poller = Poller(settings)

    def fail(*_: object) -> None:
        poller._database.engines[0].connect()

    monkeypatch.setattr(poller._database, "connect", fail)
    poller.tick()
    poller.stop()
    assert poller.telemetry.up is False
    assert "Can't connect" in caplog.text
    assert word not in caplog.text
    assert word not in repr(poller.settings)
