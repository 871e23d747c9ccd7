"""A simulated exporter: the database as it was at a time, polled by the real exporter at that time."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import Renderer
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.store.connection import Database
from testing.rows import Rows

Samples = dict[str, float]
# What belongs to the exporter as a process, or counts rows that have no place in time.
NOT_OF_THE_PAST = (
    "bernard_up",
    "bernard_last_poll_timestamp_seconds",
    "bernard_last_poll_duration_seconds",
    "bernard_poll_interval_seconds",
    "bernard_polls_total",
    "bernard_poll_errors_total",
    "bernard_resyncs_total",
    "bernard_config_last_reload_successful",
    "bernard_config_last_reload_success_timestamp_seconds",
    "bernard_exporter_build_info",
    "bernard_inventory_anomalies",
    "bernard_rows_rejected",
)


def as_it_was(rows: Sequence[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    """Return the rows that had been inserted by ``now``, those that had not ended as they stood then."""
    wall = now.astimezone(UTC).replace(tzinfo=None)
    found = []
    for row in rows:
        start, end = row["start_date"], row["end_date"]
        if start > wall or start <= datetime(1970, 1, 1, 0, 0, 1):
            continue
        going = row["status"] != "ongoing" and end is not None and end > max(start, wall)
        found.append(row | ({"status": "ongoing", "end_date": None, "total_size": None} if going else {}))
    return found


def would_have_served(rows: Sequence[dict[str, Any]], policy: Policy, now: datetime) -> Samples:
    """Return the exposition of a first poll of these rows at ``now``, without metrics that cannot be backfilled."""
    with tempfile.TemporaryDirectory() as directory:
        past = Rows(f"sqlite:///{directory}/past.sqlite")
        past_rows = as_it_was(rows, now)
        if past_rows:
            past.add_all(past_rows)
        inventory = Inventory(policy)
        with Database(past.settings).connect() as connection:
            inventory.update(connection, now)
    snapshot = build(inventory, ContentsCounter(), Calendar(), now)
    text = b"".join(Renderer().render(snapshot, SelfMetrics(reload_success=0.0)).inventory.parts).decode()
    return {
        series: value
        for series, value in (parse(line) for line in text.splitlines() if not line.startswith("#"))
        if series.partition("{")[0] not in NOT_OF_THE_PAST
    }


def parse(line: str) -> tuple[str, float]:
    series, _, value = line.rpartition(" ")
    return series, float(value)


def by_time(text: str) -> dict[datetime, Samples]:
    """Return the samples of a backfill by their time."""
    assert text.endswith("# EOF\n")
    found: dict[datetime, Samples] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            rest, _, seconds = line.rpartition(" ")
            series, value = parse(rest)
            samples = found.setdefault(datetime.fromtimestamp(int(seconds), UTC), {})
            assert series not in samples, line
            samples[series] = value
    return found


def steps(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    """Return the multiples of a step from ``start`` to before ``end``."""
    first = datetime.fromtimestamp(-(-start.timestamp() // step.total_seconds()) * step.total_seconds(), UTC)
    return [first + number * step for number in range(1 + (end - first) // step) if first + number * step < end]
