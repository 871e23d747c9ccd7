"""An inventory that was polled once, as the exporter keeps it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from bernard_exporter.assessment import Calendar, build
from bernard_exporter.inspection.access import View
from bernard_exporter.inventory.counting import Counting
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.model import Job
from bernard_exporter.policy import DAY, Limits, Policy
from bernard_exporter.schedule import Schedule
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store.connection import Database
from tests.rows import NOW, Rows

T = TypeVar("T")
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

    @property
    def database(self) -> Database:
        return Database(self.rows.settings)

    @property
    def snapshot(self) -> Snapshot:
        inventory, counting = Inventory(self.policy), Counting()
        with self.database.connect() as connection:
            inventory.update(connection, self.now)
            counting.advance(connection, inventory.records, 60.0, lambda: 0.0)
        return build(inventory, counting, Calendar(), self.now)

    def ask(self, question: Callable[[View], T]) -> T:
        snapshot = self.snapshot
        with self.database.connect() as connection:
            return question(View(snapshot, self.now, connection))
