"""The definition of an alert, and the template fragments that name its job and its numbers."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.metrics.catalogue import OWNER
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring import boards
from monitoring.settings import MINUTE
from monitoring.severity import Severity

# The subject of an alert in its summary; short, to fit on a phone.
THE_JOB = "{{ $labels.type }} of {{ $labels.section }} in {{ $labels.datacenter }}"
EVERYWHERE = "{{ $labels.type }} of {{ $labels.section }}"
VALUE = "$value"
# The labels of an alert about a job; the first is the scrape job, which names the inventory.
SUBJECT = ("job", *JOB_LABELS)
# How far the clock of an exporter may differ from that of Prometheus.
SKEW = 5 * MINUTE
# How long an alert keeps firing while its expression has no result: a gap of 15 minutes and one missed scrape more.
KEEP = 16 * MINUTE
# Alerts that inhibit others fire longer than those, so that these have ended by then.
KEEP_INHIBITOR = 20 * MINUTE
# humanize1024 writes 300ki; the documentation writes 300 KiB.
_BINARY = 'humanize1024 | reReplaceAll "^([-0-9.]+)" "$1 " | reReplaceAll "k" "K"'
AGE = "humanizeDuration"
PERCENT = 'humanizePercentage | reReplaceAll "%$" " %"'


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule; several rules may share a name and differ in severity or cause.

    Attributes:
        name: CamelCase; also the name of its runbook.
        hold: seconds for which the expression must hold before the alert fires.
        labels: the labels that identify the subject; they set the variables of the linked dashboard.
        meaning: the expression in words, one sentence; its runbook begins with it.
        summary: one line for a phone.
        description: found value, expected value, and consequence.
        board: uid of the linked dashboard.
        cause: distinguishes rules of the same name and severity; '' if there is only one.
        keep: seconds for which the alert keeps firing after the expression last held.
    """

    name: str
    severity: Severity
    expr: str
    hold: float
    labels: tuple[str, ...]
    meaning: str
    summary: str
    description: str
    board: str = boards.JOB
    cause: str = ""
    keep: float = KEEP


def shown(value: str, form: str) -> str:
    """Return a template of a value, such as ``$value``, formatted by a function of Prometheus' templates."""
    return f"{{{{ {value} | {form} }}}}"


def bytes_shown(value: str) -> str:
    """Return a template of a size as in the documentation, with the exact number of bytes in parentheses.

    Two sizes that differ are then never printed alike.
    """
    return f'{{{{ {value} | {_BINARY} }}}}B ({{{{ {value} | printf "%.0f" }}}} B)'


def looked_up(query: str, text: str, labels: tuple[str, ...] = SUBJECT) -> str:
    """Return a template with the result of a query about the alert's subject; '' if the query has no result.

    Args:
        query: PromQL in which ``%s`` stands for matchers of the subject's labels.
        text: a template of the result, which is ``.``.
        labels: the labels of the subject.
    """
    return f"{{{{ with {_query(query, labels)} }}}}{{{{ with . | first | value }}}}{text}{{{{ end }}}}{{{{ end }}}}"


def owner(labels: tuple[str, ...], otherwise: str) -> str:
    """Return a template of the team that owns the alert's job by the policy, else ``otherwise``."""
    if not {"section", "type"} <= set(labels):
        return otherwise
    first = f'{_query(f"{OWNER.name}{{%s}}", labels)} }}}}{{{{ . | sortByLabel "team" | first | label "team" }}}}'
    return f"{{{{ with {first}{{{{ else }}}}{otherwise}{{{{ end }}}}"


def _query(query: str, labels: tuple[str, ...]) -> str:
    """Return the pipeline of a template that runs a query; Go's %q quotes each value as PromQL does."""
    parts = query.split("%s")
    matchers = ",".join(f"{label}=%q" for label in labels)
    values = " ".join([f"$labels.{label}" for label in labels] * (len(parts) - 1))
    return f"printf `{matchers.join(parts)}` {values} | query"
