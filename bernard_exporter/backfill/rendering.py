"""The lines of samples without their times: rendered again only where a value changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from bernard_exporter.catalogue import CATALOGUE
from bernard_exporter.exposition import openmetrics_head
from bernard_exporter.lines import number, series_writer
from bernard_exporter.metric import JOB_LABELS, Metric, Sample
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.telemetry import Telemetry

HISTORICAL = tuple(metric for metric in CATALOGUE if metric.historical)
OF_JOBS = tuple(metric for metric in HISTORICAL if metric.labels[: len(JOB_LABELS)] == JOB_LABELS)
OF_ALL = tuple(metric for metric in HISTORICAL if metric not in OF_JOBS)
# What has a past does not look at the exporter's own figures.
_NO_FIGURES = Telemetry(reload_success=0.0)


def preamble(metrics: Sequence[Metric]) -> bytes:
    """Return what OpenMetrics says of each metric before its samples."""
    return b"".join(openmetrics_head(metric) for metric in metrics)


class Lines:
    """The lines of some metrics; each lacks the time and the end of the line.

    Attributes:
        lines: in the order of the metrics, and of the samples of each.
    """

    __slots__ = ("_further", "_lines", "_metrics", "_samples", "_series", "_writers", "lines")

    def __init__(self, metrics: Sequence[Metric], labels: Mapping[str, str]) -> None:
        """Start without lines; ``labels`` are added to every series."""
        self._metrics = metrics
        self._writers = [series_writer(metric, tuple(labels)) for metric in metrics]
        self._further = tuple(labels.values())
        self._samples: list[list[Sample]] = [[] for _ in metrics]
        self._lines: list[list[bytes]] = [[] for _ in metrics]
        self._series: list[dict[tuple[str, ...], str]] = [{} for _ in metrics]
        self.lines: list[bytes] = []

    def show(self, snapshot: Snapshot) -> None:
        """Take the values of a snapshot."""
        for place, metric in enumerate(self._metrics):
            samples = list(metric.samples(snapshot, _NO_FIGURES))
            if samples != self._samples[place]:
                self._samples[place] = samples
                self._lines[place] = [self._line(place, labels, value) for labels, value in samples]
        self.lines = list(chain.from_iterable(self._lines))

    def _line(self, place: int, labels: tuple[str, ...], value: float) -> bytes:
        series = self._series[place].get(labels)
        if series is None:
            series = self._series[place][labels] = self._writers[place]((*labels, *self._further))
        return f"{series} {number(value)} ".encode()
