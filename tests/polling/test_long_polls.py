"""A poll that needs long for very many rows ends, as long as each of its statements does."""

from __future__ import annotations

import time
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.engine import Connection

from bernard_exporter.config.settings import Settings
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.polling import poller
from bernard_exporter.polling.poller import Poller
from testing.rows import Rows
from testing.servers import eventually


def test_poll_of_many_statements_succeeds_however_long_it_takes(
    mariadb_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = Rows(mariadb_url)
    rows.add()
    update = Inventory.update

    def update_slowly(inventory: Inventory, connection: Connection, now: datetime) -> None:
        until = time.monotonic() + 12
        while time.monotonic() < until:
            connection.execute(text("SELECT SLEEP(0.1)"))
        update(inventory, connection, now)

    monkeypatch.setattr(Inventory, "update", update_slowly)
    # Reads are aborted after five seconds without a statement.
    monkeypatch.setattr(poller, "_ABORT_AFTER", 1)
    polling = Poller(Settings(rows.settings, poll_interval=0.5))
    polling.start()
    eventually(lambda: polling.self_metrics.polls["success"], "the poll succeeds")
    polling.stop()
