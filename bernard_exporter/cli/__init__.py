"""The command ``bernard-exporter``: parse, wire, run, exit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from bernard_exporter import __version__
from bernard_exporter.cli.check import check
from bernard_exporter.cli.demo import demo
from bernard_exporter.cli.doctor import doctor
from bernard_exporter.cli.policy import policy
from bernard_exporter.cli.report import report
from bernard_exporter.cli.sample import generate_sample
from bernard_exporter.cli.serve import serve
from bernard_exporter.cli.status import status
from bernard_exporter.errors import BernardError

NAME = "bernard-exporter"


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name=NAME)
def cli() -> None:
    """Watch the inventory of MariaDB backups: metrics for Prometheus."""


cli.add_command(serve)
cli.add_command(demo)
cli.add_command(generate_sample)
cli.add_command(check)
cli.add_command(status)
cli.add_command(policy)
cli.add_command(doctor)
cli.add_command(report)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and end the process.

    Exit status: 0 well, 1 an error that one line on standard error explains, 2 wrong usage, likewise explained.
    """
    try:
        status = cli.main(None if arguments is None else list(arguments), prog_name=NAME, standalone_mode=False)
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else NAME
        _say(f"{' '.join(error.format_message().split())} See '{path} --help'.")
        sys.exit(2)
    except click.ClickException as error:
        _say(error.format_message())
        sys.exit(1)
    except BernardError as error:
        _say(str(error))
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _say(text: str) -> None:
    print(f"{NAME}: {text}", file=sys.stderr)
