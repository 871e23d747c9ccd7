"""When to poll: again and again in a thread of its own, whatever happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

# The thread counts as hanging if an iteration takes more than this many intervals plus this many seconds.
_INTERVALS, _MORE = 3, 5.0
# Seconds until the next iteration after an error that the iteration could not handle itself.
_PAUSE = 1.0


class Loop:
    """Calls a function at a regular interval."""

    def __init__(
        self, iterate: Callable[[], None], interval: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        """Prepare to call a function, without starting the thread.

        Args:
            iterate: the function.
            interval: returns the seconds from the start of one call to the start of the next.
            monotonic: a clock in seconds.
        """
        self._iterate = iterate
        self._interval = interval
        self._monotonic = monotonic
        self._last_iteration = monotonic()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Return whether the thread runs and its last iteration ended recently."""
        if self._thread and not self._thread.is_alive():
            return False
        return self._monotonic() - self._last_iteration < _INTERVALS * self._interval() + _MORE

    @property
    def is_stopped(self) -> bool:
        """Return whether :meth:`stop` has been called."""
        return self._stopped.is_set()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="poller", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Start the next iteration now, and the thread again if it has ended unexpectedly."""
        if self._thread and not self._thread.is_alive() and not self.is_stopped:
            self.start()
        self._wake.set()

    def stop(self) -> None:
        """Let the current iteration be the last one."""
        self._stopped.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the end of the thread, for at most so many seconds."""
        if self._thread:
            self._thread.join(timeout=seconds)

    def _run(self) -> None:
        while not self.is_stopped:
            try:
                self._iterate_and_wait()
            except BaseException:
                # The error could not be logged; `is_alive`, and so the watchdog, notices.
                time.sleep(_PAUSE)

    def _iterate_and_wait(self) -> None:
        begun = self._monotonic()
        self._wake.clear()
        self._iterate()
        self._last_iteration = self._monotonic()
        self._wake.wait(max(self._interval() - (self._last_iteration - begun), 0.0))
