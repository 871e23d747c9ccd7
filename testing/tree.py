"""A copy of the checkout, for tests that modify it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def git(root: Path, *arguments: str) -> str:
    """Run git with a test identity; return its output."""
    named = ["-c", "user.name=contributor", "-c", "user.email=contributor@example.org"]
    return subprocess.run(["git", *named, *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


def copy_files(target: Path) -> None:
    """Copy the tracked files from the work tree."""
    for name in filter(None, git(ROOT, "ls-files", "-z").split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def copy_of_tree(target: Path) -> None:
    """Copy the tracked files from the work tree to a new repository."""
    copy_files(target)
    commit_all(target)


def commit_all(root: Path) -> None:
    """Create a repository in a folder and commit all of its files."""
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "all")
