"""What the long-running exporter does to need little memory, and little time to find what is free."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Options of glibc's mallopt: what is large is given back as soon as it is freed, and what lies free at the end of the
# heap, too; threads share one heap, for they seldom run at a time.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
_LARGE = 128 * 1024
# Objects that may be referenced in circles, made and not yet freed, after which Python searches for such circles: it
# would be 700, of which a poll or a question makes a hundred times as many, and none in a circle.
_SEARCH_AFTER = 10_000


@contextmanager
def lasting() -> Iterator[None]:
    """Let what is made here be searched for garbage neither meanwhile nor ever after, for nothing of it is any."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def give_back() -> None:
    """Have the C library give free memory back to the system, where it is glibc; it would keep some for later."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in ((_MMAP_THRESHOLD, _LARGE), (_TRIM_THRESHOLD, _LARGE), (_ARENA_MAX, 1)):
            mallopt(option, value)


def search_seldom() -> None:
    """Search for garbage less often: reading and rendering free nearly all they make without a search."""
    gc.set_threshold(_SEARCH_AFTER)
