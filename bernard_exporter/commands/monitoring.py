"""``monitoring``: write the dashboards, rules and Alertmanager example."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from bernard_exporter.errors import ResourceError

# In a checkout, links to the output of `make generate`; in the Debian package, a link to bernard-monitoring's files.
_PLACE = files("bernard_exporter") / "monitoring"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def monitoring(directory: Path) -> None:
    """Write the dashboards, the rules and the Alertmanager example to DIRECTORY.

    They match this version of the exporter. The folders are dashboards (JSON for Grafana), rules (for Prometheus),
    alertmanager, and kubernetes (a PrometheusRule). Existing files of the same names are replaced.
    """
    if not (_PLACE / "rules").is_dir():
        raise ResourceError(
            f"monitoring: found no rules in {_PLACE}, expected those of this version; "
            "install the Debian package bernard-monitoring, or reinstall the exporter"
        )
    with as_file(_PLACE) as source:
        try:
            # Without the rules' tests: Prometheus would load them as rules.
            shutil.copytree(source, directory, ignore=shutil.ignore_patterns("*_test.yaml"), dirs_exist_ok=True)
        except OSError as error:
            raise ResourceError(
                f"monitoring: cannot write to {directory}: {error}; choose another directory"
            ) from error
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        click.echo(file)
