"""For any changes by the writer, the incremental inventory equals an independent reading of all rows."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job, Status
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.store.connection import Database
from bernard_exporter.store.reader import MAX_SIZE, raw_status, raw_type
from bernard_exporter.store.schema import backups
from testing.rows import CODFW, EQIAD, MIB, NOW, Rows, run_row

RETENTION = timedelta(days=30)
LIMITS = Limits(max_age=8 * 86400.0, retention=RETENTION.total_seconds(), schedule=Schedule("0 12 * * *"))
POLICY = Policy(expected={Job(s, "dump", d): LIMITS for s in ("s1", "s2", "S2") for d in ("eqiad", "codfw", "unknown")})
HOSTS = (EQIAD, CODFW, "elsewhere")
Found = dict[Job, tuple[object, ...]]

_ago = st.one_of(
    st.integers(0, 3600), st.integers(0, 9 * 86400), st.integers(0, 400 * 86400), st.integers(-7200, 0), st.just(86400)
)
_UNKNOWN = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
# Before the range of TIMESTAMP: MariaDB stores 0000-00-00 00:00:00, which PyMySQL returns as text.
_ZERO = datetime(1969, 12, 31, tzinfo=UTC)
_ZERO_TEXT = "0000-00-00 00:00:00"
_SPECIAL = {"unknown": _UNKNOWN, "zero": _ZERO, None: None}
_additions = st.tuples(
    st.just("add"),
    st.sampled_from(["s1", "s1", "s2", "S2", None]),
    st.sampled_from(HOSTS),
    st.sampled_from(["ongoing", "ongoing", "finished", "finished", "failed", "deleted", "", "odd"]),
    st.one_of(_ago, _ago, _ago, st.sampled_from(["unknown", "zero"])),
    # Time from the start of a run to its end: none, in the future, before the start, or unknown.
    st.sampled_from([3600, 60, 0, -60, 4000, None, "unknown", "zero"]),
    st.one_of(st.none(), st.integers(0, 3 * MIB), st.just(1 << 61)),
)
_number = st.integers(0, 10)
_steps = st.one_of(
    _additions,
    _additions,
    st.tuples(st.sampled_from(["finish", "fail", "size", "drift", "move"]), _number),
    st.tuples(st.sampled_from(["purge", "wait"]), st.integers(0, 3)),
    st.tuples(st.sampled_from(["resize", "rewrite", "replace", "late"]), _number),
    st.tuples(st.just("recount")),
)
# Enough successes of one job for a band and for successes past their retention.
_sizes = st.lists(st.integers(1, 3 * MIB), min_size=15, max_size=20)


@dataclass
class World:
    """An inventory, the writer's view of it, and the time."""

    rows: Rows
    inventory: Inventory
    now: datetime = NOW
    ongoing: list[int] = field(default_factory=list)
    known: list[int] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)

    def begin(self, sizes: list[int]) -> None:
        starts = [self.now - timedelta(days=3 * age, hours=2) for age in reversed(range(len(sizes)))]
        self.rows.add_all([run_row(start=start, size=size) for start, size in zip(starts, sizes, strict=True)])
        self.known.extend(range(1, len(sizes) + 1))

    def take(self, step: tuple[Any, ...]) -> None:
        kind, *values = step
        if kind == "recount":
            self.inventory.adopt(POLICY, 3600.0)
        else:
            getattr(self, f"_{kind}")(*values)

    def _add(
        self, section: str | None, host: str, status: str, ago: int | str, took: int | str | None, size: int | None
    ) -> None:
        self.known.append(self._insert(section, host, status, ago, took, size))

    def _insert(
        self,
        section: str | None,
        host: str,
        status: str,
        ago: int | str,
        took: int | str | None,
        size: int | None,
        **more: int,
    ) -> int:
        start = self.now - timedelta(seconds=ago) if isinstance(ago, int) else _SPECIAL[ago]
        assert start
        end = start + timedelta(seconds=took) if isinstance(took, int) else _SPECIAL[took]
        ended = status != "ongoing"
        run = self.rows.add(
            section=section, host=host, status=status, start=start, end=end if ended else None, size=size, **more
        )
        # A writer looks for the row it is to end seven days back, no further; a row of no job is followed by nothing.
        if status == "ongoing" and section and isinstance(ago, int) and ago < 6 * 86400:
            self.ongoing.append(run)
        return run

    def _finish(self, number: int, status: str = "finished") -> None:
        if self.ongoing:
            run = self.ongoing.pop(number % len(self.ongoing))
            self.rows.change(run, status=status, end_date=self.now)

    def _fail(self, number: int) -> None:
        self._finish(number, "failed")

    def _size(self, number: int) -> None:
        if self.ongoing:
            self.rows.change(self.ongoing[number % len(self.ongoing)], total_size=MIB)

    def _move(self, number: int) -> None:
        """Let an ongoing run be on another host of its data centre."""
        if self.ongoing:
            self.rows.change(self.ongoing[number % len(self.ongoing)], host=f"dbprov100{number}.eqiad.wmnet")

    def _drift(self, number: int) -> None:
        """End a run by a clock that is ahead."""
        if self.ongoing:
            run = self.ongoing.pop(number % len(self.ongoing))
            self.rows.change(run, status="finished", end_date=self.now + timedelta(minutes=1 + number))

    def _resize(self, number: int) -> None:
        """Measure one of the newest two successes of a job again: nothing else is looked at."""
        records = [record for record in self.inventory.records.values() if record.newest]
        if records:
            record = records[number % len(records)]
            run = record.previous if number % 2 and record.previous else record.newest
            assert run
            self.rows.change(run.id, total_size=number * MIB)

    def _rewrite(self, number: int) -> None:
        """Change what no writer changes; it is seen at once in what is followed, and else when all is counted."""
        statuses = ("deleted", "failed", "finished", "ongoing")
        run = self.known[number % len(self.known)] if self.known else 0
        self.rows.change(run, status=statuses[number % 4], host=CODFW if number % 3 else EQIAD)
        self.now += timedelta(minutes=61)

    def _replace(self, number: int) -> None:
        """Use the highest id again for another run."""
        run = max(self.known, default=0)
        if run in self.known:
            self._forget([run])
            self.known.append(self._insert("s2", EQIAD, "finished", number, 0, MIB, id=run))
            self.now += timedelta(minutes=61)

    def _late(self, number: int) -> None:
        """Let a transaction commit after one with a higher id."""
        if self.gaps:
            self.known.append(self._insert("s1", CODFW, "failed", number, 60, MIB, id=self.gaps.pop()))
        else:
            highest = max(self.known, default=0) + 2
            self.gaps.append(highest - 1)
            self.known.append(self._insert("s1", EQIAD, "finished", number + 60, 30, MIB, id=highest))

    def _wait(self, count: int) -> None:
        self.now += timedelta(minutes=20 * count)

    def _purge(self, count: int) -> None:
        self._forget(self.known[:count])
        # A purge is followed up once the last full count is ten minutes old.
        self.now += timedelta(minutes=11)

    def _forget(self, gone: list[int]) -> None:
        self.known = [run for run in self.known if run not in gone]
        self.ongoing = [run for run in self.ongoing if run not in gone]
        self.rows.remove(*gone)


