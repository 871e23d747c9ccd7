"""From rows in MariaDB to notifications: exporter, Prometheus, Alertmanager, webhooks, chat and mail."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from alerts.__main__ import main
from testing import plain_http
from testing.exporter import Exporter, exporter
from testing.prometheus import Prometheus
from testing.rows import CODFW, DAY, EQIAD, Rows
from testing.servers import MariaDB, eventually, free_port, need, process
from tests.alerts.receivers import Inbox, inbox

# Everything waits a small part of the usual time: a stale backup alerts after 13 seconds.
PACE = 0.015
PROMETHEUS = """
global: {{scrape_interval: 2s, scrape_timeout: 2s, evaluation_interval: 1s}}
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager}']}}]}}]}}
scrape_configs:
- {{job_name: bernard, static_configs: [{{targets: {exporters}}}]}}
"""
WORDS = ("CRITICAL", "OK")
CONFIG = """
database: {{url: '{url}', timeout: 5s}}
poll_interval: 1s
policy:
  sections:
    s1: [dump]
    s2: [dump]
    s3: {{dump: {{datacenters: [eqiad]}}}}
    s4: {{dump: {{max_age: {s4}}}}}
"""
MAX_AGE = 8 * DAY
PAGES = [
    ("s3", "firing", ("BackupStaleEverywhere",)),
    # Both ended at the same moment, so the one no longer inhibits the other.
    ("s3", "resolved", ("BackupStaleEverywhere", "BackupVeryStale")),
]


@dataclass
class Fleet:
    """Everything that runs, and where.

    Attributes:
        directory: where the files of all servers lie.
        exported: the address that Prometheus scrapes.
    """

    server: MariaDB
    rows: Rows
    inbox: Inbox
    directory: Path
    exported: str
    alertmanager: str
    prometheus: Prometheus

    def config(self, s4: str) -> str:
        return CONFIG.format(url=self.rows.url, s4=s4)

    def export(self, stack: ExitStack, s4: str = "8d") -> Exporter:
        """Start the exporter; ``s4`` is how old a dump of s4 may be."""
        return stack.enter_context(exporter(self.directory, self.config(s4), "--web.listen-address", self.exported))

    def firing(self, name: str, section: str) -> bool:
        """Return whether an alert fires in Prometheus, notified or not."""
        query = f'count(ALERTS{{alertstate="firing",alertname="{name}",section="{section}"}})'
        return bool(self.prometheus.ask(query))

    def held_back(self, name: str, section: str) -> bool:
        """Return whether Alertmanager knows an alert and keeps it to itself because of another."""
        alerts = plain_http.get(f"http://{self.alertmanager}/api/v2/alerts").json()
        return any(
            alert["status"]["inhibitedBy"]
            for alert in alerts
            if alert["labels"]["alertname"] == name and alert["labels"].get("section") == section
        )


@pytest.fixture
def fleet(own_mariadb: MariaDB, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet whose Prometheus does not run yet."""
    own_mariadb.execute("CREATE DATABASE dbbackups CHARACTER SET utf8mb4")
    rows = Rows(own_mariadb.url("dbbackups"))
    with ExitStack() as stack:
        receivers = stack.enter_context(inbox())
        exported, asked, alertmanager = (f"127.0.0.1:{free_port()}" for _ in range(3))
        generate(tmp_path, receivers)
        flags = [f"--config.file={tmp_path / 'alertmanager/alertmanager.yml'}", f"--web.listen-address={alertmanager}"]
        flags += [f"--storage.path={tmp_path / 'am'}", "--cluster.listen-address="]
        stack.enter_context(process([need("prometheus-alertmanager"), *flags], tmp_path / "alertmanager.log"))
        eventually(_answers(f"http://{alertmanager}/-/ready"), "Alertmanager answers")
        yield Fleet(own_mariadb, rows, receivers, tmp_path, exported, alertmanager, Prometheus(asked))
        # Shown where the test fails.
        print(*receivers.chat(""), *receivers.webhooks("/pager"), sep="\n")


def generate(directory: Path, receivers: Inbox) -> None:
    """Write rules and routing as an operator does, with receivers and a pace of the test's own."""
    flags = [f"--output={directory}", f"--pace={PACE}", f"--smarthost={receivers.smarthost}", "--smtp-tls=false"]
    flags += [f"--{name}-url={receivers.url}/{name}" for name in ("pager", "chat", "task")]
    done = CliRunner().invoke(main, flags)
    assert done.exit_code == 0, done.output


