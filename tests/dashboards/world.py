"""A Prometheus server for the dashboards: two exporters on one inventory, its history, and the rules."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import httpx

from alerts.products import products
from bernard_exporter.commands.sample.document import config_yaml
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.load import load
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.polling.poller import Poller
from monitoring.recorded import SPEAKER
from monitoring.settings import SiteSettings
from testing import plain_http
from testing.exporter import COMMAND, Exporter, exporter
from testing.prometheus import Prometheus
from testing.servers import eventually, free_port, need, process

# A week more than the longest range that a query looks back.
PAST = timedelta(days=37)
_STEP = timedelta(hours=6)
_MINUTE = timedelta(minutes=1)
_CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 2s}}
rule_files: ['{rules}/*.yaml']
scrape_configs:
- {{job_name: bernard, static_configs: [{{targets: ['{one}', '{other}']}}]}}
"""
_ELSEWHERE = """
remote_write:
- {{url: 'http://{address}/api/v1/write', queue_config: {{batch_send_deadline: 1s}}}}
"""


@dataclass(frozen=True)
class World:
    """The environment for tests of dashboards.

    Attributes:
        address: of Prometheus.
        exporters: the addresses of both.
        snapshot: what a poll of the same inventory finds.
        taken: when the inventory was made.
        elsewhere: the address of a VictoriaMetrics that Prometheus writes to as it scrapes, '' for none.
    """

    address: str
    exporters: tuple[str, str]
    snapshot: Snapshot
    taken: datetime
    elsewhere: str = ""


def _past(config: Path, directory: Path, begun: datetime, ended: datetime, step: timedelta) -> Path:
    """Write the past of the inventory into blocks; return where they are."""
    past, blocks = directory / "past.om", directory / "tsdb"
    moments = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (begun, ended)]
    command = [
        *COMMAND,
        "backfill",
        "--config.file",
        str(config),
        "--output",
        str(past),
        "--step",
        f"{step.total_seconds():.0f}s",
    ]
    command += ["--start", moments[0], "--end", moments[1], "--label", "job=bernard", "--label", "instance=backfill"]
    subprocess.run(command, check=True, capture_output=True)
    create = [need("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=960h", "-q"]
    subprocess.run([*create, str(past), str(blocks)], check=True, capture_output=True)
    past.unlink()
    return blocks


def _rules(directory: Path, pace: float) -> Path:
    """Write the project's rules, with waiting times multiplied by ``pace``; return their directory."""
    settings = replace(SiteSettings(), pace=pace)
    for name, text in products(settings):
        if name.startswith("rules/"):
            file = directory / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
    return directory / "rules"


@contextmanager
def _victoria_metrics(directory: Path) -> Iterator[str]:
    """Run a VictoriaMetrics; yield its address."""
    address = f"127.0.0.1:{free_port()}"
    flags = [f"-storageDataPath={directory / 'victoria'}", f"-httpListenAddr={address}", "-search.latencyOffset=0s"]
    with process([need("victoria-metrics"), *flags, "-search.disableCache"], directory / "victoria.log"):
        eventually(partial(_answers, f"http://{address}/health"), "VictoriaMetrics answers")
        yield address


@contextmanager
def world(
    directory: Path,
    past: timedelta = PAST,
    step: timedelta = _STEP,
    pace: float = 0.0001,
    elsewhere: bool = False,
) -> Iterator[World]:
    """Run everything, and wait until rules are recorded and alerts fire.

    The past has a sample every ``step``. Prometheus looks back that far, so that the past has a value at every time of
    it; and it ends longer ago than that, so that no query of the present sees it.
    """
    lookback = step + _MINUTE
    now = datetime.now(UTC)
    url = f"sqlite:///{directory / 'inventory.sqlite'}"
    generate(url, days=90, files=20, seed=1, now=now)
    config = config_yaml(make_fleet(), url, "1s")
    with ExitStack() as stack:
        both: list[Exporter] = []
        for name in ("one", "other"):
            (directory / name).mkdir()
            both.append(stack.enter_context(exporter(directory / name, config)))
        blocks = _past(both[0].config, directory, now - past, now - lookback - _MINUTE, step)
        file = directory / "prometheus.yml"
        one, other = (running.address for running in both)
        other_store = stack.enter_context(_victoria_metrics(directory)) if elsewhere else ""
        text = _CONFIG.format(rules=_rules(directory, pace), one=one, other=other)
        file.write_text(text + (_ELSEWHERE.format(address=other_store) if elsewhere else ""))
        address = f"127.0.0.1:{free_port()}"
        flags = [f"--config.file={file}", f"--storage.tsdb.path={blocks}", f"--web.listen-address={address}"]
        flags += [f"--query.lookback-delta={lookback.total_seconds():.0f}s", "--storage.tsdb.retention.time=200d"]
        stack.enter_context(process([need("prometheus"), *flags], directory / "prometheus.log"))
        _settled(Prometheus(address))
        poller = Poller(load(both[0].config))
        stack.callback(poller.stop)
        eventually(partial(_polled, poller), "the inventory is read")
        yield World(address, (one, other), poller.snapshot, now, other_store)


def _polled(poller: Poller) -> bool:
    # A machine that is busy may need longer than an interval.
    poller.tick()
    return poller.ready


def _settled(prometheus: Prometheus) -> None:
    """Wait for what needs several scrapes or evaluations: rates, the slowest rules, and alerts."""
    eventually(partial(_answers, f"http://{prometheus.address}/-/ready"), "Prometheus is ready")
    for query in (
        "count(rate(bernard_polls_total[1m]) > 0) >= 2",
        f"count({SPEAKER.name}) > 60",
        'count(ALERTS{alertstate="firing",alertname="BackupMissing"})',
        'count(ALERTS{alertstate="firing",alertname="BackupVeryStale"})',
    ):
        eventually(partial(prometheus.ask, query), query)


def _answers(url: str) -> bool:
    try:
        return plain_http.get(url).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
