"""Reloads the configuration: with a limited rate, and keeping the old configuration on errors."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.requests import Request

from bernard_exporter.config.settings import Settings
from bernard_exporter.errors import BernardError, ConfigError
from bernard_exporter.polling.poller import Poller
from bernard_exporter.web.web_config.watched import WebConfig

_log = logging.getLogger(__name__)
# Minimum seconds between the starts of two reloads.
_PAUSE = 1.0


class Reloading:
    """Reloads on request; requests that arrive while a reload is waiting share it."""

    def __init__(self, poller: Poller, load: Callable[[], Settings], web: WebConfig | None = None) -> None:
        """Apply the settings that ``load`` returns to ``poller``.

        Args:
            poller: the poller.
            load: reads the configuration.
            web: the web configuration, which each reload also reads again.
        """
        self._poller = poller
        self._load = load
        self._web = web
        self._lock = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._begun = float("-inf")

    async def __call__(self) -> None:
        """Reload the configuration file, now or a little later.

        Raises:
            BernardError: the configuration is invalid; the old one is kept and the error is logged.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._reload())
            # The requester may have gone; the error is logged anyway.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._next)

    async def _reload(self) -> None:
        async with self._lock:
            await asyncio.sleep(self._begun + _PAUSE - time.monotonic())
            self._next = None
            self._begun = time.monotonic()
            if self._web:
                self._web.reread()
            try:
                await asyncio.to_thread(self._poller.reload, self._load)
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                raise self._refused(error) from None
        _log.info("configuration reloaded")

    def _refused(self, error: BaseException) -> BernardError:
        """Log the error of a failed reload in one line, and return it."""
        refused = error if isinstance(error, BernardError) else ConfigError(_internal(error))
        self._poller.self_metrics.reload_successful = False
        _log.error("reload failed, the old configuration is kept: %s", refused)
        return refused


def _internal(error: BaseException) -> str:
    """Return type and place of an unexpected error, without its message, which may contain a password."""
    frames = traceback.extract_tb(error.__traceback__)
    location = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"internal error while reading the file: {type(error).__name__}{location}"


def is_foreign(request: Request) -> bool:
    """Return whether a browser sent a request from a page of another site.

    Browsers send the header Origin, other clients do not: https://developer.mozilla.org/docs/Web/HTTP/Headers/Origin
    """
    sites = request.headers.getlist("sec-fetch-site")
    origins = request.headers.getlist("origin")
    host = request.headers.get("host", "").lower()
    return any(site not in ("same-origin", "none") for site in sites) or any(
        _host(origin) != host for origin in origins
    )


def _host(origin: str) -> str | None:
    """Return host and port of an origin; None if it has none."""
    try:
        return urlsplit(origin).netloc.lower() or None
    except ValueError:
        return None
