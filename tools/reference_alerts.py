"""The pages of the reference that tell of alerts and of the JSON API, from the code that makes both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alerts import render
from alerts.settings import Settings
from bernard_exporter.api import jobs, runs, schedule
from bernard_exporter.api.operation import Operation

_OPERATIONS = (*jobs.OPERATIONS, *runs.OPERATIONS, *schedule.OPERATIONS)
_ALERTS = """\
# Alerts

Every alert, in the order of the rule files. Limits of backups are the policy's and are read from its metrics; what an
alert waits for is how long its expression must hold. Each has a page among the [runbooks](../runbooks/index.md).

| alert | severity | waits | summary |
|---|---|---|---|
"""
_API = """\
# JSON API

Read-only, below `/api/v1`. The OpenAPI document is at `/api/v1/openapi.json`, and readable at `/api/docs`. Times are
RFC 3339 in UTC, sizes bytes, durations seconds; what is unknown is null. Lists answer `items` and `next_cursor`, which
is given back as `cursor` for the next page; a page costs the same at any depth. With `Accept: text/csv` a list comes as
CSV. Errors are `application/problem+json`: 400 says which parameter makes no sense and why, 404 that there is no such
thing, 503 that the database is away, with `Retry-After`.
"""


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield both pages, and what they should hold."""
    yield docs / "reference" / "alerts.md", _ALERTS + "\n".join([*_rows(), *_expressions()]) + "\n"
    yield docs / "reference" / "api.md", _API + "".join(_operation(operation) for operation in _OPERATIONS)


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


def _operation(operation: Operation) -> str:
    rows = "".join(
        f"\n| `{parameter.name}` | {parameter.description.replace('|', chr(92) + '|')} |"
        for parameter in operation.parameters
    )
    table = f"\n| parameter | meaning |\n|---|---|{rows}\n" if rows else ""
    shown = f"{operation.method} /api{operation.path}"
    return f"\n## {operation.summary}\n\n`{shown}`\n\n{operation.description}\n{table}"