def start_prometheus(fleet: Fleet, stack: ExitStack, *others: str) -> None:
    """Start Prometheus, and give it the rules once it has scraped: at this pace an exporter is down very soon.

    Args:
        fleet: what it belongs to.
        stack: ends it.
        others: addresses of further exporters to scrape.
    """
    file, address = fleet.directory / "prometheus.yml", fleet.prometheus.address
    config = PROMETHEUS.format(alertmanager=fleet.alertmanager, exporters=[fleet.exported, *others])
    file.write_text(config)
    flags = [f"--config.file={file}", f"--storage.tsdb.path={fleet.directory / 'tsdb'}"]
    flags += [f"--web.listen-address={address}"]
    running = stack.enter_context(process([need("prometheus"), *flags], fleet.directory / "prometheus.log"))
    eventually(_answers(f"http://{address}/-/ready"), "Prometheus answers")
    eventually(lambda: len(fleet.prometheus.ask("bernard_up == 1")) == 1 + len(others), "Prometheus has scraped")
    file.write_text(f"{config}rule_files: ['{fleet.directory}/rules/*.yaml']\n")
    running.send_signal(signal.SIGHUP)


def _answers(url: str) -> Callable[[], bool]:
    def answers() -> bool:
        try:
            return plain_http.get(url).status_code == 200
        except httpx.TransportError:
            return False

    return answers


def write(rows: Rows) -> None:
    """Write a history in which s3 is very stale, s2 goes stale in ten seconds, and s9 is not in the policy."""
    now = datetime.now(UTC).replace(microsecond=0)
    starts: dict[tuple[str, str], tuple[timedelta, timedelta]] = {
        ("s1", EQIAD): (2 * DAY, DAY),
        ("s1", CODFW): (2 * DAY, DAY),
        ("s2", EQIAD): (MAX_AGE + DAY, MAX_AGE - timedelta(seconds=10)),
        ("s2", CODFW): (2 * DAY, DAY),
        ("s3", EQIAD): (3 * MAX_AGE, 2 * MAX_AGE + DAY),
        ("s4", EQIAD): (2 * DAY, DAY),
        ("s4", CODFW): (DAY, timedelta(minutes=1)),
    }
    for (section, host), ages in starts.items():
        for age in ages:
            rows.add(section=section, host=host, start=now - age)
    rows.add(section="s9", start=now - DAY)


def test_each_alert_is_notified_once_and_resolved_once(fleet: Fleet) -> None:
    write(fleet.rows)
    with ExitStack() as stack:
        running = fleet.export(stack)
        start_prometheus(fleet, stack)
        _backups_go_wrong(fleet)
        _database_is_killed(fleet, running, stack)
        _exporter_is_killed(fleet, running, stack)
        _all_is_mended(fleet)


def _backups_go_wrong(fleet: Fleet) -> None:
    inbox = fleet.inbox
    fleet.rows.add(section="s1", start=datetime.now(UTC), status="failed")
    eventually(lambda: inbox.chat("of s1 in"), "the failure of s1 is reported")
    fleet.rows.add(section="s1", start=datetime.now(UTC))
    eventually(lambda: len(inbox.chat("of s1 in")) == 2, "the success of s1 is reported")
    assert inbox.chat("of s1 in") == ["WARNING: dump of s1 in eqiad failed", "OK: dump of s1 in eqiad failed"]
    eventually(lambda: inbox.chat("of s2 in") and inbox.subjects("of s2 in"), "the stale backup of s2 is reported")
    assert inbox.chat("of s2 in") == inbox.subjects("of s2 in") == ["CRITICAL: dump of s2 in eqiad is AGE old"]
    # Very stale, and the only copy there is: one page, and no other message beside it.
    eventually(lambda: inbox.webhooks("/pager"), "s3 pages")
    assert fleet.held_back("BackupStale", "s3")
    assert fleet.held_back("BackupVeryStale", "s3")


