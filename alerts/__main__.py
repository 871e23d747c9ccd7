"""Write rules and routing with site-specific settings: ``python -m alerts --output=DIRECTORY --team=NAME ...``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import click

from alerts.products import FOLDER, TEMPLATES, products
from monitoring.settings import SiteSettings


def _described() -> dict[str, str]:
    """Return the description of each setting, from the docstring of the class."""
    attributes = (SiteSettings.__doc__ or "").partition("Attributes:")[2]
    return dict(re.findall(r"^\s+(\w+): (.+)$", attributes, re.MULTILINE))


def _options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each setting to a command."""
    described = _described()
    for setting in reversed(fields(SiteSettings)):
        default = setting.default
        assert default is not MISSING
        flag = f"--{setting.name.replace('_', '-')}"
        command = click.option(
            flag, default=default, type=type(default), show_default=True, help=described[setting.name]
        )(command)
    return command


@click.command()
@click.option(
    "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write to."
)
@_options
def main(output: Path, **values: Any) -> None:
    """Write alerting rules and an example configuration of Alertmanager for your site."""
    files = dict(products(SiteSettings(**values)))
    files[TEMPLATES] = (FOLDER / TEMPLATES).read_text(encoding="utf-8")
    for name, text in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(path)


if __name__ == "__main__":
    main()
