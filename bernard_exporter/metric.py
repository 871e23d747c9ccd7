"""What a metric is, and the ways of defining one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from bernard_exporter.policy import Limits
from bernard_exporter.snapshot import JobStatus, Snapshot
from bernard_exporter.telemetry import Telemetry

Kind = Literal["gauge", "counter"]
# The values of an entry's labels, then the value of the sample.
Sample = tuple[tuple[str, ...], float]

JOB_LABELS = ("section", "type", "datacenter")
AS_OF = " As of the last poll: scrapes never touch the database."


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: as it is exposed; a counter's ends in ``_total``.
        samples: takes a snapshot and the exporter's own figures, yields the samples; an unknown value yields none.
        own: it tells of the exporter, so it changes at every poll; the others tell of the inventory, which seldom does.
        historical: whether the runs of the inventory tell what it was at any time in the past.
    """

    name: str
    help: str
    kind: Kind
    labels: tuple[str, ...]
    samples: Callable[[Snapshot, Telemetry], Iterable[Sample]]
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
    """Metrics in the order they are defined, which is the order they are exposed."""

    def define(
        self,
        name: str,
        text: str,
        labels: tuple[str, ...],
        samples: Callable[[Snapshot, Telemetry], Iterable[Sample]],
        kind: Kind = "gauge",
        own: bool = False,
        historical: bool = False,
    ) -> Metric:
        """Define a metric of whatever it takes from a snapshot."""
        metric = Metric(f"bernard_{name}", text, kind, labels, samples, own, historical)
        self.append(metric)
        return metric

    def own(
        self, name: str, text: str, samples: Callable[[Telemetry], Iterable[Sample]], *labels: str, kind: Kind = "gauge"
    ) -> Metric:
        """Define a metric of the exporter itself."""
        return self.define(name, text, labels, lambda _, own: samples(own), kind, own=True)

    def job(self, name: str, text: str, value: Callable[[JobStatus], float | None]) -> Metric:
        """Define a metric with one sample a job, absent where the value is None."""

        def samples(snapshot: Snapshot, _: Telemetry) -> list[Sample]:
            return [(status.job, found) for status in snapshot.jobs if (found := value(status)) is not None]

        return self.define(f"backup_{name}", text + AS_OF, JOB_LABELS, samples, historical=True)

    def job_set(self, name: str, text: str, *further: str, values: Callable[[JobStatus], Iterable[Sample]]) -> Metric:
        """Define a metric with further labels and any number of samples a job."""

        def samples(snapshot: Snapshot, _: Telemetry) -> list[Sample]:
            return [(status.job + labels, value) for status in snapshot.jobs for labels, value in values(status)]

        return self.define(f"backup_{name}", text + AS_OF, (*JOB_LABELS, *further), samples, historical=True)

    def limit(self, name: str, text: str, value: Callable[[Limits], float | None]) -> Metric:
        """Define a metric of what the policy holds each job to."""
        return self.job(name, text, lambda status: value(status.limits) if status.limits else None)
