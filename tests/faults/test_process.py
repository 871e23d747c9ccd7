"""The process survives any failure, or exits as requested."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from testing import plain_http
from testing.attack_scene import footprint
from testing.exporter import COMMAND, Exporter, exporter
from testing.rows import DAY, NOW, Rows
from testing.servers import PATIENCE, MariaDB, eventually, free_port, process


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
    with plain_http.Client(base_url=running.url, timeout=30) as client, ThreadPoolExecutor(50) as many:

        def post(number: int) -> int:
            running.config.with_suffix(f".{number}").write_text(config(sqlite.url, f"s{number % 2 + 1}"))
            running.config.with_suffix(f".{number}").replace(running.config)
            return client.post("/-/reload").status_code

        def reload(times: int) -> None:
            if how == "post":
                assert set(many.map(post, range(times))) == {200}
                return
            for number in range(times):
                running.config.write_text(config(sqlite.url, f"s{number % 2 + 1}"))
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


def loaded(running: Exporter) -> int:
    return running.logged().count("configuration reloaded")


def test_many_requests_for_a_reload_cause_few_and_no_recount(running: Exporter) -> None:
    recount = 'bernard_resyncs_total{reason="policy"} 0.0'
    assert recount in running.get("/metrics").text
    begun = time.monotonic()
    with plain_http.Client(base_url=running.url, timeout=30) as client, ThreadPoolExecutor(50) as many:
        statuses = list(many.map(lambda _: client.post("/-/reload").status_code, range(500)))
        assert set(statuses) == {200}
        assert 1 <= loaded(running) <= time.monotonic() - begun + 2
        polls = running.get("/metrics").text
    assert recount in polls
    running.config.write_text(running.config.read_text().replace("s1", "s2"))
    assert plain_http.post(f"{running.url}/-/reload").status_code == 200
    eventually(lambda: recount not in running.get("/metrics").text, "another policy is counted again")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Origin": "http://other.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://["},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "same-origin", "Origin": "http://other.example"},
    ],
)
def test_page_of_another_site_reloads_nothing(running: Exporter, headers: dict[str, str]) -> None:
    answer = plain_http.post(f"{running.url}/-/reload", headers=headers)
    assert (answer.status_code, loaded(running)) == (403, 0)


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-origin", "Origin": "own"}]
)
def test_own_page_or_program_reloads(running: Exporter, headers: dict[str, str]) -> None:
    headers = {name: running.url if value == "own" else value for name, value in headers.items()}
    answer = plain_http.post(f"{running.url}/-/reload", headers=headers)
    assert (answer.status_code, loaded(running)) == (200, 1)


def test_configuration_that_fails_in_any_way_is_one_line_and_ends_no_reload(running: Exporter, sqlite: Rows) -> None:
    """By both ways of asking; what the parser raises for some is foreseen nowhere."""
    good = running.config.read_text()
    failed = "bernard_config_last_reload_successful 0.0"
    stays = "reload failed, the old configuration is kept"
    bad = [b"poll_interval: !vault x\n", b"\xff\xfe\x00", b"a: &a [*a]\n", b"[" * 5000, b"? [a]\n: 1\n", b"", b"{1: 2}"]
    bad += [
        b"poll_interval: 1e999s\n",
        b"poll_interval: " + b"9" * 5000 + b"\n",
        b"x: 2020-99-99\n",
        b"!!python/object:x.y {}",
    ]
    for number, text in enumerate(bad, 1):
        running.config.write_bytes(text)
        if number % 2:
            running.running.send_signal(signal.SIGHUP)
        else:
            assert plain_http.post(f"{running.url}/-/reload", timeout=30).status_code == 500, text
        eventually(lambda number=number: running.logged().count(stays) == number, f"{text[:20]!r} is refused")  # type: ignore[misc]
    eventually(lambda: failed in running.get("/metrics").text, "the metric shows it")
    assert "Traceback" not in running.logged()
    running.config.write_text(good.replace("s1", "s7"))
    running.running.send_signal(signal.SIGHUP)
    eventually(lambda: 'section="s7"' in running.get("/metrics").text, "a good one is followed")
    assert failed not in running.get("/metrics").text


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
                found = plain_http.get(f"http://{address}/metrics").text
            except httpx.TransportError:
                return False
            polls = re.search(r'^bernard_polls_total{outcome="failure"} (\S+)$', found, re.MULTILINE)
            return polls is not None and float(polls[1]) >= 3

        eventually(failed, "three polls failed")
        for number in range(5):
            file.write_text(config(f"mysql+pymysql://u@127.0.0.1:{number + 2}/d"))
            assert plain_http.post(f"http://{address}/-/reload").status_code == 200
        assert plain_http.get(f"http://{address}/-/healthy").status_code == 200
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
    assert poller.self_metrics.polls == {"success": 8}
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
            answer = plain_http.post(f"{running.url}/-/reload")
            assert answer.status_code == 500
            assert word not in answer.text
        shown = [Path(f"/proc/{running.running.pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
        pages = [running.get(path).text for path in ("/", "/metrics", "/-/ready", "/nothing")]
        assert word not in running.logged()
        assert not [text for text in pages if word in text]
        assert not [text for text in shown if word.encode() in text]


def test_password_is_in_no_traceback_of_an_internal_error(
    rows: Rows, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback shows lines of code and the error's own text, so that the error of the driver is what counts."""
    word = "w0rd-of-honour"
    settings = Settings(rows.settings.__class__(url=f"mysql+pymysql://bernard:{word}@127.0.0.1:1/d", timeout=1))
    poller = Poller(settings)

    def fail(*_: object) -> None:
        poller.database.engines[0].connect()

    monkeypatch.setattr(poller.database, "connect", fail)
    poller.tick()
    poller.stop()
    assert poller.self_metrics.up is False
    assert "Can't connect" in caplog.text
    assert word not in caplog.text
    assert word not in repr(poller.settings)
