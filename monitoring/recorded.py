"""The series that the recording rules write; alerts and dashboards read them."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring.promql import TARGET_LABELS


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded series.

    Attributes:
        name: in the form level:metric:operation.
        labels: the labels that its rule refers to; labels of the scraped target may come on top.
    """

    name: str
    labels: tuple[str, ...]

    def __call__(self, **equals: str) -> str:
        """Return a selector of the series.

        Raises:
            ValueError: it has no such label.
        """
        unknown = sorted(set(equals) - set(self.labels))
        if unknown:
            raise ValueError(f"{self.name} has no label {unknown[0]!r}, expected one of {', '.join(self.labels)}")
        inside = ",".join(f'{label}="{value}"' for label, value in equals.items())
        return f"{self.name}{{{inside}}}" if inside else self.name


# Of each job that may raise alerts, the exporter whose metrics they read.
SPEAKER = Recorded("job:bernard_backup:speaker", (*TARGET_LABELS, *JOB_LABELS))
