"""The lines of samples without their times: rendered again only where a value changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from prometheus_client.utils import floatToGoString

from bernard_exporter.catalogue import CATALOGUE
from bernard_exporter.exposition import openmetrics_text
from bernard_exporter.metric import JOB_LABELS, Metric, Sample
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.telemetry import Telemetry

HISTORICAL = tuple(metric for metric in CATALOGUE if metric.historical)
OF_JOBS = tuple(metric for metric in HISTORICAL if metric.labels[: len(JOB_LABELS)] == JOB_LABELS)
OF_ALL = tuple(metric for metric in HISTORICAL if metric not in OF_JOBS)
# What has a past does not look at the exporter's own figures.
_NO_FIGURES = Telemetry(reload_success=0.0)
_number: Callable[[float], str] = floatToGoString


def preamble(metrics: Sequence[Metric]) -> bytes:
    """Return what OpenMetrics says of each metric before its samples."""
    return "".join(openmetrics_text(metric, ()) for metric in metrics).encode()


class Lines:
    """The lines of some metrics; each lacks the time and the end of the line.

    Attributes:
        lines: in the order of the metrics, and of the samples of each.
    """

    __slots__ = ("_labels", "_lines", "_metrics", "_samples", "_series", "lines")

    def __init__(self, metrics: Sequence[Metric], labels: Mapping[str, str]) -> None:
        """Start without lines; ``labels`` are added to every series."""
        self._metrics = metrics
        self._labels = labels
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
            series = self._series[place][labels] = self._series_text(self._metrics[place], labels)
        return f"{series} {_number(value)} ".encode()

    def _series_text(self, metric: Metric, labels: tuple[str, ...]) -> str:
        """Return name and labels as the library writes them."""
        more = replace(metric, labels=(*metric.labels, *self._labels))
        text = openmetrics_text(more, [((*labels, *self._labels.values()), 0.0)])
        return text.splitlines()[-1].removesuffix(" 0.0")
