"""Renders samples as lines, which are the same in both formats.

prometheus_client creates a dictionary and an object for every sample; at 100,000 series that is most of the time and
memory of a poll. HELP and TYPE lines and the format of numbers are still prometheus_client's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from prometheus_client.utils import floatToGoString

from bernard_exporter.metrics.metric import Metric

number: Callable[[float], str] = floatToGoString


def series_writer(metric: Metric, further: Sequence[str] = ()) -> Callable[[Sequence[str]], str]:
    """Return a function that formats the name and labels of a series.

    Args:
        metric: the metric.
        further: the names of additional labels, after those of the metric.
    """
    form, order = _form(metric, further)
    escaped = _Escaped()

    def write(labels: Sequence[str]) -> str:
        return form % tuple([escaped[labels[index]] for index in order])

    return write


def lines(metric: Metric, labels: Sequence[Sequence[str]], values: Iterable[float]) -> bytes:
    """Return the samples of a metric, one line each.

    It works by column, which runs in C code, and caches escaped labels and values, as most are repeated.

    Args:
        metric: the metric.
        labels: the label values of each sample, in the order of the metric's labels.
        values: the value of each sample.
    """
    form, order = _form(metric, ())
    escaped, written = _Escaped(), _Written()
    columns = [map(escaped.__getitem__, map(itemgetter(index), labels)) for index in order]
    # Keyed by repr: as floats, 0.0 and -0.0 would be the same key.
    columns.append(map(written.__getitem__, map(repr, values)))
    return "".join(map(f"{form} %s\n".__mod__, zip(*columns, strict=True))).encode()


def _form(metric: Metric, further: Sequence[str]) -> tuple[str, list[int]]:
    """Return the format string of a series, and the indexes of its labels, which are sorted by name."""
    names = [*metric.labels, *further]
    order = sorted(range(len(names)), key=names.__getitem__)
    inside = ",".join(f'{names[index]}="%s"' for index in order)
    return (f"{metric.name}{{{inside}}}" if inside else metric.name), order


class _Escaped(dict[str, str]):
    """A cache of escaped label values."""

    def __missing__(self, label: str) -> str:
        self[label] = written = label.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
        return written


class _Written(dict[str, str]):
    """A cache of formatted numbers by their repr."""

    def __missing__(self, number_repr: str) -> str:
        self[number_repr] = written = number(float(number_repr))
        return written
