"""The reference page of alerts, generated from their definitions."""

from __future__ import annotations

from collections.abc import Iterator

from alerts import render
from monitoring.settings import SiteSettings

_ALERTS = """\
# Alerts

Every alert, in the order of the rule files. Limits of backups are read from the metrics of the policy. The column "for"
is the time for which the expression must hold. Each alert has a [runbook](../runbooks/index.md).

| alert | severity | for | summary |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    return _ALERTS + "\n".join([*_rows(), *_expressions()]) + "\n"


def _rows() -> Iterator[str]:
    settings = SiteSettings()
    for alert in render.all_alerts(settings):
        summary = alert.summary.replace("|", "\\|")
        yield f"| {alert.name} | {alert.severity.value} | {settings.wait(alert.hold)} | `{summary}` |"


def _expressions() -> Iterator[str]:
    yield "\n## Expressions"
    for alert in render.all_alerts(SiteSettings()):
        cause = f" ({alert.cause})" if alert.cause else ""
        yield f"\n### {alert.name}, {alert.severity.value}{cause}\n\n```promql\n{alert.expr.strip()}\n```"
