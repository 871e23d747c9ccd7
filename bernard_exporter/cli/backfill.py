"""``backfill``: the past of the inventory as OpenMetrics, for a new installation's first day."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

import click

from bernard_exporter.backfill.rendering import HISTORICAL
from bernard_exporter.backfill.write import Request, write
from bernard_exporter.cli.options import config_option, job_options, moment
from bernard_exporter.cli.progress import progress_bar
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.errors import BackfillError
from bernard_exporter.store.connection import Database

# A Prometheus that runs holds about as much in its head, beside which no block may lie.
_HEAD = timedelta(hours=3)
_GZIP_LEVEL = 4
_STANDARD_OUTPUT = 1
_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


def _given_moment(context: click.Context, option: click.Parameter, value: str | None) -> datetime | None:
    return None if value is None else moment(context, option, value)


def _step(_: click.Context, option: click.Parameter, value: str) -> int:
    try:
        seconds = values.duration(value)
    except ValueError as error:
        raise click.BadParameter(f"found {value!r}, expected {error}", param=option) from error
    if seconds != int(seconds):
        raise click.BadParameter(f"found {value!r}, expected whole seconds", param=option)
    return int(seconds)


def _labels(context: click.Context, option: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    labels: dict[str, str] = {}
    taken = {name for metric in HISTORICAL for name in metric.labels}
    for given in value:
        name, _, text = given.partition("=")
        if not _LABEL.fullmatch(name) or not text:
            raise click.BadParameter(f"found {given!r}, expected NAME=VALUE such as job=bernard", param=option)
        if name in taken or name in labels:
            raise click.BadParameter(f"the label {name} is there already, expected another", param=option)
        labels[name] = text
    return labels


# \b keeps the lines as they are.
_EXAMPLE = """\b
bernard-exporter backfill --end=2026-03-10 --output=past.om
promtool tsdb create-blocks-from openmetrics --max-block-duration=744h past.om blocks
"""


@click.command(epilog=_EXAMPLE)
@config_option
@click.option("--output", default="-", show_default=True, metavar="FILE", help="Where to write; - is standard output.")
@click.option("--gzip", "zipped", is_flag=True, help="Compress; a FILE that ends in .gz is compressed anyway.")
@click.option("--start", metavar="TIME", callback=_given_moment, help="First moment; that of the first run without.")
@click.option("--end", metavar="TIME", callback=_given_moment, help="The samples are earlier; three hours ago without.")
@click.option(
    "--step",
    default="5m",
    show_default=True,
    metavar="DURATION",
    callback=_step,
    help="Time between two samples of a series.",
)
@job_options
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_labels,
    help="Add a label to every series, as job and instance of the scrapes to come; may be given again.",
)
def backfill(
    file: Path,
    output: str,
    zipped: bool,
    start: datetime | None,
    end: datetime | None,
    step: int,
    sections: tuple[str, ...],
    types: tuple[str, ...],
    datacenters: tuple[str, ...],
    labels: dict[str, str],
) -> None:
    """Write the past of the inventory as the samples that the exporter would have exposed.

    The output is OpenMetrics for `promtool tsdb create-blocks-from openmetrics`, or for /api/v1/import/prometheus of
    VictoriaMetrics. Every run is judged by the policy as it is now. TIME is such as 2026-03-10T12:00:00Z. The same
    range gives the same bytes, whatever is written before or after it, so a long past can be written in parts.
    """
    now = datetime.now(UTC)
    if end is not None and end > now:
        raise click.BadParameter("it lies in the future, expected a time that has passed", param_hint="'--end'")
    request = Request(
        start, end or now - _HEAD, step, frozenset(sections), frozenset(types), frozenset(datacenters), labels
    )
    settings = load(file)
    with progress_bar("steps") as progress, _opened(output, zipped) as stream:
        write(Database(settings.database), settings.policy, request, stream.write, progress)


@contextmanager
def _opened(output: str, zipped: bool) -> Iterator[IO[bytes]]:
    """Open what is written to, and close it in the end; standard output itself stays open.

    Raises:
        BackfillError: it cannot be written.
    """
    standard = output == "-"
    try:
        with open(_STANDARD_OUTPUT if standard else output, "wb", closefd=not standard) as raw:
            if zipped or output.endswith(".gz"):
                # Neither name nor time, so that the same samples are the same bytes.
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as compressed:
                    yield cast(IO[bytes], compressed)
            else:
                yield raw
    except OSError as error:
        where = "standard output" if standard else output
        raise BackfillError(f"{where}: {error.strerror}; what was written so far is not complete") from error
