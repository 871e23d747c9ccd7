"""A real Prometheus server, and queries to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from testing import plain_http
from testing.exporter import exporter
from testing.servers import eventually, free_port, need, process

PROMETHEUS = """
global: {{scrape_interval: 1s}}
scrape_configs:
- {{job_name: bernard, static_configs: [{{targets: ['{address}']}}]}}
"""


class Prometheus:
    """A running Prometheus to ask."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, query: str) -> dict[tuple[str, ...], float]:
        """Return the values of an instant query by the values of its labels, in the order of their names.

        Raises:
            httpx.TransportError: it does not answer yet.
        """
        response = plain_http.get(f"http://{self.address}/api/v1/query", params={"query": query})
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise httpx.ConnectError("Prometheus is not ready", request=response.request)
        answer = response.json()
        assert answer["status"] == "success", answer
        return {
            tuple(value for _, value in sorted(sample["metric"].items())): float(sample["value"][1])
            for sample in answer["data"]["result"]
        }


@contextmanager
def scraped_by_prometheus(tmp_path: Path, config: str) -> Iterator[Prometheus]:
    """Run the exporter, and a Prometheus that has scraped it."""
    with ExitStack() as stack:
        running = stack.enter_context(exporter(tmp_path, config))
        file = tmp_path / "prometheus.yml"
        file.write_text(PROMETHEUS.format(address=running.address))
        address = f"127.0.0.1:{free_port()}"
        flags = [f"--config.file={file}", f"--storage.tsdb.path={tmp_path / 'tsdb'}", f"--web.listen-address={address}"]
        stack.enter_context(process([need("prometheus"), *flags], tmp_path / "prometheus.log"))
        prometheus = Prometheus(address)

        def scraped() -> bool:
            try:
                return bool(prometheus.ask("bernard_up == 1"))
            except httpx.TransportError:
                return False

        eventually(scraped, "Prometheus has scraped")
        yield prometheus