def read_everything(rows: Rows, now: datetime) -> Found:
    """Return the expected record of each job, by a simple pass over all rows."""
    with rows.engine.connect() as connection:
        others = [column for column in backups.c if column.name not in ("status", "type")]
        columns = [*others, raw_status.label("status"), raw_type.label("type")]
        found = [dict(row._mapping) for row in connection.execute(select(*columns))]
    jobs: dict[Job, list[dict[str, Any]]] = {}
    for row in found:
        row["start"], row["end"] = _known(row["start_date"]), _known(row["end_date"])
        row["size"] = row["total_size"] if (row["total_size"] or 0) <= MAX_SIZE else None
        if not row["section"]:
            continue
        jobs.setdefault(Job(row["section"], row["type"], POLICY.datacenter(row["host"])), []).append(row)
    return {job: _judge_plainly(mine, now) for job, mine in jobs.items()}


def _known(stored: datetime | str | None) -> datetime | None:
    """Return a stored time; None if it is unknown."""
    if stored is None or stored == _ZERO_TEXT:
        return None
    assert isinstance(stored, datetime)
    moment = stored.replace(tzinfo=UTC)
    return moment if moment > _UNKNOWN else None


def _judge_plainly(runs: list[dict[str, Any]], now: datetime) -> tuple[object, ...]:
    past = sorted((r for r in runs if r["start"] and r["start"] <= now), key=lambda r: (r["start"], r["id"]))
    good = [r for r in past if r["status"] == "finished" and r["end"] and r["end"] <= now]
    place = past.index(good[-1]) if good else -1
    ended = [index for index, r in enumerate(past) if r["status"] in ("finished", "failed", "deleted")]
    going = [
        r["id"]
        for index, r in enumerate(past)
        if r["status"] == "ongoing" and index > max(ended, default=-1) and now - r["start"] <= timedelta(days=7)
    ]
    kept = [r for place, r in enumerate(good) if all(n["end"] - r["start"] <= RETENTION for n in good[place + 1 :])]
    return (
        good[-1]["id"] if good else None,
        good[-2]["id"] if len(good) > 1 else None,
        past[-1]["id"] if past else None,
        sum(r["status"] == "failed" for r in past[place + 1 :]),
        tuple(going),
        len(kept),
        sum(r["size"] or 0 for r in kept),
        int(kept[0]["start"].timestamp()) if kept else None,
        _band([r["size"] for r in good[-11:-1] if r["size"]]),
        {status: n for status in Status if (n := sum(Status.parse(r["status"]) is status for r in runs))},
    )


