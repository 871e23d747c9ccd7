"""Read the inventory once and judge it: what commands need that end when they are done."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.assessment import Calendar, build
from bernard_exporter.inventory.counting import Counting
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.policy import Policy
from bernard_exporter.snapshot import Snapshot


def survey(connection: Connection, policy: Policy, now: datetime) -> Snapshot:
    """Return the whole inventory judged by a policy, without counting files.

    Args:
        connection: an open connection; what the policies of several calls are judged on is the same.
        policy: says what is expected, and where hosts are.
        now: aware.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    inventory = Inventory(policy)
    inventory.update(connection, now)
    return build(inventory, Counting(), Calendar(), now)
