"""Basic authentication by bcrypt, off the event loop, and once for each password that is right."""

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

# Passwords known to be right; far more than there are scrapers.
_KNOWN = 256
# Hashes that may wait for their turn; each takes tens of milliseconds.
_WAITING = 32
# What bcrypt looks at; some versions refuse more, others cut it off.
_LONGEST = 72
_DEFAULT_COST = 10


class BusyError(Exception):
    """More passwords wait to be verified than can be soon."""


class Passwords:
    """Verifies passwords.

    A hash is computed for a user who does not exist too, so that time tells nothing. Right passwords are remembered
    by a keyed digest, and wrong ones are not: they could push out the right ones.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._key = os.urandom(32)
        self._known: dict[bytes, None] = {}
        self._checking: dict[bytes, asyncio.Future[bool]] = {}
        self._hashing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bcrypt")

    async def admit(self, users: Mapping[str, str], authorization: bytes) -> bool:
        """Tell whether a request's ``Authorization`` names a user and the password.

        Raises:
            BusyError: too many others wait for the answer.
        """
        user, password = _credentials(authorization)
        hashed = users.get(user) or _no_hash(users)
        digest = hmac.digest(self._key, json.dumps([user, password.hex(), hashed]).encode(), "sha256")
        if digest in self._known:
            return True
        if digest not in self._checking:
            if len(self._checking) >= _WAITING:
                raise BusyError
            checking = asyncio.get_running_loop().run_in_executor(self._hashing, _is_right, password, hashed)
            self._checking[digest] = checking
            checking.add_done_callback(lambda done: self._checked(digest, done))
        # Requests that share a verification share no cancellation.
        return await asyncio.shield(self._checking[digest])

    def _checked(self, digest: bytes, done: asyncio.Future[bool]) -> None:
        del self._checking[digest]
        if not done.cancelled() and not done.exception() and done.result():
            self._known[digest] = None
            while len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]


def _credentials(authorization: bytes) -> tuple[str, bytes]:
    """Return user and password of a basic ``Authorization``; none of both when it is no such one."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return "", b""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return "", b""
    user, _, password = decoded.partition(b":")
    return user.decode("utf-8", "replace"), password


def _no_hash(users: Mapping[str, str]) -> str:
    """Return a hash that no password has, as dear to verify as the dearest of the users'."""
    cost = max((int(hashed[4:6]) for hashed in users.values()), default=_DEFAULT_COST)
    return bcrypt.gensalt(cost).decode() + "." * 31


def _is_right(password: bytes, hashed: str) -> bool:
    try:
        return bcrypt.checkpw(password[:_LONGEST], hashed.encode())
    except ValueError:
        # A byte that bcrypt knows no password with.
        return False
