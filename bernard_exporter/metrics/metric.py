"""The definition of a metric, and the catalogue that collects them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from bernard_exporter.domain.policy import Limits
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.metrics.self_metrics import SelfMetrics

Kind = Literal["gauge", "counter"]
# Label values, then the sample's value.
Sample = tuple[tuple[str, ...], float]

JOB_LABELS = ("section", "type", "datacenter")
AS_OF = " As of the last poll: scrapes never touch the database."


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: the exposed name; that of a counter ends in ``_total``.
        samples: returns the samples of a snapshot and of the exporter's own metrics; an unknown value has no sample.
        own: whether it is about the exporter itself and so changes at every poll, rather than about the inventory.
        historical: whether its past values can be computed from the recorded runs.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...]
    samples: Callable[[Snapshot, SelfMetrics], Iterable[Sample]]
    own: bool = False
    historical: bool = False

    def __call__(self, **matchers: str) -> str:
        """Return a PromQL selector of the metric, such as ``METRIC(section="s1")``.

        Raises:
            ValueError: the metric has no such label.
        """
        unknown = sorted(set(matchers) - set(self.labels))
        if unknown:
            raise ValueError(f"{self.name} has no label {unknown[0]!r}, expected one of {', '.join(self.labels)}")
        inside = ",".join(f'{label}="{value}"' for label, value in matchers.items())
        return f"{self.name}{{{inside}}}" if inside else self.name


class Catalogue(list[Metric]):
    """All metrics in the order in which they are defined and exposed."""

    def define(
        self,
        name: str,
        text: str,
        labels: tuple[str, ...],
        samples: Callable[[Snapshot, SelfMetrics], Iterable[Sample]],
        kind: Kind = "gauge",
        own: bool = False,
        historical: bool = False,
    ) -> Metric:
        """Define a metric with any kind, labels and samples."""
        metric = Metric(f"bernard_{name}", text, kind, labels, samples, own, historical)
        self.append(metric)
        return metric

    def own(
        self,
        name: str,
        text: str,
        samples: Callable[[SelfMetrics], Iterable[Sample]],
        *labels: str,
        kind: Kind = "gauge",
    ) -> Metric:
        """Define a metric about the exporter itself."""
        return self.define(name, text, labels, lambda _, own: samples(own), kind, own=True)

    def job(self, name: str, text: str, value: Callable[[JobStatus], float | None]) -> Metric:
        """Define a metric with one sample per job, absent if the value is None."""

        def samples(snapshot: Snapshot, _: SelfMetrics) -> list[Sample]:
            return [(status.job, number) for status in snapshot.jobs if (number := value(status)) is not None]

        return self.define(f"backup_{name}", text + AS_OF, JOB_LABELS, samples, historical=True)

    def job_set(self, name: str, text: str, *further: str, values: Callable[[JobStatus], Iterable[Sample]]) -> Metric:
        """Define a metric with additional labels and any number of samples per job."""

        def samples(snapshot: Snapshot, _: SelfMetrics) -> list[Sample]:
            return [(status.job + labels, value) for status in snapshot.jobs for labels, value in values(status)]

        return self.define(f"backup_{name}", text + AS_OF, (*JOB_LABELS, *further), samples, historical=True)

    def limit(self, name: str, text: str, value: Callable[[Limits], float | None]) -> Metric:
        """Define a metric of a limit in the policy."""
        return self.job(name, text, lambda status: value(status.limits) if status.limits else None)
