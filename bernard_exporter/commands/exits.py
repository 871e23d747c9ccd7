"""Exit status and error line of commands whose exit status is a verdict."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import click

from bernard_exporter.commands import standard_output
from bernard_exporter.errors import BernardError

NAME = "bernard-exporter"
# A long word without the quotation mark and comma behind it.
_LONG = re.compile(r"(\S{100})\S{100,}?([\"',;.]{0,3})(?!\S)")


def complain(text: str) -> None:
    """Write one line to standard error, if possible."""
    with suppress(OSError, ValueError):
        print(f"{NAME}: {text}", file=sys.stderr)


def usage(error: click.UsageError) -> str:
    """Return one line with the usage error and a reference to --help."""
    path = error.ctx.command_path if error.ctx else NAME
    return f"{one_line(error)} See '{path} --help'."


def one_line(error: click.ClickException) -> str:
    """Return the message of an error as one line, in which very long values are cut."""
    return _LONG.sub(r"\1...\2", " ".join(error.format_message().split()))


@contextmanager
def errors_exit_with(status: int) -> Iterator[None]:
    """Turn an error in the block into one line on standard error and an exit status."""
    try:
        yield
    except BernardError as error:
        complain(str(error))
        raise click.exceptions.Exit(status) from error


class VerdictCommand(click.Command):
    """A command whose exit status is a verdict, so that errors have an exit status of their own."""

    trouble = 3

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> click.Context:
        """Parse the command line."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            complain(usage(error))
            raise click.exceptions.Exit(self.trouble) from error

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, and make sure that its output was written."""
        try:
            with errors_exit_with(self.trouble):
                status = super().invoke(ctx)
                standard_output.flush()
        except (click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            complain(_described(error))
            raise click.exceptions.Exit(self.trouble) from error
        return status


def _described(error: Exception) -> str:
    if isinstance(error, click.UsageError):
        return usage(error)
    if isinstance(error, OSError):
        standard_output.discard()
        return standard_output.why(error)
    # Without the message, which may contain secrets.
    return f"internal error ({type(error).__name__}); please report it"
