"""``serve``: the long-running exporter."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import click

from bernard_exporter import logs
from bernard_exporter.cli.options import config_option, log_options, web_options
from bernard_exporter.config.load import load
from bernard_exporter.errors import BernardError
from bernard_exporter.inspection.access import Access
from bernard_exporter.poller import Poller
from bernard_exporter.toolkit.watched import WebConfig
from bernard_exporter.web import server
from bernard_exporter.web.application import application
from bernard_exporter.web.guard import Guard

_log = logging.getLogger(__name__)


@click.command()
@config_option
@web_options
@log_options
def serve(
    file: Path, addresses: tuple[str, ...], web: WebConfig | None, prefix: str, log_level: str, log_format: str
) -> None:
    """Poll the inventory and serve its metrics until SIGTERM.

    SIGHUP or POST /-/reload reads the configuration anew.
    """
    logs.configure(log_level, log_format)
    run(file, addresses, prefix, web)


def run(file: Path, addresses: Sequence[str], prefix: str, web: WebConfig | None = None) -> None:
    """Poll and serve until SIGTERM or SIGINT.

    Args:
        file: the configuration.
        addresses: where to listen.
        prefix: the path under which everything is.
        web: the web configuration, None for neither TLS nor users.

    Raises:
        BernardError: the configuration cannot be used, or an address not be listened on.
    """
    poller = Poller(load(file))

    def reload() -> None:
        try:
            poller.reload(lambda: load(file))
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
        sockets = [stack.enter_context(closing(server.listen(address))) for address in addresses]
        poller.start()
        stack.callback(poller.stop)
        _log.info("serving %s on %s", "https" if web and web.encrypted else "http", ", ".join(addresses))
        access = Access(poller)
        stack.callback(access.close)
        app = application(poller, access, reload, prefix)
        server.serve(Guard(app, web, prefix) if web else app, sockets, hang_up, web)
