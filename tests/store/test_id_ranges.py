"""The table is read in ranges of ids, small enough that each statement ends within the timeout on a busy server."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bernard_exporter.store import reader
from bernard_exporter.store.connection import Database
from testing.rows import Rows


@pytest.mark.parametrize(
    ("timeout", "expected"),
    [
        (60, [(1, 250_000), (250_001, 500_000), (900_000, 900_002)]),
        (10, [(1, 250_000), (250_001, 500_000), (900_000, 900_002)]),
        (2, [(1, 50_000), (120_000, 169_999), (250_001, 300_000), (900_000, 900_002)]),
    ],
)
def test_ranges_are_as_short_as_the_timeout_requires_and_skip_gaps(
    rows: Rows, timeout: float, expected: list[tuple[int, int]]
) -> None:
    for run_id in (1, 50_000, 120_000, 250_001, 900_000, 900_002):
        rows.add(id=run_id)
    with Database(replace(rows.settings, timeout=timeout)).connect() as connection:
        found = list(reader.id_ranges(connection, reader.bounds(connection)))
    assert found == expected
