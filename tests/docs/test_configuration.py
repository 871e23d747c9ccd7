"""The configuration reference contains every key, with its default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bernard_exporter.config.load import load
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.policy import BUILT_IN
from bernard_exporter.errors import ConfigError
from testing.tree import ROOT

PAGE = (ROOT / "docs" / "reference" / "configuration.md").read_text()
PLACES = {
    "": "{nothing: 1}",
    "database": "{database: {nothing: 1}}",
    "policy": "{database: {url: 'sqlite:////x'}, policy: {nothing: 1}}",
    "limit": "{database: {url: 'sqlite:////x'}, policy: {defaults: {dump: {nothing: 1}}}}",
}


def accepted(text: str, tmp_path: Path) -> list[str]:
    """Return the keys that an error names as expected."""
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load(file)
    return str(raised.value).rpartition("one of the keys ")[2].split(", ")


@pytest.mark.parametrize("place", PLACES)
def test_every_key_that_is_accepted_is_in_the_reference(place: str, tmp_path: Path) -> None:
    keys = accepted(PLACES[place], tmp_path)
    assert len(keys) > 2
    prefix = f"{place}." if place in ("database", "policy") else ""
    assert [key for key in keys if not re.search(rf"`{prefix}{key}[`.]", PAGE)] == []


def row(key: str) -> list[str]:
    (found,) = re.findall(rf"^\| `{key}`.*\|$", PAGE, re.MULTILINE)
    return [cell.strip() for cell in found.strip("|").split(" | ")]


def test_defaults_in_the_reference_are_those_of_the_code() -> None:
    days = {kind: f"{BUILT_IN[kind].max_age / 86400:.0f}d" for kind in ("dump", "snapshot")}
    assert row("max_age")[2:] == [days["dump"], days["snapshot"]]
    assert {f"{BUILT_IN[kind].min_size / 1024:.0f}KiB" for kind in days} == set(row("min_size")[2:])
    assert {f"{BUILT_IN[kind].max_duration / 3600:.0f}h" for kind in days} == set(row("max_duration")[2:])
    settings = Settings(DatabaseSettings())
    assert row("poll_interval")[2] == f"{settings.poll_interval:.0f}s"
    assert row("resync_interval")[2] == f"{settings.resync_interval / 3600:.0f}h"
    assert row("database.timeout")[2] == f"{settings.database.timeout:.0f}s"
