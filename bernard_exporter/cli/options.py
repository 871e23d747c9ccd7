"""The flags that several commands share, named as those of Prometheus' own exporters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from bernard_exporter import logs

if TYPE_CHECKING:
    from bernard_exporter.toolkit.watched import WebConfig

F = TypeVar("F", bound=Callable[..., Any])
DEFAULT_ADDRESS = ":10279"
DEFAULT_FILE = Path("/etc/bernard-exporter/config.yaml")


def _external_path(_: click.Context, option: click.Parameter, value: str | None) -> str:
    """Return the path of the URL that users reach the exporter by, '' for none."""
    if value is None:
        return ""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise click.BadParameter("expected a URL such as https://monitoring.example/backups", param=option)
    return parts.path.rstrip("/")


def _web_config(_: click.Context, __: click.Parameter, file: Path | None) -> WebConfig | None:
    """Return what the file says of TLS, users and headers, None where there is none to import it for."""
    if file is None:
        return None
    from bernard_exporter.toolkit.watched import WebConfig

    return WebConfig(file)


def moment(_: click.Context, option: click.Parameter, value: str | None) -> datetime:
    """Return a time with its zone, UTC unless it says another; now for none."""
    if value is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("expected a time such as 2026-03-10T12:00:00Z", param=option) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def config_option(command: F) -> F:
    """Add the flag of everything that reads the configuration."""
    return click.option(
        "--config.file",
        "file",
        type=click.Path(path_type=Path),
        default=DEFAULT_FILE,
        show_default=True,
        help="The configuration, YAML.",
    )(command)


def job_options(command: F) -> F:
    """Add the flags that choose jobs; each may be given again."""
    for name, what in (("datacenter", "data centres"), ("type", "types"), ("section", "sections")):
        command = click.option(
            f"--{name}", f"{name}s", multiple=True, metavar="NAME", help=f"Only these {what}; may be given again."
        )(command)
    return command


def web_options(command: F) -> F:
    """Add the flags of everything that serves."""
    for add in (
        click.option(
            "--web.listen-address",
            "addresses",
            multiple=True,
            default=(DEFAULT_ADDRESS,),
            show_default=True,
            metavar="HOST:PORT",
            help="Where to listen; may be given again.",
        ),
        click.option(
            "--web.config.file",
            "web",
            type=click.Path(path_type=Path),
            callback=_web_config,
            metavar="FILE",
            help="TLS, users and headers, YAML, in the format of Prometheus' own exporters.",
        ),
        click.option(
            "--web.external-url",
            "prefix",
            callback=_external_path,
            metavar="URL",
            help="The URL users reach the exporter by; everything is served under its path.",
        ),
    ):
        command = add(command)
    return command


def log_options(command: F) -> F:
    """Add the flags of everything that logs."""
    for add in (
        click.option(
            "--log.level",
            "log_level",
            type=click.Choice(logs.LEVELS),
            default="info",
            show_default=True,
            help="The least severe log lines that are shown.",
        ),
        click.option(
            "--log.format",
            "log_format",
            type=click.Choice(logs.FORMATS),
            default="logfmt",
            show_default=True,
            help="How log lines are written.",
        ),
    ):
        command = add(command)
    return command
