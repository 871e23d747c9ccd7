"""A release is refused until all files agree on the version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testing.tree import ROOT, commit_all, copy_of_tree, git
from tools.release import problems, version, write_checksums

FILES = {
    "bernard_exporter/__init__.py": '"""The package."""\n\n__version__ = "1.2.3"\n',
    "setup.cfg": "[metadata]\nmaintainer = Maintainers\nmaintainer_email = maintainers@example.org\n",
    "debian/control": "Source: bernard-exporter\nMaintainer: Maintainers <maintainers@example.org>\n",
    "debian/changelog": "bernard-exporter (1.2.3) trixie; urgency=medium\n",
    "CHANGELOG.md": "# Changelog\n\n## Unreleased\n\n## 1.2.3 - 2026-12-01\n\n- New.\n",
    "deploy/kubernetes/kustomization.yaml": "images:\n- name: bernard-exporter\n  newTag: 1.2.3\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree that is ready to be released."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    commit_all(tmp_path)
    return tmp_path


def replaced(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        file = tree / name
        assert old in file.read_text()
        file.write_text(file.read_text().replace(old, new))
        git(tree, "commit", "--all", "--message", "changed")

    return change


def test_tree_whose_versions_agree_can_be_released(tree: Path) -> None:
    assert list(problems(tree)) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            replaced("debian/changelog", "1.2.3", "1.2.2"),
            "debian/changelog: found version 1.2.2, expected 1.2.3, as the package says",
        ),
        (
            replaced("CHANGELOG.md", "## 1.2.3 - 2026-12-01", "## 1.2.2 - 2026-11-01"),
            "CHANGELOG.md: found version 1.2.2, expected 1.2.3, as the package says",
        ),
        (
            replaced("deploy/kubernetes/kustomization.yaml", "  newTag: 1.2.3\n", ""),
            "deploy/kubernetes/kustomization.yaml: found version none, expected 1.2.3, as the package says",
        ),
        (
            replaced("debian/control", "maintainers@example.org", "another@example.org"),
            "debian/control: found the maintainer Maintainers <another@example.org>, "
            "expected Maintainers <maintainers@example.org>, as setup.cfg says",
        ),
        (
            replaced("CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Not in yet.\n"),
            "CHANGELOG.md: found lines under Unreleased, expected them under 1.2.3",
        ),
        (
            lambda tree: (tree / "new").write_text("new"),
            "the work tree: found 1 changes that are not committed, expected none",
        ),
        (
            lambda tree: git(tree, "tag", "v1.2.3"),
            "git: found the tag v1.2.3 already; choose the next version",
        ),
    ],
)
def test_release_in_whose_way_something_is_is_refused_with_what_it_is(
    tree: Path, change: Callable[[Path], None], problem: str
) -> None:
    change(tree)
    assert list(problems(tree)) == [problem]


def test_checkout_can_be_released_once_its_changes_stand_under_the_version(tmp_path: Path) -> None:
    copy_of_tree(tmp_path)
    replaced("CHANGELOG.md", "## Unreleased\n", f"## Unreleased\n\n## {version(tmp_path)} - 2026-12-01\n")(tmp_path)
    assert list(problems(tmp_path)) == []


def test_checksums_are_those_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "deb").mkdir()
    (tmp_path / "deb" / "one.deb").write_text("one")
    (tmp_path / "two.whl").write_text("two")
    write_checksums(tmp_path)
    command = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "deb/one.deb: OK\ntwo.whl: OK\n")


def test_tests_that_the_debian_build_runs_exist() -> None:
    rules = (ROOT / "debian" / "rules").read_text().replace("\\\n", "")
    (names,) = re.findall(
        r"^export PYBUILD_TEST_ARGS = .*\(patsubst %,\{dir\}/tests/%\.py,(.*)\)$", rules, re.MULTILINE
    )
    assert [name for name in names.split() if not (ROOT / "tests" / f"{name}.py").is_file()] == []
