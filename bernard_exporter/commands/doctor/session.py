"""Checks the server's version, the encryption of the connection, and the server's clock."""

from __future__ import annotations

import re
from datetime import datetime

from bernard_exporter.commands.doctor.result import DoctorResult, fail, ok, warn
from bernard_exporter.store.introspection import Server

_OLDEST = (10, 4)
# Seconds: a smaller difference may be due to the network; a larger one makes ages wrong.
_SKEW_NOTICED = 5.0
_SKEW_BAD = 300.0
_LOCAL = ("localhost", "::1")


def examine_version(server: Server) -> DoctorResult:
    """Return whether the server's version is supported."""
    match = re.match(r"(\d+)\.(\d+)", server.version)
    if "MariaDB" in server.version and match and (int(match[1]), int(match[2])) < _OLDEST:
        return warn(
            "server", f"{server.version} is older than the oldest tested version", "upgrade it to MariaDB 10.4 or later"
        )
    return ok("server", server.version)


def examine_encryption(server: Server, host: str | None) -> DoctorResult:
    """Return whether the connection is unencrypted over a network.

    Args:
        server: the server and the session.
        host: the host of the connection; None for a socket.
    """
    if server.cipher:
        return ok("tls", f"the connection is encrypted, {server.protocol} with {server.cipher}")
    if host is None or host in _LOCAL or host.startswith("127."):
        return ok("tls", "the connection is not encrypted, but local to this machine")
    account = "@".join(f"'{part}'" for part in server.account.split("@"))
    fix = f"set ssl-ca in [client] of the option file; then ALTER USER {account} REQUIRE SSL;"
    return warn("tls", f"the connection to {host} is not encrypted", fix)


def examine_clock(server: Server, now: datetime) -> DoctorResult | None:
    """Return the difference between the server's clock and this machine's; None for a database without a clock."""
    if server.time is None:
        return None
    skew = server.time - now.timestamp()
    if abs(skew) <= _SKEW_NOTICED:
        return ok("clock", f"the server's clock is within {_SKEW_NOTICED:.0f} s of this machine's")
    text = f"the server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    fix = "on both machines: timedatectl set-ntp true"
    return fail("clock", text, fix) if abs(skew) > _SKEW_BAD else warn("clock", text, fix)
