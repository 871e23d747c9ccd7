"""For any history, the backfilled samples equal those that an exporter would have served at each time."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bernard_exporter.commands.backfill.write import BackfillRequest, write
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import DAY as SECONDS_A_DAY
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, DAY, EQIAD, HOUR, MIB, NOW, Rows, run_row
from tests.commands.backfill.oracle import by_time, steps, would_have_served

RETENTION = 20 * SECONDS_A_DAY
DAILY = Limits(max_age=8 * SECONDS_A_DAY, schedule=Schedule("0 12 * * *"), start_within=3600.0)
POLICY = Policy(
    expected={
        Job("s1", "dump", "eqiad"): replace(DAILY, retention=RETENTION, restore_rate=1000.0),
        Job("s1", "dump", "codfw"): Limits(
            max_age=SECONDS_A_DAY, schedule=Schedule("0 0 * * 2", "Europe/Madrid"), team="dba"
        ),
        Job("s1", "snapshot", "eqiad"): Limits(max_age=3600.0, min_size=MIB, read_only=True, retention=3600.0),
        Job("s3", "dump", "eqiad"): Limits(max_age=8 * SECONDS_A_DAY, schedule=Schedule("0 19 * * *")),
        Job("s1", "snapshot", "codfw"): Limits(
            max_age=SECONDS_A_DAY, schedule=Schedule("0 * * * *"), expected_from=NOW - 5 * DAY
        ),
    }
)
_seconds = st.one_of(
    st.integers(0, 20).map(lambda days: days * 86400),
    st.integers(0, 48).map(lambda hours: hours * 3600),
    st.integers(0, 400 * 86400),
)
# Hypothesis prefers short lists; a useful history is longer.
_LENGTH = st.integers(0, 30)
_runs = st.fixed_dictionaries(
    {
        # Mostly of one job, so that its runs have to do with one another.
        "section": st.sampled_from([*["s1"] * 8, "S1", "s2"]),
        "type": st.sampled_from([*["dump"] * 8, "snapshot"]),
        "host": st.sampled_from([*[EQIAD] * 8, "dbprov1002.eqiad.wmnet", CODFW, "elsewhere"]),
        "status": st.sampled_from([*["finished", "failed"] * 4, "ongoing", "deleted", "", "odd"]),
        "ago": st.one_of(_seconds, _seconds, _seconds, st.none()),
        "took": st.one_of(st.none(), st.integers(-10, 20).map(lambda hours: hours * 3600), st.integers(0, 9 * 86400)),
        "size": st.one_of(st.none(), st.just(-1), st.integers(0, 3 * MIB)),
    }
)
# Around what changes something: the start and end of a run, and when it outlives a limit, retention or the writer.
_AGES = [timedelta(days=days) for days in (0, 0, 1, 2, 7, 8, 16, 20)] + [HOUR, 2 * HOUR]
_ranges = st.tuples(
    st.integers(0, 29),
    st.one_of(st.just("end_date"), st.sampled_from(_AGES)),
    st.integers(1, 4),
    st.sampled_from([timedelta(seconds=1), timedelta(seconds=1), HOUR, timedelta(minutes=7), DAY]),
)


def rows_of(histories: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for number, run in enumerate(histories, 1):
        start = NOW - timedelta(seconds=run.pop("ago") or 0) if run["ago"] is not None else None
        took = run.pop("took")
        end = start + timedelta(seconds=took) if start is not None and took is not None else None
        row = run_row(**run, start=start or NOW, end=end)
        row |= {"id": number, "total_size": run["size"]}
        found.append(row if start else row | {"start_date": datetime(1970, 1, 1, 0, 0, 1)})
    return found


def middle(rows: list[dict[str, Any]], number: int, around: str | timedelta) -> datetime:
    """Return the time of something that happens to one of the runs, now where there is none."""
    row = rows[number % len(rows)] if rows else {}
    found = row.get("end_date") if isinstance(around, str) else row.get("start_date")
    if found is None or found.year < 2000:
        return NOW
    moment: datetime = found.replace(tzinfo=UTC)
    return moment if isinstance(around, str) else moment + around


def backfill(rows: list[dict[str, Any]], request: BackfillRequest) -> str:
    parts: list[bytes] = []
    with tempfile.TemporaryDirectory() as directory:
        inventory = Rows(f"sqlite:///{directory}/inventory.sqlite")
        if rows:
            inventory.add_all(rows)
        write(Database(inventory.settings), POLICY, request, parts.append)
    return b"".join(parts).decode()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_LENGTH.flatmap(lambda length: st.lists(_runs, min_size=length, max_size=length)), _ranges)
def test_past_is_what_an_exporter_would_have_served(
    histories: list[dict[str, Any]], wanted: tuple[int, str | timedelta, int, timedelta]
) -> None:
    number, around, count, step = wanted
    rows = rows_of(histories)
    start = middle(rows, number, around) - step
    end = start + (count + 1) * step
    found = by_time(backfill(rows, BackfillRequest(start, end, int(step.total_seconds()))))
    assert found == {now: would_have_served(rows, POLICY, now) for now in steps(start, end, step)}
