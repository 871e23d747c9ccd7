"""The steps for adding a metric in CONTRIBUTING.md work, on a copy of the source tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from testing.tree import ROOT, copy_of_tree
from tests.docs.blocks import blocks

METRIC = "bernard_backup_last_success_bytes_per_second"


def test_metric_added_as_the_page_says_is_everywhere_it_belongs(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    copy_of_tree(tree)
    if (known := ROOT / ".mypy_cache").exists():
        # What mypy found of the libraries, so that it need not look through them again.
        shutil.copytree(known, tree / ".mypy_cache")
    catalogue = tree / "bernard_exporter" / "metrics" / "catalogue.py"
    steps = [block for block in blocks("python", "sh") if block.file == ROOT / "CONTRIBUTING.md"]
    (entry,) = (block for block in steps if block.language == "python")
    catalogue.write_text(catalogue.read_text() + entry.text)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(tree)}
    script = "set -eu\n" + "".join(block.text for block in steps if block.language == "sh")
    done = subprocess.run(
        ["bash", "-c", script], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"| `{METRIC}` | gauge | section, type, datacenter |" in (tree / "docs/reference/metrics.md").read_text()
    assert f'\n{METRIC}{{datacenter="eqiad"' in (tree / "tests/metrics/golden/scrape.txt").read_text()
