"""Whatever the writer does, following the changes finds what an independent reading of all rows finds."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.model import Job, Status
from bernard_exporter.policy import Limits, Policy
from bernard_exporter.store.connection import Database
from bernard_exporter.store.schema import backups
from tests.rows import CODFW, EQIAD, MIB, NOW, Rows

JOBS = {job: Limits(max_age=8 * 86400.0, retention=30 * 86400.0) for job in [Job("s1", "dump", "eqiad")]}
POLICY = Policy(expected=JOBS)
HOSTS = {EQIAD: "eqiad", CODFW: "codfw", "elsewhere": "unknown"}
Found = dict[Job, tuple[object, ...]]

_ago = st.one_of(
    st.integers(0, 3600), st.integers(0, 9 * 86400), st.integers(0, 400 * 86400), st.integers(-7200, 0), st.just(86400)
)
_additions = st.tuples(
    st.just("add"),
    st.sampled_from(["s1", "s2"]),
    st.sampled_from(sorted(HOSTS)),
    st.sampled_from(["ongoing", "ongoing", "finished", "finished", "failed", "deleted", "", "odd"]),
    _ago,
    st.one_of(st.none(), st.integers(0, 3 * MIB)),
)
_steps = st.one_of(
    _additions,
    st.tuples(st.sampled_from(["finish", "fail", "size"]), st.integers(0, 10)),
    st.tuples(st.sampled_from(["purge", "wait"]), st.integers(0, 3)),
)


@dataclass
class World:
    """An inventory, the writer's view of it, and the time."""

    rows: Rows
    now: datetime = NOW
    ongoing: list[int] = field(default_factory=list)
    measured: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)

    def take(self, step: tuple[Any, ...]) -> None:
        kind, *values = step
        if kind == "add":
            self._add(*values)
        elif kind in ("finish", "fail") and self.ongoing:
            run = self.ongoing.pop(values[0] % len(self.ongoing))
            status = "finished" if kind == "finish" else "failed"
            self.rows.change(run, status=status, end_date=self.now)
        elif kind == "size" and self.ongoing:
            self.rows.change(self.ongoing[values[0] % len(self.ongoing)], total_size=MIB)
        elif kind == "purge":
            self._purge(values[0])
        elif kind == "wait":
            self.now += timedelta(minutes=20 * values[0])

    def _add(self, section: str, host: str, status: str, ago: int, size: int | None) -> None:
        # A writer looks for the row it is to end seven days back, no further.
        recent = ago < 6 * 86400
        start = self.now - timedelta(seconds=ago)
        run = self.rows.add(section=section, host=host, status=status, start=start, size=size)
        self.known.append(run)
        if status == "ongoing" and recent:
            self.ongoing.append(run)

    def _purge(self, count: int) -> None:
        gone, self.known = self.known[:count], self.known[count:]
        self.ongoing = [run for run in self.ongoing if run not in gone]
        self.rows.remove(*gone)
        # A purge is followed up once the last full count is ten minutes old.
        self.now += timedelta(minutes=11)


def read_everything(rows: Rows, now: datetime) -> Found:
    """Return what holds of each job, by looking at every row in the plainest way."""
    with rows.engine.connect() as connection:
        found = [dict(row._mapping) for row in connection.execute(select(backups))]
    jobs: dict[Job, list[dict[str, Any]]] = {}
    for row in found:
        row["start"] = row["start_date"].replace(tzinfo=UTC)
        jobs.setdefault(Job(row["section"], row["type"], HOSTS[row["host"]]), []).append(row)
    return {job: _judge_plainly(mine, now) for job, mine in jobs.items()}


def _judge_plainly(runs: list[dict[str, Any]], now: datetime) -> tuple[object, ...]:
    past = sorted((r for r in runs if r["start"] <= now), key=lambda r: (r["start"], r["id"]))
    good = [r for r in past if r["status"] == "finished" and r["end_date"]]
    place = past.index(good[-1]) if good else -1
    ended = [index for index, r in enumerate(past) if r["status"] in ("finished", "failed", "deleted")]
    going = [
        r["id"]
        for index, r in enumerate(past)
        if r["status"] == "ongoing" and index > max(ended, default=-1) and now - r["start"] <= timedelta(days=7)
    ]
    kept = [r for r in good if now - r["start"] <= timedelta(days=30)]
    return (
        good[-1]["id"] if good else None,
        good[-2]["id"] if len(good) > 1 else None,
        past[-1]["id"] if past else None,
        sum(r["status"] == "failed" for r in past[place + 1 :]),
        tuple(going),
        len(kept),
        sum(r["total_size"] or 0 for r in kept),
        {status: n for status in Status if (n := sum(Status.parse(r["status"]) is status for r in runs))},
    )


def as_followed(inventory: Inventory, now: datetime) -> Found:
    found: Found = {}
    for job, record in inventory.records.items():
        kept = record.history.retained(now - timedelta(days=30)).values()
        runs = (record.newest, record.previous, record.attempt)
        found[job] = (
            *(run.id if run else None for run in runs),
            record.consecutive_failures,
            tuple(run.id for run in record.in_progress(now)),
            sum(retained.backups for retained in kept),
            sum(retained.bytes for retained in kept),
            {status: rows for status in Status if (rows := inventory.counts.of_job(job, status))},
        )
    return found


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_steps, min_size=1, max_size=25))
def test_following_finds_what_reading_everything_finds(steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        world = World(Rows(f"sqlite:///{directory}/inventory.sqlite"))
        database, inventory = Database(world.rows.settings), Inventory(POLICY)
        for step in steps:
            world.take(step)
            with database.connect() as connection:
                inventory.update(connection, world.now)
            assert as_followed(inventory, world.now) == read_everything(world.rows, world.now)
            world.now += timedelta(minutes=1)
