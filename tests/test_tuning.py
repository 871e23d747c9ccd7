"""Measures that limit memory take effect: counted in objects and pages, in separate processes."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from bernard_exporter.tuning import frozen_imports, tune_gc, tune_threads

# Frees a large block, from which glibc learns to keep what is as large, then many that stand between others that stay.
_FREED = """
import os, sys
from bernard_exporter.tuning import tune_malloc

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") >> 20

if sys.argv[1] == "given back":
    tune_malloc()
block = bytearray(30 << 20)
del block
held = [(bytearray(1 << 20), bytearray(2000)) for _ in range(60)]
begun = resident()
held = [small for _, small in held]
print(begun - resident())
"""


def freed(way: str) -> int:
    """Return how many MiB a process is smaller after it freed 60 MiB."""
    output = subprocess.run([sys.executable, "-c", _FREED, way], capture_output=True, text=True, check=True)
    return int(output.stdout)


def test_free_memory_is_given_back_at_once() -> None:
    assert freed("given back") >= 55
    assert freed("kept") < 30


def test_objects_allocated_during_frozen_imports_are_excluded_from_garbage_collection() -> None:
    frozen = gc.get_freeze_count()
    try:
        with frozen_imports():
            assert not gc.isenabled()
            made = [[number] for number in range(1000)]
        assert gc.isenabled()
        assert gc.get_freeze_count() >= frozen + len(made)
    finally:
        gc.unfreeze()


def test_garbage_collection_is_enabled_again_after_a_failed_import() -> None:
    try:
        with pytest.raises(ImportError), frozen_imports():
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
        tune_gc()
        gc.collect()
        gc.callbacks.append(searched)
        made = [[number] for number in range(9000)]
        assert found == []
        made += [[number] for number in range(9000)]
        assert found
    finally:
        gc.callbacks.remove(searched)
        gc.set_threshold(*usual)


def test_thread_that_computes_is_interrupted_sooner_than_by_default() -> None:
    usual = sys.getswitchinterval()
    try:
        tune_threads()
        assert sys.getswitchinterval() <= usual / 20
    finally:
        sys.setswitchinterval(usual)
