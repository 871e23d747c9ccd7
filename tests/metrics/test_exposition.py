"""The contents and format of a scrape."""

from __future__ import annotations

import gzip
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from bernard_exporter.config.settings import Settings
from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job, State
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.catalogue import CATALOGUE, LAST_SUCCESS_SIZE, MAX_AGE, RUNS
from bernard_exporter.metrics.exposition import OPENMETRICS, TEXT, Renderer, Scrape
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from testing.rows import CODFW, DAY, HOUR, MIB, NOW, Rows
from testing.servers import need

GOLDEN = Path(__file__).parent / "golden" / "scrape.txt"
DUMP = Limits(max_age=8 * 86400.0, retention=90 * 86400.0, schedule=Schedule("0 0 * * 2"), restore_rate=1e6)
# The parsers are not typed.
parse_text: Any = parser.text_string_to_metric_families
parse_openmetrics: Any = openmetrics_parser.text_string_to_metric_families
POLICY = Policy(
    expected={
        Job("s1", "dump", "eqiad"): DUMP,
        Job("s1", "dump", "codfw"): DUMP,
        Job("s2", "dump", "eqiad"): DUMP,
        Job("never", "dump", "eqiad"): DUMP,
    }
)


def fill(rows: Rows) -> None:
    """Write a small inventory with something of everything."""
    for week in range(6, 0, -1):
        run = rows.add(start=NOW - week * 7 * DAY, size=(100 - week) * MIB)
        rows.add(host=CODFW, start=NOW - week * 7 * DAY, status="failed" if week == 1 else "finished")
    files: dict[str, int | None] = {
        "enwiki-schema-create.sql.gz": MIB,
        "enwiki.page-schema.sql.gz": MIB,
        "enwiki.page.sql.gz": 97 * MIB,
    }
    rows.add_files(run, files)
    rows.add_files(run - 2, {"enwiki.page.sql.gz": 97 * MIB, "enwiki.user.sql.gz": MIB})
    rows.add(status="ongoing", start=NOW - 2 * HOUR)
    rows.add(section="s2", status="ongoing", start=NOW - 8 * DAY)
    rows.add(section='odd "name" \\ \n', start=NOW + DAY)
    rows.add(section="s2", status="", host="elsewhere")


@pytest.fixture
def polled(rows: Rows) -> Poller:
    fill(rows)
    clock = Clock(now=lambda: NOW, monotonic=lambda: 0.0)
    poller = Poller(Settings(rows.settings, policy=POLICY), clock)
    poller.tick()
    poller.stop()
    return poller


def body(scrape: Scrape, kind: str, gzip: bool, names: tuple[str, ...] = ()) -> bytes:
    return b"".join(scrape.answer(kind, gzip, names))


def text_of(poller: Poller) -> str:
    return body(poller.scrape, TEXT, gzip=False).decode()


def own_part(text: str) -> str:
    """Return the lines of this exporter's metrics, without those that differ from machine to machine."""
    lines = (line for line in text.splitlines() if "bernard_" in line and "build_info{" not in line)
    return "\n".join(lines) + "\n"


def test_scrape_is_the_golden_one(polled: Poller) -> None:
    """After a wanted change, remove the golden one, run the test, and read the difference."""
    if not GOLDEN.exists():
        GOLDEN.write_text(own_part(text_of(polled)))
        pytest.fail(f"{GOLDEN} is recorded; look at it")
    assert own_part(text_of(polled)) == GOLDEN.read_text()


def test_promtool_finds_nothing_to_say(polled: Poller) -> None:
    checked = subprocess.run(
        [need("promtool"), "check", "metrics"], input=text_of(polled).encode(), capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def samples(families: Any) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
        if sample.name.startswith("bernard_")
    }


def test_both_formats_say_the_same(polled: Poller) -> None:
    text = samples(parse_text(text_of(polled)))
    openmetrics = body(polled.scrape, OPENMETRICS, gzip=False).decode()
    assert openmetrics.endswith("# EOF\n")
    assert samples(parse_openmetrics(openmetrics)) == text
    assert len(text) > 200


def test_every_metric_of_the_catalogue_is_exposed(polled: Poller) -> None:
    found = {family.name for family in parse_text(text_of(polled))}
    assert {metric.name.removesuffix("_total") for metric in CATALOGUE} <= found


@pytest.mark.parametrize("kind", [TEXT, OPENMETRICS])
@pytest.mark.parametrize("names", [(), ("bernard_up", "process_open_fds")])
def test_compressed_scrape_is_the_plain_one(polled: Poller, kind: str, names: tuple[str, ...]) -> None:
    def own(data: bytes) -> str:
        return own_part(data.decode())

    plain = body(polled.scrape, kind, gzip=False, names=names)
    assert own(gzip.decompress(body(polled.scrape, kind, gzip=True, names=names))) == own(plain)


def test_named_families_come_alone(polled: Poller) -> None:
    text = body(polled.scrape, TEXT, gzip=False, names=("bernard_up", "process_open_fds")).decode()
    assert [line.split()[0] for line in text.splitlines() if not line.startswith("#")] == [
        "bernard_up",
        "process_open_fds",
    ]