def _database_is_killed(fleet: Fleet, running: Exporter, stack: ExitStack) -> None:
    inbox, server = fleet.inbox, fleet.server.running
    assert server
    server.kill()
    server.wait()
    eventually(lambda: inbox.chat("read the inventory"), "that polls fail is reported")
    # Alerts that start while the data is old are inhibited until polls succeed.
    running.config.write_text(fleet.config("20h"))
    running.running.send_signal(signal.SIGHUP)
    eventually(lambda: fleet.held_back("BackupStale", "s4"), "the stale backup of s4 is held back")
    assert fleet.held_back("BackupStaleEverywhere", "s3")
    assert inbox.chat("of s4 in") == []
    stack.enter_context(fleet.server.serve())
    eventually(lambda: len(inbox.chat("read the inventory")) == 2, "that polls succeed is reported")
    eventually(lambda: inbox.chat("of s4 in"), "the stale backup of s4 is reported")


def _exporter_is_killed(fleet: Fleet, running: Exporter, stack: ExitStack) -> None:
    """Let every alert about a backup end in a long gap, and begin again: none of that is reported."""
    inbox = fleet.inbox
    of_backups = [
        ("BackupVeryStale", "s3"),
        ("BackupStaleEverywhere", "s3"),
        ("BackupStale", "s2"),
        ("BackupStale", "s4"),
    ]
    for alert in of_backups:
        eventually(lambda alert=alert: fleet.firing(*alert), f"{alert} fires")  # type: ignore[misc]
    before = inbox.webhooks("/pager"), inbox.chat("dump of"), inbox.subjects("dump of")
    running.running.kill()
    running.running.wait()
    eventually(lambda: inbox.chat("can be scraped"), "that the exporter is down is reported")
    for alert in of_backups:
        eventually(lambda alert=alert: not fleet.firing(*alert), f"{alert} ends")  # type: ignore[misc]
    fleet.export(stack, "20h")
    eventually(lambda: len(inbox.chat("can be scraped")) == 2, "that the exporter is up is reported")
    for alert in of_backups:
        eventually(lambda alert=alert: fleet.firing(*alert), f"{alert} fires again")  # type: ignore[misc]
    assert (inbox.webhooks("/pager"), inbox.chat("dump of"), inbox.subjects("dump of")) == before


def _all_is_mended(fleet: Fleet) -> None:
    inbox = fleet.inbox
    eventually(lambda: inbox.webhooks("/task"), "s9 is a task")
    # Both are stale in one group: the end of one is reported while the other lasts.
    fleet.rows.add(section="s2", start=datetime.now(UTC))
    eventually(lambda: inbox.chat("; OK: 1"), "that s2 is well is reported")
    fleet.rows.add(section="s4", start=datetime.now(UTC))
    eventually(lambda: inbox.chat("OK: dump of s4"), "that s4 is well is reported")
    fleet.rows.add(section="s3", start=datetime.now(UTC))
    eventually(lambda: len(inbox.webhooks("/pager")) == 2, "that s3 is well is reported")
    assert inbox.webhooks("/pager") == PAGES
    assert inbox.webhooks("/task") == [("s9", "firing", ("BackupNotInPolicy",))]
    stale = "dump of s4 in eqiad is AGE old"
    critical = [
        "CRITICAL: dump of s2 in eqiad is AGE old",
        f"CRITICAL: {stale}, and 1 more",
        f"CRITICAL: {stale}; OK: 1",
        f"OK: {stale}",
        *(f"{word}: No exporter can read the inventory of backups" for word in WORDS),
        *(f"{word}: No exporter of backups can be scraped" for word in WORDS),
    ]
    failed = [f"{word}: dump of s1 in eqiad failed" for word in ("WARNING", "OK")]
    assert sorted(inbox.chat("")) == sorted([*critical, *failed])
    _pages_are_mailed(inbox, critical)


def _pages_are_mailed(inbox: Inbox, others: list[str]) -> None:
    page_of_s3 = "No fresh dump of s3 in any data centre #page"
    pages = [f"PAGE: {page_of_s3}", f"OK: {page_of_s3}, and 1 more"]
    eventually(lambda: len(inbox.mails) == len(others) + len(pages), "every mail has arrived")
    assert sorted(inbox.subjects("")) == sorted([*others, *pages])
    page = inbox.mails[[str(mail["Subject"]) for mail in inbox.mails].index(pages[0])]
    body = page.get_body(("plain",))
    assert body
    lines = body.get_content().splitlines()
    assert page_of_s3 in lines
    assert "Do: https://docs.example/bernard-exporter/runbooks/BackupStaleEverywhere.html" in lines
    assert "error" not in body.get_content()
