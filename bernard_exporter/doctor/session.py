"""What a server is, how our session with it is encrypted, and whether its clock is ours."""

from __future__ import annotations

import re
from datetime import datetime

from bernard_exporter.doctor.finding import Finding, fail, ok, warn
from bernard_exporter.store.examination import Server

_OLDEST = (10, 4)
# What a network and a busy server explain, and what makes ages plainly wrong: in seconds.
_SKEW_NOTICED = 5.0
_SKEW_BAD = 300.0
_LOCAL = ("localhost", "::1")


def examine_version(server: Server) -> Finding:
    """Return whether the exporter's statements are made for this server."""
    match = re.match(r"(\d+)\.(\d+)", server.version)
    if "MariaDB" in server.version and match and (int(match[1]), int(match[2])) < _OLDEST:
        return warn("server", f"{server.version} is older than what is tried", "upgrade it to MariaDB 10.4 or later")
    return ok("server", server.version)


def examine_encryption(server: Server, host: str | None) -> Finding:
    """Return whether what is read crosses a network in the open.

    Args:
        server: what it says of the session.
        host: where we connected to, None for a socket.
    """
    if server.cipher:
        return ok("tls", f"the connection is encrypted, {server.protocol} with {server.cipher}")
    if host is None or host in _LOCAL or host.startswith("127."):
        return ok("tls", "the connection is not encrypted, and leaves this machine neither")
    account = "@".join(f"'{part}'" for part in server.account.split("@"))
    mend = f"set ssl-ca in [client] of the option file; then ALTER USER {account} REQUIRE SSL;"
    return warn("tls", f"the connection to {host} is not encrypted", mend)


def examine_clock(server: Server, now: datetime) -> Finding | None:
    """Return how far the server's clock is from ours; None where it has none of its own."""
    if server.time is None:
        return None
    skew = server.time - now.timestamp()
    if abs(skew) <= _SKEW_NOTICED:
        return ok("clock", f"the server's clock is within {_SKEW_NOTICED:.0f} s of this machine's")
    text = f"the server's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} this machine's"
    mend = "timedatectl set-ntp true, on both machines"
    return fail("clock", text, mend) if abs(skew) > _SKEW_BAD else warn("clock", text, mend)
