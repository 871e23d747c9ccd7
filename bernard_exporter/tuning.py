"""Tuning of the long-running exporter: malloc, garbage collector and threads."""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Options of glibc's mallopt: return large blocks and the free end of the heap to the system at once, and use one arena
# for all threads, as they seldom run at the same time.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
_LARGE = 128 * 1024
# Threshold of the youngest generation (Python's default: 700): a poll or a request allocates about a hundred times as
# many objects, none of them in a reference cycle.
_GC_THRESHOLD = 10_000

# The interval after which a thread releases the GIL to a waiting one; Python's default is 25 times as long.
_SWITCH_SECONDS = 0.0002


@contextmanager
def frozen_imports() -> Iterator[None]:
    """Exclude objects allocated in this block from garbage collection; they live as long as the process."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def tune_malloc() -> None:
    """Make glibc return free memory to the system at once; no effect with another C library."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 1)):
            mallopt(option, value)


def tune_gc() -> None:
    """Run the garbage collector less often: reference counting frees nearly everything that polls and requests make."""
    gc.set_threshold(_GC_THRESHOLD)


def tune_threads() -> None:
    """Let the thread that answers scrapes interrupt one that works on a query sooner."""
    sys.setswitchinterval(_SWITCH_SECONDS)
