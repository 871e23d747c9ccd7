"""The flags that several commands share, named like those of Prometheus exporters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from bernard_exporter.commands import logs
from bernard_exporter.web.allowed_hosts import allowed_host
from bernard_exporter.web.url_prefix import Prefix, external_path, prefix, route_prefix

if TYPE_CHECKING:
    from bernard_exporter.web.web_config.watched import WebConfig

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_ADDRESS = ":10279"
DEFAULT_FILE = Path("/etc/bernard-exporter/config.yaml")


@dataclass(frozen=True, slots=True)
class WebOptions:
    """The values of the web flags.

    Attributes:
        addresses: the addresses to listen on.
        systemd_socket: whether to listen on the sockets that systemd passes instead.
        config: TLS, users and headers; None without a file.
        prefix: the path prefix of all URLs.
        hosts: the allowed values of the header Host; empty for any.
    """

    addresses: tuple[str, ...]
    systemd_socket: bool
    config: WebConfig | None
    prefix: Prefix
    hosts: tuple[str, ...]


def _path(convert: Callable[[str], str]) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Return a click callback that parses a path; None if the flag is not given."""

    def path(_: click.Context, option: click.Parameter, value: str | None) -> str | None:
        try:
            return None if value is None else convert(value)
        except ValueError as error:
            raise click.BadParameter(str(error), param=option) from error

    return path


def _hosts(_: click.Context, option: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    """Parse the hosts of a flag."""
    try:
        return tuple(map(allowed_host, names))
    except ValueError as error:
        raise click.BadParameter(str(error), param=option) from error


def _web_config(_: click.Context, __: click.Parameter, file: Path | None) -> WebConfig | None:
    """Read the web configuration; None without a file, and then without importing its reader."""
    if file is None:
        return None
    from bernard_exporter.web.web_config.watched import WebConfig

    return WebConfig(file)


def moment(_: click.Context, option: click.Parameter, value: str | None) -> datetime:
    """Parse a time, in UTC if it has no time zone; the current time if the flag is not given."""
    if value is None:
        return datetime.now(UTC)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("expected a time such as 2026-03-10T12:00:00Z", param=option) from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def config_option(command: F) -> F:
    """Add the flag for the configuration file."""
    return click.option(
        "--config.file",
        "file",
        type=click.Path(path_type=Path),
        default=DEFAULT_FILE,
        show_default=True,
        help="Configuration file (YAML).",
    )(command)


def job_options(command: F) -> F:
    """Add the repeatable flags that select jobs."""
    for name, plural in (("datacenter", "data centres"), ("type", "types"), ("section", "sections")):
        command = click.option(
            f"--{name}", f"{name}s", multiple=True, metavar="NAME", help=f"Only these {plural}; repeatable."
        )(command)
    return command


def web_options(command: F) -> F:
    """Add the web flags, which the command receives as one argument ``web``."""

    @wraps(command)
    def with_web(
        *,
        addresses: tuple[str, ...],
        systemd_socket: bool,
        web_config: WebConfig | None,
        external_path: str | None,
        route_prefix: str | None,
        hosts: tuple[str, ...],
        **others: Any,
    ) -> Any:
        paths = prefix(external_path, route_prefix)
        return command(web=WebOptions(addresses, systemd_socket, web_config, paths, hosts), **others)

    decorated = cast("F", with_web)
    for add in (
        click.option(
            "--web.listen-address",
            "addresses",
            multiple=True,
            default=(DEFAULT_ADDRESS,),
            show_default=True,
            metavar="HOST:PORT",
            help="Address to listen on; repeatable.",
        ),
        click.option(
            "--web.systemd-socket",
            "systemd_socket",
            is_flag=True,
            help="Listen on the sockets that systemd passes, instead of --web.listen-address.",
        ),
        click.option(
            "--web.config.file",
            "web_config",
            type=click.Path(path_type=Path),
            callback=_web_config,
            metavar="FILE",
            help="Web configuration file (TLS, users, headers) in the format of the Prometheus exporter-toolkit.",
        ),
        click.option(
            "--web.external-url",
            "external_path",
            callback=_path(external_path),
            metavar="URL",
            help="URL under which the exporter is reachable; its path is the prefix of all links.",
        ),
        click.option(
            "--web.route-prefix",
            "route_prefix",
            callback=_path(route_prefix),
            metavar="PATH",
            help="Path prefix of requests (default: path of --web.external-url).",
        ),
        click.option(
            "--web.allowed-host",
            "hosts",
            multiple=True,
            callback=_hosts,
            metavar="HOST",
            help="Only accept requests whose header Host names this host; repeatable (default: any).",
        ),
    ):
        decorated = add(decorated)
    return decorated


def log_options(command: F) -> F:
    """Add the logging flags."""
    for add in (
        click.option(
            "--log.level",
            "log_level",
            type=click.Choice(logs.LEVELS),
            default="info",
            show_default=True,
            help="Lowest level of messages to log.",
        ),
        click.option(
            "--log.format",
            "log_format",
            type=click.Choice(logs.FORMATS),
            default="logfmt",
            show_default=True,
            help="Format of log lines.",
        ),
    ):
        command = add(command)
    return command
