"""The boards as the files that Grafana reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
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
    """Yield the name of each file and what it holds: the boards, and what makes ConfigMaps of them."""
    made = boards(settings)
    for board in made:
        text = json.dumps(board, cls=DashboardEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        yield _file(board), text + "\n"
    yield Path("kustomization.yaml"), _kustomization(made)


def _file(board: Board) -> Path:
    return Path(f"{board.uid}.json")


def _kustomization(made: Sequence[Board]) -> str:
    """Return what kustomize makes a ConfigMap a board from, labelled as Grafana's sidecar looks for it."""
    maps = [{"name": board.uid, "files": [str(_file(board))]} for board in made]
    text = yaml.safe_dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "configMapGenerator": maps,
            "generatorOptions": {
                "disableNameSuffixHash": True,
                "labels": {"grafana_dashboard": "1"},
                "annotations": {"grafana_folder": "Backups"},
            },
        },
        sort_keys=False,
    )
    return f"# Written by `make generate`; change dashboards/render.py instead.\n{text}"
