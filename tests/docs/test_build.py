"""Sphinx builds the documentation without warnings or highlighting errors; all internal links are valid."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bernard_exporter.commands.exits import NAME
from testing.tree import ROOT


@pytest.mark.parametrize(("builder", "wanted"), [("html", "index.html"), ("man", f"{NAME}-serve.1")])
def test_sphinx_builds_pages_and_manual_pages_without_a_warning(builder: str, wanted: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", builder]
    done = subprocess.run([*command, "docs", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / wanted).stat().st_size > 1000
    assert [page.name for page in tmp_path.rglob("*.html") if '<span class="err"' in page.read_text()] == []
