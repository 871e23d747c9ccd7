"""What lasts as long as the process: modules, and applications made of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def lasting() -> Iterator[None]:
    """Let what is made here be searched for garbage neither meanwhile nor ever after, for nothing of it is any."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
