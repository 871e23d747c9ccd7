"""Decides by the web configuration whether a connection may be used: after its handshake, and at each request."""

from __future__ import annotations

import asyncio

from bernard_exporter.errors import ConfigError
from bernard_exporter.web.tls.context import alternative_names
from bernard_exporter.web.web_config.watched import ClientPolicy, WebConfig


class Admission:
    """Whether one connection may be used."""

    def __init__(self, web: WebConfig | None) -> None:
        """Decide by a web configuration; None lets every connection in."""
        self._web = web
        self._policy: ClientPolicy | None = None

    def admits_connection(self, transport: asyncio.Transport) -> bool:
        """Return whether the handshake used the current web configuration, and the certificate has an allowed name.

        Without TLS it is always true: each request is checked on its own.
        """
        if self._web is None:
            return True
        encrypted = transport.get_extra_info("ssl_object")
        if encrypted is None:
            return not self._web.encrypted
        policy = self._policy = self._web.client_policy_of(encrypted.context)
        if policy is None or not policy.allowed_sans:
            return policy is not None
        return bool(policy.allowed_sans & alternative_names(encrypted.getpeercert()))

    def admits_request(self) -> bool:
        """Return whether client certificates are still verified as they were when the connection was opened.

        While the web configuration is invalid it is true, as the request is then answered with an error.
        """
        if self._web is None or self._policy is None:
            return True
        try:
            return self._web.client_policy() == self._policy
        except ConfigError:
            return True
