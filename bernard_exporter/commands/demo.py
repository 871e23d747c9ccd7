"""``demo``: the exporter with a generated inventory that changes over time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import click

from bernard_exporter.commands import logs
from bernard_exporter.commands.options import WebOptions, log_options, web_options
from bernard_exporter.commands.progress import progress_bar
from bernard_exporter.commands.sample.activity import Activity
from bernard_exporter.commands.sample.document import config_yaml
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.commands.serve import run
from bernard_exporter.errors import SampleError
from bernard_exporter.store.writer import Writer

_log = logging.getLogger(__name__)
_SEED = 1
_DAYS = 90
_FILES = 40
# Seconds between changes of the inventory, and between polls.
_STEP = 3.0
_POLL_INTERVAL = "5s"


@click.command()
@web_options
@log_options
def demo(web: WebOptions, log_level: str, log_format: str) -> None:
    """Serve a generated inventory of 90 days in which runs start, finish and fail.

    It needs no configuration, no database server and no root, and removes its files on exit.
    """
    logs.configure(log_level, log_format)
    with TemporaryDirectory(prefix="bernard-demo-") as directory:
        url = f"sqlite:///{Path(directory, 'inventory.sqlite')}"
        file = Path(directory, "config.yaml")
        now = datetime.now(UTC)
        fleet = make_fleet(now=now)
        file.write_text(config_yaml(fleet, url, _POLL_INTERVAL), encoding="utf-8")
        click.echo(f"Generating an inventory of {_DAYS} days in {directory} ...")
        with progress_bar("runs") as progress:
            generate(url, days=_DAYS, files=_FILES, seed=_SEED, now=now, progress=progress)
        for address in () if web.systemd_socket else web.addresses:
            click.echo(_places("https" if web.config and web.config.encrypted else "http", address, web.prefix.routes))
        with _kept_alive(Activity(Writer(url), fleet, _SEED)):
            run(file, web)


def _places(scheme: str, address: str, prefix: str) -> str:
    """Return the URLs to open in a browser."""
    base = f"{scheme}://{'localhost' if address.startswith(':') else ''}{address}{quote(prefix)}"
    paths = {
        "/": "overview of all jobs",
        "/jobs": "all jobs by state, worst first",
        "/runs": "runs with their files, databases and tables",
        "/schedule": "past, current and next runs",
        "/metrics": "metrics for Prometheus",
        "/api/docs": "API for JSON and CSV",
        "/-/ready": "200 once the inventory is loaded",
    }
    return "\n".join(f"  {base}{path:<12} {page}" for path, page in paths.items()) + "\nStop with Ctrl-C."


@contextmanager
def _kept_alive(activity: Activity) -> Iterator[None]:
    """Make runs start, finish and fail while the block runs."""
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(_STEP):
            try:
                activity.step(datetime.now(UTC))
            except SampleError as error:
                _log.warning("cannot update the demo's inventory: %s", error)

    thread = threading.Thread(target=live, name="activity")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
