"""Every generated file, by its path below the output directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alerts import render, routing
from monitoring.settings import SiteSettings

FOLDER = Path(__file__).parent
TEMPLATES = "alertmanager/templates/bernard.tmpl"


def products(settings: SiteSettings) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file generated with ``settings``."""
    yield from render.rule_files(settings)
    yield "kubernetes/prometheusrule.yaml", render.custom_resource(settings)
    yield "alertmanager/alertmanager.yml", routing.configuration(settings)
