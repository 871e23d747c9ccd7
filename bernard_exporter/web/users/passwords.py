"""Basic authentication with bcrypt, computed outside the event loop; correct passwords are cached."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import bcrypt

from bernard_exporter.web.users.password_queue import Client, PasswordQueue

# The number of cached correct passwords; far more than there are scrapers.
_MOST_VERIFIED = 256
# bcrypt uses this many bytes; some versions refuse longer passwords, others truncate them.
_LONGEST = 72
_DEFAULT_COST = 10


class Passwords:
    """Verifies passwords, one at a time; :class:`PasswordQueue` selects the next one.

    A request without credentials is refused at once. A hash is also computed for unknown users, and every refusal takes
    as long as the most expensive hash of all users, so that the time reveals nothing. Correct passwords are cached by a
    keyed digest. Wrong ones are not cached, as they could displace the correct ones.
    """

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._key = os.urandom(32)
        self._verified: dict[bytes, None] = {}
        self._queue = PasswordQueue()
        self._hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")

    async def admit(self, users: Mapping[str, str], authorization: bytes, client: Client) -> bool:
        """Return whether a request's ``Authorization`` has a user with the correct password.

        Args:
            users: bcrypt hashes by user name.
            authorization: the value of the header, empty without one.
            client: the client, which is refused if its connection is closed before its turn.
        """
        credentials = _credentials(authorization)
        if credentials is None:
            return False
        user, password = credentials
        highest_cost = max((_cost(hashed) for hashed in users.values()), default=_DEFAULT_COST)
        hashed = users.get(user) or _no_hash(highest_cost)
        digest = hmac.digest(self._key, json.dumps([user, password.hex(), hashed]).encode(), "sha256")
        if digest in self._verified:
            return True
        if not await self._queue.acquire(client):
            return False
        try:
            # Another request may have verified the same password in the meantime.
            return digest in self._verified or await self._verify(digest, client, password, hashed, highest_cost)
        finally:
            self._queue.release()

    async def _verify(self, digest: bytes, client: Client, password: bytes, hashed: str, highest_cost: int) -> bool:
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._hashing, _is_right, password, hashed, highest_cost):
            self._queue.count_wrong(client.network)
            return False
        self._verified[digest] = None
        while len(self._verified) > _MOST_VERIFIED:
            del self._verified[next(iter(self._verified))]
        return True


def _credentials(authorization: bytes) -> tuple[str, bytes] | None:
    """Return user and password of a Basic ``Authorization``; None if it is malformed."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    user, colon, password = decoded.partition(b":")
    return (user.decode("utf-8", "replace"), password) if colon else None


def _cost(hashed: str) -> int:
    return int(hashed[4:6])


def _no_hash(cost: int) -> str:
    """Return a hash of the given cost that no password matches."""
    return bcrypt.gensalt(cost).decode() + "." * 31


def _is_right(password: bytes, hashed: str, highest_cost: int) -> bool:
    """Verify a password; a wrong one takes as long as the most expensive hash.

    Each cost takes twice the time of the previous one, so one more hash of each cost from the hash's own up adds up.
    """
    if _matches(password, hashed):
        return True
    for cost in range(_cost(hashed), highest_cost):
        _matches(password, _no_hash(cost))
    return False


def _matches(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST], hashed.encode())
    except BaseException:
        # bcrypt refuses a zero byte in some versions, and is compiled code that may panic: a refusal of the same cost.
        bcrypt.checkpw(b"", _no_hash(_cost(hashed)).encode())
        return False
