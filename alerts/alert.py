"""What an alert is, and how a sentence in it speaks of the job it is about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from alerts.recording import Recorded
from bernard_exporter.metric import JOB_LABELS

JOB_BOARD = "bernard-job"
OVERVIEW_BOARD = "bernard-overview"
RUNS_BOARD = "bernard-runs"
EXPORTER_BOARD = "bernard-exporter"

# How alerts name what they are about, on a phone first of all: short.
THE_JOB = "{{ $labels.type }} of {{ $labels.section }} in {{ $labels.datacenter }}"
EVERYWHERE = "{{ $labels.type }} of {{ $labels.section }}"
FLEET = "{{ $labels.type }} backups in {{ $labels.datacenter }}"


class Severity(StrEnum):
    """Whom an alert reaches, the most urgent first."""

    PAGE = "page"
    CRITICAL = "critical"
    WARNING = "warning"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alerting rule; two may share a name where only severity or words differ.

    Attributes:
        name: CamelCase; the name of its runbook too.
        hold: seconds for which the expression must hold before the alert fires.
        labels: what the alert says it is about; they fill in the variables of its dashboard.
        summary: one line for a phone.
        description: what was found, what is expected, what it means.
        board: the uid of the dashboard to look at.
        cause: what tells rules of one name and severity apart; '' for the only one.
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
    """Return a template that shows what a series is for the job of the alert, in one of Prometheus' forms."""
    selector = ",".join(f"{label}=%q" for label in JOB_LABELS)
    values = " ".join(f"$labels.{label}" for label in JOB_LABELS)
    query = f"printf `{series.name}{{{selector}}}` {values} | query"
    return f"{{{{ with {query} }}}}{{{{ . | first | value | {form} }}}}{{{{ end }}}}"
