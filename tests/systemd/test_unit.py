"""The unit gives the exporter only the privileges that it needs."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from bernard_exporter.commands.options import DEFAULT_ADDRESS
from testing import plain_http
from testing.rows import Rows
from testing.servers import eventually, free_port, need, process
from testing.tree import ROOT

UNITS = ROOT / "deploy" / "systemd"
UNIT = UNITS / "bernard-exporter.service"


@pytest.mark.parametrize("name", ["bernard-exporter.service", "bernard-exporter@.service"])
def test_exposure_of_the_unit_is_below_2(name: str) -> None:
    command = [need("systemd-analyze"), "security", "--offline=true", "--no-pager", str(UNITS / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for .*: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) < 2.0


def test_template_differs_from_the_unit_in_names_alone() -> None:
    text = UNIT.read_text()
    for one, each in (
        ("inventory of MariaDB backups\n", "inventory of MariaDB backups (%i)\n"),
        ("/etc/default/bernard-exporter\n", "/etc/default/bernard-exporter-%i\n"),
        ("/etc/bernard-exporter/config.yaml", "/etc/bernard-exporter/%i.yaml"),
    ):
        assert text.count(one) == 1
        text = text.replace(one, each)
    assert (UNITS / "bernard-exporter@.service").read_text() == text


@pytest.mark.parametrize("name", ["bernard-exporter.service", "bernard-exporter.socket"])
def test_units_are_understood_by_systemd(tmp_path: Path, name: str) -> None:
    for file in UNITS.iterdir():
        text = file.read_text().replace("/usr/bin/bernard-exporter", sys.executable)
        (tmp_path / file.name).write_text(text)
    command = [need("systemd-analyze"), "verify", "--man=no", str(tmp_path / name)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert [line for line in said.stderr.splitlines() if "bernard" in line] == []


def test_socket_listens_where_the_exporter_does() -> None:
    lines = (UNITS / "bernard-exporter.socket").read_text().splitlines()
    assert [line for line in lines if line.startswith("ListenStream=")] == [f"ListenStream={DEFAULT_ADDRESS[1:]}"]


def test_unit_asks_for_what_it_promises() -> None:
    lines = UNIT.read_text().splitlines()
    promised = {
        "Type=notify",
        "DynamicUser=yes",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "WatchdogSec=2min",
    }
    assert promised - set(lines) == set()


def members(name: str) -> set[str]:
    """Return the system calls of a set, as systemd lists them."""
    said = subprocess.run([need("systemd-analyze"), "syscall-filter", name], capture_output=True, text=True, check=True)
    words = {line.strip() for line in said.stdout.splitlines()[1:]}
    sets = {word for word in words if word.startswith("@")}
    calls = {word for word in words if word and word[0] not in "@#"}
    return calls.union(*map(members, sets)) if sets else calls


def test_every_system_call_the_exporter_makes_is_one_the_unit_allows(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    config, trace = tmp_path / "config.yaml", tmp_path / "trace"
    config.write_text(f"database: {{url: '{rows.url}'}}\npoll_interval: 500ms\n")
    address = f"127.0.0.1:{free_port()}"
    # Traced from aside, so that what is ended here is the exporter and not only what traces it.
    command = [need("strace"), "-D", "-f", "-q", "-o", str(trace), sys.executable, "-m", "bernard_exporter", "serve"]

    def polled() -> bool:
        try:
            return "bernard_up 1.0" in plain_http.get(f"http://{address}/metrics").text
        except httpx.TransportError:
            return False

    flags = ["--config.file", str(config), "--web.listen-address", address]
    with process([*command, *flags], tmp_path / "log") as running:
        eventually(polled, "it has polled")
        assert plain_http.post(f"http://{address}/-/reload").status_code == 200
        for path in ("/", "/runs", "/api/v1/jobs", "/api/v1/runs"):
            assert plain_http.get(f"http://{address}{path}", timeout=60).status_code == 200
        time.sleep(1)
    end = re.compile(rf"^{running.pid} +\+\+\+ exited with 0 ", re.MULTILINE)
    eventually(lambda: end.search(trace.read_text(errors="replace")), "the trace ends")
    used = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace.read_text(errors="replace"), re.MULTILINE))
    assert {"epoll_wait", "accept4"} & used
    lines = UNIT.read_text().splitlines()
    filters = [line.partition("=")[2] for line in lines if line.startswith("SystemCallFilter=")]
    assert filters == ["@system-service", "~@privileged @resources"]
    allowed = members("@system-service") - members("@privileged") - members("@resources")
    assert used - allowed == set()
