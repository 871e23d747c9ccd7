"""Renders a report as text or HTML."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bernard_exporter.commands.report.build import Report
from bernard_exporter.domain import humanize

FORMATS = ("text", "html")


def render(report: Report, format_: str) -> str:
    """Render a report in one of ``FORMATS``."""
    environment = Environment(
        loader=PackageLoader("bernard_exporter.commands.report"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("size", "duration", "percent", "time", "visible")
    environment.filters |= {name: getattr(humanize, name) for name in names}
    return environment.get_template(f"report.{format_}").render(report=report)
