"""PromQL over the catalogue's metrics, with what differs between the exporters scraped aggregated away.

Two exporters may be scraped at once, so that one may die. A panel or an alert that says ``instance`` would then show
everything twice, and page twice; these functions keep a metric's own labels and no others.
"""

from __future__ import annotations

from collections.abc import Mapping

from bernard_exporter.metric import JOB_LABELS, Metric

# What Prometheus calls a scraped exporter by.
TARGET_LABELS = ("job", "instance")
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def selector(metric: Metric, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return a selector of the metric, by its own labels and those of the scraped exporter.

    Args:
        metric: an entry of the catalogue.
        matches: label to the regular expression, or Grafana variable, that it must match.
        equals: label to the value it must have.

    Raises:
        ValueError: the metric has no such label.
    """
    metric(**dict.fromkeys({*(matches or {}), *equals} - set(TARGET_LABELS), ""))
    inside = [f'{label}="{value}"' for label, value in equals.items()]
    inside += [f'{label}=~"{pattern}"' for label, pattern in (matches or {}).items()]
    return f"{metric.name}{{{','.join(inside)}}}" if inside else metric.name


def merged(metric: Metric, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return an expression with one series for each set of the metric's own labels, however many exporters tell it.

    Labels held to one value by ``equals`` are left out of the result. Where exporters differ, which they do for as
    long as one has polled and the other has not, the largest value counts: of timestamps and ids the newest.

    Raises:
        ValueError: the metric has no such label.
    """
    labels = [label for label in metric.labels if label not in equals]
    return largest(selector(metric, matches, **equals), labels)


def merged_rate(metric: Metric, window: str, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return the rate of a counter per second and exporter, the largest where several are scraped.

    Raises:
        ValueError: the metric has no such label, or is no counter.
    """
    if metric.kind != "counter":
        raise ValueError(f"{metric.name} is a gauge, expected a counter: the rate of a gauge means nothing")
    labels = [label for label in metric.labels if label not in equals]
    return largest(f"rate({selector(metric, matches, **equals)}[{window}])", labels)


def largest(expression: str, labels: tuple[str, ...] | list[str] = JOB_LABELS) -> str:
    """Return the largest value of an expression for each set of values of ``labels``."""
    return f"max by ({', '.join(labels)}) ({expression})" if labels else f"max({expression})"


def duration(seconds: float) -> str:
    """Return seconds as PromQL writes them, such as ``15m`` or ``300ms``, in the largest unit that loses nothing."""
    milliseconds = round(seconds * 1000)
    if not milliseconds:
        return "0s"
    unit, size = next((unit, size) for unit, size in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
