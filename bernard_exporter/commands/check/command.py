"""``check``: a plugin for Icinga and Nagios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click
from click.core import ParameterSource

from bernard_exporter.commands.check.output import Output, unknown
from bernard_exporter.commands.exits import one_line
from bernard_exporter.commands.options import config_option
from bernard_exporter.commands.plugin_process import TIMEOUT, run_plugin, say
from bernard_exporter.config import values

if TYPE_CHECKING:
    from bernard_exporter.commands.check.deadline import Deadline
    from bernard_exporter.config.settings import Settings

T = TypeVar("T")
_PERCENT = "a percentage such as 5 or 5%"
_LONGEST_TIMEOUT = 3600.0
_WITH_ALL = ("file", "all_jobs", "timeout")
_DEFAULT = "(default: the policy's limit for the job, or else that of wmfbackups' check)"


class _Plugin(click.Command):
    """A command that reports errors as one line on standard output and exit status 3."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            _refuse(error)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            _refuse(error)


def _refuse(error: click.ClickException) -> NoReturn:
    raise click.exceptions.Exit(say(unknown(f"{one_line(error)} See 'bernard-exporter check --help'.")))


def _as(convert: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str | None], T | None]:
    def callback(_: click.Context, option: click.Parameter, value: str | None) -> T | None:
        try:
            return None if value is None else convert(value)
        except ValueError as error:
            raise click.BadParameter(f"found {value!r}, expected {error}", param=option) from error

    return callback


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else values.duration(text)


def _timeout(text: str) -> float:
    seconds = _seconds(text)
    if not 0 < seconds <= _LONGEST_TIMEOUT:
        raise ValueError("a duration of more than 0 s and at most 1 h")
    return seconds


def _percent(text: str) -> float:
    """Return the ratio of a percentage, with or without the percent sign."""
    try:
        return values.ratio(f"{text.removesuffix('%').strip()}%")
    except ValueError:
        raise ValueError(_PERCENT) from None


def _limit(*names: str, convert: Callable[[str], object], text: str) -> Callable[[Any], Any]:
    return click.option(*names, callback=_as(convert), help=f"{text} {_DEFAULT}")


@click.command(cls=_Plugin)
@config_option
@click.option(
    "-m",
    "--config-file",
    "option_file",
    type=click.Path(path_type=Path),
    help="MySQL option file to connect with, instead of --config.file.",
)
@click.option("-o", "--host", help="Host of the metadata database; requires --user and --database.")
@click.option("-u", "--user", help="User to connect as.")
@click.option("-w", "--password", help="Password; it is visible in the process list, so prefer an option file.")
@click.option("-D", "--database", help="Name of the metadata database.")
@click.option("--all", "all_jobs", is_flag=True, help="Check every job of the policy by its own limits.")
@click.option("-s", "--section", help="Section to check.")
@click.option("-d", "--datacenter", help="Data centre that stores the backup.")
@click.option("-t", "--type", "type_", default="dump", show_default=True, help="Backup type.")
@_limit(
    "-f",
    "--freshness",
    convert=_seconds,
    text="Maximum age of the newest backup, in seconds or such as 8d.",
)
@_limit(
    "-c",
    "--min-size",
    convert=values.size,
    text="Minimum size of the newest backup, in bytes or such as 300KiB.",
)
@_limit(
    "-p",
    "--warn-size-percentage",
    convert=_percent,
    text="Size change from the previous backup, up or down, above which the result is WARNING.",
)
@_limit("-P", "--crit-size-percentage", convert=_percent, text="Size change above which the result is CRITICAL.")
@click.option(
    "-v",
    "--valid-sections-file",
    "sections_file",
    type=click.Path(path_type=Path),
    help="File with valid section names, one per line, in addition to those of the policy.",
)
@click.option(
    "--timeout",
    default=f"{TIMEOUT:g}s",
    show_default=True,
    callback=_as(_timeout),
    help="Time limit for the whole check, in seconds or such as 10s.",
)
@click.pass_context
def check(context: click.Context, /, file: Path, all_jobs: bool, timeout: float, **options: Any) -> NoReturn:
    """Check backups for Icinga or Nagios. It reads the database, not a running exporter.

    It checks one job, with the options of wmfbackups' check-mariadb-backups, or with --all every job of the policy over
    one connection. Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.

    Example: bernard-exporter check --section=s1 --datacenter=eqiad --type=snapshot --freshness=3d
    """
    now = datetime.now(UTC)
    if all_jobs:
        _refuse_options(context)
        raise click.exceptions.Exit(run_plugin(lambda deadline: _all(file, now, deadline), timeout))
    if not options["section"] or not options["datacenter"]:
        raise click.UsageError("Give --section and --datacenter, or --all.")
    raise click.exceptions.Exit(run_plugin(lambda deadline: _one(file, options, now, deadline), timeout))


def _refuse_options(context: click.Context) -> None:
    given = [
        name
        for name in context.params
        if name not in _WITH_ALL and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError("--all takes no options other than --config.file and --timeout.")


def _all(file: Path, now: datetime, deadline: Deadline) -> Output:
    from bernard_exporter.commands.check.request import check_all
    from bernard_exporter.config.load import load

    return check_all(load(file), now, deadline)


def _one(file: Path, options: Mapping[str, Any], now: datetime, deadline: Deadline) -> Output:
    from bernard_exporter.commands.check.names import read_sections
    from bernard_exporter.commands.check.request import Request, check_one
    from bernard_exporter.domain.model import Job

    limits = {
        "max_age": options["freshness"],
        "min_size": options["min_size"],
        "size_change_warning": options["warn_size_percentage"],
        "size_change_critical": options["crit_size_percentage"],
    }
    listed = options["sections_file"]
    request = Request(
        Job(options["section"], options["type_"], options["datacenter"]),
        {name: value for name, value in limits.items() if value is not None},
        read_sections(listed) if listed else frozenset(),
    )
    return check_one(_settings(file, options), request, now, deadline)


def _settings(file: Path, options: Mapping[str, Any]) -> Settings:
    """Return the settings to connect with: the predecessor's options if given, or else the configuration."""
    from bernard_exporter.commands.check.connection import by_flags, by_option_file
    from bernard_exporter.config.load import load

    if options["option_file"]:
        return by_option_file(options["option_file"])
    flags = [options[name] for name in ("host", "user", "password", "database")]
    return by_flags(*flags) if any(flags) else load(file)
