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
from typing import TYPE_CHECKING

import click

from bernard_exporter import logs
from bernard_exporter.cli.options import config_option, log_options, web_options
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import Settings
from bernard_exporter.errors import BernardError
from bernard_exporter.memory import give_back, lasting, search_seldom
from bernard_exporter.poller import Poller
from bernard_exporter.web.listening import listen

if TYPE_CHECKING:
    from bernard_exporter.toolkit.watched import WebConfig

_log = logging.getLogger(__name__)


def _pattern(_: click.Context, option: click.Parameter, value: str | None) -> re.Pattern[str] | None:
    try:
        return None if value is None else re.compile(value)
    except re.error as error:
        raise click.BadParameter(f"expected a regular expression such as 's[1-4]' ({error})", param=option) from error


@click.command()
@config_option
@click.option(
    "--policy.sections",
    "sections",
    metavar="REGEX",
    callback=_pattern,
    help="Watch only the sections whose whole name matches, so that several exporters share one inventory.",
)
@web_options
@log_options
def serve(
    file: Path,
    sections: re.Pattern[str] | None,
    addresses: tuple[str, ...],
    web: WebConfig | None,
    prefix: str,
    log_level: str,
    log_format: str,
) -> None:
    """Poll the inventory and serve its metrics until SIGTERM.

    SIGHUP or POST /-/reload reads the configuration anew.
    """
    logs.configure(log_level, log_format)
    run(file, addresses, prefix, web, sections)


def run(
    file: Path,
    addresses: Sequence[str],
    prefix: str,
    web: WebConfig | None = None,
    sections: re.Pattern[str] | None = None,
) -> None:
    """Poll and serve until SIGTERM or SIGINT.

    Args:
        file: the configuration.
        addresses: where to listen.
        prefix: the path under which everything is.
        web: the web configuration, None for neither TLS nor users.
        sections: what the whole name of a section matches that is watched, None for all.

    Raises:
        BernardError: the configuration cannot be used, or an address not be listened on.
    """
    give_back()
    search_seldom()
    # Until there is something to reload; the usual answer to this signal is to die of it.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    def settings() -> Settings:
        found = load(file)
        return replace(found, policy=found.policy.restricted(sections)) if sections else found

    poller = Poller(settings())

    def reload() -> None:
        try:
            poller.reload(settings)
        except BernardError as error:
            _log.error("the old configuration stays in force: %s", error)
            raise
        _log.info("the configuration is loaded")

    def hang_up() -> None:
        # Logged by reload; nobody waits for an answer to a signal.
        try:
            reload()
        except BernardError:
            return

    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(listen(address))) for address in addresses]
        poller.start()
        stack.callback(poller.stop)
        _log.info("serving %s on %s", "https" if web and web.encrypted else "http", ", ".join(addresses))
        _answer(poller, stack, sockets, reload, hang_up, prefix, web)


def _answer(
    poller: Poller,
    stack: ExitStack,
    sockets: Sequence[socket.socket],
    reload: Callable[[], None],
    hang_up: Callable[[], None],
    prefix: str,
    web: WebConfig | None,
) -> None:
    """Answer requests until the end; the first poll goes on while what answers is imported."""
    with lasting():
        from bernard_exporter.inspection.access import Access
        from bernard_exporter.web import server
        from bernard_exporter.web.application import application
        from bernard_exporter.web.supervision import supervise

    access = Access(poller)
    stack.callback(access.close)
    app = application(poller, access, reload, prefix)
    if web:
        from bernard_exporter.web.guard import Guard

        app = Guard(app, web, prefix)
    server.serve(app, sockets, hang_up, web, lambda: supervise(poller))
