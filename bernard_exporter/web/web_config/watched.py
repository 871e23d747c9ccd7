"""The current web configuration, reloaded when its files change."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bernard_exporter.config.regular_file import read_regular
from bernard_exporter.errors import BernardError, ConfigError
from bernard_exporter.web.tls.context import make_context
from bernard_exporter.web.web_config.load import load
from bernard_exporter.web.web_config.settings import TLSSettings, WebSettings

_log = logging.getLogger(__name__)
# A file modified this recently is read again, as another write of the same size may have the same time stamp.
_SETTLED_SECONDS = 0.1
# Seconds between two readings of a file that cannot be used: the cause may be outside of it, such as a lack of
# descriptors.
_RETRY_SECONDS = 1.0


class ClientPolicy(NamedTuple):
    """How client certificates are verified.

    Attributes:
        authorities: the CA certificates; None for those of the system.
        allowed_sans: the allowed alternative names; empty for any.
    """

    verify: ssl.VerifyMode
    authorities: bytes | str | None
    allowed_sans: frozenset[str]


class WebConfig:
    """A web configuration file that is read again when it or a file that it names has changed.

    While the file is invalid, access is refused: the last valid settings may contain a user who was removed since.
    """

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises:
            ConfigError: the file is invalid.
        """
        self._file = file
        self._named: tuple[Path, ...] = ()
        self._seen: tuple[_Identity | None, ...] = ()
        self._settled = False
        self._settings: WebSettings | None = None
        self._context: ssl.SSLContext | None = None
        self._client_policy: ClientPolicy | None = None
        self._made_of: object = None
        self._error = self._read()
        if self._error:
            raise self._error
        self.encrypted = self._context is not None

    def settings(self) -> WebSettings:
        """Return the current settings.

        Raises:
            ConfigError: the file is invalid.
        """
        failed = self._error is not None and time.monotonic() - self._last_read >= _RETRY_SECONDS
        if failed or not self._settled or self._signature() != self._seen:
            self.reread()
        if self._error or not self._settings:
            raise self._error or ConfigError(f"{self._file}: found nothing, expected a web configuration")
        return self._settings

    def context(self) -> ssl.SSLContext:
        """Return the TLS context for a new handshake.

        Raises:
            ConfigError: the file is invalid.
        """
        self.settings()
        if self._context is None:
            raise ConfigError(f"{self._file}: found no tls_server_config, expected one as at the start")
        return self._context

    def client_policy(self) -> ClientPolicy | None:
        """Return how client certificates are verified; None without TLS.

        Raises:
            ConfigError: the file is invalid.
        """
        self.settings()
        return self._client_policy

    def client_policy_of(self, context: ssl.SSLContext) -> ClientPolicy | None:
        """Return how a context verifies client certificates; None if the context is no longer current."""
        try:
            policy = self.client_policy()
        except ConfigError:
            return None
        return policy if context is self._context else None

    def reread(self) -> None:
        """Read the file and the files it names, whether they have changed or not; an error is logged."""
        seen, before = self._seen, self._error
        error = self._read()
        if not error and (self._context is not None) is not self.encrypted:
            error = ConfigError(
                f"{self._file}: tls_server_config was added or removed, which needs a restart; restart the exporter"
            )
        self._error = error
        if error and (seen != self._seen or str(error) != str(before)):
            _log.error("requests are refused until the file is corrected: %s", error)
        elif not error and (seen != self._seen or before):
            _log.info("%s reloaded", self._file)

    def _read(self) -> ConfigError | None:
        """Read the file, or return the error."""
        self._settings = None
        self._last_read = time.monotonic()
        try:
            self._look()
            settings = load(self._file)
            self._named = settings.tls.files if settings.tls else ()
            # Taken before the files are read, so that a file that changes in between is read again.
            self._look()
            self._encrypt(settings)
        except BernardError as error:
            self._context = None
            return ConfigError(str(error))
        except BaseException as error:
            # A panic in compiled code raises a BaseException.
            self._context = None
            name = type(error).__name__
            return ConfigError(f"{self._file}: internal error ({name}) while reading; please report it")
        self._settings = settings
        return None

    def _look(self) -> None:
        self._seen = self._signature()
        times = [moment for found in self._seen if found for moment in (found.written, found.changed)]
        self._settled = all(abs(time.time_ns() - moment) > _SETTLED_SECONDS * 1e9 for moment in times)

    def _encrypt(self, settings: WebSettings) -> None:
        """Create a context, unless nothing that it is made from has changed."""
        contents = {file: _content(file) for file in self._named}
        made_of = (settings.tls, contents)
        if not settings.tls or self._context is None or made_of != self._made_of:
            self._context = make_context(settings.tls, self._file) if settings.tls else None
        self._made_of = made_of
        self._client_policy = _client_policy(settings.tls, contents) if settings.tls else None

    def _signature(self) -> tuple[_Identity | None, ...]:
        """Return what differs once a file has changed."""
        return tuple(_identity(file) for file in (self._file, *self._named))


class _Identity(NamedTuple):
    """What differs once a file was written, replaced, or given other permissions."""

    device: int
    inode: int
    size: int
    written: int
    changed: int
    mode: int
    owner: int
    group: int


def _identity(file: Path) -> _Identity | None:
    try:
        found = file.stat()
    except (OSError, ValueError):
        return None
    times = found.st_mtime_ns, found.st_ctime_ns
    return _Identity(found.st_dev, found.st_ino, found.st_size, *times, found.st_mode, found.st_uid, found.st_gid)


def _client_policy(tls: TLSSettings, contents: Mapping[Path, bytes | None]) -> ClientPolicy:
    authorities = contents[tls.client_ca] if isinstance(tls.client_ca, Path) else tls.client_ca
    return ClientPolicy(tls.verify, authorities, tls.client_allowed_sans)


def _content(file: Path) -> bytes | None:
    try:
        return read_regular(file)
    except (OSError, ConfigError):
        return None


class CurrentContext(ssl.SSLContext):
    """A context that delegates each handshake to the current context, so that certificates change without a restart.

    Both asyncio and uvloop start handshakes only with :meth:`wrap_bio`.
    """

    def __init__(self, _protocol: int, web: WebConfig) -> None:
        """Use the context of ``web``; the base class takes the protocol."""
        self._web = web

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        """Start a handshake.

        Raises:
            ssl.SSLError: the file is invalid, so that all connections are refused; the reason is in the log.
        """
        try:
            context = self._web.context()
        except ConfigError:
            raise ssl.SSLError("the web configuration is invalid") from None
        return context.wrap_bio(*arguments, **named)


def encryption(web: WebConfig | None) -> ssl.SSLContext | None:
    """Return the TLS context of a server; None without TLS."""
    return CurrentContext(ssl.PROTOCOL_TLS_SERVER, web) if web and web.encrypted else None
