"""The dashboards match Grafana's published types."""

from __future__ import annotations

import copy
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testing.servers import need
from testing.tree import ROOT
from tests.dashboards.grafana import committed

SCHEMA = Path(__file__).parent / "schema"
CACHE = ROOT / ".cache"
MODULE = """import type {{ Newest, Older }} from "../boards";
export const board = {json} as const satisfies Newest;
export const older: Older = board;
"""
# Each breaks the first panel or the board as a dashboard was once broken.
SPOILERS: dict[str, Callable[[dict[str, Any]], None]] = {
    "unknown-option": lambda board: board["panels"][0]["options"].update(sparkline=True),
    "angular-panel": lambda board: board["panels"][0].update(type="graph"),
    "unknown-color-mode": lambda board: board["panels"][0]["fieldConfig"]["defaults"].update(color={"mode": "red"}),
    "datasource-by-name": lambda board: board["panels"][0].update(datasource="prometheus"),
    "unknown-override": lambda board: board["panels"][0]["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "colour", "value": "red"}]}
    ),
    "wrong-value-in-an-override": lambda board: board["panels"][0]["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": "x"}, "properties": [{"id": "decimals", "value": "none"}]}
    ),
    "text-for-a-number": lambda board: board.update(schemaVersion="38"),
    "deprecated-rows": lambda board: board.update(rows=[]),
}


def installed() -> Path:
    """Return where the schema packages are installed, for the versions that are wanted now."""
    wanted = SCHEMA / "package.json"
    place = CACHE / f"board-schema-{hashlib.sha256(wanted.read_bytes()).hexdigest()[:12]}"
    if not (place / "done").exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copy(wanted, place)
        command = [need("npm"), "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
        subprocess.run(command, cwd=place, check=True, capture_output=True)
        (place / "done").touch()
    return place


def refused(modules: dict[str, dict[str, Any]], directory: Path) -> dict[str, str]:
    """Return the first error in each module, by name, of those that the compiler refuses."""
    (directory / "checked").mkdir()
    for name, board in modules.items():
        text = MODULE.format(json=json.dumps(board, ensure_ascii=False))
        (directory / "checked" / f"{name}.ts").write_text(text, encoding="utf-8")
    for file in ("boards.d.ts", "tsconfig.json"):
        shutil.copy(SCHEMA / file, directory)
    (directory / "node_modules").symlink_to(installed() / "node_modules")
    compiler = directory / "node_modules" / "typescript" / "bin" / "tsc"
    done = subprocess.run([need("node"), str(compiler), "-p", "."], cwd=directory, capture_output=True, text=True)
    errors = re.findall(r"^(\S+)\(\d+,\d+\): (error .+)$", done.stdout, re.MULTILINE)
    assert bool(errors) == bool(done.returncode), done.stdout + done.stderr
    return {Path(file).stem: text for file, text in reversed(errors)}


def spoiled() -> dict[str, dict[str, Any]]:
    board = committed()[0].json
    found = {name: copy.deepcopy(board) for name in SPOILERS}
    for name, spoil in SPOILERS.items():
        spoil(found[name])
    return found


def test_each_board_is_of_grafanas_types_and_a_spoiled_one_is_not(tmp_path: Path) -> None:
    found = refused({**{board.uid: board.json for board in committed()}, **spoiled()}, tmp_path)
    assert sorted(found) == sorted(SPOILERS), found
