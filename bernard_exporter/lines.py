"""Samples as the lines of a scrape, which look the same in both formats.

prometheus_client makes a dictionary and an object of every sample before it writes a line; at 100,000 series that is
most of the time and of the memory of a poll. What stands before the samples, and numbers, it writes here too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from prometheus_client.utils import floatToGoString

from bernard_exporter.metric import Metric

number: Callable[[float], str] = floatToGoString


def series_writer(metric: Metric, further: Sequence[str] = ()) -> Callable[[Sequence[str]], str]:
    """Return what writes name and labels of the series of a metric.

    Args:
        metric: which.
        further: the names of labels after those of the metric.
    """
    form, order = _form(metric, further)
    escaped = _Escaped()

    def write(labels: Sequence[str]) -> str:
        return form % tuple([escaped[labels[place]] for place in order])

    return write


def lines(metric: Metric, labels: Sequence[Sequence[str]], values: Iterable[float]) -> bytes:
    """Return the samples of a metric, a line each.

    Column by column, for that is done outside the interpreter, and most labels and values are there many times.

    Args:
        metric: which.
        labels: of each sample, in the order of the metric's.
        values: of each sample.
    """
    form, order = _form(metric, ())
    escaped, written = _Escaped(), _Written()
    columns = [map(escaped.__getitem__, map(itemgetter(place), labels)) for place in order]
    # By what Python writes, for by their values 0.0 and -0.0 are one key.
    columns.append(map(written.__getitem__, map(repr, values)))
    return "".join(map(f"{form} %s\n".__mod__, zip(*columns, strict=True))).encode()


def _form(metric: Metric, further: Sequence[str]) -> tuple[str, list[int]]:
    """Return how a series is written, and the places of the labels to put in: they stand by name."""
    names = [*metric.labels, *further]
    order = sorted(range(len(names)), key=names.__getitem__)
    inside = ",".join(f'{names[place]}="%s"' for place in order)
    return (f"{metric.name}{{{inside}}}" if inside else metric.name), order


class _Escaped(dict[str, str]):
    """Values of labels as they are written: few, and in every line again."""

    def __missing__(self, label: str) -> str:
        self[label] = written = label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        return written


class _Written(dict[str, str]):
    """Numbers as they are written, by what Python writes."""

    def __missing__(self, shown: str) -> str:
        self[shown] = written = number(float(shown))
        return written
