"""What is done to need little memory is done: counted in objects and pages, in processes of their own."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from bernard_exporter.memory import lasting, search_seldom

# Frees a large block, from which glibc learns to keep what is as large, then many that stand between others that stay.
_FREED = """
import os, sys
from bernard_exporter.memory import give_back

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

if sys.argv[1] == "given back":
    give_back()
block = bytearray(30 << 20)
del block
held = [(bytearray(1 << 20), bytearray(2000)) for _ in range(60)]
begun = resident()
held = [small for _, small in held]
print(begun - resident())
"""


def freed(way: str) -> int:
    """Return how many MiB a process is smaller after it freed 60 MiB."""
    said = subprocess.run([sys.executable, "-c", _FREED, way], capture_output=True, text=True, check=True)
    return int(said.stdout)


def test_free_memory_is_given_back_at_once() -> None:
    assert freed("given back") >= 55
    assert freed("kept") < 30


def test_what_lasts_is_searched_for_garbage_neither_meanwhile_nor_later() -> None:
    frozen = gc.get_freeze_count()
    try:
        with lasting():
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(made)
    finally:
        gc.unfreeze()


def test_search_for_garbage_goes_on_after_a_failure() -> None:
    try:
        with pytest.raises(ImportError), lasting():
            import bernard_exporter.nothing  # type: ignore[import-not-found]  # noqa: F401
        assert gc.isenabled()
    finally:
        gc.unfreeze()


def test_what_soon_ends_is_seldom_searched() -> None:
    usual = gc.get_threshold()
    found: list[str] = []

    def searched(phase: str, _: dict[str, int]) -> None:
        found.append(phase)

    try:
        search_seldom()
        gc.collect()
        gc.callbacks.append(searched)
        made = [[number] for number in range(9000)]
        assert found == []
        made += [[number] for number in range(9000)]
        assert found
    finally:
        gc.callbacks.remove(searched)
        gc.set_threshold(*usual)
