"""The page of the reference about alerts and recorded series."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from alerts import recording
from alerts.alert import Alert
from alerts.recording import Recording
from alerts.render import all_alerts
from alerts.settings import Settings

_INTRODUCTION = """\
# Alerts

What the rules in `alerts/rules` fire on and record, with the values they are made with where nobody gives others.
[Alerting](../how-to/alerting.md) tells how to make them with your own and why they are as they are.
"""


def page(settings: Settings) -> str:
    """Return the page as Markdown."""
    return "\n".join([_INTRODUCTION, *_alerts(settings), *_recorded(settings)])


def _alerts(settings: Settings) -> Iterator[str]:
    for name, rules in groupby(all_alerts(settings), key=lambda alert: alert.name):
        yield f"## {name}\n\nRunbook: [{name}](../runbooks/{name}.md).\n"
        for alert in rules:
            yield f"{_terms(alert, settings)}\n\n```promql\n{alert.expr}\n```\n"


def _terms(alert: Alert, settings: Settings) -> str:
    cause = f", cause `{alert.cause}`" if alert.cause else ""
    about = f", labels {', '.join(f'`{label}`' for label in alert.labels)}" if alert.labels else ""
    return f"Severity {alert.severity.value}{cause}, after {settings.wait(alert.hold)}{about}:"


def _recorded(settings: Settings) -> Iterator[str]:
    rules: tuple[Recording, ...] = (
        *recording.facts(settings),
        *recording.inventory(),
        *recording.objectives(),
    )
    yield "## Recorded series\n\n| series | labels |\n|---|---|"
    yield from (f"| `{rule.series.name}` | {', '.join(rule.series.labels)} |" for rule in rules)
    yield ""
