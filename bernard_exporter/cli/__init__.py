"""The command ``bernard-exporter``: parse, wire, run, exit."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from bernard_exporter import __version__
from bernard_exporter.errors import BernardError
from bernard_exporter.memory import lasting

NAME = "bernard-exporter"
# Module and name of each command.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "demo": ("demo", "demo"),
    "status": ("status", "status"),
    "check": ("check", "check"),
    "policy": ("policy", "policy"),
    "doctor": ("doctor", "doctor"),
    "report": ("report", "report"),
    "backfill": ("backfill", "backfill"),
    "monitoring": ("monitoring", "monitoring"),
    "generate-sample": ("sample", "generate_sample"),
}


class _Commands(click.Group):
    """Imports a command when it is used, so that the long-running exporter does not carry what the others need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None where there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        with lasting():
            found: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return found


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=NAME)
def cli() -> None:
    """Watch the inventory of MariaDB backups: metrics for Prometheus."""


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
