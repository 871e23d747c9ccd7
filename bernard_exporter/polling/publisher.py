"""Publishes what polls have read: evaluates it, renders the metrics and swaps the snapshot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime

from bernard_exporter.domain.due import Calendar
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import Scrape
from bernard_exporter.metrics.self_metrics import SelfMetrics


class Publisher:
    """Holds the last snapshot and the metrics rendered from it; they are replaced, never changed.

    Attributes:
        snapshot: the inventory, evaluated.
        scrape: the rendered metrics.
    """

    def __init__(
        self, inventory: Inventory, counter: ContentsCounter, own: SelfMetrics, now: Callable[[], datetime]
    ) -> None:
        """Publish an empty snapshot.

        Args:
            inventory: what polls have read.
            counter: the contents of the newest successes.
            own: the exporter's metrics about itself.
            now: returns the current time.
        """
        self._inventory = inventory
        self._counter = counter
        self._own = own
        self._now = now
        self._calendar = Calendar()
        # Polls publish, and so do failed reloads and polls that wait for the database.
        self._lock = threading.Lock()
        self.snapshot = Snapshot(taken=now())
        self.scrape = Scrape(self.snapshot, own)

    @property
    def is_ready(self) -> bool:
        """Return whether the result of a successful poll is published."""
        return self.snapshot.synced is not None

    @property
    def is_publishing(self) -> bool:
        """Return whether a thread is publishing at the moment."""
        return self._lock.locked()

    def publish(self) -> None:
        """Evaluate the inventory as of now, render it, and replace metrics and snapshot."""
        with self._lock:
            snapshot = build(self._inventory, self._counter, self._calendar, self._now())
            self.scrape.show(snapshot, self._own)
            self.snapshot = snapshot

    def publish_failure(self) -> None:
        """Replace the metrics about the exporter itself, and keep those of the inventory."""
        with self._lock:
            self.scrape.show_failure(self.snapshot, self._own)
