"""Write the dashboards with site-specific settings: ``python -m dashboards --output=DIRECTORY --exporter-url=URL``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from dashboards.render import files
from monitoring.settings import SiteSettings


@click.command()
@click.option(
    "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="Directory to write to."
)
@click.option(
    "--exporter-url", default=SiteSettings().exporter_url, show_default=True, help="URL of the exporter's own pages."
)
def main(output: Path, exporter_url: str) -> None:
    """Write the dashboards, with links to your exporter's pages."""
    output.mkdir(parents=True, exist_ok=True)
    for name, text in files(replace(SiteSettings(), exporter_url=exporter_url.rstrip("/"))):
        (output / name).write_text(text, encoding="utf-8")
        click.echo(output / name)


if __name__ == "__main__":
    main()
