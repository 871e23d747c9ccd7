"""Schedules the verification of passwords when more arrive than can be verified at once."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

# The number of networks whose wrong passwords are counted, and the half-life of a count in seconds.
_NETWORKS = 4096
_HALF_LIFE = 60.0
# Clients that have waited for fewer turns are recent.
_RECENT = 12


def _ignore(_: bool) -> None:
    """Do nothing when a wait begins or ends."""


@dataclass(eq=False)
class Client:
    """A connection that sends passwords, one at a time.

    Attributes:
        network: the address, or the prefix by which wrong passwords are counted.
        waits: called with True when a password starts to wait, and with False when the wait ends.
    """

    network: str = ""
    waits: Callable[[bool], None] = _ignore
    _turn: asyncio.Future[bool] | None = None

    async def wait(self) -> bool:
        """Wait for a turn; return False if the connection was closed before."""
        self._turn = asyncio.get_running_loop().create_future()
        self.waits(True)
        try:
            return await self._turn
        finally:
            self.waits(False)

    def wake(self) -> bool:
        """End the wait because it is this client's turn; return False if it no longer waits."""
        return self._end(True)

    def leave(self) -> None:
        """End the wait because the connection is closed, and report no further waits."""
        self._end(False)
        self.waits = _ignore

    def _end(self, called: bool) -> bool:
        if self._turn is None or self._turn.done():
            return False
        self._turn.set_result(called)
        return True


class PasswordQueue:
    """Gives turns to one client at a time.

    The next client is from the network with the fewest recent wrong passwords. Among equals, one of the recent clients
    is drawn; without any, the newest is next. First come, first served would put a new client behind all clients that
    try one password after another; newest first would put it behind those that came just after it, for good.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, draw: Callable[[list[Client]], Client] = random.choice
    ) -> None:
        """Start without clients.

        Args:
            clock: a monotonic clock in seconds.
            draw: selects one of several clients.
        """
        self._clock = clock
        self._draw = draw
        self._taken = False
        # In order of arrival, each with the number of turns that had ended by then.
        self._waiting: dict[Client, int] = {}
        self._turns_ended = 0
        self._wrong: dict[str, tuple[float, float]] = {}

    async def acquire(self, client: Client) -> bool:
        """Wait for a client's turn; return False if its connection is closed first.

        After its turn, a client must call :meth:`release`.
        """
        if not self._taken:
            self._taken = True
            return True
        self._waiting[client] = self._turns_ended
        try:
            return await client.wait()
        finally:
            self._waiting.pop(client, None)

    def release(self) -> None:
        """End a turn, and start the next one."""
        called = False
        while self._waiting and not called:
            client = self._next_client()
            del self._waiting[client]
            called = client.wake()
        self._taken = called
        self._turns_ended += 1

    def count_wrong(self, network: str) -> None:
        """Count a wrong password from a network."""
        wrong = self._wrong_count(network) + 1
        self._wrong.pop(network, None)
        self._wrong[network] = wrong, self._clock()
        if len(self._wrong) > _NETWORKS:
            del self._wrong[next(iter(self._wrong))]

    def _next_client(self) -> Client:
        wrong = {client: int(self._wrong_count(client.network)) for client in self._waiting}
        fewest = min(wrong.values())
        equals = [client for client in self._waiting if wrong[client] == fewest]
        recent = [client for client in equals if self._turns_ended - self._waiting[client] < _RECENT]
        return self._draw(recent) if recent else equals[-1]

    def _wrong_count(self, network: str) -> float:
        wrong, when = self._wrong.get(network, (0.0, 0.0))
        return wrong * math.exp2((when - self._clock()) / _HALF_LIFE)
