"""``demo``: the exporter on an inventory that it makes itself and keeps alive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bernard_exporter import logs
from bernard_exporter.cli.options import log_options, web_options
from bernard_exporter.cli.progress import progress_bar
from bernard_exporter.cli.serve import run
from bernard_exporter.errors import SampleError
from bernard_exporter.sample.activity import Activity
from bernard_exporter.sample.document import config_yaml
from bernard_exporter.sample.fleet import make_fleet
from bernard_exporter.sample.generate import generate
from bernard_exporter.store.writer import Writer
from bernard_exporter.toolkit.watched import WebConfig

_log = logging.getLogger(__name__)
_SEED = 1
_DAYS = 90
_FILES = 40
# Seconds between the steps of the inventory's life, and between polls.
_STEP = 3.0
_POLL_INTERVAL = "5s"


@click.command()
@web_options
@log_options
def demo(addresses: tuple[str, ...], web: WebConfig | None, prefix: str, log_level: str, log_format: str) -> None:
    """Serve a made-up inventory of 90 days, in which runs start, finish and fail while one watches.

    Needs no configuration, no server and no root; leaves nothing behind.
    """
    logs.configure(log_level, log_format)
    with TemporaryDirectory(prefix="bernard-demo-") as directory:
        url = f"sqlite:///{Path(directory, 'inventory.sqlite')}"
        file = Path(directory, "config.yaml")
        fleet = make_fleet()
        file.write_text(config_yaml(fleet, url, _POLL_INTERVAL), encoding="utf-8")
        click.echo(f"Making an inventory of {_DAYS} days in {directory} ...")
        with progress_bar("runs") as progress:
            generate(url, days=_DAYS, files=_FILES, seed=_SEED, now=datetime.now(UTC), progress=progress)
        for address in addresses:
            click.echo(_places("https" if web and web.encrypted else "http", address, prefix))
        with _kept_alive(Activity(Writer(url), fleet, _SEED)):
            run(file, addresses, prefix, web)


def _places(scheme: str, address: str, prefix: str) -> str:
    """Return what to open in a browser."""
    base = f"{scheme}://{'localhost' if address.startswith(':') else ''}{address}{prefix}"
    paths = {
        "/": "the whole fleet on one page",
        "/jobs": "every job and its state, the worst first",
        "/runs": "search every run: its files, databases and tables",
        "/schedule": "what ran, what runs and what comes",
        "/metrics": "what Prometheus scrapes",
        "/api/docs": "the inventory over JSON and CSV",
        "/-/ready": "whether the inventory is loaded",
    }
    return "\n".join(f"  {base}{path:<12} {what}" for path, what in paths.items()) + "\nEnd with Ctrl-C."


@contextmanager
def _kept_alive(activity: Activity) -> Iterator[None]:
    """Let runs start, finish and fail while the block runs."""
    ended = threading.Event()

    def live() -> None:
        while not ended.wait(_STEP):
            try:
                activity.step(datetime.now(UTC))
            except SampleError as error:
                _log.warning("the demo's inventory stands still: %s", error)

    thread = threading.Thread(target=live, name="activity")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
