"""Rows of any content cause no crash, yield a valid scrape, and do not affect other jobs."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.metrics.exposition import OPENMETRICS, TEXT
from bernard_exporter.polling.poller import Poller
from testing.rows import DAY, HOUR, NOW, Rows
from testing.servers import MariaDB, need

POLICY = Policy(expected={Job("s1", "dump", "eqiad"): Limits(max_age=1e12, min_size=0)})
COLUMNS = (
    "name",
    "status",
    "source",
    "host",
    "type",
    "section",
    "start_date",
    "end_date",
    "total_size",
)
# What a server without strict mode lets in, and every border of a column.
_texts = st.one_of(
    st.none(),
    st.sampled_from(
        ["", " ", "s1", "S1", "dump", '"', "\\", "\n", "a\nb 1", "{}", "é", "😀", "<script>", "'; DROP", "%s"]
    ),
    st.text(max_size=40),
    st.binary(max_size=40),
    st.text(min_size=400, max_size=400, alphabet="ab"),
)
_times = st.one_of(
    st.none(),
    st.sampled_from(["1970-01-01 00:00:01", "2038-01-19 03:14:07", "0000-00-00 00:00:00", "2026-03-10 12:00:00"]),
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
)
_sizes = st.one_of(st.none(), st.integers(-5, 5), st.integers(0, 2**64 - 1), st.sampled_from([2**63, 2**64 - 1, 2**60]))
_rows = st.fixed_dictionaries(
    {
        "name": _texts,
        "status": st.one_of(st.sampled_from(["ongoing", "finished", "failed", "deleted", "", "FINISHED"]), _texts),
        "source": _texts,
        "host": st.one_of(_texts, st.just("dbprov1001.eqiad.wmnet")),
        "type": st.one_of(st.sampled_from(["dump", "snapshot", "cold"]), _texts),
        # Never that of the job that must stay right.
        "section": _texts.filter(
            lambda value: (
                value is None
                or (value if isinstance(value, bytes) else value.encode("utf-8", "replace")).strip().lower() != b"s1"
            )
        ),
        "start_date": _times,
        "end_date": _times,
        "total_size": _sizes,
    }
)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def inventory(mariadb: MariaDB) -> Iterator[Rows]:
    mariadb.execute("CREATE DATABASE fuzzed CHARACTER SET utf8mb4")
    rows = Rows(mariadb.url("fuzzed"))
    yield rows
    mariadb.execute("DROP DATABASE fuzzed")


def scraped(poller: Poller, kind: str) -> str:
    return b"".join(poller.scrape.answer(kind, gzip=False)).decode()


def check(poller: Poller) -> None:
    """Check that both formats can be parsed, and that the values of the good job are correct."""
    text = scraped(poller, TEXT)
    families = {family.name: family for family in parse_text(text)}
    list(parse_openmetrics(scraped(poller, OPENMETRICS)))  # type: ignore[no-untyped-call]
    assert families["bernard_up"].samples[0].value == 1, poller.self_metrics.errors
    good = {"section": "s1", "type": "dump", "datacenter": "eqiad"}
    found = {
        sample.name: sample.value for family in families.values() for sample in family.samples if sample.labels == good
    }
    assert found["bernard_backup_last_success_id"] == 1
    assert found["bernard_backup_last_success_size_bytes"] == 10 << 20
    assert found["bernard_backup_expected"] == 1
    states = [
        s.labels["state"]
        for s in families["bernard_backup_state"].samples
        if s.value and good.items() <= s.labels.items()
    ]
    assert states == ["only_one"]


def samples(poller: Poller) -> dict[str, dict[str, float]]:
    """Return the value of each job metric, by name and section."""
    return {
        family.name: {sample.labels.get("section", ""): sample.value for sample in family.samples}
        for family in parse_text(scraped(poller, TEXT))
    }


def promtool(text: str) -> None:
    done = subprocess.run([need("promtool"), "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    # 3 is for matters of style alone.
    assert done.returncode in (0, 3), done.stderr.decode()[:2000]
    assert b"error while linting" not in done.stderr


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(_rows, min_size=1, max_size=12))
def test_rows_of_any_content_leave_the_scrape_valid_and_other_jobs_right(
    inventory: Rows, rows: list[dict[str, Any]]
) -> None:
    inventory.execute("TRUNCATE backups")
    inventory.add(id=1, start=NOW - DAY)
    poller = Poller(Settings(DatabaseSettings(url=inventory.url, timeout=30), policy=POLICY))
    try:
        poller.tick()
        check(poller)
        raw = inventory.engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("SET sql_mode = ''")
            places = ", ".join(["%s"] * len(COLUMNS))
            for row in rows:
                # Without strict mode only a NULL where there may be none is refused.
                statement = f"INSERT IGNORE INTO backups ({', '.join(COLUMNS)}) VALUES ({places})"
                cursor.execute(statement, [_plain(row[column]) for column in COLUMNS])
            raw.commit()
            cursor.execute("SELECT COUNT(*) FROM backups")
            assert cursor.fetchone() == (1 + len(rows),)
        finally:
            raw.close()
        # The new rows, and then a full count.
        poller.tick()
        check(poller)
        assert poller.self_metrics.errors == {}
        fresh = Poller(Settings(DatabaseSettings(url=inventory.url, timeout=30), policy=POLICY))
        fresh.tick()
        check(fresh)
        fresh.stop()
    finally:
        poller.stop()
    if next(_numbers) % 10 == 0:
        promtool(scraped(poller, TEXT))


def _plain(value: Any) -> Any:
    """Return what a connection in UTF-8 can send."""
    return value.encode("utf-8", "replace") if isinstance(value, str) and not value.isprintable() else value


def test_names_that_differ_only_in_case_or_spaces_are_distinguished(inventory: Rows) -> None:
    inventory.execute("TRUNCATE backups")
    inventory.add(id=1, start=NOW - DAY)
    for section in ("S1", "s1 ", "ś1", "s1\t"):
        inventory.add(section=section, size=1)
    poller = Poller(Settings(DatabaseSettings(url=inventory.url, timeout=30), policy=POLICY))
    poller.tick()
    poller.stop()
    check(poller)
    promtool(scraped(poller, TEXT))


def rows_read(server: MariaDB) -> int:
    """Return how many rows a server has read for all clients."""
    found = server.execute("SHOW GLOBAL STATUS LIKE 'Handler_read_%'")
    return sum(int(str(value)) for name, value in found if name != "Handler_read_rnd_deleted")


def test_job_with_a_million_runs_is_served_beside_the_others(inventory: Rows, mariadb: MariaDB) -> None:
    inventory.execute("TRUNCATE backups")
    inventory.add(id=1, start=NOW - DAY)
    inventory.add(id=2, section="busy", start=NOW - DAY, size=7)
    inventory.execute(
        "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
        "SELECT name, ELT(1 + MOD(seq, 3), 'failed', 'finished', 'ongoing'), source, host, type, section, "
        "start_date - INTERVAL seq MINUTE, IF(MOD(seq, 3) = 2, NULL, end_date - INTERVAL seq MINUTE), total_size "
        "FROM backups, seq_1_to_1000000 WHERE id = 2"
    )
    poller = Poller(Settings(DatabaseSettings(url=inventory.url, timeout=60), policy=POLICY, poll_interval=600))
    poller.tick()
    check(poller)
    text = scraped(poller, TEXT)
    labels = 'datacenter="eqiad",section="busy"'
    assert f'bernard_backup_runs{{{labels},status="finished",type="dump"}} 333335.0' in text
    assert f'bernard_backup_runs{{{labels},status="failed",type="dump"}} 333333.0' in text
    assert f'bernard_backup_runs{{{labels},status="ongoing",type="dump"}} 333333.0' in text
    assert f'bernard_backup_last_success_id{{{labels},type="dump"}} 2.0' in text
    read = rows_read(mariadb)
    poller.tick()
    assert rows_read(mariadb) - read < 1000
    # The cost of later polls depends on new rows, not on existing ones.
    newer = inventory.add(section="busy", start=NOW - HOUR, size=8)
    read = rows_read(mariadb)
    poller.tick()
    poller.stop()
    assert rows_read(mariadb) - read < 1000
    assert poller.self_metrics.errors == {}
    assert samples(poller)["bernard_backup_last_success_id"]["busy"] == newer
    promtool(text)
    inventory.execute("TRUNCATE backups")
