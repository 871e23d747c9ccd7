"""The rules and the Alertmanager configuration in a directory, as `make generate` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from alerts.products import FOLDER
from testing.trust.mutation import Rule, rules_of

Configuration = dict[str, Any]


def rules(folder: Path = FOLDER) -> list[Rule]:
    """Return the rules of every rule file, in the order of the files' names."""
    files = sorted(file for file in (folder / "rules").glob("*.yaml") if not file.stem.endswith("_test"))
    return rules_of([yaml.safe_load(file.read_text(encoding="utf-8")) for file in files])


def configuration(folder: Path = FOLDER) -> Configuration:
    """Return the configuration of Alertmanager."""
    text = (folder / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    loaded: Configuration = yaml.safe_load(text)
    return loaded
