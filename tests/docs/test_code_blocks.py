"""Every code block in the documentation is checked with the program that reads it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pymysql
import pytest
import yaml

from bernard_exporter.commands.sample.document import config_yaml
from bernard_exporter.commands.sample.fleet import make_fleet
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.load import load
from testing.prometheus import Prometheus, scraped_by_prometheus
from testing.servers import MariaDB, need
from tests.docs.blocks import Block, blocks

# Commands and Python are tried by test_commands.py and test_contributing.py, proxies by pages/test_proxies.py; what is
# printed, and the two lines of units, are not tried.
KNOWN = {"yaml", "promql", "sql", "sh", "python", "text", "ini", "nginx", "apache"}


def checked_by(document: object) -> list[str]:
    """Return the command that a YAML document is checked with, [] for none."""
    keys = set(document) if isinstance(document, dict) else set()
    if keys & {"scrape_configs", "rule_files", "remote_write"}:
        return [need("promtool"), "check", "config", "--syntax-only"]
    if "groups" in keys:
        return [need("promtool"), "check", "rules"]
    return [need("amtool"), "check-config"] if "receivers" in keys else []


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_accepted_by_what_reads_it(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(block.text)
    documents = list(yaml.safe_load_all(block.text))
    assert documents, block.text
    if isinstance(documents[0], dict) and documents[0].keys() & {"database", "policy"}:
        if "database" not in documents[0]:
            file.write_text(f"database: {{url: 'sqlite:////shown'}}\n{block.text}")
        load(file)
    command = checked_by(documents[0])
    if command:
        done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that has scraped a sample inventory."""
    directory = tmp_path_factory.mktemp("promql")
    url = f"sqlite:///{directory / 'inventory.sqlite'}"
    generate(url, days=30, files=2, seed=1, now=datetime.now(UTC))
    with scraped_by_prometheus(directory, config_yaml(make_fleet(), url, "1s")) as running:
        yield running


# The pages of the dashboards are generated; tests of the dashboards run their queries, with values for the variables.
WRITTEN = [block for block in blocks("promql") if block.file.parent.name != "dashboards"]


@pytest.mark.parametrize("block", WRITTEN, ids=str)
def test_promql_is_answered_by_prometheus(block: Block, prometheus: Prometheus) -> None:
    prometheus.ask(block.text)


@pytest.fixture(scope="module")
def dbbackups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A server of this module's own, for blocks make users; with a sample inventory."""
    server = MariaDB(tmp_path_factory.mktemp("sql"))
    server.install()
    with server.serve():
        server.execute("CREATE DATABASE dbbackups CHARACTER SET utf8mb4")
        generate(server.url("dbbackups"), days=9, files=2, seed=1, now=datetime.now(UTC))
        yield server


@pytest.mark.parametrize("block", blocks("sql"), ids=str)
def test_sql_is_answered_by_mariadb(block: Block, dbbackups: MariaDB) -> None:
    statements = [statement for statement in re.split(r";\s*(?:\n|$)", block.text) if statement.strip()]
    # More than one page makes the same user.
    made = re.findall(r"CREATE USER ('[^']*'@'[^']*')", block.text)
    try:
        dbbackups.execute(*(f"DROP USER IF EXISTS {user}" for user in made), *statements, database="dbbackups")
    except pymysql.err.MySQLError as error:
        pytest.fail(f"{error}")


def test_every_block_says_its_language() -> None:
    """So that none escapes the tests by a name of its own, or by being only indented."""
    shown = [block for block in blocks() if not block.language.startswith("{")]
    # The README shows its two commands without a fence.
    assert [str(block) for block in shown if block.language not in KNOWN and block.file.name != "README.md"] == []
