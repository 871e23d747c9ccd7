"""The files in deploy/ and for CI match the published schemas, and refer only to existing files.

What needs a container engine or a cluster is not run here.
"""

from __future__ import annotations

import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from cloudcoil.models.prometheus_operator.v1 import PrometheusRule, ServiceMonitor

from bernard_exporter import __version__
from bernard_exporter.config.load import load
from testing.servers import need
from testing.tree import ROOT

CONTAINER, KUBERNETES = ROOT / "deploy" / "container", ROOT / "deploy" / "kubernetes"
KUBERNETES_VERSION = "1.33"
MODELS: dict[str, Any] = {"PrometheusRule": PrometheusRule, "ServiceMonitor": ServiceMonitor}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def kustomizations(folder: Path = KUBERNETES) -> dict[Path, Any]:
    """Return a folder's kustomization and those it leads to, by folder."""
    found = {folder.resolve(): read(folder / "kustomization.yaml")}
    for name in found[folder.resolve()].get("resources", []):
        if (folder / name).is_dir():
            found |= kustomizations(folder / name)
    return found


def resources() -> list[Path]:
    return [
        folder / name
        for folder, kustomization in kustomizations().items()
        for name in kustomization.get("resources", [])
        if not (folder / name).is_dir()
    ]


@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.compose-spec", CONTAINER / "compose.yaml"), ("vendor.gitlab-ci", ROOT / ".gitlab-ci.yml")],
)
def test_file_fits_its_published_schema(schema: str, file: Path) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema]
    if "gitlab" in schema:
        command += ["--data-transform", "gitlab-ci"]
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("file", resources(), ids=lambda file: file.name)
def test_kubernetes_resource_fits_its_schema(file: Path) -> None:
    resource = read(file)
    model = MODELS.get(resource["kind"])
    if model is None:
        kubernetes_validate.validate(resource, KUBERNETES_VERSION, strict=True)
    else:
        # Nothing is lost on the way through the model, so nothing is unknown to it.
        kept = model.model_validate(resource).model_dump(mode="json", by_alias=True, exclude_none=True)
        assert missing_from(resource, kept) == []


def missing_from(wanted: Any, kept: Any, where: str = "") -> list[str]:
    if isinstance(wanted, dict):
        return [
            lost
            for key, value in wanted.items()
            for lost in ([f"{where}.{key}"] if key not in kept else missing_from(value, kept[key], f"{where}.{key}"))
        ]
    if isinstance(wanted, list):
        pairs = zip(wanted, kept, strict=True)
        return [
            lost for index, (one, other) in enumerate(pairs) for lost in missing_from(one, other, f"{where}[{index}]")
        ]
    return [] if wanted == kept else [f"{where}: {wanted!r} became {kept!r}"]


def test_kustomizations_name_only_files_there_are_and_maps_by_one_name() -> None:
    names = []
    for folder, kustomization in kustomizations().items():
        for name in kustomization.get("resources", []):
            assert (folder / name).exists(), f"{folder}/{name}"
        for generator in kustomization.get("configMapGenerator", []):
            names.append(generator["name"])
            assert [file for file in generator["files"] if not (folder / file).is_file()] == []
            assert sum((folder / file).stat().st_size for file in generator["files"]) < 1_000_000
    assert len(names) == len(set(names)) > 5
    boards = {path.stem for path in (ROOT / "dashboards" / "json").glob("*.json")}
    assert boards <= set(names)


def test_deployment_runs_as_no_root_on_a_read_only_root() -> None:
    pod = read(KUBERNETES / "deployment.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    image = read(KUBERNETES / "kustomization.yaml")["images"][0]
    assert (image["name"], image["newTag"]) == (container["image"], __version__)


def test_compose_mounts_only_what_is_there_and_what_is_read_is_accepted() -> None:
    services = read(CONTAINER / "compose.yaml")["services"]
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    assert [
        host
        for host, *_ in (mount.split(":") for mount in mounts)
        if host[0] == "." and not (CONTAINER / host).exists()
    ] == []
    load(CONTAINER / "exporter" / "config.yaml")
    prometheus = CONTAINER / "prometheus" / "prometheus.yml"
    checked = subprocess.run([need("promtool"), "check", "config", "--syntax-only", str(prometheus)], check=False)
    assert checked.returncode == 0
    (pattern,) = read(prometheus)["rule_files"]
    rules = {path.name for path in (ROOT / "alerts" / "rules").iterdir()}
    read_by = {name for name in rules if fnmatch(name, Path(pattern).name.replace("[^", "[!"))}
    assert read_by == {name for name in rules if not name.endswith("_test.yaml")}


def test_container_is_no_root_and_says_how_it_is() -> None:
    lines = (CONTAINER / "Containerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10279:10279"]
    assert any(line.startswith("HEALTHCHECK") for line in lines)
    # What is copied is let through, or the build would lack it.
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert [name for name in let_through if not (ROOT / name).exists()] == []
    assert {"bernard_exporter", "alerts", "dashboards", "setup.cfg", "pyproject.toml", "README.md"} <= let_through
