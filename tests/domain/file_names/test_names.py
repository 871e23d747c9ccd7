"""The databases and tables derived from each listing of file names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from bernard_exporter.domain.file_names import Object, names_of

LISTINGS = yaml.safe_load((Path(__file__).parent / "listings.yaml").read_text("utf-8"))


def objects(backup_type: str, names: Iterable[str]) -> set[Object]:
    """Return the objects of a run's files, each given as ``directory/name``."""
    files = [(path, name) for path, _, name in (file.rpartition("/") for file in names)]
    owner = names_of(backup_type, files).owner
    return {found for path, name in files if (found := owner(path, name))}


def parsed(names: str) -> set[Object]:
    pairs = (name.partition("|") for name in names.split())
    return {Object(db, table or None) for db, _, table in pairs}


@pytest.mark.parametrize("listing", LISTINGS["dump"], ids=lambda listing: listing["names"])
def test_names_of_a_dump_yield_its_objects_in_any_order(listing: dict[str, str]) -> None:
    names = listing["names"].split()
    assert objects("dump", names) == parsed(listing["objects"])
    assert objects("dump", reversed(names)) == parsed(listing["objects"])


@pytest.mark.parametrize("backup_type", ["snapshot", "cold", "null", ""])
@pytest.mark.parametrize("listing", LISTINGS["snapshot"], ids=lambda listing: listing["names"])
def test_names_of_every_other_type_are_read_as_those_of_a_server(backup_type: str, listing: dict[str, str]) -> None:
    assert objects(backup_type, listing["names"].split()) == parsed(listing["objects"])


@pytest.mark.parametrize("backup_type", ["dump", "snapshot"])
@pytest.mark.parametrize(
    "odd",
    ["\x00", "\n", "\x85", "\u2028", "\ud800", "@d800", "..", "'\"`", "\u202e", "x" * 300, "." * 300, "-schema" * 40],
)
def test_any_name_is_read(backup_type: str, odd: str) -> None:
    endings = (".sql", "-schema.sql", "-schema-create.sql", ".00000.sql.gz", "-metadata", ".tar", ".ibd", ".frm.qp", "")
    for mark in ("", "a", "a.t", "a/", "a/t"):
        for name in (f"{mark}{odd}{ending}" for ending in endings):
            for found in objects(backup_type, [name, f"{odd}{name}", f"{odd}/{name}"]):
                assert found.db
                assert found.name is None or found.name
