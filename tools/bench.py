"""Measure the exporter against its peers in one run; every claim is a ratio.

Started by ``make bench``, which installs what is compared with. Options: --runs N, --jobs N, --seconds N.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bernard_exporter.cli.sample import progress_bar  # noqa: E402 - the checkout is on the path only now
from bernard_exporter.sample.generate import generate  # noqa: E402
from tests.servers import MariaDB, free_port, need, process  # noqa: E402

NEWEST_TWO = """
SELECT * FROM (
  SELECT id, section, type, host, start_date, end_date, total_size, ROW_NUMBER() OVER (
    PARTITION BY type, section, SUBSTRING_INDEX(SUBSTRING_INDEX(host, '.', 2), '.', -1)
    ORDER BY start_date DESC, id DESC) AS place
  FROM backups WHERE status = 'finished' AND end_date IS NOT NULL) AS placed
WHERE place <= 2
"""
# A collector of the same series on prometheus_client's own server: argument 1 a file with a scrape, 2 a port.
PEER = """
import sys, time
from pathlib import Path
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(Path(sys.argv[1]).read_text()))
class Same:
    def collect(self): return families
registry = CollectorRegistry()
registry.register(Same())
start_http_server(int(sys.argv[2]), registry=registry)
while True: time.sleep(3600)
"""


def wait_for(url: str, accept: Callable[[str], bool], seconds: float = 300) -> str:
    """Return the answer of ``url`` once it is accepted."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            text = httpx.get(url, timeout=60).text
            if accept(text):
                return text
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"{url} does not answer as expected")


def throughput(url: str, seconds: int) -> float:
    """Return scrapes a second, uncompressed, at eight connections."""
    command = [need("wrk"), "-t1", "-c8", f"-d{seconds}s", "--timeout=60s", url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found or "Non-2xx" in said:
        raise SystemExit(f"wrk says of {url}: {said}")
    return float(found[1])


def resident(pid: int) -> float:
    """Return the resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextmanager
def exporter(directory: Path, url: str) -> Iterator[tuple[str, int]]:
    """Run this exporter; yield the URL of its metrics and its process id."""
    file, port = directory / "config.yaml", free_port()
    policy = (directory / "policy.yaml").read_text()
    file.write_text(f"database: {{url: '{url}', timeout: 60s}}\npoll_interval: 60s\n{policy}")
    command = [sys.executable, "-m", "bernard_exporter", "serve", "--config.file", str(file)]
    command += ["--web.listen-address", f"127.0.0.1:{port}"]
    with process(command, directory / "exporter.log") as running:
        yield f"http://127.0.0.1:{port}/metrics", running.pid


@contextmanager
def prometheus_client(directory: Path, scrape: str) -> Iterator[str]:
    """Serve the same series by prometheus_client's own server."""
    file, port = directory / "scrape.txt", free_port()
    file.write_text(scrape)
    with process([sys.executable, "-c", PEER, str(file), str(port)], directory / "peer.log"):
        yield f"http://127.0.0.1:{port}/metrics"


@contextmanager
def sql_exporter(directory: Path, server: MariaDB, jobs: int, series: int) -> Iterator[str]:
    """Serve as many series by Debian's prometheus-sql-exporter, one row a job."""
    columns = [f"v{number}" for number in range(max(1, series // jobs))]
    values = ", ".join(f"1700000000 + seq AS {name}" for name in columns)
    file, port = directory / "sql.yaml", free_port()
    file.write_text(
        f"""
jobs:
- name: backups
  interval: 60s
  connections: ['mysql://root@tcp(127.0.0.1:{server.port})/sample']
  queries:
  - name: backup
    help: as many series as the exporter has
    labels: [section, type, datacenter]
    values: [{", ".join(columns)}]
    query: SELECT CONCAT('s', seq) AS section, 'dump' AS type, 'eqiad' AS datacenter, {values} FROM seq_1_to_{jobs}
"""
    )
    command = [need("prometheus-sql-exporter"), f"-config.file={file}", f"-web.listen-address=127.0.0.1:{port}"]
    with process(command, directory / "sql.log"):
        yield f"http://127.0.0.1:{port}/metrics"


def measure(directory: Path, runs: int, jobs: int, seconds: int) -> Table:
    """Return the table of everything measured."""
    table = Table("what", "here", "peer", "ratio", title=f"{runs:,} runs, {jobs:,} jobs")

    def compare(what: str, here: float, peer: float, unit: str, better: float) -> None:
        table.add_row(what, f"{here:.2f} {unit}", f"{peer:.2f} {unit}", f"{better:.1f}")

    with ExitStack() as stack:
        server = MariaDB(directory)
        server.install()
        stack.enter_context(server.serve())
        server.execute("CREATE DATABASE sample CHARACTER SET utf8mb4")
        with progress_bar("runs") as progress:
            generate(
                server.url("sample"),
                days=1,
                runs=runs,
                jobs=jobs,
                files=0,
                seed=1,
                now=datetime.now(UTC),
                policy_output=directory / "policy.yaml",
                progress=progress,
            )
        begun = time.monotonic()
        server.execute(NEWEST_TWO, database="sample")
        row_number = time.monotonic() - begun
        url, pid = stack.enter_context(exporter(directory, server.url("sample")))
        scrape = wait_for(url, lambda text: "bernard_up 1.0" in text)
        poll = float(re.findall(r"^bernard_last_poll_duration_seconds (\S+)", scrape, re.MULTILINE)[0])
        compare("first poll, against one row_number() query", poll, row_number, "s", row_number / poll)
        own = [line for line in scrape.splitlines() if line.startswith("bernard_")]
        here = throughput(url, seconds)
        with prometheus_client(directory, scrape) as peer:
            wait_for(peer, lambda text: "bernard_up" in text)
            found = throughput(peer, seconds)
            compare("scrapes, against prometheus_client's server", here, found, "/s", here / found)
        with sql_exporter(directory, server, jobs, len(own)) as peer:
            wait_for(peer, lambda text: text.count("eqiad") > len(own) * 0.9)
            found = throughput(peer, seconds)
            compare("scrapes, against prometheus-sql-exporter", here, found, "/s", here / found)
        table.add_row("series in a scrape", f"{len(own):,}", "", "")
        table.add_row("resident memory", f"{resident(pid):.0f} MiB", "", "")
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=1600)
    parser.add_argument("--seconds", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bernard-bench-") as directory:
        Console().print(measure(Path(directory), options.runs, options.jobs, options.seconds))


if __name__ == "__main__":
    main()
