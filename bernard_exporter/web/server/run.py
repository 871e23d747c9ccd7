"""Runs the web server: sockets, signals and graceful shutdown."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial

import uvicorn
import uvloop
from starlette.types import ASGIApp

from bernard_exporter.errors import BernardError
from bernard_exporter.web.server.acceptor import Acceptor
from bernard_exporter.web.server.connection_limits import Room
from bernard_exporter.web.server.pacing import PacedResponses
from bernard_exporter.web.server.protocol import KEEP_ALIVE_SECONDS, LimitedProtocol
from bernard_exporter.web.web_config.watched import WebConfig, encryption

_log = logging.getLogger(__name__)
# Seconds for responses in progress at shutdown.
_GRACE = 10.0
# Seconds for a client that was just accepted to send its request at shutdown.
_LAST_REQUESTS = 0.5
# Seconds until a background task is restarted after an error.
_BREATH = 1.0


class _Server(uvicorn.Server):
    """A uvicorn server that leaves signals to :func:`serve` (for exit status 0) and accepts connections itself."""

    def __init__(self, config: uvicorn.Config, web: WebConfig | None) -> None:
        """Serve with ``config``, and TLS as in ``web``."""
        super().__init__(config)
        self._web = web
        self._acceptor: Acceptor | None = None

    def end(self) -> None:
        """Stop accepting, and shut down once clients that were just accepted had time to send their requests."""
        if self._acceptor:
            self._acceptor.stop_accepting()
        asyncio.get_running_loop().call_later(_LAST_REQUESTS, setattr, self, "should_exit", True)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections."""
        self._acceptor = Acceptor(sockets or (), self._make, encryption(self._web))
        self.servers = [self._acceptor]  # type: ignore[list-item]
        self.started = True

    def _make(self, room: Room) -> LimitedProtocol:
        return LimitedProtocol(
            config=self.config, server_state=self.server_state, app_state={}, room=room, web=self._web
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers as they are."""
        yield


def serve(
    app: ASGIApp,
    sockets: Sequence[socket.socket],
    reload: Callable[[], Awaitable[None]],
    web: WebConfig | None = None,
    watch: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish the responses in progress and return.

    Args:
        app: the application.
        sockets: the listening sockets.
        reload: called after SIGHUP; signals during a reload cause one more reload afterwards.
        web: the web configuration; None without TLS.
        watch: a background task that runs while the server is listening.
    """
    config = uvicorn.Config(
        PacedResponses(app),
        loop="none",
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        # X-Forwarded-* headers are ignored: neither client address nor Host is used.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    config.load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(_Server(config, web), sockets, reload, watch))


async def _serve(
    server: _Server,
    sockets: Sequence[socket.socket],
    reload: Callable[[], Awaitable[None]],
    watch: Callable[[], Awaitable[None]] | None,
) -> None:
    loop = asyncio.get_running_loop()
    hung_up = asyncio.Event()

    def end() -> None:
        server.end()
        loop.call_later(_GRACE, setattr, server, "force_exit", True)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, hung_up.set)
    beside = [loop.create_task(_outlive(partial(_follow, hung_up, reload)))]
    if watch:
        beside.append(loop.create_task(_outlive(watch)))
    await server.serve(sockets=list(sockets))
    for task in beside:
        task.cancel()
    _log.info("ended")


async def _follow(hung_up: asyncio.Event, reload: Callable[[], Awaitable[None]]) -> None:
    while True:
        await hung_up.wait()
        hung_up.clear()
        # The error is already logged; a signal has no response.
        with suppress(BernardError):
            await reload()


async def _outlive(work: Callable[[], Awaitable[None]]) -> None:
    """Run a background task until it returns, restarting it after errors."""
    while True:
        try:
            return await work()
        except Exception:
            _log.exception("internal error in a background task; restarting it")
            await asyncio.sleep(_BREATH)
