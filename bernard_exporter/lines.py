"""Samples as the lines of a scrape, which look the same in both formats.

prometheus_client makes a dictionary and an object of every sample before it writes a line; at 100,000 series that is
most of the time and of the memory of a poll. What stands before the samples, and numbers, it writes here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prometheus_client.utils import floatToGoString

from bernard_exporter.metric import Metric, Sample

number: Callable[[float], str] = floatToGoString


def series_writer(metric: Metric, further: Sequence[str] = ()) -> Callable[[Sequence[str]], str]:
    """Return what writes name and labels of the series of a metric.

    Args:
        metric: which.
        further: the names of labels after those of the metric.
    """
    names = [*metric.labels, *further]
    order = sorted(range(len(names)), key=names.__getitem__)
    inside = ",".join(f'{names[place]}="%s"' for place in order)
    form = f"{metric.name}{{{inside}}}" if inside else metric.name

    def write(labels: Sequence[str]) -> str:
        return form % tuple([_escaped(labels[place]) for place in order])

    return write


def lines(metric: Metric, samples: Iterable[Sample]) -> bytes:
    """Return the samples of a metric, a line each."""
    series = series_writer(metric)
    return "".join([f"{series(labels)} {number(value)}\n" for labels, value in samples]).encode()


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
