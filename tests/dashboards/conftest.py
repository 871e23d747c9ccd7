"""The Prometheus server for all tests of dashboards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.dashboards.world import World, world


@pytest.fixture(scope="package")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two exporters on one inventory, scraped, with its past and the project's rules."""
    with world(tmp_path_factory.mktemp("dashboards"), elsewhere=True) as found:
        yield found
