"""Each module imports only what stands above it, so that the layout shows the architecture."""

from __future__ import annotations

import ast
from pathlib import Path

import bernard_exporter

ROOT = Path(bernard_exporter.__file__).parent
# From the top; a package stands for all its modules.
ORDER = [
    "errors",
    "memory",
    "model",
    "schedule",
    "wording",
    "contents",
    "policy",
    "filters",
    "telemetry",
    "config",
    "store",
    "inventory.record",
    "snapshot",
    "inventory",
    "assessment",
    "survey",
    "metric",
    "catalogue",
    "promql",
    "lines",
    "exposition",
    "poller",
    "sample",
    "logs",
    "inspection",
    "backfill",
    "check",
    "report",
    "doctor",
    "importing",
    "toolkit",
    "api",
    "pages",
    "web",
    "cli",
]


def rank(module: str) -> int:
    found = [index for index, name in enumerate(ORDER) if module == name or module.startswith(f"{name}.")]
    assert found, f"{module} has no place in ORDER: decide what it may import"
    return min(found)


def imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in ROOT.rglob("*.py")}
    return {name.removeprefix("bernard_exporter.") for name in names} & modules


def test_no_module_imports_from_below() -> None:
    wrong = []
    for file in ROOT.rglob("*.py"):
        parts = file.relative_to(ROOT).with_suffix("").parts
        if parts[-1] in ("__main__", "__init__") and len(parts) == 1:
            continue
        module = ".".join(part for part in parts if part != "__init__")
        wrong += [f"{module} imports {other}" for other in imported(file) if rank(other) > rank(module)]
    assert wrong == []
