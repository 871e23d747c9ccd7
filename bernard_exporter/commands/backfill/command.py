"""``backfill``: the history of the inventory as OpenMetrics, for a new installation."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, cast

import click

from bernard_exporter.commands.backfill.rendering import HISTORICAL
from bernard_exporter.commands.backfill.write import BackfillRequest, write
from bernard_exporter.commands.options import config_option, job_options, moment
from bernard_exporter.commands.progress import progress_bar
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.domain.filters import NameFilter, parse
from bernard_exporter.errors import BackfillError
from bernard_exporter.store.connection import Database

# Blocks must not overlap the head block of a running Prometheus, which covers about this much.
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
    for label in value:
        name, _, text = label.partition("=")
        if not _LABEL.fullmatch(name) or not text:
            raise click.BadParameter(f"found {label!r}, expected NAME=VALUE such as job=bernard", param=option)
        if name in taken or name in labels:
            raise click.BadParameter(f"the label {name} already exists, expected another name", param=option)
        labels[name] = text
    return labels


# \b: click does not rewrap the paragraph.
_EXAMPLE = """\b
bernard-exporter backfill --end=2026-03-10 --output=past.om
promtool tsdb create-blocks-from openmetrics --max-block-duration=744h past.om blocks
"""


@click.command(epilog=_EXAMPLE)
@config_option
@click.option("--output", default="-", show_default=True, metavar="FILE", help="Output file; - for standard output.")
@click.option("--gzip", "zipped", is_flag=True, help="Compress the output (default: if FILE ends in .gz).")
@click.option(
    "--start", metavar="TIME", callback=_given_moment, help="Start of the range (default: start of the first run)."
)
@click.option(
    "--end", metavar="TIME", callback=_given_moment, help="End of the range, exclusive (default: three hours ago)."
)
@click.option(
    "--step",
    default="5m",
    show_default=True,
    metavar="DURATION",
    callback=_step,
    help="Interval between samples of a series.",
)
@job_options
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_labels,
    help="Add a label to every series, such as the job and instance of the scrape; repeatable.",
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
    """Write the history of the inventory as the samples that the exporter would have exposed.

    The output is OpenMetrics for `promtool tsdb create-blocks-from openmetrics`, or for /api/v1/import/prometheus of
    VictoriaMetrics. All runs are judged by the current policy. TIME has the form 2026-03-10T12:00:00Z. The output for a
    range does not depend on other ranges, so a long history can be written in parts.
    """
    now = datetime.now(UTC)
    if end is not None and end > now:
        raise click.BadParameter("the time is in the future, expected one in the past", param_hint="'--end'")
    job_filter = parse(NameFilter, {"section": sections, "type": types, "datacenter": datacenters})
    request = BackfillRequest(start, end or now - _HEAD, step, job_filter, labels)
    settings = load(file)
    with progress_bar("steps") as progress, _opened(output, zipped) as stream:
        write(Database(settings.database), settings.policy, request, stream.write, progress)


@contextmanager
def _opened(output: str, zipped: bool) -> Iterator[IO[bytes]]:
    """Open the output and close it at the end; standard output stays open.

    Raises:
        BackfillError: the output cannot be written.
    """
    standard = output == "-"
    try:
        with open(_STANDARD_OUTPUT if standard else output, "wb", closefd=not standard) as raw:
            if zipped or output.endswith(".gz"):
                # Without file name and time, so that the same samples give the same bytes.
                with gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as compressed:
                    yield cast(IO[bytes], compressed)
            else:
                yield raw
    except OSError as error:
        where = "standard output" if standard else output
        raise BackfillError(f"{where}: {error.strerror}; the output is incomplete") from error
