"""Restricts the header Host to allowed names, as a protection from DNS rebinding.

An attacker can make the name of a web page resolve to the exporter's address, and so read responses in the browser of
a user who can reach the exporter; such requests have the attacker's name in the header Host.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class AllowedHosts:
    """Refuses requests for other hosts, except health checks."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str], prefix: str = "") -> None:
        """Wrap an application.

        Args:
            app: the application.
            hosts: the allowed hosts from :func:`allowed_host`.
            prefix: the path prefix.
        """
        from starlette.middleware.trustedhost import TrustedHostMiddleware

        self._app = app
        self._checked = TrustedHostMiddleware(app, list(hosts), www_redirect=False)
        self._open = f"{prefix}/-/healthy"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._app if scope["path"] == self._open else self._checked
        await app(scope, receive, send)


def allowed_host(text: str) -> str:
    """Normalize a host for comparison with the header Host, without a port.

    Raises:
        ValueError: the text is not a host; the message says what was expected.
    """
    name = text.lower()
    try:
        address = ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        if _NAME.fullmatch(name):
            return name
        raise ValueError(
            f"found {text!r}, expected a host without a port, such as bernard.example, *.example or [2001:db8::1]"
        ) from None
    return f"[{address}]" if address.version == 6 else str(address)
