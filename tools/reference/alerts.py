"""The page of the reference that lists the alerts, from the code that makes them."""

from __future__ import annotations

from collections.abc import Iterator

from alerts import render
from alerts.settings import Settings

_ALERTS = """\
# Alerts

Every alert, in the order of the rule files. Limits of backups are the policy's and are read from its metrics; what an
alert waits for is how long its expression must hold. Each has a page among the [runbooks](../runbooks/index.md).

| alert | severity | waits | summary |
|---|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown."""
    return _ALERTS + "\n".join([*_rows(), *_expressions()]) + "\n"


def _rows() -> Iterator[str]:
    settings = Settings()
    for alert in render.all_alerts(settings):
        summary = alert.summary.replace("|", "\\|")
        yield f"| {alert.name} | {alert.severity.value} | {settings.wait(alert.hold)} | `{summary}` |"


def _expressions() -> Iterator[str]:
    yield "\n## Expressions"
    for alert in render.all_alerts(Settings()):
        cause = f" ({alert.cause})" if alert.cause else ""
        yield f"\n### {alert.name}, {alert.severity.value}{cause}\n\n```promql\n{alert.expr.strip()}\n```"
