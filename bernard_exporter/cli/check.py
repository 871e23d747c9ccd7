"""``check``: a plugin for Icinga and Nagios."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from click.core import ParameterSource
from sqlalchemy.engine import URL

from bernard_exporter.check import plugin
from bernard_exporter.check.expected import judge_expected
from bernard_exporter.check.plugin import Output
from bernard_exporter.check.predecessor import check_job
from bernard_exporter.cli.options import config_option
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.errors import BernardError, ConfigError
from bernard_exporter.model import BackupType, Job
from bernard_exporter.policy import BUILT_IN, Limits
from bernard_exporter.store.connection import Database

T = TypeVar("T")
_LIMITS = BUILT_IN[BackupType.DUMP]
_PERCENT = "a percentage such as 5 or 5%"


class _Plugin(click.Command):
    """A command that says on one line of standard output why it cannot judge, and exits with 3."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.ClickException as error:
            _end(plugin.unknown(f"{error.format_message()} See 'bernard-exporter check --help'."))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.exceptions.Exit:
            raise
        except click.ClickException as error:
            _end(plugin.unknown(error.format_message()))
        except BernardError as error:
            _end(plugin.unknown(str(error)))
        except Exception as error:
            # Whatever it is: the exit status 1 of a traceback would read as a WARNING of the backup. Its text is not
            # shown, for nobody knows what it quotes.
            _end(plugin.unknown(f"an error that nobody thought of ({type(error).__name__}); please report it"))


def _end(output: Output) -> NoReturn:
    click.echo(output.text)
    raise click.exceptions.Exit(output.status)


def _as(convert: Callable[[str], T]) -> Callable[[click.Context, click.Parameter, str], T]:
    def callback(_: click.Context, option: click.Parameter, value: str) -> T:
        try:
            return convert(value)
        except ValueError as error:
            raise click.BadParameter(f"found {value!r}, expected {error}", param=option) from error

    return callback


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else values.duration(text)


def _percent(text: str) -> float:
    """Return the ratio of a percentage, whether or not the sign is written."""
    try:
        return values.ratio(f"{text.removesuffix('%').strip()}%")
    except ValueError:
        raise ValueError(_PERCENT) from None


def _limit(*names: str, default: str, convert: Callable[[str], object], text: str) -> Callable[[Any], Any]:
    return click.option(*names, default=default, show_default=True, callback=_as(convert), help=text)


@click.command(cls=_Plugin)
@config_option
@click.option("--config-file", "option_file", type=click.Path(path_type=Path), help="A MySQL option file instead.")
@click.option("-o", "--host", help="The host of the metadata database instead, with --user and --database.")
@click.option("-u", "--user", help="The user to connect as.")
@click.option("-w", "--password", help="The password; it shows in the list of processes, so prefer an option file.")
@click.option("-D", "--database", help="The database that holds the metadata.")
@click.option("--all", "all_jobs", is_flag=True, help="Judge every job that the policy expects, by its own limits.")
@click.option("-s", "--section", help="The section to check.")
@click.option("-d", "--datacenter", help="The data centre that keeps the backup.")
@click.option(
    "-t",
    "--type",
    "type_",
    type=click.Choice([kind.value for kind in BackupType]),
    default=BackupType.DUMP.value,
    show_default=True,
    help="The method of backup.",
)
@_limit(
    "-f",
    "--freshness",
    default=values.duration_text(_LIMITS.max_age),
    convert=_seconds,
    text="The age, in seconds or as 8d, above which a backup is outdated.",
)
@_limit(
    "-c",
    "--min-size",
    default=values.size_text(_LIMITS.min_size),
    convert=values.size,
    text="The size, in bytes or as 300KiB, below which a backup has failed.",
)
@_limit(
    "-p",
    "--warn-size-percentage",
    default=values.ratio_text(_LIMITS.size_change_warning),
    convert=_percent,
    text="The change of size against the backup before, either way, above which it is a WARNING.",
)
@_limit(
    "-P",
    "--crit-size-percentage",
    default=values.ratio_text(_LIMITS.size_change_critical),
    convert=_percent,
    text="The same for CRITICAL.",
)
@click.pass_context
def check(context: click.Context, /, file: Path, all_jobs: bool, **options: Any) -> None:
    """Judge backups for Icinga or Nagios, straight from the database: no exporter need run.

    One job, with the options of wmfbackups' check-mariadb-backups and by its rules; or with --all every job of the
    policy over one connection. Exits with 0 for OK, 1 for WARNING, 2 for CRITICAL and 3 for UNKNOWN.

    For example: bernard-exporter check --section=s1 --datacenter=eqiad --type=snapshot --freshness=3d
    """
    now = datetime.now(UTC)
    _end(_all(context, file, now) if all_jobs else _one(_connection(file, options), options, now))


def _all(context: click.Context, file: Path, now: datetime) -> Output:
    given = [
        name
        for name in context.params
        if name not in ("file", "all_jobs") and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError("--all takes everything from the configuration: give no option but --config.file.")
    settings = load(file)
    with Database(settings.database).connect() as connection:
        return plugin.everything(judge_expected(connection, settings.policy, now))


def _one(settings: Settings, options: dict[str, Any], now: datetime) -> Output:
    policy = settings.policy
    section, datacenter = options["section"], options["datacenter"]
    if not section or not datacenter:
        raise click.UsageError("Give --section and --datacenter, or --all.")
    if datacenter not in policy.datacenters:
        raise click.UsageError(f"--datacenter: found {datacenter!r}, expected one of {', '.join(policy.datacenters)}.")
    limits = Limits(
        max_age=options["freshness"],
        min_size=options["min_size"],
        size_change_warning=options["warn_size_percentage"],
        size_change_critical=options["crit_size_percentage"],
    )
    with Database(settings.database).connect() as connection:
        return plugin.one(check_job(connection, Job(section, options["type_"], datacenter), limits, policy, now))


def _connection(file: Path, options: dict[str, Any]) -> Settings:
    """Return how to connect: by the flags of the predecessor where they are given, else by the configuration."""
    if options["option_file"]:
        return Settings(DatabaseSettings(option_file=options["option_file"]))
    if not any(options[name] for name in ("host", "user", "password", "database")):
        return load(file)
    if not (options["host"] and options["user"] and options["database"]):
        raise ConfigError("a connection by flags needs --host, --user and --database")
    url = URL.create(
        "mysql+pymysql",
        username=options["user"],
        password=options["password"],
        database=options["database"],
    )
    return Settings(DatabaseSettings(url=url.render_as_string(hide_password=False), hosts=(options["host"],)))
