"""The time limit of a plugin."""

from __future__ import annotations

import time


class Deadline:
    """The deadline of a plugin, and the hosts that it is waiting for.

    Attributes:
        seconds: the time limit, counted from the creation of this object.
        hosts: the hosts that are being contacted, as text; '' before the first.
    """

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self.seconds = seconds
        self.hosts = ""
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds left; negative after the deadline."""
        return self._end - time.monotonic()
