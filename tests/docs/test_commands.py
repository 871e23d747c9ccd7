"""Every command in the documentation is run, page by page, or has a comment with the reason why not."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from testing import plain_http
from testing.exporter import COMMAND
from testing.rows import CODFW, DAY, EQIAD, Rows
from testing.servers import eventually, free_port, need, process
from testing.tree import ROOT
from tests.commands.backfill.tsdb import victoria_metrics
from tests.docs.blocks import blocks

# test_contributing.py does what stands there.
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
# The tutorial starts its servers itself; a test takes free ports in the place of those it names.
PORTS = ("10279", "9090", "9093", "9099")
TUTORIAL = "docs/tutorial/"
PAGES = {
    str(page.relative_to(ROOT)): "".join(block.text for block in found)
    for page, found in itertools.groupby(
        (block for block in blocks("sh") if not block.not_run and block.file != CONTRIBUTING), lambda block: block.file
    )
}
# What does not go without what this machine may not have, or is tried elsewhere; any other reason would be an excuse.
REASONS = re.compile(
    r"needs (a|the) .+|changes the users of the machine|the tests have these already|serves until it is ended"
    r"|(.+; )?(tools|tests)/\S+ does (it|so).*"
)
# Programs as on a host that is well set: configuration and Alertmanager are where they are looked for. An answer that
# is an error is a failure.
HOST = {
    "amtool": 'case $1 in silence) set -- "$@" --alertmanager.url="$ALERTMANAGER" ;; esac',
    "curl": 'set -- --fail "$@"',
    "bernard-exporter": 'case "$1 ${2:-}" in demo*|"policy import") ;; *) set -- "$@" --config.file="$CONFIG" ;; esac',
}
POLICY = """
policy:
  sections: {s1: [dump], es1: {dump: {max_age: 1095d}}}
"""
HIERA = """
profile::dbbackups::check::backups: {s1: {dump: [eqiad, codfw]}, es1: {dump: [eqiad, codfw]}}
profile::dbbackups::check::freshness: {dump: 691200}
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A directory with everything that pages refer to: programs, parts of a checkout, files to import."""
    (tmp_path / "bin").mkdir()
    for name, given in HOST.items():
        own = Path(sys.executable).with_name(name)
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\n{given}\nexec {own if own.exists() else need(name)} "$@"\n')
        program.chmod(0o755)
    for name in ("alerts", "dashboards"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "hiera.yaml").write_text(HIERA)
    (tmp_path / "valid_sections.txt").write_text("s1\nes1\n")
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    now = datetime.now(UTC)
    for days, section, place in itertools.product((8, 1), ("s1", "es1"), (EQIAD, CODFW)):
        rows.add(start=now - days * DAY, section=section, host=place)
    (tmp_path / "config.yaml").write_text(f"database: {{url: '{rows.url}'}}\n{POLICY}")
    return tmp_path


@contextmanager
def answering(command: list[str], url: str, log: Path) -> Iterator[None]:
    """Run a server once it answers."""

    def ready() -> bool:
        try:
            return plain_http.get(url).is_success
        except httpx.TransportError:
            return False

    with process(command, log):
        eventually(ready, f"{url} answers")
        yield


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a demo."""
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, "demo", "--web.listen-address", address]
    with answering(command, f"http://{address}/-/ready", tmp_path_factory.mktemp("demo") / "log"):
        yield address


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an Alertmanager with the example of the project."""
    address, folder = f"127.0.0.1:{free_port()}", tmp_path_factory.mktemp("alertmanager")
    flags = [f"--config.file={ROOT / 'alerts' / 'alertmanager' / 'alertmanager.yml'}", f"--storage.path={folder}"]
    flags += ["--cluster.listen-address=", f"--web.listen-address={address}"]
    command = [need("prometheus-alertmanager"), *flags]
    with answering(command, f"http://{address}/-/ready", folder / "log"):
        yield address


@pytest.fixture(scope="module")
def victoria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a VictoriaMetrics."""
    with victoria_metrics(tmp_path_factory.mktemp("victoria")) as store:
        yield store.address


# What a page names, and the server that is there in its place.
SERVERS = {"localhost:10279": "demo", "victoria:8428": "victoria"}


def here(script: str, request: pytest.FixtureRequest) -> str:
    """Return the commands of a page with the addresses and the dates that hold here."""
    for named, fixture in SERVERS.items():
        if named in script:
            script = script.replace(named, request.getfixturevalue(fixture))
    # The past that is filled in: one turn of the loop, and not years of it.
    begin = datetime.now(UTC) - timedelta(days=40)
    for date, days in {"2024-01-01": 0, "2026-03-01": 0, "2026-04-01": 1}.items():
        script = script.replace(date, f"{begin + timedelta(days=days):%F}")
    return script


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run_one_after_the_other(page: str, host: Path, request: pytest.FixtureRequest) -> None:
    script = PAGES[page]
    environment = {**os.environ, "HOME": str(host), "PYTHONPATH": str(ROOT), "CONFIG": str(host / "config.yaml")}
    environment["PATH"] = f"{host / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"
    if "amtool silence" in script:
        environment["ALERTMANAGER"] = f"http://{request.getfixturevalue('alertmanager')}"
    if page.startswith(TUTORIAL):
        for port in PORTS:
            script = script.replace(port, str(free_port()))
    else:
        script = here(script, request)
    script = f"set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n{script}"
    command = ["timeout", "--kill-after=10", "240", "bash", "-c", script]
    with (host / "said").open("w+") as output:
        status = subprocess.run(
            command, cwd=host, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False
        ).returncode
        output.seek(0)
        assert status == 0, output.read() + "".join(
            f"\n== {log}\n{log.read_text()[-2000:]}" for log in host.rglob("*.log")
        )


def test_command_that_is_not_run_says_a_reason_that_holds() -> None:
    reasons = {str(block): block.not_run for block in blocks("sh") if block.not_run}
    assert {place: reason for place, reason in reasons.items() if not REASONS.fullmatch(reason)} == {}
    assert len(PAGES) > 25
