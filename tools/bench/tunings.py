"""What each tuning brings: the exporter with it compared with the exporter without it, in turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import httpx

from testing.scrape_times import load_of, p99, scrapes
from tools.bench import peers
from tools.bench.database import enlarge
from tools.bench.load import answer_of
from tools.bench.row import Row, Scene
from tools.bench.scrape import counted, resident

_ROUNDS = 3
# At least a tenth more without a tuning.
_GOAL = 1.1
# Python's own event loop, with the option that uvloop sets for each connection.
_ASYNCIO = (
    "import asyncio, socket, uvloop; uvloop.new_event_loop = asyncio.new_event_loop; "
    "asyncio.base_events._set_nodelay = lambda s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)"
)
_FROZEN = "import contextlib, bernard_exporter.tuning as t; t.frozen_imports = contextlib.nullcontext"
_OFF = "import bernard_exporter.tuning as t; t.{} = lambda: None"


class _Tuning(NamedTuple):
    """A tuning, and the statement that switches it off before the exporter starts."""

    name: str
    off: str


_START = (
    _Tuning("frozen_imports", _FROZEN),
    _Tuning("tune_gc", _OFF.format("tune_gc")),
    _Tuning("the API imported on first use", "import bernard_exporter.web.api.application"),
)
_MEMORY = (*_START, _Tuning("tune_malloc", _OFF.format("tune_malloc")))
_LATENCY = (
    _Tuning("tune_threads", _OFF.format("tune_threads")),
    _Tuning("uvloop", _ASYNCIO),
    _Tuning("tune_gc", _OFF.format("tune_gc")),
)


def tunings(scene: Scene) -> Iterator[Row]:
    """Yield one row per tuning and measure."""
    newest, _ = enlarge(scene.server)
    diff = f"/api/v1/runs/{newest}/diff"
    yield from _compared("start to first full scrape, s", _START, lambda off: _first_scrape(scene, off))
    yield from _compared("resident MiB once everything is counted", _MEMORY, lambda off: _resident(scene, off))
    measure = "resident MiB after the diff of two backups of 108,000 files"
    yield from _compared(measure, _MEMORY, lambda off: _resident(scene, off, diff))
    for path in ("/api/v1/jobs?limit=100", "/runs"):
        yield from _p99_under_load(scene, path)


def _compared(measure: str, chosen: Sequence[_Tuning], value: Callable[[str], float]) -> Iterator[Row]:
    for tuning in chosen:
        pairs = [(value(""), value(tuning.off)) for _ in range(_ROUNDS)]
        with_it, without = (statistics.median(values) for values in zip(*pairs, strict=True))
        yield _row(f"{measure}; without {tuning.name}", with_it, without)


def _row(measure: str, with_it: float, without: float) -> Row:
    return Row(measure, f"{with_it:.3g}", f"{without:.3g}", without / with_it, _GOAL)


def _first_scrape(scene: Scene, off: str) -> float:
    begun = time.monotonic()
    with peers.bernard(scene.directory, scene.server, "1h", off) as here:
        answer_of(here.metrics, lambda text: "bernard_up 1.0" in text)
        return time.monotonic() - begun


def _resident(scene: Scene, off: str, path: str | None = None) -> float:
    with peers.bernard(scene.directory, scene.server, "1h", off) as here:
        answer_of(here.metrics, counted)
        if path:
            httpx.get(f"{here.base}{path}", timeout=120).raise_for_status()
        return resident(here.pid)


def _p99_under_load(scene: Scene, path: str) -> Iterator[Row]:
    """Yield p99 of scrapes under load against idle, and without each tuning."""
    with ExitStack() as stack:
        running = {
            off: stack.enter_context(peers.bernard(scene.directory, scene.server, "1h", off))
            for off in ("", *(tuning.off for tuning in _LATENCY))
        }
        for here in running.values():
            answer_of(here.metrics, counted)
            httpx.get(f"{here.base}{path}", timeout=60).raise_for_status()
        idle: dict[str, list[float]] = {off: [] for off in running}
        loaded: dict[str, list[float]] = {off: [] for off in running}
        for _ in range(_ROUNDS):
            for off, here in running.items():
                idle[off] += scrapes(here.base)
                with load_of(f"{here.base}{path}"):
                    loaded[off] += scrapes(here.base)
    measure = f"p99 of scrapes in ms, four connections asking {path}"
    best, under = p99(idle[""]) * 1e3, p99(loaded[""]) * 1e3
    yield Row(f"{measure}; idle, at most five times", f"{under:.3g}", f"{best:.3g}", best / under, 1 / 5)
    for tuning in _LATENCY:
        yield _row(f"{measure}; without {tuning.name}", under, p99(loaded[tuning.off]) * 1e3)