def _band(sizes: list[int]) -> tuple[float, float] | None:
    """Return the median of at most ten sizes, three deviations to each side."""
    if len(sizes) < 4:
        return None
    middle = median(sizes)
    spread = 3 * 1.4826 * median(abs(size - middle) for size in sizes)
    return max(0.0, middle - spread), middle + spread


def as_followed(inventory: Inventory, now: datetime) -> Found:
    found: Found = {}
    for job, record in inventory.records.items():
        kept = (record.history.retained() or {}).values()
        runs = (record.newest, record.previous, record.attempt)
        found[job] = (
            *(run.id if run else None for run in runs),
            record.consecutive_failures,
            tuple(run.id for run in record.in_progress(now)),
            sum(retained.backups for retained in kept),
            sum(retained.bytes for retained in kept),
            record.history.oldest(),
            record.band,
            {status: rows for status in Status if (rows := inventory.counts.of_job(job, status))},
        )
    return found


def whole(inventory: Inventory, now: datetime) -> dict[str, object]:
    """Return the whole contents of an inventory, except the time of the count."""
    counts = inventory.counts
    return {
        "snapshot": replace(build(inventory, ContentsCounter(), Calendar(), now), synced=None),
        "rows": +counts.rows,
        "successes": +counts.successes,
        "rejected": +counts.rejected,
        "anomalies": +counts.anomalies,
        "hosts": +counts.hosts,
        "newest event": counts.newest_event,
    }


def follow(rows: Rows, sizes: list[int], steps: list[tuple[Any, ...]]) -> None:
    if rows.engine.dialect.name == "sqlite":
        # Nothing is to outlive the test.
        event.listen(rows.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))
    database, inventory = Database(rows.settings), Inventory(POLICY)
    world = World(rows, inventory)
    world.begin(sizes)
    for step in [("wait", 0), *steps]:
        world.take(step)
        counted = Inventory(POLICY)
        with database.connect() as connection:
            inventory.update(connection, world.now)
            counted.update(connection, world.now)
        assert whole(inventory, world.now) == whole(counted, world.now)
        assert as_followed(inventory, world.now) == read_everything(rows, world.now)
        world.now += timedelta(minutes=1)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_sizes, st.lists(_steps, min_size=1, max_size=25))
def test_following_finds_what_reading_everything_finds(sizes: list[int], steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        follow(Rows(f"sqlite:///{directory}/inventory.sqlite"), sizes, steps)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_sizes, st.lists(_steps, min_size=1, max_size=25))
def test_crowds_are_read_as_all_else_is(sizes: list[int], steps: list[tuple[Any, ...]]) -> None:
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr("bernard_exporter.inventory.crowds.CROWD", 2)
        patch.setattr("bernard_exporter.store.reader.IDS_AT_ONCE", 4)
        follow(Rows(f"sqlite:///{directory}/inventory.sqlite"), sizes, steps)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(_sizes, st.lists(_steps, min_size=1, max_size=15))
def test_following_finds_the_same_in_mariadb(mariadb_url: str, sizes: list[int], steps: list[tuple[Any, ...]]) -> None:
    rows = Rows(mariadb_url)
    rows.execute("ALTER TABLE backups MODIFY status VARCHAR(20) NOT NULL")
    rows.execute("TRUNCATE TABLE backups")
    follow(rows, sizes, steps)
