"""PromQL expressions of the catalogue's metrics, aggregated over the scraped exporters.

Two exporters may be scraped for redundancy. A panel or an alert that keeps ``instance`` would then show everything
twice and page twice; these functions keep only the metric's own labels.
"""

from __future__ import annotations

from collections.abc import Mapping

from bernard_exporter.metrics.metric import JOB_LABELS, Metric

# The labels that identify a scraped exporter. Exporters with the same ``job``, the name of the scrape job, export one
# inventory; a different one is another inventory, whose jobs may have the same names.
TARGET_LABELS = ("job", "instance")
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))


def selector(metric: Metric, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return a selector of the metric by its own labels and those of the scraped exporter.

    Args:
        metric: an entry of the catalogue.
        matches: label to a regular expression or Grafana variable.
        equals: label to an exact value.

    Raises:
        ValueError: the metric has no such label.
    """
    metric(**dict.fromkeys({*(matches or {}), *equals} - set(TARGET_LABELS), ""))
    inside = [f'{label}="{value}"' for label, value in equals.items()]
    inside += [f'{label}=~"{pattern}"' for label, pattern in (matches or {}).items()]
    return f"{metric.name}{{{','.join(inside)}}}" if inside else metric.name


def merged(metric: Metric, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return an expression with one series for each set of the metric's own labels, however many exporters there are.

    Labels in ``equals`` are left out of the result. Exporters that polled at different times may differ: the largest
    value counts, for timestamps and ids the newest.

    Raises:
        ValueError: the metric has no such label.
    """
    labels = [label for label in metric.labels if label not in equals]
    return largest(selector(metric, matches, **equals), labels)


def merged_rate(metric: Metric, window: str, matches: Mapping[str, str] | None = None, **equals: str) -> str:
    """Return the per-second rate of a counter, the largest of the scraped exporters.

    Raises:
        ValueError: the metric has no such label, or is no counter.
    """
    if metric.kind != "counter":
        raise ValueError(f"{metric.name} is a gauge, expected a counter: the rate of a gauge is meaningless")
    labels = [label for label in metric.labels if label not in equals]
    return largest(f"rate({selector(metric, matches, **equals)}[{window}])", labels)


def largest(expression: str, labels: tuple[str, ...] | list[str] = JOB_LABELS) -> str:
    """Return the largest value of an expression for each set of values of ``labels``."""
    return f"max by ({', '.join(labels)}) ({expression})" if labels else f"max({expression})"


def duration(seconds: float) -> str:
    """Return seconds as a PromQL duration such as ``15m`` or ``300ms``, in the largest unit that is exact."""
    milliseconds = round(seconds * 1000)
    if not milliseconds:
        return "0s"
    unit, size = next((unit, size) for unit, size in _UNITS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"
