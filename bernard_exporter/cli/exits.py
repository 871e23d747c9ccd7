"""How commands end whose exit status says something."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from bernard_exporter.errors import BernardError


@contextmanager
def errors_exit_with(status: int) -> Iterator[None]:
    """Let an error in the block end the command with a status of its own, after one line on standard error."""
    try:
        yield
    except BernardError as error:
        click.echo(f"bernard-exporter: {error}", err=True)
        raise click.exceptions.Exit(status) from error
