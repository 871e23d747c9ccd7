"""What a poll reads: the changes of the inventory, then the files and objects of new successes."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from bernard_exporter.domain.model import Job
from bernard_exporter.errors import StoreError
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.outcomes import Outcomes
from bernard_exporter.polling.publisher import Publisher
from bernard_exporter.polling.reload import Configuration

_log = logging.getLogger(__name__)
# The share of a poll interval that counting files may take.
_COUNTING_SHARE = 0.25


class Reader:
    """Brings the inventory up to date and publishes it."""

    def __init__(
        self,
        configuration: Configuration,
        inventory: Inventory,
        counter: ContentsCounter,
        publisher: Publisher,
        outcomes: Outcomes,
        clock: Clock,
    ) -> None:
        """Prepare to read.

        Args:
            configuration: the one that ``inventory`` was made with.
            inventory: brought up to date.
            counter: counts files and objects.
            publisher: publishes the inventory.
            outcomes: counts successes and errors.
            clock: the source of time.
        """
        self._adopted = configuration
        self._inventory = inventory
        self._counter = counter
        self._publisher = publisher
        self._outcomes = outcomes
        self._clock = clock
        self._logged_crowds: set[Job] = set()

    def read(self, configuration: Configuration) -> None:
        """Read once; errors of the database are counted and logged, not raised."""
        self._adopt(configuration)
        polled = False
        try:
            begun = self._clock.monotonic()
            with configuration.database.connect() as connection:
                self._inventory.update(connection, self._clock.now())
                self._publish(self._clock.monotonic() - begun)
                polled = True
                self._log_crowds()
                seconds = configuration.settings.poll_interval * _COUNTING_SHARE
                self._counter.advance(connection, self._inventory.records, seconds, self._clock.monotonic)
            self._outcomes.forget_errors()
        except StoreError as error:
            self._outcomes.count_failure(error, after_success=polled)
        except (SQLAlchemyError, OSError) as error:
            failure = StoreError("query", f"{type(error).__name__}: {error}")
            self._outcomes.count_failure(failure, after_success=polled)

    def _adopt(self, configuration: Configuration) -> None:
        """Follow a reload since the last read."""
        last, self._adopted = self._adopted, configuration
        if configuration is not last:
            settings = configuration.settings
            recount = configuration.needs_recount(last)
            self._inventory.adopt(settings.policy, settings.resync_interval, recount=recount)

    def _publish(self, duration: float) -> None:
        with self._outcomes.success(self._clock.now(), duration, self._inventory.resyncs):
            self._publisher.publish()

    def _log_crowds(self) -> None:
        """Log each job that has far too many rows, once."""
        for job, rows, reason in self._inventory.crowds:
            if job not in self._logged_crowds:
                self._logged_crowds.add(job)
                _log.warning(
                    "%s: %d rows %s, far more than expected; check the process that inserts them. All are counted, "
                    "but only the newest are updated from poll to poll",
                    "/".join(job),
                    rows,
                    reason,
                )


class Reading:
    """A read in progress, in a new thread: a thread pool could wait for a worker that has ended.

    Attributes:
        begun: its start by the monotonic clock.
        advanced: when it was last seen to have sent a statement, or its start.
    """

    def __init__(self, reader: Reader, configuration: Configuration, begun: float) -> None:
        """Start to read."""
        self.begun = self.advanced = begun
        self._statements = 0
        self._database = configuration.database
        self._error: BaseException | None = RuntimeError("the thread that reads ended without a result")
        self._thread = threading.Thread(target=self._run, args=(reader, configuration), name="reader", daemon=True)
        self._thread.start()

    def ends_within(self, seconds: float) -> bool:
        """Wait for the end, for at most so many seconds, and return whether it was reached.

        Raises:
            BaseException: the read failed, but not because of the database.
        """
        self.join(seconds)
        if self._thread.is_alive():
            return False
        if self._error:
            raise self._error
        return True

    def join(self, seconds: float) -> None:
        """Wait for the end, for at most so many seconds, whatever the result."""
        self._thread.join(seconds)

    def note_progress(self, now: float) -> None:
        """Set ``advanced`` to ``now`` if statements were sent since the last call."""
        statements = self._database.statements(self._thread.ident)
        if statements != self._statements:
            self._statements, self.advanced = statements, now

    def abort(self) -> None:
        """Abort the connections of the read, which then ends with an error of the database."""
        self._database.abort(self._thread.ident)

    def _run(self, reader: Reader, configuration: Configuration) -> None:
        try:
            reader.read(configuration)
        except BaseException as error:
            self._error = error
        else:
            self._error = None
