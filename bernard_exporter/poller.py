"""Read, judge, render, swap one reference: again and again, whatever happens to the database."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.assessment import Calendar, build
from bernard_exporter.config.settings import Settings
from bernard_exporter.errors import StoreError
from bernard_exporter.inventory.counting import Counting
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.store.connection import Database
from bernard_exporter.telemetry import Telemetry

if TYPE_CHECKING:
    from bernard_exporter.exposition import Scrape

_log = logging.getLogger(__name__)
# The part of an interval that counting files may take.
_COUNTING_SHARE = 0.25
# Times the database's timeout, after which a read is broken off: it trickles, or the database is far too slow.
_PATIENCE = 20
# A thread that polls has gone round after so many intervals and seconds more, or hangs.
_ROUNDS, _MORE = 3, 5.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from: the moment, and seconds that never go back."""

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    monotonic: Callable[[], float] = field(default=time.monotonic)


class Poller:
    """Keeps the inventory, its verdicts and the scrape up to date.

    One thread reads; another, the caller of :meth:`tick`, waits for it no longer than an interval. So states go on
    ageing while the database hangs, and a read that hangs is never joined by a second one.

    Attributes:
        ready: whether what a poll found is what everything is answered from.
        snapshot: the inventory, judged.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Prepare to poll; nothing is read yet.

        Raises:
            StoreError: the connection cannot be described, as by an option file that does not exist.
        """
        self._clock = clock or Clock()
        self._settings = settings
        self._database = Database(settings.database)
        self._inventory = Inventory(settings.policy, settings.resync_interval)
        self._counting = Counting()
        self._calendar = Calendar()
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
        self._pending: Future[None] | None = None
        self._reading: tuple[Database, int] | None = None
        self._begun = self._round = self._clock.monotonic()
        self._lock = threading.Lock()
        self._reloading = threading.Lock()
        self._publishing = threading.Lock()
        self._rendering = threading.Lock()
        self._scrape: Scrape | None = None
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._complaints: set[str] = set()
        self.attempted = False
        self._adopt: Settings | None = None
        self.telemetry = Telemetry(reload_success=self._clock.now().timestamp())
        self.ready = False
        self.snapshot = Snapshot(taken=self._clock.now())

    @property
    def settings(self) -> Settings:
        """The settings in force."""
        return self._settings

    @property
    def database(self) -> Database:
        """The database of the settings in force; each use of it opens a connection of its own."""
        return self._database

    @property
    def now(self) -> datetime:
        """The moment by the poller's clock."""
        return self._clock.now()

    @property
    def scrape(self) -> Scrape:
        """The snapshot as bytes; what makes them is imported with the first use, while the first poll goes on."""
        with self._rendering:
            if self._scrape is None:
                from bernard_exporter.exposition import Scrape

                # As if nothing was read, for a poll may have succeeded whose jobs are not shown yet.
                nothing = Telemetry(reload_success=self.telemetry.reload_success)
                self._scrape = Scrape(Snapshot(taken=self._clock.now()), nothing)
            return self._scrape

    @property
    def turning(self) -> bool:
        """Tell whether the thread that polls still goes round; a database that hangs does not keep it from that."""
        return self._clock.monotonic() - self._round < _ROUNDS * self._settings.poll_interval + _MORE

    def start(self) -> None:
        """Poll from now on, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop polling; a read that goes on is broken off, for the process would wait for it."""
        self._stopped.set()
        self._wake.set()
        self._reader.shutdown(wait=False, cancel_futures=True)
        self._break_off()
        if self._thread:
            self._thread.join(timeout=1.0)

    def reload(self, load: Callable[[], Settings]) -> None:
        """Follow the settings that ``load`` returns, or keep the old ones whole when it raises.

        Raises:
            BernardError: the new settings cannot be used.
        """
        # One after the other: the file that was read last is the one that is followed.
        with self._reloading:
            try:
                settings = load()
                database = Database(settings.database)
            except Exception:
                self.telemetry.reload_successful = False
                self._publish()
                raise
            with self._lock:
                self._settings, self._database, self._adopt = settings, database, settings
            self.telemetry.reload_successful = True
            self.telemetry.reload_success = self._clock.now().timestamp()
        self._wake.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._round = self._clock.monotonic()
            self._wake.clear()
            try:
                self.tick()
            except Exception:
                if self._stopped.is_set():
                    # An interpreter that ends lets no thread be begun, such as to compress.
                    return
                # The last net: this thread must outlive whatever it meets.
                _log.exception("a poll failed in a way nobody thought of; polling goes on")
                self.telemetry.errors["internal"] += 1
            self.attempted = True
            left = self._settings.poll_interval - (self._clock.monotonic() - self._round)
            self._wake.wait(max(left, 0.0))

    def tick(self) -> None:
        """Read once, or go on waiting for a read that hangs, for one interval at most; then judge and render."""
        if self._pending is None:
            self._begun = self._clock.monotonic()
            self._pending = self._reader.submit(self._read)
        try:
            self._pending.result(timeout=self._settings.poll_interval)
            self._pending = None
        except FutureTimeout:
            # What it has answered may just be rendered.
            if not self._publishing.locked():
                self._failed(StoreError("timeout", "the database has not answered for a whole poll interval"))
                self._break_off_late()
        except Exception:
            self._pending = None
            raise
        self._publish()

    def _break_off_late(self) -> None:
        """Break off a read that takes longer than a poll may."""
        seconds = self._clock.monotonic() - self._begun
        if seconds > max(_PATIENCE * self._settings.database.timeout, self._settings.poll_interval):
            _log.warning("the poll is broken off after %.0f s; raise database.timeout if it needs that long", seconds)
            self._break_off()

    def _break_off(self) -> None:
        if self._reading:
            database, thread = self._reading
            database.cut(thread)

    def _read(self) -> None:
        """Bring the inventory up to date; note what went wrong."""
        with self._lock:
            database, adopted, self._adopt = self._database, self._adopt, None
        self._reading = (database, threading.get_ident())
        if adopted:
            self._inventory.adopt(adopted.policy, adopted.resync_interval)
        begun = self._clock.monotonic()
        polled = False
        try:
            with database.connect() as connection:
                self._inventory.update(connection, self._clock.now())
                self._succeeded(self._clock.monotonic() - begun)
                polled = True
                seconds = self._settings.poll_interval * _COUNTING_SHARE
                self._counting.advance(connection, self._inventory.records, seconds, self._clock.monotonic)
            self._recovered()
        except StoreError as error:
            self._failed(error, polled)
        except (SQLAlchemyError, OSError) as error:
            self._failed(StoreError("query", f"{type(error).__name__}: {error}"), polled)

    def _succeeded(self, duration: float) -> None:
        own = self.telemetry
        own.up = True
        own.last_poll = self._clock.now().timestamp()
        own.last_poll_duration = duration
        own.polls["success"] += 1
        own.resyncs = self._inventory.resyncs.copy()
        self._publish()

    def _recovered(self) -> None:
        if self._complaints:
            _log.info("the database can be read again")
        self._complaints.clear()

    def _failed(self, error: StoreError, polled: bool = False) -> None:
        """Note an error; when the inventory was ``polled`` before it, only files and objects are not counted."""
        if not polled:
            self.telemetry.up = False
            self.telemetry.polls["failure"] += 1
        self.telemetry.errors[error.reason] += 1
        # Once, not at every poll.
        if str(error) not in self._complaints:
            _log.error("cannot read the database: %s", error, extra={"reason": error.reason})
        self._complaints.add(str(error))

    def _publish(self) -> None:
        """Judge what is known by the time it is now, and swap what scrapes and pages are answered from."""
        with self._publishing:
            scrape = self.scrape
            self.snapshot = build(self._inventory, self._counting, self._calendar, self._clock.now())
            scrape.show(self.snapshot, self.telemetry)
            # Only now does every answer tell of the jobs.
            self.ready = self.snapshot.synced is not None
