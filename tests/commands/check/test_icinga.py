"""The examples in deploy/icinga, run by Icinga 2 and as NRPE runs them."""

from __future__ import annotations

import getpass
import grp
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from testing.rows import DAY, Rows
from testing.servers import eventually, need, process
from testing.tree import ROOT

EXAMPLES = ROOT / "deploy" / "icinga"
COMMAND = Path(sys.executable).with_name("bernard-exporter")
NAGIOS_LINE = "command["


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """s1 is fresh in eqiad and missing in codfw; its snapshots are a warning."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    now = datetime.now(UTC)
    for days in (1, 2):
        rows.add(start=now - days * DAY)
    rows.add(start=now - DAY, type="snapshot")
    file = tmp_path / "config.yaml"
    policy = "{s1: {dump: , snapshot: {datacenters: [eqiad]}}}"
    file.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {policy}}}\n")
    return file


MAIN = """
const NodeName = "test"
include <itl>
include "{examples}/*.conf"
library "checker"
library "compat"
library "perfdata"
object CheckerComponent "checker" {{ }}
object ExternalCommandListener "orders" {{ command_path = "{directory}/orders" }}
object PerfdataWriter "results" {{
  service_format_template = "$service.name$\\t$service.state_id$\\t$service.output$\\t$service.perfdata$"
  service_perfdata_path = "{directory}/results"
  service_temp_path = "{directory}/results.tmp"
  host_perfdata_path = "{directory}/hosts"
  host_temp_path = "{directory}/hosts.tmp"
  rotation_interval = 1s
}}
object Host "backupmon1001" {{
  check_command = "dummy"
  vars.bernard_policy = true
  vars.bernard_config = "{config}"
  vars.bernard_jobs["dump of s1 in eqiad"] = {{
    bernard_section = "s1"
    bernard_datacenter = "eqiad"
    bernard_freshness = 691200
    bernard_min_size = "300KiB"
    bernard_warn_size_percentage = 5
    bernard_crit_size_percentage = "15%"
  }}
  vars.bernard_jobs["snapshot of s1 in eqiad"] = {{
    bernard_section = "s1"
    bernard_datacenter = "eqiad"
    bernard_type = "snapshot"
  }}
}}
"""


@contextmanager
def icinga(directory: Path, config: Path) -> Iterator[None]:
    """Run Icinga 2 with the examples, once it has found them valid."""
    main = directory / "icinga2.conf"
    main.write_text(MAIN.format(examples=EXAMPLES, directory=directory, config=config))
    constants = {name: str(directory / name) for name in ("DataDir", "LogDir", "CacheDir", "SpoolDir", "InitRunDir")}
    for folder in constants.values():
        Path(folder).mkdir()
    constants |= {
        "PidPath": str(directory / "pid"),
        "RunAsUser": getpass.getuser(),
        "RunAsGroup": grp.getgrgid(os.getgid()).gr_name,
        "BernardCommand": str(COMMAND),
    }
    flags = [flag for name, value in constants.items() for flag in ("-D", f"{name}={value}")]
    start = [need("icinga2"), "daemon", "-c", str(main), *flags]
    checked = subprocess.run([*start, "-C"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    with process(start, directory / "icinga.log"):
        eventually((directory / "orders").exists, "Icinga takes orders")
        yield


def results(directory: Path, services: tuple[str, ...]) -> dict[str, list[str]]:
    """Return state, output and performance data of each service that was checked."""
    text = "".join(file.read_text() for file in directory.glob("results.*"))
    parts = {service: text.partition(f"{service}\t")[2].split("\t") for service in services}
    return {service: fields[:3] for service, fields in parts.items() if len(fields) >= 3}


def test_icinga_runs_the_examples_and_reads_state_and_performance_data(tmp_path: Path, config: Path) -> None:
    services = ("dump of s1 in eqiad", "snapshot of s1 in eqiad", "backups")
    with icinga(tmp_path, config):
        for service in services:
            now = int(time.time())
            with (tmp_path / "orders").open("w") as orders:
                orders.write(f"[{now}] SCHEDULE_FORCED_SVC_CHECK;backupmon1001;{service};{now}\n")
        lines: dict[str, list[str]] = {}

        def all_are_checked() -> bool:
            # Kept as they come: Icinga writes a new file every second, and one over another when it ends.
            lines.update(results(tmp_path, services))
            return len(lines) == len(services)

        eventually(all_are_checked, "Icinga has checked every service")
    assert [lines[service][0] for service in services] == ["0", "1", "2"]
    assert lines[services[0]][1].startswith("BACKUP OK - dump of s1 in eqiad: fresh, ")
    assert "size=10485760B;;307200:;0; change=0.00%;-5:5;-15:15;;" in lines[services[0]][2]
    assert lines[services[1]][1].startswith("BACKUP WARNING - snapshot of s1 in eqiad: only_one, ")
    assert [line.split(":")[0] for line in lines["backups"][1].splitlines()] == [
        "BACKUPS CRITICAL - 1 critical, 1 warning, 1 ok of 3 jobs (worst",
        "CRITICAL dump of s1 in codfw",
        "WARNING snapshot of s1 in eqiad",
        "OK dump of s1 in eqiad",
    ]
    assert lines["backups"][2].startswith("ok=1;;;0;3 warning=1;;;0;3 critical=1;;;0;3")


def test_commands_of_nrpe_run_and_exit_as_they_should(config: Path) -> None:
    text = (EXAMPLES / "nrpe.cfg").read_text()
    commands = dict(
        line.removeprefix(NAGIOS_LINE).split("]=", 1) for line in text.splitlines() if line.startswith(NAGIOS_LINE)
    )
    outcomes = {}
    for name, line in commands.items():
        assert line.startswith("/usr/bin/bernard-exporter check ")
        # As NRPE does: by a shell.
        here = line.replace("/usr/bin/bernard-exporter check", f"{COMMAND} check --config.file={config}")
        run = subprocess.run(["sh", "-c", here], capture_output=True, text=True, check=False)
        outcomes[name] = (run.returncode, run.stdout.split(" - ")[0], run.stderr)
    assert outcomes == {
        "check_backups": (2, "BACKUPS CRITICAL", ""),
        "mariadb_dump_s1_eqiad": (0, "BACKUP OK", ""),
        "mariadb_snapshot_s1_eqiad": (1, "BACKUP WARNING", ""),
    }
