"""What the long-running exporter does to need little memory."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Options of glibc's mallopt: what is large is given back as soon as it is freed, and what lies free at the end of the
# heap, too; threads share one heap, for they seldom run at a time.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _ARENA_MAX = -3, -1, -8
_LARGE = 128 * 1024


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
