"""From rows in a real MariaDB, through the exporter as a process, to PromQL in a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bernard_exporter import commands
from bernard_exporter.domain.model import State
from testing.prometheus import Prometheus, scraped_by_prometheus
from testing.rows import CODFW, MIB, Rows
from testing.servers import MariaDB, eventually

CONFIG = """
database: {{url: '{url}'}}
poll_interval: 1s
policy:
  sections:
    s1: [dump, snapshot]
    s2: {{dump: {{datacenters: [eqiad]}}}}
"""


@pytest.fixture
def inventory(mariadb_url: str) -> Rows:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = Rows(mariadb_url)
    for days in (1, 8):
        rows.add(start=now - timedelta(days=days))
        rows.add(host=CODFW, start=now - timedelta(days=days + 9))
    rows.add(type="snapshot", start=now - timedelta(days=2), size=100 * MIB)
    rows.add(type="snapshot", start=now - timedelta(days=1), size=150 * MIB)
    rows.add(type="snapshot", start=now - timedelta(hours=1), status="failed")
    rows.add(section="s9", start=now - timedelta(hours=1), status="ongoing")
    return rows


@pytest.fixture
def prometheus(inventory: Rows, tmp_path: Path) -> Iterator[Prometheus]:
    with scraped_by_prometheus(tmp_path, CONFIG.format(url=inventory.url)) as running:
        yield running


def test_promql_returns_states_ages_and_counts(prometheus: Prometheus) -> None:
    states = prometheus.ask("max by (datacenter, section, state, type) (bernard_backup_state == 1)")
    assert set(states) == {
        ("eqiad", "s1", "fresh", "dump"),
        ("codfw", "s1", "stale", "dump"),
        ("eqiad", "s1", "very_wrong_size", "snapshot"),
        ("codfw", "s1", "missing", "snapshot"),
        ("eqiad", "s2", "missing", "dump"),
    }
    ages = prometheus.ask(
        "max by (datacenter, section, type) (time() - bernard_backup_last_success_start_timestamp_seconds)"
    )
    assert ages[("eqiad", "s1", "dump")] == pytest.approx(86400, abs=60)
    assert ages[("codfw", "s1", "dump")] == pytest.approx(10 * 86400, abs=60)
    assert prometheus.ask("sum by (status) (bernard_backup_runs)") == {
        ("deleted",): 0,
        ("failed",): 1,
        ("finished",): 6,
        ("ongoing",): 1,
        ("unknown",): 0,
    }
    assert prometheus.ask("sum(bernard_backup_consecutive_failures)") == {(): 1}
    assert prometheus.ask('sum(bernard_backup_expected{section="s9"})') == {(): 0}
    assert prometheus.ask("scrape_samples_scraped > 100")


def test_new_run_reaches_prometheus(prometheus: Prometheus, inventory: Rows) -> None:
    run = inventory.add(section="s2", start=datetime.now(UTC) - timedelta(seconds=90))
    wanted = {(): float(run)}
    query = 'max(bernard_backup_last_success_id{section="s2"})'
    eventually(lambda: prometheus.ask(query) == wanted, "the run is seen")
    only_one = 'max(bernard_backup_state{section="s2",state="only_one"})'
    eventually(lambda: prometheus.ask(only_one) == {(): 1.0}, "its state is seen")


def test_generated_sample_reaches_prometheus_whole(mariadb: MariaDB, mariadb_url: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    with pytest.raises(SystemExit):
        commands.main(["generate-sample", mariadb_url, "--files=5", "--policy-output", str(policy)])
    config = f"database: {{url: '{mariadb_url}'}}\npoll_interval: 1s\n{policy.read_text()}"
    counted = mariadb.execute("SELECT COUNT(*) FROM backups", database=mariadb_url.rpartition("/")[2])
    with scraped_by_prometheus(tmp_path, config) as prometheus:
        states = prometheus.ask("count by (state) (bernard_backup_state == 1)")
        assert set(states) == {(state.value,) for state in State}
        expected = prometheus.ask("sum(bernard_backup_expected)")
        # One job is planned, and has no state yet.
        assert sum(states.values()) + 1 == expected[()] > 60
        assert prometheus.ask("sum(bernard_backup_runs)") == {(): float(str(counted[0][0]))}
        stale = "(time() - bernard_backup_last_success_start_timestamp_seconds > bernard_backup_max_age_seconds)"
        assert prometheus.ask(f"count({stale})") == prometheus.ask(
            'sum(bernard_backup_state{state=~"stale|very_stale"})'
        )
