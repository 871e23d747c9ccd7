"""Opens the listening sockets; separate from the server, as they are opened before it is imported."""

from __future__ import annotations

import os
import socket

from bernard_exporter.errors import WebError

# Maximum number of connections that wait to be accepted. With more, a new one would wait for seconds behind a flood of
# handshakes; instead the system drops it, and its client retries after a second.
_BACKLOG = 256
# The first file descriptor that systemd passes; others follow without a gap.
_FIRST_PASSED = 3


def listen(address: str) -> socket.socket:
    """Return a socket that listens on ``HOST:PORT``; without a host, on all interfaces with IPv4 and IPv6.

    Raises:
        WebError: the address is invalid or cannot be listened on.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65535:
        raise WebError(f"--web.listen-address: found {address!r}, expected HOST:PORT or :PORT, such as :10279")
    host = host.removeprefix("[").removesuffix("]")
    try:
        if not host and socket.has_dualstack_ipv6():
            return socket.create_server(("", int(port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family, backlog=_BACKLOG)
    except OSError as error:
        cause = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise WebError(f"--web.listen-address: cannot listen on {address}: {cause}; choose another address") from error


def inherit() -> list[socket.socket]:
    """Return the listening sockets that systemd passed to this process, and do not pass them to child processes.

    Raises:
        WebError: systemd passed none, or one that is not a listening stream socket.
    """
    named = [os.environ.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")]
    if named[0] != str(os.getpid()) or not named[1].isdecimal() or int(named[1]) < 1:
        raise WebError(
            "--web.systemd-socket: found no socket from systemd (LISTEN_PID, LISTEN_FDS), expected at least one; "
            "start the exporter from a .socket unit, or remove the flag"
        )
    return [_passed(_FIRST_PASSED + number) for number in range(int(named[1]))]


def _passed(descriptor: int) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)
        listening = socket.socket(fileno=descriptor)
        if listening.type == socket.SOCK_STREAM and listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            listening.listen(_BACKLOG)
            return listening
        cause = "not a listening stream socket"
    except OSError as error:
        cause = os.strerror(error.errno or 0)
    raise WebError(
        f"--web.systemd-socket: found the descriptor {descriptor} ({cause}), expected a listening socket; "
        "set ListenStream= and Accept=no in the .socket unit"
    )


def shown(listening: socket.socket) -> str:
    """Return the address of a socket for the log."""
    address = listening.getsockname()
    if not isinstance(address, tuple):
        return os.fsdecode(address)
    host = f"[{address[0]}]" if ":" in address[0] else address[0]
    return f"{host}:{address[1]}"
