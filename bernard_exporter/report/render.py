"""A report as text or as HTML."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bernard_exporter import wording
from bernard_exporter.report.contents import Report

FORMATS = ("text", "html")


def render(report: Report, format_: str) -> str:
    """Return a report in one of ``FORMATS``."""
    environment = Environment(
        loader=PackageLoader("bernard_exporter.report"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    names = ("size", "duration", "percent", "time", "visible")
    environment.filters |= {name: getattr(wording, name) for name in names}
    return environment.get_template(f"report.{format_}").render(report=report)
