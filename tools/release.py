"""Make a release: check that all agree on the version, run every test, build, and write checksums to sign.

``make release`` starts it; with ``--check`` it only says what is in the way.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from testing.tree import ROOT

_PLACES = (
    ("debian/changelog", r"\A\S+ \(([^)]+)\)"),
    ("CHANGELOG.md", r"^## (?!Unreleased)(\S+)"),
    ("deploy/kubernetes/kustomization.yaml", r"^ +newTag: (\S+)"),
)


def version(root: Path = ROOT) -> str:
    """Return the version, from its one place.

    Raises:
        SystemExit: there is none, or it is no version.
    """
    file = root / "bernard_exporter" / "__init__.py"
    match = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', file.read_text(encoding="utf-8"), re.MULTILINE)
    if not match:
        raise SystemExit(f'{file}: expected a line __version__ = "1.2.3"')
    return match[1]


def maintainer(root: Path = ROOT) -> str:
    """Return the maintainer's name and address from setup.cfg."""
    settings = configparser.ConfigParser()
    settings.read(root / "setup.cfg", encoding="utf-8")
    return f"{settings['metadata']['maintainer']} <{settings['metadata']['maintainer_email']}>"


def problems(root: Path = ROOT) -> Iterator[str]:
    """Yield the problems that prevent a release."""
    expected = version(root)
    for name, pattern in _PLACES:
        actual = _value(root / name, pattern)
        if actual != expected:
            yield f"{name}: found version {actual}, expected {expected}, as the package says"
    actual = _value(root / "debian" / "control", r"^Maintainer: (.+)$")
    if actual != maintainer(root):
        yield f"debian/control: found the maintainer {actual}, expected {maintainer(root)}, as setup.cfg says"
    unreleased = re.search(
        r"^## Unreleased\n+(?!## )\S", (root / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    if unreleased:
        yield f"CHANGELOG.md: found lines under Unreleased, expected them under {expected}"
    if changed := _git(root, "status", "--porcelain"):
        yield f"the work tree: found {len(changed.splitlines())} changes that are not committed, expected none"
    if _git(root, "tag", "--list", f"v{expected}"):
        yield f"git: found the tag v{expected} already; choose the next version"


def _value(file: Path, pattern: str) -> str:
    match = re.search(pattern, file.read_text(encoding="utf-8"), re.MULTILINE)
    return match[1] if match else "none"


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True).stdout


def build(dist: Path) -> None:
    """Run every test, and build everything into ``dist``, with its checksums."""
    shutil.rmtree(dist, ignore_errors=True)
    subprocess.run(["make", "test", "deb-test"], cwd=ROOT, check=True)
    # The same commit gives the same files on any day.
    epoch = _git(ROOT, "log", "-1", "--format=%ct").strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch}
    subprocess.run([sys.executable, "-m", "build", "--outdir", str(dist), str(ROOT)], env=environment, check=True)
    write_checksums(dist)


def write_checksums(dist: Path) -> None:
    """Write SHA256SUMS, which ``sha256sum --check`` reads, for every file below a folder."""
    files = sorted(path for path in dist.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(dist)}\n" for path in files]
    (dist / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def main() -> None:
    """Check, and build unless ``--check`` is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only list the problems that prevent a release")
    options = parser.parse_args()
    reasons = list(problems())
    if reasons:
        raise SystemExit("no release yet:\n" + "\n".join(f"  {line}" for line in reasons))
    if options.check:
        return
    build(ROOT / "dist")
    print(
        f"Version {version()} is in dist/. To publish it:\n"
        "  gpg --armor --detach-sign dist/SHA256SUMS\n"
        f"  git tag --sign v{version()} --message 'Version {version()}'"
    )


if __name__ == "__main__":
    main()
