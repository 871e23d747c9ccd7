"""Private names of libraries are used in one module for each library, whose test fails when they change."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from types import ModuleType

import pymysql.connections
import pymysql.cursors
import pytest
import uvicorn.config
import uvicorn.protocols.http.flow_control
import uvicorn.protocols.http.httptools_impl
import uvicorn.server

import bernard_exporter

ROOT = Path(bernard_exporter.__file__).parent
PYMYSQL = (pymysql.connections, pymysql.cursors)
UVICORN = (
    uvicorn.config,
    uvicorn.server,
    uvicorn.protocols.http.flow_control,
    uvicorn.protocols.http.httptools_impl,
)


def private_names(tree: ast.AST) -> set[str]:
    """Return the private names of attributes and methods, without those with two underscores."""
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for made in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        used |= {member.name for member in made.body if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)}
    # As in getattr(connection, "_sock", None).
    used |= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {name for name in used if name.startswith("_") and not name.startswith("__")}


def imports(tree: ast.AST, library: str) -> bool:
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(name.partition(".")[0] == library for name in names)


@pytest.mark.parametrize(
    ("library", "modules", "expected"),
    [
        # tests/store/test_driver.py
        (
            "pymysql",
            PYMYSQL,
            {
                "store/driver.py": {
                    "_create_ssl_ctx",
                    "_force_close",
                    "_process_auth",
                    "_read_bytes",
                    "_result",
                    "_secure",
                    "_sock",
                }
            },
        ),
        # tests/faults/test_bounds.py
        ("uvicorn", UVICORN, {"web/server/protocol.py": {"_unset_keepalive_if_required"}}),
    ],
)
def test_private_names_of_a_library_are_used_in_one_module(
    library: str, modules: tuple[ModuleType, ...], expected: dict[str, set[str]]
) -> None:
    known = set[str]().union(*(private_names(ast.parse(inspect.getsource(module))) for module in modules))
    used: dict[str, set[str]] = {}
    for file in ROOT.rglob("*.py"):
        tree = ast.parse(file.read_text())
        if imports(tree, library) and (names := private_names(tree) & known):
            used[file.relative_to(ROOT).as_posix()] = names
    assert used == expected
