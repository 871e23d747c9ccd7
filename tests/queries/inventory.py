"""An inventory after one poll, as the exporter keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pytest

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import DAY, Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.store.connection import Database
from testing.rows import NOW, Rows
from testing.servers import MariaDB

T = TypeVar("T")
KINDS = ("mariadb", "sqlite")
S1 = Job("s1", "dump", "eqiad")
WEEKLY = Schedule("0 0 * * 2")


def policy(*jobs: Job, schedule: Schedule | None = WEEKLY) -> Policy:
    limits = Limits(max_age=8 * DAY, schedule=schedule, retention=90 * DAY)
    return Policy(expected=dict.fromkeys(jobs or (S1,), limits))


@dataclass
class Polled:
    """What a poll at ``now`` finds in an inventory, and questions about it."""

    rows: Rows
    policy: Policy = field(default_factory=policy)
    now: datetime = NOW

    @cached_property
    def database(self) -> Database:
        return Database(self.rows.settings)

    @cached_property
    def snapshot(self) -> Snapshot:
        inventory, counting = Inventory(self.policy), ContentsCounter()
        with self.database.connect() as connection:
            inventory.update(connection, self.now)
            counting.advance(connection, inventory.records, 60.0, lambda: 0.0)
        return build(inventory, counting, Calendar(), self.now)

    def ask(self, question: Callable[[DatabaseView], T]) -> T:
        snapshot = self.snapshot
        with self.database.connect() as connection:
            return question(DatabaseView(snapshot, self.now, connection))


@contextmanager
def inventory(kind: str, request: pytest.FixtureRequest, directory: Path) -> Iterator[Rows]:
    """An inventory on one kind of store that the tests of a module share and do not change."""
    if kind == "sqlite":
        yield Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
        return
    server: MariaDB = request.getfixturevalue("mariadb")
    name = f"shared_{directory.name.replace('-', '_')}"
    server.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield Rows(server.url(name))
    server.execute(f"DROP DATABASE {name}")
