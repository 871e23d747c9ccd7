"""The process around the web application: sockets, signals, and an end that finishes what was begun."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import uvicorn
import uvloop
from starlette.types import ASGIApp

from bernard_exporter.toolkit.watched import WebConfig, encryption
from bernard_exporter.web.protocol import KEEP_ALIVE_SECONDS, LimitedProtocol, raise_descriptor_limit

_log = logging.getLogger(__name__)
# How long answers in flight may take once the process is asked to end.
_GRACE = 10.0
# How long one thread may keep the interpreter from another that wants it; Python's default is 25 times as long.
_SWITCH_SECONDS = 0.0002


class _Server(uvicorn.Server):
    """A server that leaves signals alone: :func:`serve` listens to them, so that their exit status is 0."""

    def install_signal_handlers(self) -> None:
        """Install none; what older versions call."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none; what newer versions call."""
        yield


def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    hang_up: Callable[[], None],
    web: WebConfig | None = None,
    watch: Callable[[], Coroutine[None, None, None]] | None = None,
) -> None:
    """Answer requests until SIGTERM or SIGINT, then finish the answers in flight and return.

    Args:
        app: what answers.
        sockets: where it listens.
        hang_up: called in a thread after a SIGHUP; one that comes meanwhile is followed afterwards, many as one.
        web: how connections are encrypted, None when they are not.
        watch: runs beside, once it listens, until the end.
    """
    raise_descriptor_limit()
    sys.setswitchinterval(_SWITCH_SECONDS)
    config = uvicorn.Config(
        app,
        loop="none",
        http=partial(LimitedProtocol, web=web),  # type: ignore[arg-type]
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        # Nothing is decided by who asks or by which name, so nothing is believed about it either.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    config.ssl = encryption(web)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(_Server(config), sockets, hang_up, watch))


async def _serve(
    server: _Server,
    sockets: Sequence[socket.socket],
    hang_up: Callable[[], None],
    watch: Callable[[], Coroutine[None, None, None]] | None,
) -> None:
    loop = asyncio.get_running_loop()
    hung_up = asyncio.Event()

    def end() -> None:
        server.should_exit = True
        loop.call_later(_GRACE, setattr, server, "force_exit", True)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hung_up.set)
    beside = [loop.create_task(_follow(hung_up, hang_up))]
    if watch:
        beside.append(loop.create_task(watch()))
    await server.serve(sockets=list(sockets))
    for task in beside:
        task.cancel()
    _log.info("ended")


async def _follow(hung_up: asyncio.Event, hang_up: Callable[[], None]) -> None:
    while True:
        await hung_up.wait()
        hung_up.clear()
        await asyncio.to_thread(hang_up)
