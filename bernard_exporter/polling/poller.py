"""Keeps inventory and metrics up to date: puts loop, reader, publisher and reload together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from bernard_exporter.config.settings import Settings
from bernard_exporter.errors import StoreError
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.exposition import Scrape
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.loop import Loop
from bernard_exporter.polling.outcomes import Outcomes
from bernard_exporter.polling.publisher import Publisher
from bernard_exporter.polling.reader import Reader, Reading
from bernard_exporter.polling.reload import configuration, reload
from bernard_exporter.store.connection import Database

_log = logging.getLogger(__name__)
# A read is aborted if it sends no statement for this many times the database timeout: the database is far too slow. One
# that sends statements ends, however many rows there are to count.
_ABORT_AFTER = 20
# A read that takes longer than an interval is no failure before database.timeout plus this many seconds, as the first
# read of a large inventory. Until then the driver reports a timeout itself, and says more.
_GRACE = 1.0
# Seconds to wait for each thread when polling stops.
_JOIN_SECONDS = 1.0


class Poller:
    """Polls the database.

    One thread reads; another, which calls :meth:`tick`, waits for it for at most one interval. So states keep ageing
    while the database hangs, and a second read is never started beside one that hangs.

    Attributes:
        self_metrics: the exporter's metrics about itself.
        first_poll_done: whether a poll has succeeded or failed.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Prepare to poll, without reading the database.

        Raises:
            StoreError: the connection settings cannot be used, for example a missing option file.
        """
        self._clock = clock or Clock()
        self._configuration = configuration(settings)
        self._inventory = Inventory(settings.policy, settings.resync_interval)
        self.self_metrics = SelfMetrics(self.now.timestamp(), settings.poll_interval)
        self.first_poll_done = False
        counter = ContentsCounter()
        self._outcomes = Outcomes(self.self_metrics)
        self._publisher = Publisher(self._inventory, counter, self.self_metrics, self._clock.now)
        self._reader = Reader(
            self._configuration, self._inventory, counter, self._publisher, self._outcomes, self._clock
        )
        self._reading: Reading | None = None
        self._loop = Loop(self._poll, lambda: self.settings.poll_interval, self._clock.monotonic)

    @property
    def settings(self) -> Settings:
        """The current settings."""
        return self._configuration.settings

    @property
    def database(self) -> Database:
        """The database of the current settings; each use opens its own connection."""
        return self._configuration.database

    @property
    def now(self) -> datetime:
        """The current time by the poller's clock."""
        return self._clock.now()

    @property
    def snapshot(self) -> Snapshot:
        """The inventory, evaluated."""
        return self._publisher.snapshot

    @property
    def scrape(self) -> Scrape:
        """The rendered metrics."""
        return self._publisher.scrape

    @property
    def ready(self) -> bool:
        """Return whether a poll has succeeded and its result is published."""
        return self._publisher.is_ready

    @property
    def is_alive(self) -> bool:
        """Return whether the poll thread still publishes, as it does even while the database hangs."""
        return self._loop.is_alive

    def start(self) -> None:
        """Start to poll in a separate thread."""
        self._loop.start()

    def stop(self) -> None:
        """Stop polling and abort a read in progress, which would keep the process from exiting."""
        self._loop.stop()
        reading = self._reading
        if reading:
            reading.abort()
        self._loop.join(_JOIN_SECONDS)
        if reading:
            reading.join(_JOIN_SECONDS)

    def reload(self, load: Callable[[], Settings]) -> None:
        """Apply the settings that ``load`` returns, or keep the old ones if it raises an error.

        Only one thread may reload at a time.

        Raises:
            BernardError: the new settings cannot be used.
        """
        try:
            self._configuration = reload(load, self.self_metrics, self._clock.now)
        except BaseException:
            self._publisher.publish()
            raise
        self._loop.wake()

    def tick(self) -> None:
        """Read once, or wait for a read in progress, for at most one interval; then evaluate and render."""
        if self._reading is None:
            self._reading = Reading(self._reader, self._configuration, self._clock.monotonic())
        try:
            ended = self._reading.ends_within(self.settings.poll_interval)
        except BaseException:
            self._reading = None
            raise
        if ended:
            self._reading = None
        else:
            self._check_duration(self._reading)
        self._publisher.publish()

    def _poll(self) -> None:
        """Poll once, whatever the result."""
        try:
            self.tick()
        except BaseException as error:
            if self._loop.is_stopped:
                # No thread can be started while the interpreter shuts down.
                return
            self._outcomes.count_internal_error(error)
            self._publisher.publish_failure()
        finally:
            self.first_poll_done = self.self_metrics.polls.total() > 0

    def _check_duration(self, reading: Reading) -> None:
        """Count a read that takes too long as failed, and abort it if a statement takes far too long."""
        interval, timeout = self.settings.poll_interval, self.settings.database.timeout
        now, limit = self._clock.monotonic(), max(interval, timeout + _GRACE)
        reading.note_progress(now)
        # While its result is published, the read is about to end.
        if now - reading.begun < limit or self._publisher.is_publishing:
            return
        self._outcomes.count_failure(StoreError("timeout", f"the database did not respond within {limit:g} s"))
        seconds = now - reading.advanced
        if seconds > max(_ABORT_AFTER * timeout, interval):
            _log.warning(
                "poll aborted: no statement ended in %.0f s; increase database.timeout if one needs more", seconds
            )
            reading.abort()
