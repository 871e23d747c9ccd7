"""The command ``bernard-exporter`` and its subcommands."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from bernard_exporter import __version__
from bernard_exporter.commands import standard_output
from bernard_exporter.commands.exits import NAME, complain, usage
from bernard_exporter.errors import BernardError, ConfigError
from bernard_exporter.tuning import frozen_imports

# The module and attribute of each command.
_COMMANDS = {
    "serve": ("serve", "serve"),
    "demo": ("demo", "demo"),
    "status": ("status.command", "status"),
    "check": ("check.command", "check"),
    "policy": ("policy.command", "policy"),
    "doctor": ("doctor.command", "doctor"),
    "report": ("report.command", "report"),
    "backfill": ("backfill.command", "backfill"),
    "monitoring": ("monitoring", "monitoring"),
    "generate-sample": ("sample.command", "generate_sample"),
}


class _Commands(click.Group):
    """Imports a command on first use, so that the long-running exporter does not load the modules of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        with frozen_imports():
            command: click.Command = getattr(import_module(f"{__name__}.{module}"), name)
        return command


@click.group(
    cls=_Commands,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=NAME)
def cli() -> None:
    """Export metrics about MariaDB backups to Prometheus."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit.

    Exit status: 0 for success, 1 for an error, 2 for wrong usage or an invalid configuration. Errors are one line on
    standard error.
    """
    standard_output.escape_what_cannot_be_encoded()
    try:
        status = cli.main(None if arguments is None else list(arguments), prog_name=NAME, standalone_mode=False)
    except click.UsageError as error:
        complain(usage(error))
        sys.exit(2)
    except click.ClickException as error:
        complain(error.format_message())
        sys.exit(1)
    except BernardError as error:
        complain(str(error))
        sys.exit(2 if isinstance(error, ConfigError) else 1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)
