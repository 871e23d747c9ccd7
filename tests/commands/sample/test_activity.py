"""The activity of a sample inventory: which rows it adds, updates and leaves alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bernard_exporter.commands.sample.activity import Activity
from bernard_exporter.commands.sample.fleet import Case, Fleet, make_fleet
from bernard_exporter.commands.sample.generate import generate
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.model import Job, State, Status
from bernard_exporter.errors import SampleError
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from bernard_exporter.store.connection import Database
from bernard_exporter.store.schema import backups
from bernard_exporter.store.writable import open_writable
from bernard_exporter.store.writer import Writer
from testing.rows import NOW

# The dumps of the week have begun, and none has ended.
TUESDAY = datetime.fromisoformat("2026-03-10T00:45:00+00:00")


class Demo:
    """A sample inventory with its fleet, and the exporter's view of it."""

    def __init__(self, directory: Path, now: datetime) -> None:
        self.url = f"sqlite:///{directory / 'inventory.sqlite'}"
        self.fleet: Fleet = make_fleet()
        self.now = now
        generate(self.url, days=30, files=3, seed=1, now=now)
        self.activity = Activity(Writer(self.url), self.fleet, seed=1)

    def live(self, seconds: int, watch: Callable[[], None] = lambda: None) -> None:
        for _ in range(0, seconds, 5):
            self.now += timedelta(seconds=5)
            self.activity.step(self.now)
            watch()

    def jobs(self) -> dict[Job, JobStatus]:
        settings = Settings(DatabaseSettings(url=self.url), policy=self.fleet.policy)
        poller = Poller(settings, Clock(now=lambda: self.now, monotonic=lambda: 0.0))
        for _ in range(3):
            poller.tick()
        poller.stop()
        return {status.job: status for status in poller.snapshot.jobs}

    def of(self, *cases: Case) -> dict[Job, JobStatus]:
        jobs = self.jobs()
        return {m.job: jobs[m.job] for m in self.fleet.members if m.case in cases}


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path, NOW)


def test_jobs_that_show_something_are_left_alone(demo: Demo) -> None:
    special = tuple(case for case in Case if case is not Case.HEALTHY)

    def attempts() -> dict[Job, object]:
        return {job: (status.attempt, status.newest) for job, status in demo.of(*special).items()}

    before = attempts()
    demo.live(600)
    assert attempts() == before


def test_failures_and_jumps_are_put_right_after_a_while(demo: Demo) -> None:
    demo.live(1800)
    healthy = demo.of(Case.HEALTHY).values()
    troubled = [status.job for status in healthy if status.verdict and status.verdict.state is not State.FRESH]
    failed = [status.job for status in healthy if status.consecutive_failures]
    assert len(troubled) <= 3
    assert len(failed) <= 3


def test_failure_and_jump_can_be_seen_within_two_minutes(demo: Demo) -> None:
    seen: set[object] = set()

    def watch() -> None:
        for status in demo.of(Case.HEALTHY).values():
            seen.add(status.verdict.state if status.verdict else None)
            seen.update({Status.FAILED} if status.consecutive_failures else set())
            seen.update(run.status for run in status.ongoing)

    demo.live(120, watch)
    assert seen >= {State.FRESH, State.VERY_WRONG_SIZE, Status.FAILED, Status.ONGOING}


def test_hosts_take_two_dumps_and_one_snapshot_whose_row_comes_after_its_transfer(demo: Demo) -> None:
    with open_writable(demo.url).connect() as connection:
        last = connection.execute(select(func.max(backups.c.id))).scalar_one()
    demo.live(3600)
    with open_writable(demo.url).connect() as connection:
        rows = connection.execute(select(backups).where(backups.c.id > last).order_by(backups.c.id)).all()
    assert Counter(row.type for row in rows)["snapshot"] > 20
    taken = {m.host for m in demo.fleet.members if m.case in (Case.RUNNING, Case.RUNNING_LONG)}
    running: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in rows:
        date, time = row.name.removeprefix(f"{row.type}.{row.section}.").split("--")
        named = datetime.fromisoformat(f"{date} {time.replace('-', ':')}")
        assert row.start_date - named == (timedelta(seconds=15) if row.type == "snapshot" else timedelta())
        others = [end for end in running[row.host, row.type] if end > named]
        assert len(others) < (1 if row.type == "snapshot" or row.host in taken else 2)
        running[row.host, row.type] = [*others, row.end_date or datetime.max]


def test_runs_that_were_going_when_it_began_come_to_an_end(tmp_path: Path) -> None:
    demo = Demo(tmp_path, TUESDAY)
    going = {job for job, status in demo.of(Case.HEALTHY).items() if status.ongoing and job.section[:2] != "es"}
    assert len(going) > 8
    demo.live(400)
    left = [job for job, status in demo.of(Case.HEALTHY).items() if len(status.ongoing) + status.abandoned > 1]
    assert left == []
    assert sum(len(status.ongoing) for status in demo.of(Case.HEALTHY).values()) <= 3


def test_same_seed_lives_the_same_life(tmp_path: Path) -> None:
    lives = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        demo = Demo(tmp_path / name, NOW)
        demo.live(300)
        lives.append(demo.jobs())
    assert lives[0] == lives[1]


def test_fleet_of_a_single_job_lives_too(demo: Demo) -> None:
    lonely = Activity(Writer(demo.url), make_fleet(1), seed=1)
    for second in range(0, 300, 5):
        lonely.step(NOW + timedelta(seconds=second))


def test_reading_and_living_take_turns(demo: Demo) -> None:
    database = Database(DatabaseSettings(url=demo.url))
    for _ in range(20):
        with database.connect() as connection:
            assert connection.execute(select(backups.c.id).limit(1)).all()
        demo.live(5)
        with database.connect() as connection:
            assert connection.execute(select(backups.c.id).limit(1)).all()


def test_database_that_is_gone_is_one_clear_error(tmp_path: Path) -> None:
    activity = Activity(Writer(f"sqlite:///{tmp_path}/no/such.sqlite"), make_fleet(), seed=1)
    with pytest.raises(SampleError, match="unable to open"):
        activity.step(NOW)
