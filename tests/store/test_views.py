"""The views of docs/how-to/custom-schema.md work in every part of the exporter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bernard_exporter.commands.check.expected import judge_jobs
from bernard_exporter.commands.doctor.examination import examine
from bernard_exporter.commands.doctor.result import DoctorResult, Level
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import BUILT_IN, Policy
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.store.connection import Database
from testing.rows import DAY, EQIAD, HOUR, NOW, Rows
from testing.servers import MariaDB
from testing.tree import ROOT
from tests.polling.test_cost import rows_read
from tests.queries.inventory import S1, policy
from tests.web.api.client import Api

RECIPE = ROOT / "docs/how-to/custom-schema.md"


@pytest.fixture(scope="module")
def viewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    """The recipe as printed, on a server whose tables are as the writer makes them; what it says of where to read."""
    server = MariaDB(tmp_path_factory.mktemp("views"))
    server.install()
    with server.serve():
        server.execute("CREATE DATABASE dbbackups CHARACTER SET utf8mb4")
        rows = Rows(server.url("dbbackups"))
        for run, tables in ((rows.add(start=NOW - 2 * DAY), "ab"), (rows.add(start=NOW - HOUR, size=11 << 20), "bc")):
            names = ["metadata", "shop-schema-create.sql.gz"]
            names += [f"shop.{table}{end}" for table in tables for end in ("-schema.sql.gz", ".sql.gz")]
            rows.add_files(run, dict.fromkeys(names, 1000 * run))
        recipe, _ = re.findall(r"```sql\n(.*?)```", RECIPE.read_text(), re.DOTALL)
        server.execute(*(part for part in recipe.split(";\n") if part.strip()))
        rows.url = f"mysql+pymysql://bernard_view:...@/bernard_view?unix_socket={server.directory / 'socket'}"
        yield rows


def test_api_and_pages_work_on_views(viewed: Rows) -> None:
    api = Api(viewed, policy(S1), polls=3)
    assert api.poller.self_metrics.errors == {}
    assert [(job["state"], job["newest_success"]["id"]) for job in api.items("jobs")] == [("wrong_size", 2)]
    for wanted in (
        "",
        "?section=s1",
        "?section=s1&sort=-size",
        "?type=dump&status=finished",
        "?sort=start",
        "?name=s1",
    ):
        assert sorted(run["id"] for run in api.items(f"runs{wanted}")) == [1, 2], wanted
    assert [file["name"] for file in api.items("runs/2/files?name=metadata")] == ["metadata"]
    assert len(api.items("runs/2/objects")) == 3
    difference = api.json("runs/2/diff")
    assert [entry["name"] for entry in difference["added"] + difference["removed"]] == ["c", "a"]
    for path in ("schedule", "hosts"):
        api.json(path)
    for path in (
        "/",
        "/jobs",
        "/jobs/s1/dump/eqiad",
        "/runs",
        "/runs?q=s1",
        "/runs/2",
        "/runs/2?against=1",
        "/schedule",
    ):
        page = api.request("GET", path)
        assert page.status_code == 200, (path, page.text)
    api.close()


@pytest.fixture
def config(viewed: Rows, tmp_path: Path) -> Path:
    """The configuration and the option file as printed; the server's socket is not in the usual place."""
    _, _, socket = viewed.url.partition("unix_socket=")
    for name, language, more in (
        ("config.yaml", "yaml", "policy: {sections: {s1: [dump]}}"),
        ("my.cnf", "ini", f"socket = {socket}"),
    ):
        [printed] = re.findall(rf"```{language}\n(.*?)```", RECIPE.read_text(), re.DOTALL)
        (tmp_path / name).write_text(f"{printed}{more}\n")
    return tmp_path / "config.yaml"


def findings_of(config: Path) -> list[DoctorResult]:
    return list(examine(config, lambda: datetime.now(UTC)))


def test_doctor_finds_nothing_wrong_with_views(config: Path) -> None:
    findings = findings_of(config)
    bad = [str(finding) for finding in findings if finding.level and finding.subject not in ("files", "policy")]
    assert bad == []
    assert "OK   schema: backups is a view with every column" in map(str, findings)


def test_doctor_says_that_a_view_is_to_be_created_again_when_its_table_is_gone(viewed: Rows, config: Path) -> None:
    viewed.execute("RENAME TABLE dbbackups.backup_files TO dbbackups.moved")
    findings = findings_of(config)
    viewed.execute("RENAME TABLE dbbackups.moved TO dbbackups.backup_files")
    [finding] = [finding for finding in findings if finding.level is Level.FAIL]
    assert finding.text.startswith("error 1356: View 'bernard_view.backup_files' references invalid table")
    assert finding.fix.endswith("create the view again")


def test_views_with_statistics_of_an_empty_table_are_read_by_index(mariadb: MariaDB, mariadb_url: str) -> None:
    rows, database = Rows(mariadb_url), mariadb_url.rpartition("/")[2]
    sections, runs = 20, 1_000
    mariadb.execute(
        "ALTER TABLE backups STATS_AUTO_RECALC = 0",
        "INSERT INTO backups (status, host, type, section, start_date, end_date, total_size) "
        f"SELECT 'finished', '{EQIAD}', 'dump', CONCAT('s', seq % {sections}), now() - INTERVAL seq MINUTE, "
        f"now() - INTERVAL seq MINUTE, 5000000 FROM seq_1_to_{sections * runs}",
        "RENAME TABLE backups TO kept",
        "CREATE ALGORITHM = MERGE VIEW backups AS SELECT * FROM kept",
        database=database,
    )
    expected = Policy(expected={Job(f"s{n}", "dump", "eqiad"): BUILT_IN["dump"] for n in range(sections)})
    inventory, now = Inventory(expected), datetime.now(UTC)
    with Database(rows.settings).connect() as connection:

        def cost(work: Callable[[], object]) -> int:
            before = rows_read(connection)
            work()
            return rows_read(connection) - before

        assert cost(lambda: judge_jobs(connection, expected.expected, expected, now)) <= 12 * sections
        assert cost(lambda: inventory.update(connection, now)) < 8 * sections * runs
        assert cost(lambda: inventory.update(connection, now)) < 4 * sections
    assert len(inventory.records) == sections
