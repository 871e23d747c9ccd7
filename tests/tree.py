"""A copy of the checkout, for tests that change it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def git(root: Path, *arguments: str) -> str:
    """Run git as somebody; return what it says."""
    named = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.org"]
    return subprocess.run(["git", *named, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def copy_of_tree(target: Path) -> None:
    """Copy what git tracks, as it is in the work tree, into a repository of its own."""
    for name in filter(None, git(ROOT, "ls-files", "-z").split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)
    commit_all(target)


def commit_all(root: Path) -> None:
    """Make a repository of a folder, with all it holds committed."""
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "all")
