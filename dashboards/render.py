"""The boards as the files that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from grafanalib._gen import DashboardEncoder

from alerts.settings import Settings
from dashboards.exporter import exporter
from dashboards.grafana.board import Board
from dashboards.job import job
from dashboards.overview import overview
from dashboards.runs import runs
from dashboards.storage import storage

FOLDER = Path(__file__).parent / "json"
_MAKERS = (overview, job, runs, storage, exporter)


def boards(settings: Settings | None = None) -> list[Board]:
    """Return the five boards for a site."""
    return [make(settings or Settings()) for make in _MAKERS]


def files(settings: Settings | None = None) -> Iterator[tuple[Path, str]]:
    """Yield the name of each board's file and what it holds."""
    for board in boards(settings):
        text = json.dumps(board, cls=DashboardEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        yield Path(f"{board.uid}.json"), text + "\n"