def test_job_without_success_has_no_size(polled: Poller) -> None:
    """A missing backup is absent, not a 0-byte backup."""
    assert 'last_success_size_bytes{datacenter="eqiad",section="never"' not in text_of(polled)
    assert 'bernard_backup_state{datacenter="eqiad",section="never",state="missing",type="dump"} 1.0' in text_of(polled)


def test_states_age_although_no_poll_succeeds(rows: Rows) -> None:
    rows.add(start=NOW, end=NOW)
    now = NOW
    clock = Clock(now=lambda: now, monotonic=lambda: 0.0)
    poller = Poller(Settings(rows.settings, policy=POLICY), clock)
    poller.tick()
    rows.execute("DROP TABLE backups")
    now = NOW + 9 * DAY
    poller.tick()
    poller.stop()
    status = next(status for status in poller.snapshot.jobs if status.job == Job("s1", "dump", "eqiad"))
    assert status.verdict
    assert status.verdict.state is State.STALE
    assert "bernard_up 0.0" in text_of(poller)


def test_only_families_that_changed_are_rendered_again() -> None:
    renderer, self_metrics = Renderer(), SelfMetrics(reload_success=0.0)
    first = renderer.render(Snapshot(taken=NOW), self_metrics)
    self_metrics.up = True
    second = renderer.render(Snapshot(taken=NOW + HOUR), self_metrics)
    changed = [name for name, data in second.families[TEXT].items() if data != first.families[TEXT][name]]
    assert changed == ["bernard_up"]
    assert second.inventory is first.inventory


def test_family_is_rendered_again_where_only_a_label_changed(rows: Rows) -> None:
    run = rows.add(source="db1")
    moments = iter(range(100))
    clock = Clock(now=lambda: NOW + timedelta(seconds=next(moments)), monotonic=lambda: 0.0)
    poller = Poller(Settings(rows.settings, policy=POLICY), clock)
    poller.tick()
    rows.change(run, source="db2")
    poller.tick()
    poller.stop()
    [info_line] = [
        line for line in text_of(poller).splitlines() if line.startswith("bernard_backup_last_success_info{")
    ]
    assert 'source="db2"' in info_line


def test_inventory_has_only_gauges() -> None:
    """Gauges look the same in both formats, so their bytes are kept once."""
    assert {metric.kind for metric in CATALOGUE if not metric.own} == {"gauge"}


def test_large_families_are_parts_of_their_own_and_are_held_once() -> None:
    jobs = tuple(Job(f"section{number:04d}", "dump", "eqiad") for number in range(500))
    policy = Policy(expected=dict.fromkeys(jobs, DUMP))
    inventory = Inventory(policy, synced=NOW, polled=NOW)
    renderer, self_metrics = Renderer(), SelfMetrics(reload_success=0.0)
    first = renderer.render(build(inventory, ContentsCounter(), Calendar(), NOW), self_metrics)
    changed = renderer.render(build(inventory, ContentsCounter(), Calendar(), NOW + 8 * DAY), self_metrics)
    large = first.families[TEXT][MAX_AGE.name]
    assert len(large) > 32 * 1024
    # The next due times moved on, the limits did not: the same object, not equal bytes.
    assert changed.inventory is not first.inventory
    assert [part for part in changed.inventory.parts if part is large] == [large]


def test_live_figures_are_renewed_after_a_second() -> None:
    now = 0.0
    scrape = Scrape(Snapshot(taken=NOW), SelfMetrics(reload_success=0.0), lambda: now)
    first = scrape.answer(TEXT, gzip=False)
    now = 0.9
    assert scrape.answer(TEXT, gzip=False) is first
    now = 1.1
    assert scrape.answer(TEXT, gzip=False) is not first


def test_new_exposition_is_served_at_once() -> None:
    snapshot = Snapshot(taken=NOW)
    scrape = Scrape(snapshot, SelfMetrics(reload_success=0.0, up=False), lambda: 0.0)
    assert b"bernard_up 0.0" in body(scrape, TEXT, gzip=False)
    scrape.show(snapshot, SelfMetrics(reload_success=0.0, up=True))
    assert b"bernard_up 1.0" in body(scrape, TEXT, gzip=False)


def test_selector_with_a_label_the_metric_lacks_is_refused() -> None:
    assert LAST_SUCCESS_SIZE(section="s1") == 'bernard_backup_last_success_size_bytes{section="s1"}'
    assert RUNS() == "bernard_backup_runs"
    with pytest.raises(ValueError, match="has no label 'status', expected one of section, type, datacenter"):
        LAST_SUCCESS_SIZE(status="failed")


def test_no_job_is_exposed_before_the_database_was_read(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'x'}")
    rows.execute("DROP TABLE backups")
    poller = Poller(Settings(rows.settings, policy=POLICY), Clock(now=lambda: NOW))
    poller.tick()
    poller.stop()
    assert "bernard_backup_state{" not in text_of(poller)
    assert 'bernard_poll_errors_total{reason="schema"} 1.0' in text_of(poller)
    assert not poller.ready
    assert timedelta(0) == poller.snapshot.taken - NOW
