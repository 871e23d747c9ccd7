"""An exporter with its own database, for tests of failures around it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from testing.exporter import Exporter, exporter
from testing.proxy import Proxy
from testing.rows import DAY, NOW, Rows
from testing.servers import MariaDB, eventually

PASSWORD = "very-secret-word"
SAMPLE = 'bernard_backup_last_success_id{datacenter="eqiad",section="s1",type="dump"}'
RUNS = 200
# Log messages that a busy machine may cause at any time.
_SLOW = ("did not respond within", "no login in", "can be read again")


@dataclass(frozen=True)
class Footprint:
    """The threads, descriptors and resident memory in bytes of a process."""

    threads: int
    descriptors: int
    resident: int


def footprint(pid: int) -> Footprint:
    process = Path(f"/proc/{pid}")
    resident = re.search(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())
    assert resident
    threads, descriptors = os.listdir(process / "task"), os.listdir(process / "fd")
    return Footprint(len(threads), len(descriptors), int(resident[1]) * 1024)


@dataclass
class Scene:
    """A running exporter, its database, and the network between them."""

    server: MariaDB
    proxy: Proxy
    exporter: Exporter
    expected: tuple[str, float] | None = None

    def scraped(self) -> str:
        return self.exporter.get("/metrics").text

    def value(self, sample: str) -> float | None:
        match = re.search(rf"^{re.escape(sample)} (\S+)$", self.scraped(), re.MULTILINE)
        return float(match[1]) if match else None

    def is_up(self) -> bool:
        return self.value("bernard_up") == 1

    def failures(self, reason: str) -> float:
        return self.value(f'bernard_poll_errors_total{{reason="{reason}"}}') or 0

    def _other_failures(self) -> float:
        """Return how many polls failed for another reason than a busy machine."""
        return sum(map(self.failures, ("connect", "query", "schema", "internal")))

    def polls(self) -> float:
        return self.value('bernard_polls_total{outcome="success"}') or 0

    def footprint(self) -> Footprint:
        return footprint(self.exporter.running.pid)

    def await_polls(self, number: int = 2) -> None:
        expected = self.polls() + number
        eventually(lambda: self.polls() >= expected, "the database is polled")

    @contextmanager
    def survived(self, reason: str | None, says: str = "", log_lines: int = 3) -> Iterator[None]:
        """Expect that a fault in the block is noticed, changes no value, and leaves nothing behind.

        Args:
            reason: the reason of failed polls; None if no poll may fail.
            says: a text that the log contains.
            log_lines: the maximum number of new log lines.
        """
        eventually(self.is_up, "the exporter is up before the fault")
        value, logged = self.value(SAMPLE), len(self.exporter.logged().splitlines())
        before, failed = self.footprint(), self.failures(reason) if reason else 0
        self.expected = (reason, failed) if reason else None
        others = self._other_failures()
        yield
        if reason:
            eventually(lambda: self.failures(reason) > failed, f"polls that failed for {reason}")
        eventually(self.is_up, "it recovers by itself")
        self.await_polls()
        assert self.value(SAMPLE) == value
        assert self.failures("internal") == 0
        if reason is None:
            assert self._other_failures() == others, self.exporter.logged()[-3000:]
        lines = [line for line in self.exporter.logged().splitlines()[logged:] if not any(map(line.count, _SLOW))]
        assert says in "\n".join(lines)
        assert len(lines) <= log_lines, lines
        assert PASSWORD not in self.exporter.logged()
        assert "Traceback" not in self.exporter.logged()
        # A poll may hold a connection at the time of the check.
        eventually(lambda: self.footprint().threads <= before.threads + 1, "no thread is left over")
        eventually(lambda: self.footprint().descriptors <= before.descriptors + 1, "no descriptor is left over")
        assert self.footprint().resident < before.resident + (16 << 20)

    def stays_away(self) -> None:
        """Wait until the exporter reports that the database is unavailable; it keeps its inventory."""
        value = self.value(SAMPLE)
        if self.expected:
            reason, failed = self.expected
            eventually(lambda: self.failures(reason) > failed, f"polls that fail for {reason}")
        eventually(lambda: self.value("bernard_up") == 0, "the exporter says that the database is away")
        assert self.value(SAMPLE) == value
        assert self.exporter.get("/-/ready").status_code == 200


def prepare(server: MariaDB, runs: int = RUNS) -> None:
    """Create the inventory, and a user with read-only access."""
    server.execute(
        "CREATE DATABASE dbbackups CHARACTER SET utf8mb4",
        f"CREATE USER bernard@'%' IDENTIFIED BY '{PASSWORD}'",
        "GRANT SELECT ON dbbackups.* TO bernard@'%'",
    )
    rows = Rows(server.url("dbbackups"))
    first = rows.add(start=NOW - DAY)
    # Runs of many other sections, so that results are long.
    rows.execute(
        "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
        "SELECT name, status, source, host, type, CONCAT('x', MOD(seq, 100)), start_date - INTERVAL seq HOUR, "
        f"end_date - INTERVAL seq HOUR, total_size + seq FROM backups, seq_1_to_{runs} WHERE id = {first}"
    )


@contextmanager
def scene(
    directory: Path, server: MariaDB, *others: MariaDB, timeout: str = "1s", interval: str = "500ms"
) -> Iterator[Scene]:
    """Run an exporter that reaches ``server`` through a proxy, and ``others`` after it, until the block ends."""
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy(server.port))
        hosts = ", ".join(f"'127.0.0.1:{port}'" for port in (proxy.port, *(other.port for other in others)))
        url = f"mysql+pymysql://bernard:{PASSWORD}@/dbbackups"
        config = (
            f"database: {{url: '{url}', hosts: [{hosts}], timeout: {timeout}}}\npoll_interval: {interval}\n"
            "resync_interval: 2s\npolicy: {sections: {s1: {dump: {max_age: 20000d}}}}\n"
        )
        running = Scene(server, proxy, stack.enter_context(exporter(directory, config)))
        eventually(running.is_up, "the exporter is up")
        yield running
