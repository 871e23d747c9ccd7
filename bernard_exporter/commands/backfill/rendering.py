"""Renders samples without timestamps, and only those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.metrics.catalogue import CATALOGUE
from bernard_exporter.metrics.exposition import openmetrics_head
from bernard_exporter.metrics.metric import JOB_LABELS, Metric, Sample
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.metrics.text_format import number, series_writer

HISTORICAL = tuple(metric for metric in CATALOGUE if metric.historical)
OF_JOBS = tuple(metric for metric in HISTORICAL if metric.labels[: len(JOB_LABELS)] == JOB_LABELS)
OF_ALL = tuple(metric for metric in HISTORICAL if metric not in OF_JOBS)
# Metrics with a history do not use the exporter's own metrics.
_NO_FIGURES = SelfMetrics(reload_success=0.0)


def preamble(metrics: Sequence[Metric]) -> bytes:
    """Return the HELP and TYPE lines of each metric in OpenMetrics."""
    return b"".join(openmetrics_head(metric) for metric in metrics)


class Lines:
    """The lines of some metrics, each without timestamp and line end.

    Attributes:
        lines: in the order of the metrics and their samples.
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
        """Update the lines with the values of a snapshot."""
        for index, metric in enumerate(self._metrics):
            samples = list(metric.samples(snapshot, _NO_FIGURES))
            if samples != self._samples[index]:
                self._samples[index] = samples
                self._lines[index] = [self._line(index, labels, value) for labels, value in samples]
        self.lines = list(chain.from_iterable(self._lines))

    def _line(self, index: int, labels: tuple[str, ...], value: float) -> bytes:
        series = self._series[index].get(labels)
        if series is None:
            series = self._series[index][labels] = self._writers[index]((*labels, *self._further))
        return f"{series} {number(value)} ".encode()
