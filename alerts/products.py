"""Every file that is made, by its path in a folder of results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from alerts import render, routing
from alerts.settings import Settings

FOLDER = Path(__file__).parent
TEMPLATES = "alertmanager/templates/bernard.tmpl"


def products(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each file made with ``settings``."""
    yield from render.rule_files(settings)
    yield "kubernetes/prometheusrule.yaml", render.custom_resource(settings)
    yield "alertmanager/alertmanager.yml", routing.configuration(settings)
