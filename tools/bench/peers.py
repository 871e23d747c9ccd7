"""The exporter and its peers as processes: each yields the URL of its metrics and its process id."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import yaml

from testing.servers import MariaDB, free_port, need, process
from tools.bench.database import NAME
from tools.bench.queries import LABELS, QUERIES, Query

# A collector of the same series on prometheus_client's own server: argument 1 a file with a scrape, 2 a port.
_PROMETHEUS_CLIENT = """
import sys, time
from pathlib import Path
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(Path(sys.argv[1]).read_text()))
class Same:
    def collect(self): return families
registry = CollectorRegistry()
registry.register(Same())
start_http_server(int(sys.argv[2]), registry=registry, addr="127.0.0.1")
while True: time.sleep(3600)
"""
_NGINX = """
daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx-error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; keepalive_requests 100000000; client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi; uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{port}; root {directory}/www; default_type text/plain; gzip_static on; }}
}}
"""


class Peer(NamedTuple):
    """A running exporter.

    Attributes:
        base: its URL, without a path.
    """

    base: str
    pid: int

    @property
    def metrics(self) -> str:
        """The URL of its metrics."""
        return f"{self.base}/metrics"


@contextmanager
def bernard(directory: Path, server: MariaDB, poll_interval: str = "60s", before: str = "") -> Iterator[Peer]:
    """Run this exporter on the sample, after the statement ``before``."""
    file, port = directory / "config.yaml", free_port()
    policy = (directory / "policy.yaml").read_text()
    url = server.url(NAME, "bernard")
    file.write_text(f"database: {{url: '{url}', timeout: 60s}}\npoll_interval: {poll_interval}\n{policy}")
    start = f"{before}\nfrom bernard_exporter.commands import main; main()"
    command = [sys.executable, "-c", start, "serve", "--config.file", str(file)]
    command += ["--web.listen-address", f"127.0.0.1:{port}"]
    with process(command, directory / "exporter.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


@contextmanager
def prometheus_client(directory: Path, scrape: str) -> Iterator[Peer]:
    """Serve the same series by prometheus_client's own server."""
    file, port = directory / "scrape.txt", free_port()
    file.write_text(scrape)
    with process([sys.executable, "-c", _PROMETHEUS_CLIENT, str(file), str(port)], directory / "peer.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


@contextmanager
def nginx(directory: Path, plain: bytes, gzipped: bytes) -> Iterator[Peer]:
    """Serve the same bytes with nginx from files, plain and precompressed."""
    www, port = directory / "www", free_port()
    www.mkdir(exist_ok=True)
    (www / "metrics").write_bytes(plain)
    (www / "metrics.gz").write_bytes(gzipped)
    directory.chmod(0o755)
    file = directory / "nginx.conf"
    file.write_text(_NGINX.format(directory=directory, port=port))
    command = [need("nginx"), "-c", str(file), "-e", str(directory / "nginx-error.log"), "-g", "user root;"]
    with process(command, directory / "nginx.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


@contextmanager
def sql_exporter(directory: Path, server: MariaDB) -> Iterator[Peer]:
    """Export the same metrics with Debian's prometheus-sql-exporter."""
    connection = f"mysql://sql_exporter@tcp(127.0.0.1:{server.port})/{NAME}"
    queries = [
        {"name": one.name, "help": one.name, "labels": [*one.labels], "values": [*one.values], "query": one.sql}
        for one in QUERIES
    ]
    jobs = [{"name": "backups", "interval": "60s", "connections": [connection], "queries": queries}]
    file, port = directory / "sql.yaml", free_port()
    file.write_text(yaml.safe_dump({"jobs": jobs}))
    command = [need("prometheus-sql-exporter"), f"-config.file={file}", f"-web.listen-address=127.0.0.1:{port}"]
    with process(command, directory / "sql.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


@contextmanager
def sql_exporter_of_constants(directory: Path, server: MariaDB, jobs: int, series: int) -> Iterator[Peer]:
    """Serve as many series as this exporter with prometheus-sql-exporter, which caches its results."""
    columns = [f"v{number}" for number in range(max(1, series // jobs))]
    values = ", ".join(f"1700000000 + seq AS {name}" for name in columns)
    sql = f"SELECT CONCAT('s', seq) AS section, 'dump' AS type, 'eqiad' AS datacenter, {values} FROM seq_1_to_{jobs}"
    query = {"name": "backup", "help": "constants", "labels": [*LABELS], "values": columns, "query": sql}
    connection = f"mysql://sql_exporter@tcp(127.0.0.1:{server.port})/{NAME}"
    file, port = directory / "constants.yaml", free_port()
    job = {"name": "backups", "interval": "1h", "connections": [connection], "queries": [query]}
    file.write_text(yaml.safe_dump({"jobs": [job]}))
    command = [need("prometheus-sql-exporter"), f"-config.file={file}", f"-web.listen-address=127.0.0.1:{port}"]
    with process(command, directory / "constants.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


@contextmanager
def query_exporter(directory: Path, server: MariaDB, program: str) -> Iterator[Peer]:
    """Export the same metrics with PyPI's query-exporter, installed separately at ``program``."""
    metrics = {value: {"type": "gauge", "labels": [*one.labels]} for one in QUERIES for value in one.values}
    dsn = f"mysql+pymysql://query_exporter@127.0.0.1:{server.port}/{NAME}"
    queries = {one.name: _query(one) for one in QUERIES}
    file, port = directory / "query.yaml", free_port()
    file.write_text(yaml.safe_dump({"databases": {"sample": {"dsn": dsn}}, "metrics": metrics, "queries": queries}))
    command = [program, "-H", "127.0.0.1", "-p", str(port), "--config", str(file)]
    with process(command, directory / "query.log") as running:
        yield Peer(f"http://127.0.0.1:{port}", running.pid)


def _query(query: Query) -> dict[str, object]:
    # A colon before a word would be a parameter.
    return {"databases": ["sample"], "metrics": [*query.values], "sql": query.sql, "interval": 60}
