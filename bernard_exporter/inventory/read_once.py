"""Read and evaluate the inventory once, for commands that then exit."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.policy import Policy
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.inventory.sync import Inventory


def read_once(connection: Connection, policy: Policy, now: datetime) -> Snapshot:
    """Return the whole inventory evaluated against a policy, without counting files.

    Args:
        connection: an open connection; several calls on it see the same data.
        policy: the expected jobs, and the data centres of hosts.
        now: the current time, with a time zone.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    inventory = Inventory(policy)
    inventory.update(connection, now)
    return build(inventory, ContentsCounter(), Calendar(), now)
