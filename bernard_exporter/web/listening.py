"""The sockets that are listened on; apart from the server, for they are opened before it is imported."""

from __future__ import annotations

import os
import socket

from bernard_exporter.errors import WebError

_BACKLOG = 2048


def listen(address: str) -> socket.socket:
    """Return a socket that listens on ``HOST:PORT``; without a host on every interface, IPv4 and IPv6.

    Raises:
        WebError: it is no such address, or cannot be listened on.
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
