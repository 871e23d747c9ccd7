"""``serve``: the long-running exporter."""

from __future__ import annotations

import logging
import re
import signal
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import click

from bernard_exporter.commands import logs
from bernard_exporter.commands.options import WebOptions, config_option, log_options, web_options
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.polling.poller import Poller
from bernard_exporter.tuning import frozen_imports, tune_gc, tune_malloc, tune_threads
from bernard_exporter.web.allowed_hosts import AllowedHosts
from bernard_exporter.web.server.listener import inherit, listen, shown

_log = logging.getLogger(__name__)


def _pattern(_: click.Context, option: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else values.pattern(value)
    except ValueError as error:
        raise click.BadParameter(f"found {value!r:.200}, expected {error}", param=option) from error


@click.command()
@config_option
@click.option(
    "--policy.sections",
    "sections",
    metavar="REGEX",
    callback=_pattern,
    help="Watch only sections whose full name matches, to split an inventory between exporters (default: all).",
)
@web_options
@log_options
def serve(
    file: Path,
    sections: re.Pattern[str] | None,
    web: WebOptions,
    log_level: str,
    log_format: str,
) -> None:
    """Run the exporter: poll the database and serve metrics, API and pages until SIGTERM.

    SIGHUP or POST /-/reload reloads the configuration.
    """
    logs.configure(log_level, log_format)
    run(file, web, sections)


def run(file: Path, web: WebOptions, sections: re.Pattern[str] | None = None) -> None:
    """Poll and serve until SIGTERM or SIGINT.

    Args:
        file: the configuration file.
        web: the web flags.
        sections: the pattern that the full name of a watched section matches; None for all sections.

    Raises:
        BernardError: the configuration is invalid, or an address cannot be listened on.
    """
    tune_malloc()
    tune_gc()
    tune_threads()
    # Until the handler is installed: the default action of SIGHUP is to terminate the process.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def settings() -> Settings:
        settings = load(file)
        return replace(settings, policy=settings.policy.restricted(sections)) if sections else settings

    poller = Poller(settings())

    with ExitStack() as stack:
        sockets = inherit() if web.systemd_socket else [listen(address) for address in web.addresses]
        for listening in sockets:
            stack.enter_context(closing(listening))
        poller.start()
        stack.callback(poller.stop)
        scheme = "https" if web.config and web.config.encrypted else "http"
        _log.info("serving %s on %s", scheme, ", ".join(map(shown, sockets)))
        _answer(poller, stack, sockets, settings, web)


def _answer(
    poller: Poller,
    stack: ExitStack,
    sockets: Sequence[socket.socket],
    load_settings: Callable[[], Settings],
    web: WebOptions,
) -> None:
    """Serve until shutdown; the web modules are imported while the first poll is running."""
    with frozen_imports():
        from bernard_exporter.queries.executor import QueryExecutor
        from bernard_exporter.web.app import application
        from bernard_exporter.web.reload import Reloading
        from bernard_exporter.web.server import run
        from bernard_exporter.web.server.systemd import supervise

    executor = QueryExecutor(poller)
    stack.callback(executor.close)
    reload = Reloading(poller, load_settings, web.config)
    app = application(poller, executor, reload, web.prefix)
    if web.config:
        from bernard_exporter.web.auth import AuthMiddleware

        app = AuthMiddleware(app, web.config, web.prefix.routes)
    if web.hosts:
        app = AllowedHosts(app, web.hosts, web.prefix.routes)
    run.serve(app, sockets, reload, web.config, lambda: supervise(poller))
