"""Each room imports only the rooms above it, and no two modules import each other."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

from testing.tree import ROOT

# From the top; a package of the exporter stands for all its modules.
ROOMS = [
    "bernard_exporter.errors",
    "bernard_exporter.tuning",
    "bernard_exporter.domain",
    "bernard_exporter.config",
    "bernard_exporter.store",
    "bernard_exporter.inventory",
    "bernard_exporter.metrics",
    "bernard_exporter.polling",
    "bernard_exporter.queries",
    "bernard_exporter.web",
    "bernard_exporter.commands",
    "monitoring",
    "alerts",
    "dashboards",
    "testing",
    "tools",
    "tests",
]
# What these rooms may import of those above; every other room may import all of them.
ONLY = {
    "monitoring": ["bernard_exporter.domain", "bernard_exporter.inventory", "bernard_exporter.metrics"],
    "alerts": ["bernard_exporter.domain", "bernard_exporter.metrics", "monitoring"],
    "dashboards": ["bernard_exporter.errors", "bernard_exporter.domain", "bernard_exporter.metrics", "monitoring"],
}


def _name(file: Path) -> str:
    return ".".join(part for part in file.relative_to(ROOT).with_suffix("").parts if part != "__init__")


MODULES = {
    _name(file): file
    for room in ("bernard_exporter", "monitoring", "alerts", "dashboards", "testing", "tools", "tests")
    for file in (ROOT / room).rglob("*.py")
}


def _room(module: str) -> str | None:
    """Return the room of a module; None for the roots, which hold the version and the start of the command."""
    if module in ("bernard_exporter", "bernard_exporter.__main__"):
        return None
    rooms = [room for room in ROOMS if module == room or module.startswith(f"{room}.")]
    assert rooms, f"{module} is in no room: add it to ROOMS below all that it imports"
    return rooms[0]


def _imported(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = {f"{node.module}.{alias.name}" for alias in node.names} & MODULES.keys()
            names |= parts or {node.module}
    return names & MODULES.keys()


IMPORTS = {module: _imported(file) for module, file in MODULES.items()}


def test_no_room_imports_from_below() -> None:
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        if (room := _room(module))
        for other in others
        if (above := _room(other)) and above != room
        if ROOMS.index(above) > ROOMS.index(room) or above not in ONLY.get(room, [above])
    ]
    assert wrong == []


def test_no_modules_import_each_other() -> None:
    tuple(TopologicalSorter(IMPORTS).static_order())
