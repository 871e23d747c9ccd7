"""Limits of the number, the waiting time and the memory of connections."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from typing import Protocol

# Seconds without activity after which a connection may be closed: a well-behaved client sends or reads earlier.
_BEHIND_SECONDS = 1.0


class Guest(Protocol):
    """A connection of a client."""

    def abort(self) -> None:
        """Close it at once, without sending the rest."""


class Room:
    """The connections of one stage, and the order in which they are closed if there are too many.

    A connection waits for its client while a handshake or a request is unfinished, or between requests. It is stuck
    while the client does not read a response. Otherwise it is being answered, and is never closed here.

    If there are too many, connections that have waited for a second are closed first, then those that have been stuck
    for as long without progress; so a new client is not closed in favour of one that reads nothing.
    """

    def __init__(self, most: int, most_bytes: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without connections.

        Args:
            most: the maximum number of connections.
            most_bytes: the maximum memory of all connections, such as for unfinished requests and unread responses.
            clock: a monotonic clock in seconds.
        """
        self._most = most
        self._most_bytes = most_bytes
        self._clock = clock
        self._networks: dict[Guest, str] = {}
        # By network, so that a client with many connections loses its own first; the longest waiting one comes first.
        self._waiting: dict[str, dict[Guest, float]] = {}
        self._stuck: dict[Guest, float] = {}
        # When each started to wait or last read something; oldest first.
        self._heard: dict[Guest, float] = {}
        self._held: dict[Guest, int] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._networks)

    def has_place(self, newest: int = 0) -> bool:
        """Return whether another connection can be added, perhaps in place of one that can be closed.

        Args:
            newest: how many of those that can be closed should stay, as they may just have come.
        """
        closable = sum(map(len, self._waiting.values())) + len(self._stuck)
        return len(self._networks) < self._most or closable > newest

    def enter(self, guest: Guest, address: str) -> bool:
        """Add a connection, closing another one if there are too many; return whether it was added."""
        if len(self._networks) >= self._most and not self._evict_one():
            return False
        self._networks[guest] = network(address)
        return True

    def leave(self, guest: Guest) -> None:
        """Remove a connection; unknown ones are ignored."""
        self.hold(guest, 0)
        self.answer(guest)
        self._networks.pop(guest, None)

    def wait(self, guest: Guest, until: float) -> None:
        """Note that a connection waits for its client until at most ``until`` by the clock.

        A connection that is already waiting, such as for the rest of a request, keeps its start time.
        """
        if guest in self._networks and self._waiting.get(self._networks[guest], {}).get(guest) != until:
            self.answer(guest)
            self._waiting.setdefault(self._networks[guest], {})[guest] = until
            self._heard[guest] = self._clock()

    def stick(self, guest: Guest, until: float) -> None:
        """Note that a client does not read, until at most ``until`` by the clock."""
        if guest in self._networks and guest not in self._stuck:
            self.answer(guest)
            self._stuck[guest] = until
            self._heard[guest] = self._clock()

    def progress(self, guest: Guest) -> None:
        """Note that a stuck client has read something, which does not extend its time."""
        if guest in self._stuck:
            self._stuck[guest] = self._stuck.pop(guest)
            self._heard[guest] = self._clock()

    def answer(self, guest: Guest) -> None:
        """Note that a connection neither waits nor is stuck."""
        self._stuck.pop(guest, None)
        self._heard.pop(guest, None)
        name = self._networks.get(guest, "")
        waiting = self._waiting.get(name)
        if waiting and waiting.pop(guest, None) is not None and not waiting:
            del self._waiting[name]

    def hold(self, guest: Guest, size: int) -> None:
        """Set the memory held for a connection; if the total is too large, close some connections."""
        self._bytes += size - self._held.pop(guest, 0)
        if size and guest in self._networks:
            self._held[guest] = size
        elif size:
            self._bytes -= size
        while self._bytes > self._most_bytes and (heavy := next(filter(self._held.get, self._closable()), None)):
            self._close(heavy)

    def expire(self) -> None:
        """Close connections that have waited or been stuck for too long."""
        now = self._clock()
        waiting = (item for guests in self._waiting.values() for item in guests.items())
        late = [guest for guest, until in (*waiting, *self._stuck.items()) if until <= now]
        for guest in late:
            self._close(guest)

    def close(self) -> None:
        """Close all connections that are not being answered."""
        for guest in list(self._closable()):
            self._close(guest)

    def _closable(self) -> Iterator[Guest]:
        """Yield the connections that may be closed, in order."""
        for guests in sorted(self._waiting.values(), key=len, reverse=True):
            yield from guests
        yield from self._stuck

    def _evict_one(self) -> bool:
        first = next(iter(max(self._waiting.values(), key=len, default=())), None)
        stuck = next(iter(self._stuck), None)
        if stuck and (first is None or (self._is_behind(stuck) and not self._is_behind(first))):
            first = stuck
        if first is None:
            return False
        self._close(first)
        return True

    def _is_behind(self, guest: Guest) -> bool:
        return self._clock() - self._heard[guest] >= _BEHIND_SECONDS

    def _close(self, guest: Guest) -> None:
        self.leave(guest)
        guest.abort()


def network(address: str) -> str:
    """Return the client's network: an IPv4 address, or the first 64 bits of an IPv6 address."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped) if ip.ipv4_mapped else ip.packed[:8].hex()
    return address
