"""``monitoring``: what watches the exporter's metrics, as files to install."""

from __future__ import annotations

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import click

from bernard_exporter.errors import ResourceError

# In a checkout links to what `make generate` writes; in a package of Debian a link to that of bernard-monitoring.
_PLACE = files("bernard_exporter") / "monitoring"


@click.command()
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
def monitoring(directory: Path) -> None:
    """Write dashboards, rules and the Alertmanager example into DIRECTORY.

    They are those of this very version. DIRECTORY gets the folders dashboards (JSON for Grafana), rules (for
    Prometheus), alertmanager and kubernetes (a PrometheusRule); files of the same names there are replaced.
    """
    if not (_PLACE / "rules").is_dir():
        raise ResourceError(
            f"monitoring: found no rules in {_PLACE}, expected those of this version; "
            "install the Debian package bernard-monitoring, or the exporter anew"
        )
    with as_file(_PLACE) as source:
        try:
            # Their tests are of no use to Prometheus, which would read them as rules.
            shutil.copytree(source, directory, ignore=shutil.ignore_patterns("*_test.yaml"), dirs_exist_ok=True)
        except OSError as error:
            raise ResourceError(f"monitoring: cannot write into {directory}: {error}; choose another") from error
    for file in sorted(path for path in directory.rglob("*") if path.is_file()):
        click.echo(file)
