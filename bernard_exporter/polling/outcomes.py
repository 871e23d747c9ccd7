"""Counts and logs the results of polls."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from bernard_exporter.errors import StoreError
from bernard_exporter.inventory.resync import ResyncReason
from bernard_exporter.metrics.self_metrics import SelfMetrics

_log = logging.getLogger(__name__)


class Outcomes:
    """Counts successes and errors in the exporter's own metrics, and logs each error once until the next success."""

    def __init__(self, own: SelfMetrics) -> None:
        """Count in ``own``."""
        self._own = own
        self._logged_errors: set[str] = set()

    @contextmanager
    def success(self, at: datetime, duration: float, resyncs: Counter[ResyncReason]) -> Iterator[None]:
        """Count a success, whose result is published in the block; a poll whose result cannot be rendered has failed.

        Args:
            at: the end of the poll.
            duration: its seconds.
            resyncs: the number of resyncs by reason.
        """
        own = self._own
        last = own.last_poll, own.last_poll_duration
        own.up = True
        own.last_poll, own.last_poll_duration = at.timestamp(), duration
        own.polls["success"] += 1
        own.resyncs = resyncs.copy()
        try:
            yield
        except BaseException:
            own.last_poll, own.last_poll_duration = last
            own.polls["success"] -= 1
            raise

    def count_failure(self, error: StoreError, *, after_success: bool = False) -> None:
        """Count and log an error of the database.

        Args:
            error: the error.
            after_success: whether the poll had succeeded, so that only files and objects are not counted.
        """
        if not after_success:
            self._count_failed_poll()
        self._own.errors[error.reason] += 1
        if self._is_new(str(error)):
            _log.error("cannot read the database: %s", error, extra={"reason": error.reason})

    def count_internal_error(self, error: BaseException) -> None:
        """Count and log an unexpected error."""
        self._count_failed_poll()
        self._own.errors["internal"] += 1
        if self._is_new(f"{type(error).__name__}: {error}"):
            _log.error("internal error in a poll; polling continues", exc_info=error)

    def forget_errors(self) -> None:
        """Log the same errors again from now on, as there was a complete read."""
        if self._logged_errors:
            _log.info("the database can be read again")
        self._logged_errors.clear()

    def _count_failed_poll(self) -> None:
        self._own.up = False
        self._own.polls["failure"] += 1

    def _is_new(self, text: str) -> bool:
        is_new = text not in self._logged_errors
        self._logged_errors.add(text)
        return is_new
