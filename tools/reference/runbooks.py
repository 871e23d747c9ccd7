"""The beginning of every runbook, generated from its alert: severity, expressions, and what they mean in words."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from alerts import render
from alerts.alert import Alert
from monitoring.settings import SiteSettings

# Where the part begins that is written by hand.
_HAND_WRITTEN = "## What it means"


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of the runbook of every alert.

    Raises:
        FileNotFoundError: an alert has no runbook; write one that begins with ``## What it means``.
        ValueError: a runbook lacks that heading.
    """
    settings = SiteSettings()
    alerts = sorted(render.all_alerts(settings), key=lambda alert: alert.name)
    for name, rules in groupby(alerts, key=lambda alert: alert.name):
        path = folder / f"{name}.md"
        text = path.read_text(encoding="utf-8")
        yield path, _head(name, list(rules), settings) + text[text.index(_HAND_WRITTEN) :]


def _head(name: str, rules: list[Alert], settings: SiteSettings) -> str:
    severities = ", ".join(dict.fromkeys(rule.severity.value for rule in rules))
    parts = [f"# {name}", f"Severity: {severities}."]
    for rule in rules:
        cause = f', `cause="{rule.cause}"`' if rule.cause else ""
        which = f"{rule.severity.value}{cause}: " if len(rules) > 1 else ""
        parts += [f"```promql\n{rule.expr}\n```", f"{which}{rule.meaning} {_times(rule, settings)}".strip()]
    return "\n\n".join(parts) + "\n\n"


def _times(rule: Alert, settings: SiteSettings) -> str:
    if not rule.hold:
        return ""
    hold, keep = settings.wait(rule.hold), settings.wait(rule.keep)
    return f"It fires after {hold}, and until {keep} after the expression last held."
