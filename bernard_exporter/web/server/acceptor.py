"""Accepts connections within the limit of file descriptors, and limits the time of TLS handshakes."""

from __future__ import annotations

import asyncio
import logging
import resource
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bernard_exporter.web.server.connection_limits import Room
from bernard_exporter.web.server.protocol import REQUEST_SECONDS, LimitedProtocol

_log = logging.getLogger(__name__)
# Maximum number of connections that have sent nothing yet; each takes a file descriptor and little memory.
_SILENT = 2048
# Maximum number of connections that have sent something: 8 KiB each, or 60 KiB with TLS.
_OPEN, _OPEN_ENCRYPTED = 2048, 512
# Maximum memory for unfinished requests and unread responses of all connections.
_MOST_BYTES = 24 << 20
# File descriptors reserved for the database, the log, files, and connections that are being closed.
_KEPT_BACK = 192
_FEWEST = 16
# Places for connections after the handshake that unfinished handshakes never take, or half of them if there are fewer.
_KEPT_FOR_REQUESTS = 64
# Maximum number of connections accepted at a time with TLS. Handshakes take long: with more of them in line, a new one
# would wait for seconds; instead the system drops it, and its client retries.
_ENCRYPTED_AT_ONCE = 16
# Without TLS, the part of the places of silent connections that is accepted at a time: one that has sent something is
# noticed before the next are accepted.
_PART_AT_ONCE = 8
# Maximum number of connections begun at a time.
_BEGUN_AT_ONCE = 32
# Seconds until the next look for a place while every connection is being answered.
_SOON = 0.02
_HANDSHAKE_SECONDS = 10.0
_SHUTDOWN_SECONDS = 5.0
# Seconds until the next try if there is no file descriptor left, and between checks for expired connections.
_PAUSE = 0.2


class Bounds(NamedTuple):
    """The maximum number of connections that have sent nothing, and of those that have sent something."""

    silent: int
    opened: int


