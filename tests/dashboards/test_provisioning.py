"""The files with which Grafana, or its sidecar on Kubernetes, finds the dashboards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from dashboards.render import FOLDER

PROVISIONING = FOLDER.parent / "provisioning"
# What Kubernetes lets a ConfigMap hold.
_LIMIT = 1 << 20
UIDS = sorted(f"bernard-{name}" for name in ("exporter", "job", "overview", "runs", "storage"))


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text())
    return found


def test_data_source_and_boards_are_provisioned_in_grafanas_first_format() -> None:
    (source,) = read(PROVISIONING / "datasources" / "bernard.yaml")["datasources"]
    assert (source["type"], source["uid"], source["jsonData"]["httpMethod"]) == ("prometheus", "prometheus", "POST")
    provider = read(PROVISIONING / "dashboards" / "bernard.yaml")
    assert provider["apiVersion"] == 1
    (found,) = provider["providers"]
    assert found["options"] == {"path": "/var/lib/grafana/dashboards/bernard"}
    assert (found["type"], found["allowUiUpdates"]) == ("file", False)


def test_kustomization_makes_a_labelled_map_of_each_board() -> None:
    made = read(FOLDER / "kustomization.yaml")
    assert sorted(each["name"] for each in made["configMapGenerator"]) == UIDS
    for each in made["configMapGenerator"]:
        (name,) = each["files"]
        assert json.loads((FOLDER / name).read_text())["uid"] == each["name"]
        assert (FOLDER / name).stat().st_size < _LIMIT
    assert made["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}


def test_boards_written_with_ones_own_address_lead_to_ones_own_pages(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "dashboards", f"--output={tmp_path}", "--exporter-url=https://here.example/b/"]
    subprocess.run(command, check=True, capture_output=True, cwd=FOLDER.parents[1])
    assert sorted(file.stem for file in tmp_path.glob("*.json")) == UIDS
    for file in tmp_path.glob("*.json"):
        variables = json.loads(file.read_text())["templating"]["list"]
        (pages,) = (variable for variable in variables if variable["name"] == "exporter")
        assert pages["current"]["value"] == "https://here.example/b"
