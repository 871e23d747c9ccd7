"""``make trust``: what it prints, and its exit status."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from testing.tree import ROOT
from testing.trust.mutation import Rule, text_of

WATCHDOG: Rule = {"alert": "BernardWatchdog", "expr": "vector(1)", "labels": {"severity": "none"}}
NEVER: Rule = {"alert": "SiteNever", "expr": "vector(0) > 1", "labels": {"severity": "critical"}}
CONFIGURATION = {
    "route": {
        "receiver": "all",
        "group_by": ["section"],
        "group_wait": "1m",
        "group_interval": "5m",
        "repeat_interval": "1d",
    },
    "inhibit_rules": [],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A watchdog and an alert that never fires, in the directories that `make generate` writes."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "site.yaml").write_text(text_of([WATCHDOG, NEVER]))
    (tmp_path / "alertmanager").mkdir()
    (tmp_path / "alertmanager" / "alertmanager.yml").write_text(yaml.safe_dump(CONFIGURATION))
    return tmp_path


def trust(folder: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tools.trust", "--days=1", "--seed=60", "--processes=1", f"--rules={folder}"]
    done = subprocess.run([*command, *options], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_broken_promise_is_printed_with_seed_and_story_and_the_status_is_1(folder: Path) -> None:
    status, printed = trust(folder, "--trials=0")
    lines = printed.splitlines()
    assert status == 1, printed
    assert any(line.startswith("seed 60: missed: Backup") for line in lines), printed
    assert any(line.startswith("1 fleet-days in 1 stories") for line in lines), printed
    assert any(line.endswith("s of processor time for each fleet-day") for line in lines), printed
    assert any(line.startswith("  seed 60: 1440 min") for line in lines), printed


def test_changed_rule_that_no_story_notices_is_printed_and_the_status_is_1(folder: Path) -> None:
    status, printed = trust(folder, "--mutate")
    assert (status, printed.splitlines()) == (
        1,
        [
            "not noticed: SiteNever critical: left out",
            "not noticed: SiteNever critical: for: 3h in place of none",
            "not noticed: SiteNever critical: 3 in place of 1",
            "3 of 6 changed rules are noticed in 1 stories",
        ],
    )
