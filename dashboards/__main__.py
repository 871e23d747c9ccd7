"""Write the boards with one's own values: ``python -m dashboards --output=DIRECTORY --exporter-url=URL``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from alerts.settings import Settings
from dashboards.render import files


@click.command()
@click.option(
    "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="the folder to write to"
)
@click.option("--exporter-url", default=Settings().exporter_url, show_default=True, help="of the exporter's own pages")
def main(output: Path, exporter_url: str) -> None:
    """Write the boards with links that lead to your exporter's pages."""
    output.mkdir(parents=True, exist_ok=True)
    for name, text in files(replace(Settings(), exporter_url=exporter_url.rstrip("/"))):
        (output / name).write_text(text, encoding="utf-8")
        click.echo(output / name)


if __name__ == "__main__":
    main()
