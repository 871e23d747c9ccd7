"""The web configuration as its file says it at the moment."""

from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

from bernard_exporter.errors import ConfigError
from bernard_exporter.toolkit.context import make_context
from bernard_exporter.toolkit.load import load
from bernard_exporter.toolkit.settings import WebSettings

_log = logging.getLogger(__name__)


class WebConfig:
    """A web configuration file that is read again when it, or a file it names, has changed.

    What a file that became bad protected stays closed: the last good settings may name a user who was just removed.
    """

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: it cannot be used.
        """
        self._file = file
        self._named: tuple[Path, ...] = ()
        self._error: ConfigError | None = None
        self._read()
        if self._error:
            raise self._error
        self.encrypted = self._context is not None

    def settings(self) -> WebSettings:
        """Return the settings of this moment.

        Raises:
            ConfigError: the file cannot be used.
        """
        if self._signature() != self._seen:
            self._reread()
        if self._error:
            raise self._error
        return self._settings

    def context(self) -> ssl.SSLContext:
        """Return what a handshake of this moment follows.

        Raises:
            ConfigError: the file cannot be used.
        """
        self.settings()
        if self._context is None:
            raise ConfigError(f"{self._file}: found no tls_server_config, expected one as at the start")
        return self._context

    def _reread(self) -> None:
        self._read()
        if not self._error and (self._context is not None) is not self.encrypted:
            self._error = ConfigError(
                f"{self._file}: found that tls_server_config came or went, expected it as at the start; "
                "restart the exporter"
            )
        if self._error:
            _log.error("requests are refused until the file is right: %s", self._error)
        else:
            _log.info("%s is read again", self._file)

    def _read(self) -> None:
        self._error = None
        self._seen = self._signature()
        try:
            self._settings = load(self._file)
            tls = self._settings.tls
            self._named = tls.files if tls else ()
            # Before the files are read: one that changes meanwhile is read again.
            self._seen = self._signature()
            self._context = make_context(tls, self._file) if tls else None
        except ConfigError as error:
            self._error = error

    def _signature(self) -> tuple[object, ...]:
        """Return what is another when a file was written or replaced."""
        return tuple(_identity(file) for file in (self._file, *self._named))


def _identity(file: Path) -> tuple[int, int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


class CurrentContext(ssl.SSLContext):
    """A context that leaves each handshake to the one of that moment, so that certificates change without a restart.

    A handshake is begun by :meth:`wrap_bio` alone, in asyncio as in uvloop.
    """

    def __init__(self, _protocol: int, web: WebConfig) -> None:
        """Follow ``web``; the protocol is taken by the base class."""
        self._web = web

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Begin a handshake.

        Raises:
            ssl.SSLError: the file cannot be used, so nobody is let in; the reason is in the log.
        """
        try:
            context = self._web.context()
        except ConfigError:
            raise ssl.SSLError("the web configuration cannot be used") from None
        return context.wrap_bio(*arguments, **named)


def encryption(web: WebConfig | None) -> ssl.SSLContext | None:
    """Return what a server encrypts its connections with; None when it does not."""
    return CurrentContext(ssl.PROTOCOL_TLS_SERVER, web) if web and web.encrypted else None
