"""The definition of an alert, and the template fragments that name its job."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring.recorded import Recorded
from monitoring.severity import Severity

JOB_BOARD = "bernard-job"
OVERVIEW_BOARD = "bernard-overview"
RUNS_BOARD = "bernard-runs"
EXPORTER_BOARD = "bernard-exporter"

# The subject of an alert in its summary; short, to fit on a phone.
THE_JOB = "{{ $labels.type }} of {{ $labels.section }} in {{ $labels.datacenter }}"
EVERYWHERE = "{{ $labels.type }} of {{ $labels.section }}"
FLEET = "{{ $labels.type }} backups in {{ $labels.datacenter }}"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule; several rules may share a name and differ in severity or cause.

    Attributes:
        name: CamelCase; also the name of its runbook.
        hold: seconds for which the expression must hold before the alert fires.
        labels: the labels that identify the subject; they set the variables of the linked dashboard.
        summary: one line for a phone.
        description: found value, expected value, and consequence.
        board: uid of the linked dashboard.
        cause: distinguishes rules of the same name and severity; '' if there is only one.
    """

    name: str
    severity: Severity
    expr: str
    hold: float
    labels: tuple[str, ...]
    summary: str
    description: str
    board: str = JOB_BOARD
    cause: str = ""


def looked_up(series: Recorded, form: str) -> str:
    """Return a template with the value of a series for the alert's job, formatted by a Prometheus template function."""
    selector = ",".join(f"{label}=%q" for label in JOB_LABELS)
    values = " ".join(f"$labels.{label}" for label in JOB_LABELS)
    query = f"printf `{series.name}{{{selector}}}` {values} | query"
    return f"{{{{ with {query} }}}}{{{{ . | first | value | {form} }}}}{{{{ end }}}}"
