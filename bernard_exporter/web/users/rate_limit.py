"""Rate limiting of requests."""

from __future__ import annotations

import time
from collections.abc import Callable

from bernard_exporter.web.web_config.settings import RateLimit


class Bucket:
    """A token bucket: full at the start, minus one token per request, plus one per interval."""

    def __init__(self, limit: RateLimit, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with a full bucket.

        Args:
            limit: its size and refill interval.
            clock: a monotonic clock in seconds.
        """
        self.limit = limit
        self._clock = clock
        self._tokens = float(limit.burst)
        self._filled = clock()

    def take(self) -> bool:
        """Take a token; return whether there was one."""
        now = self._clock()
        self._tokens = min(self.limit.burst, self._tokens + (now - self._filled) / self.limit.interval)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
