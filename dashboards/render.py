"""The dashboards as files for Grafana."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml
from grafanalib._gen import DashboardEncoder

from dashboards.exporter import exporter
from dashboards.grafana.board import Board
from dashboards.job import job
from dashboards.overview import overview
from dashboards.runs import runs
from dashboards.storage import storage
from monitoring.settings import SiteSettings

FOLDER = Path(__file__).parent / "json"
_MAKERS = (overview, job, runs, storage, exporter)


def boards(settings: SiteSettings | None = None) -> list[Board]:
    """Return the five dashboards for a site."""
    return [make(settings or SiteSettings()) for make in _MAKERS]


def files(settings: SiteSettings | None = None) -> Iterator[tuple[Path, str]]:
    """Yield the name and text of each file: the dashboards, and the kustomization that makes ConfigMaps of them."""
    all_boards = boards(settings)
    for board in all_boards:
        text = json.dumps(board, cls=DashboardEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        yield _file(board), text + "\n"
    yield Path("kustomization.yaml"), _kustomization(all_boards)


def _file(board: Board) -> Path:
    return Path(f"{board.uid}.json")


def _kustomization(all_boards: Sequence[Board]) -> str:
    """Return a kustomization with one ConfigMap per dashboard, labelled for Grafana's sidecar."""
    maps = [{"name": board.uid, "files": [str(_file(board))]} for board in all_boards]
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