def bounds(encrypted: bool) -> Bounds:
    """Return the limits of connections for the available file descriptors, after raising the soft limit."""
    opened = _OPEN_ENCRYPTED if encrypted else _OPEN
    needed = _SILENT + opened + _KEPT_BACK
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = needed if resource.RLIM_INFINITY in (soft, hard) else min(needed, max(soft, hard))
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    rest = max(limit - _KEPT_BACK, 2 * _FEWEST)
    opened = min(opened, rest // 2)
    return Bounds(min(_SILENT, rest - opened), opened)


class _Silent:
    """A connection that has sent nothing yet, or that waits for a place to be answered."""

    def __init__(self, connection: socket.socket, address: str) -> None:
        self.connection = connection
        self.address = address

    def abort(self) -> None:
        asyncio.get_running_loop().remove_reader(self.connection)
        self.connection.close()


class _Handshake:
    """A connection during the TLS handshake."""

    def __init__(self, connection: socket.socket, room: Room) -> None:
        self._connection = connection
        self._room = room
        self.task: asyncio.Task[None] | None = None

    def abort(self) -> None:
        self._room.leave(self)
        # A task that is cancelled before its first step closes nothing.
        self._connection.close()
        if self.task:
            self.task.cancel()


class Acceptor:
    """Accepts connections; it replaces an asyncio server in uvicorn's list of servers."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        make: Callable[[Room], LimitedProtocol],
        tls: ssl.SSLContext | None,
    ) -> None:
        """Start to accept connections.

        Args:
            sockets: the listening sockets.
            make: creates the protocol of a connection.
            tls: the TLS context; None without TLS.
        """
        self._loop = asyncio.get_running_loop()
        self._sockets = sockets
        self._make = make
        self._tls = tls
        most = bounds(tls is not None)
        self._silent = Room(most.silent)
        self._at_once = min(_ENCRYPTED_AT_ONCE, most.silent) if tls else most.silent // _PART_AT_ONCE
        self._open = Room(most.opened, _MOST_BYTES)
        # Handshakes in progress also take a place among the open connections.
        self._shaking = Room(most.opened - min(_KEPT_FOR_REQUESTS, most.opened // 2))
        # Connections that have sent something, in order.
        self._line: deque[_Silent] = deque()
        self._pumping: asyncio.Handle | None = None
        self._opening: set[asyncio.Task[None]] = set()
        self._accepting = True
        self._closed = False
        for listening in sockets:
            listening.setblocking(False)
        self._listen()
        self._looking = self._loop.create_task(self._look())

    def stop_accepting(self) -> None:
        """Stop accepting; accepted connections can still send their requests."""
        self._accepting = False
        for listening in self._sockets:
            self._loop.remove_reader(listening)

    def close(self) -> None:
        """Stop accepting, and close every connection without a response in progress."""
        self._closed = True
        self.stop_accepting()
        self._close_waiting()

    async def wait_closed(self) -> None:
        """Return at once, as uvicorn itself waits for the connections."""

    def _close_waiting(self) -> None:
        self._silent.close()
        self._shaking.close()
        self._open.close()

    def _listen(self) -> None:
        for listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(self._at_once):
            if not self._silent.has_place(2 * self._at_once):
                self._pause(listening)
                return
            try:
                connection, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                _log.warning("cannot accept connections: %s; trying again", error.strerror)
                self._pause(listening)
                return
            self._take(connection, address[0] if isinstance(address, tuple) else "")

    def _pause(self, listening: socket.socket) -> None:
        """Leave new connections to the system for a moment."""
        self._loop.remove_reader(listening)
        self._loop.call_later(_PAUSE, self._listen_again, listening)

    def _listen_again(self, listening: socket.socket) -> None:
        if self._accepting:
            self._loop.add_reader(listening, self._accept, listening)

    def _take(self, connection: socket.socket, address: str) -> None:
        connection.setblocking(False)
        silent = _Silent(connection, address)
        self._silent.enter(silent, address)
        self._silent.wait(silent, time.monotonic() + REQUEST_SECONDS)
        self._loop.add_reader(connection, self._spoke, silent)

    def _spoke(self, silent: _Silent) -> None:
        """Put a connection that has sent something in the line; it is not closed for others, as we are to act."""
        self._loop.remove_reader(silent.connection)
        self._silent.answer(silent)
        self._line.append(silent)
        if self._pumping is None:
            self._pumping = self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        """Begin the connections of the line, as far as there are places, a limited number at a time."""
        self._pumping = None
        for _ in range(_BEGUN_AT_ONCE):
            if not self._line or not self._open.has_place():
                break
            silent = self._line.popleft()
            self._silent.leave(silent)
            self._begin(silent.connection, silent.address)
        if self._line:
            self._pumping = self._loop.call_later(0 if self._open.has_place() else _SOON, self._pump)

    def _begin(self, connection: socket.socket, address: str) -> None:
        """Start the protocol of a connection, after the TLS handshake if TLS is enabled."""
        if self._closed:
            connection.close()
            return
        protocol = self._make(self._open)
        if self._tls:
            protocol.handshake = handshake = _Handshake(connection, self._open)
            self._shaking.enter(handshake, address)
            self._shaking.wait(handshake, time.monotonic() + _HANDSHAKE_SECONDS)
            self._open.enter(handshake, address)
            task = handshake.task = self._loop.create_task(self._encrypt(self._tls, connection, protocol, handshake))
        else:
            self._open.enter(protocol, address)
            task = self._loop.create_task(self._connect(connection, protocol))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _connect(self, connection: socket.socket, protocol: LimitedProtocol) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, connection)
        except OSError:
            self._open.leave(protocol)
            connection.close()

    async def _encrypt(
        self, tls: ssl.SSLContext, connection: socket.socket, protocol: LimitedProtocol, handshake: _Handshake
    ) -> None:
        """Do the TLS handshake within the time limit, and start the protocol.

        Args:
            tls: the TLS context.
            connection: the accepted connection.
            protocol: the protocol.
            handshake: what takes the places of the connection until then.
        """
        try:
            await self._loop.connect_accepted_socket(
                lambda: protocol,
                connection,
                ssl=tls,
                ssl_handshake_timeout=_HANDSHAKE_SECONDS,
                ssl_shutdown_timeout=_SHUTDOWN_SECONDS,
            )
        except (OSError, asyncio.CancelledError):
            # Errors of clients before their first request are not logged, as in any web server. A cancelled task made
            # room for another connection; raising the error would create a reference cycle with the task.
            protocol.forget()
            connection.close()
        finally:
            self._shaking.leave(handshake)
            self._open.leave(handshake)

    async def _look(self) -> None:
        """Close expired connections until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                if self._closed:
                    # Some were being opened or answered at the last check.
                    self._close_waiting()
                self._silent.expire()
                self._shaking.expire()
                self._open.expire()
            except Exception:
                _log.exception("internal error while closing expired connections; trying again")
