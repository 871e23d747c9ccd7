"""Real time series databases for backfilled data, and queries to them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import httpx

from testing import plain_http
from testing.servers import eventually, free_port, need, process

Series = frozenset[tuple[str, str]]
ALL = '{__name__=~"bernard_.+"}'


class Store:
    """A running Prometheus, or VictoriaMetrics, which answers the same questions."""

    def __init__(self, address: str, log: Path) -> None:
        self.address = address
        self.log = log

    def ask(self, query: str, at: datetime) -> dict[Series, float]:
        """Return the values of an instant query by their labels."""
        parameters = {"query": query, "time": str(at.timestamp()), "nocache": "1"}
        answer = plain_http.get(f"http://{self.address}/api/v1/query", params=parameters, timeout=30).json()
        assert answer["status"] == "success", answer
        return {frozenset(sample["metric"].items()): float(sample["value"][1]) for sample in answer["data"]["result"]}

    def ask_range(self, query: str, start: datetime, end: datetime, step: int) -> dict[Series, list[tuple[int, float]]]:
        parameters = {"query": query, "start": str(start.timestamp()), "end": str(end.timestamp()), "step": str(step)}
        answer = plain_http.get(f"http://{self.address}/api/v1/query_range", params=parameters, timeout=30).json()
        assert answer["status"] == "success", answer
        return {
            frozenset(one["metric"].items()): [(int(at), float(value)) for at, value in one["values"]]
            for one in answer["data"]["result"]
        }


def make_blocks(past: Path, directory: Path) -> str:
    """Let promtool create blocks from backfilled samples; return its output."""
    command = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=744h", str(past), str(directory)]
    done = subprocess.run([need("promtool"), *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def prometheus(directory: Path, data: Path, scrape: str = "[]") -> Iterator[Store]:
    """Run Prometheus with blocks and a scrape configuration."""
    file, log, address = directory / "prometheus.yml", directory / "prometheus.log", f"127.0.0.1:{free_port()}"
    file.write_text(f"global: {{scrape_interval: 1s}}\nscrape_configs: {scrape}\n")
    flags = [f"--config.file={file}", f"--storage.tsdb.path={data}", f"--web.listen-address={address}"]
    flags += ["--storage.tsdb.retention.time=10y"]
    with process([need("prometheus"), *flags], log):
        eventually(lambda: _ready(f"http://{address}/-/ready"), "Prometheus is ready")
        yield Store(address, log)


@contextmanager
def victoria_metrics(directory: Path) -> Iterator[Store]:
    log, address = directory / "victoria.log", f"127.0.0.1:{free_port()}"
    flags = [f"-storageDataPath={directory / 'victoria'}", f"-httpListenAddr={address}", "-retentionPeriod=10y"]
    with process([need("victoria-metrics"), *flags], log):
        eventually(lambda: _ready(f"http://{address}/health"), "VictoriaMetrics is ready")
        yield Store(address, log)


def _ready(url: str) -> bool:
    try:
        return plain_http.get(url).status_code == 200
    except httpx.TransportError:
        return False
