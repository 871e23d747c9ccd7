"""Incidents with real exporters, Prometheus and Alertmanager, in which more than one of them acts."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from testing.exporter import Exporter, exporter
from testing.rows import MIB, Rows
from testing.servers import eventually
from tests.alerts.test_notifications import CONFIG, PACE, PAGES, WORDS, Fleet, fleet, start_prometheus, write

__all__ = ["fleet"]
pytestmark = pytest.mark.integration
# An exporter that lags is reported after an hour and a quarter, at the pace of these tests; the machine may be busy.
LONG = 75 * 60 * PACE + 120


@dataclass
class Pair:
    """Two exporters; the first reads the database of the fleet."""

    one: Exporter
    other: Exporter


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def pair(fleet: Fleet, stack: ExitStack, url: str) -> Pair:
    """Start a second exporter that reads another database, and let Prometheus scrape both."""
    one, folder = fleet.export(stack), fleet.directory / "other"
    folder.mkdir()
    other = stack.enter_context(exporter(folder, CONFIG.format(url=url, s4="8d")))
    start_prometheus(fleet, stack, other.address)
    eventually(lambda: fleet.inbox.webhooks("/pager") == PAGES[:1], "s3 pages")
    return Pair(one, other)


def test_replica_that_stands_still_hides_no_alert_and_is_reported_once(fleet: Fleet, stack: ExitStack) -> None:
    write(fleet.rows)
    replica = "CREATE DATABASE replica CHARACTER SET utf8mb4"
    copied = "INSERT IGNORE INTO replica.backups SELECT * FROM dbbackups.backups"
    fleet.server.execute(replica)
    url = Rows(fleet.server.url("replica")).url
    fleet.server.execute(copied)
    pair(fleet, stack, url)
    inbox = fleet.inbox
    fleet.rows.add(section="s1", start=datetime.now(UTC), size=2 * MIB)
    eventually(lambda: inbox.chat("of s1 in"), "that s1 shrank is reported, though one exporter does not see it")
    eventually(lambda: inbox.chat("disagree"), "that an exporter lags is reported", LONG)
    fleet.server.execute(copied)
    eventually(lambda: inbox.chat("OK: "), "that the replica has caught up is reported", LONG)
    assert [title.partition(":")[0] for title in inbox.chat("disagree")] == ["WARNING", "OK"]
    assert inbox.chat("of s1 in") == ["CRITICAL: Size of dump of s1 in eqiad changed by 80 %"]
    assert inbox.webhooks("/pager") == PAGES[:1]


def test_job_removed_while_the_other_exporter_is_dead_is_silent_soon(fleet: Fleet, stack: ExitStack) -> None:
    write(fleet.rows)
    both = pair(fleet, stack, fleet.rows.url)
    both.one.running.kill()
    both.one.running.wait()
    without = both.other.config.read_text().replace("    s3: {dump: {datacenters: [eqiad]}}\n", "")
    both.other.config.write_text(without)
    both.other.running.send_signal(signal.SIGHUP)
    for name in ("BackupVeryStale", "BackupStaleEverywhere", "BackupStale"):
        eventually(lambda name=name: not fleet.firing(name, "s3"), f"{name} ends")  # type: ignore[misc]
    eventually(lambda: fleet.inbox.webhooks("/pager") == PAGES, "the end is reported to the pager, once")


def test_what_was_mended_while_the_database_was_away_is_never_reported(fleet: Fleet, stack: ExitStack) -> None:
    """The two groups of rules are evaluated one after the other, so the source of an inhibition must end last."""
    write(fleet.rows)
    fleet.server.execute("CREATE USER reader@'%'", "GRANT SELECT ON dbbackups.* TO reader@'%'")
    inbox, user = fleet.inbox, fleet.server.url("dbbackups", "reader")
    config = CONFIG.format(url=user, s4="8d")
    running = stack.enter_context(exporter(fleet.directory, config, "--web.listen-address", fleet.exported))
    start_prometheus(fleet, stack)
    fleet.server.execute("ALTER USER reader@'%' ACCOUNT LOCK", "KILL USER reader")
    eventually(lambda: inbox.chat("read the inventory"), "that polls fail is reported")
    running.config.write_text(CONFIG.format(url=user, s4="20h"))
    running.running.send_signal(signal.SIGHUP)
    eventually(lambda: fleet.held_back("BackupStale", "s4"), "the stale backup of s4 is held back")
    fleet.rows.add(section="s4", start=datetime.now(UTC))
    fleet.server.execute("ALTER USER reader@'%' ACCOUNT UNLOCK")
    eventually(lambda: not fleet.firing("BackupStale", "s4"), "the alert on s4 ends")
    eventually(lambda: len(inbox.chat("read the inventory")) == 2, "that polls succeed is reported")
    # What waits in Alertmanager is sent by now: of the other jobs, which are still stale.
    eventually(lambda: inbox.webhooks("/pager") and inbox.chat("of s2 in"), "what still holds is reported")
    assert inbox.chat("of s4 in") == inbox.subjects("of s4 in") == []
    assert [title.partition(":")[0] for title in inbox.chat("read the inventory")] == list(WORDS)
