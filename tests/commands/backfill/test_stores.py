"""Backfilled data in real time series databases gives the same query results as scraped data."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from testing import plain_http
from testing.exporter import exporter
from testing.rows import DAY, HOUR, NOW
from testing.servers import eventually
from tests.commands.backfill.conftest import Sampled, sampled
from tests.commands.backfill.oracle import Samples, would_have_served
from tests.commands.backfill.tsdb import ALL, Series, make_blocks, prometheus, victoria_metrics

MOMENTS = [NOW - 2 * DAY, NOW - 40 * HOUR, NOW - 7 * HOUR, NOW - HOUR]
RANGE = ["--start", (NOW - 2 * DAY).isoformat(), "--end", NOW.isoformat()]


def labelled(samples: Samples, more: Mapping[str, str]) -> dict[Series, float]:
    """Return samples by their labels, as a library reads them."""
    text = "".join(f"{series} {value}\n" for series, value in samples.items())
    return {
        frozenset({"__name__": sample.name, **sample.labels, **more}.items()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def inventory(mariadb_url: str, tmp_path: Path) -> Sampled:
    return sampled(mariadb_url, tmp_path, NOW)


def test_prometheus_answers_as_if_it_had_scraped(inventory: Sampled, tmp_path: Path) -> None:
    past = inventory.write(tmp_path, *RANGE, "--step=1h", "--label=job=bernard")
    made = make_blocks(past, tmp_path / "tsdb")
    assert len(made.splitlines()) == 2, made
    rows, policy = inventory.rows, inventory.settings.policy
    with prometheus(tmp_path, tmp_path / "tsdb") as store:
        for now in MOMENTS:
            expected = labelled(would_have_served(rows, policy, now), {"job": "bernard"})
            assert len(expected) > 400
            assert store.ask(ALL, now) == expected
        # What dashboards draw: the same, moment by moment.
        drawn = store.ask_range("bernard_backup_last_success_size_bytes", MOMENTS[0], MOMENTS[-1], 3600)
        for now in MOMENTS:
            moment = int(now.timestamp())
            found = {series: dict(values)[moment] for series, values in drawn.items() if moment in dict(values)}
            expected = labelled(would_have_served(rows, policy, now), {"job": "bernard"})
            name = ("__name__", "bernard_backup_last_success_size_bytes")
            assert found == {series: value for series, value in expected.items() if name in series}


def test_at_the_default_step_every_moment_has_one_sample_of_each_job(inventory: Sampled, tmp_path: Path) -> None:
    past = inventory.write(tmp_path, "--start", (NOW - 3 * HOUR).isoformat(), "--end", NOW.isoformat())
    make_blocks(past, tmp_path / "tsdb")
    jobs = len(inventory.settings.policy.expected)
    with prometheus(tmp_path, tmp_path / "tsdb") as store:
        for seconds in (0, 1, 299, 4000):
            found = store.ask("count(bernard_backup_state == 1)", NOW - 2 * HOUR + timedelta(seconds=seconds))
            assert found == {frozenset(): jobs}


def test_past_beside_live_data_neither_overlaps_nor_doubles(mariadb_url: str, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    inventory = sampled(mariadb_url, tmp_path, now, more="poll_interval: 1s\n")
    data = tmp_path / "tsdb"
    with exporter(tmp_path, inventory.config.read_text()) as running:
        scrape = f"[{{job_name: bernard, static_configs: [{{targets: ['{running.address}']}}]}}]"
        with prometheus(tmp_path, data, scrape) as store:
            eventually(lambda: store.ask("bernard_up == 1", datetime.now(UTC)), "Prometheus has scraped")
        labels = ["--label=job=bernard", f"--label=instance={running.address}"]
        past = inventory.write(tmp_path, "--start", (now - DAY).isoformat(), *labels)
        make_blocks(past, tmp_path / "made")
        for block in (tmp_path / "made").iterdir():
            shutil.move(block, data)
        with prometheus(tmp_path, data, scrape) as store:
            eventually(lambda: store.ask("bernard_up == 1", datetime.now(UTC)), "Prometheus has scraped again")
            after = datetime.now(UTC)
            jobs = store.ask("count(bernard_backup_expected)", after)
            assert jobs == store.ask("count(count by (section, type, datacenter) (bernard_backup_expected))", after)
            # One series each, from the past into the present.
            assert store.ask("count(count_over_time(bernard_backup_expected[1d]))", after) == jobs
            before = now - 4 * HOUR
            assert store.ask("count(bernard_backup_expected)", before) == jobs
            found = store.ask("prometheus_tsdb_compactions_failed_total", after)
            assert set(found.values()) <= {0.0}
            assert "overlap" not in store.log.read_text()


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_victoria_metrics_answers_as_if_it_had_scraped(inventory: Sampled, tmp_path: Path, suffix: str) -> None:
    past = tmp_path / f"past{suffix}"
    assert inventory.backfill(f"--output={past}", *RANGE, "--step=1h") == 0
    headers = {"Content-Encoding": "gzip"} if suffix else {}
    if suffix:
        assert gzip.decompress(past.read_bytes()).endswith(b"# EOF\n")
    rows, policy = inventory.rows, inventory.settings.policy
    with victoria_metrics(tmp_path) as store:
        url = f"http://{store.address}/api/v1/import/prometheus"
        assert plain_http.post(url, content=past.read_bytes(), headers=headers, timeout=60).status_code == 204
        plain_http.get(f"http://{store.address}/internal/force_flush", timeout=30).raise_for_status()
        for now in MOMENTS:
            expected = labelled(would_have_served(rows, policy, now), {})
            # It keeps numbers as decimals of 15 digits or so.
            assert store.ask(f"last_over_time({ALL}[1s])", now) == pytest.approx(expected, rel=1e-12)
