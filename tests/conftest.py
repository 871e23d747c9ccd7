"""Fixtures that start real servers once per session, and the distribution of tests to workers."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from testing.rows import Rows
from testing.servers import MariaDB

# A busy machine is no error. Continuous integration tries the same examples each time; elsewhere each run tries others.
hypothesis.settings.register_profile("any machine", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("any machine")
_numbers = itertools.count(1)
# What starts a server or a process; a test whose module or fixtures know one of them is an integration test.
_STARTERS = {"MariaDB", "Popen", "chromium", "exporter", "need", "process", "scene", "subprocess", "world"}


# Tests that share servers which take long to start or are always at work: one worker makes them, once. Attacks would
# also disturb each other.
_TOGETHER = (
    "tests/faults/test_attacks.py",
    "tests/web/api/test_cost.py",
    "tests/dashboards/",
    "tests/docs/test_code_blocks.py",
    "tests/docs/test_commands.py",
    "tests/faults/test_cluster.py",
    "tests/faults/test_data.py",
    "tests/package/test_installations.py",
)
# Endurance: others reach the same lines, and counting them takes such tests twice the time, as it does properties.
_NOT_COUNTED = (
    "tests/alerts/",
    "tests/web/api/test_cost.py",
    "tests/web/api/test_schema.py",
    "tests/commands/backfill/test_cost.py",
    "tests/commands/backfill/test_replay_property.py",
    "tests/commands/check/test_histories.py",
    "tests/dashboards/",
    "tests/docs/",
    "tests/faults/",
    "tests/package/",
    "tests/web/pages/test_browser.py",
    "tests/polling/test_cost.py",
    "tests/commands/test_demo.py",
    "tests/commands/sample/test_generate_sample.py",
    "tests/commands/check/test_drop_in.py::test_random_histories",
    "tests/commands/sample/test_lanes.py",
    "tests/inventory/test_inventory_property.py",
    "tests/commands/sample/test_history.py",
    "tests/test_overdue_everywhere.py",
)
_CHILDREN_COUNT = "COVERAGE_PROCESS_CONFIG"


# Both hooks do without what they are about, as where Debian builds the package.
@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Return what hands out each test by itself, but those that share servers as one."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return next((place for place in _TOGETHER if nodeid.startswith(place)), nodeid)

    return Together(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count which lines a test reaches, where a run counts them, but for properties and tests of endurance."""
    coverage = sys.modules.get("coverage")
    left_out = item.nodeid.startswith(_NOT_COUNTED) or _is_property(item)
    counting = coverage.Coverage.current() if coverage and left_out else None
    if counting is None:
        yield
        return
    counting.stop()
    children = os.environ.pop(_CHILDREN_COUNT, None)
    yield
    if children is not None:
        os.environ[_CHILDREN_COUNT] = children
    counting.start()


def _is_property(item: pytest.Item) -> bool:
    """Return whether hypothesis makes the values of a test."""
    return isinstance(item, pytest.Function) and getattr(item.function, "is_hypothesis_test", False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need more than Python, so that the others can be run anywhere; begin with the longest."""
    items.sort(key=lambda item: not item.nodeid.startswith(_TOGETHER))
    for item in items:
        if isinstance(item, pytest.Function) and _starts_something(item):
            item.add_marker("integration")


def _starts_something(item: pytest.Function) -> bool:
    fixtures = [found[-1].func for found in item._fixtureinfo.name2fixturedefs.values()]
    known = {name for function in (item.function, *fixtures) for name in function.__code__.co_names}
    return bool(_STARTERS & (known | set(vars(item.module)))) or "mariadb" in " ".join((item.name, *item.fixturenames))


@pytest.fixture(scope="session")
def mariadb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """A running server that tests share: no test may stop or disturb it."""
    server = MariaDB(tmp_path_factory.mktemp("mariadb"))
    server.install()
    with server.serve():
        yield server


@pytest.fixture
def own_mariadb(tmp_path: Path) -> Iterator[MariaDB]:
    """A running server of the test's own, to kill, stop and break."""
    server = MariaDB(tmp_path)
    server.install()
    with server.serve():
        yield server


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> Iterator[str]:
    """The URL of an empty database."""
    name = f"dbbackups{next(_numbers)}"
    mariadb.execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    yield mariadb.url(name)
    mariadb.execute(f"DROP DATABASE {name}")


@pytest.fixture(params=["mariadb", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, on each kind of store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'inventory.sqlite'}"
    found: str = request.getfixturevalue("mariadb_url")
    return found


@pytest.fixture
def rows(url: str) -> Rows:
    """An inventory without rows, on each kind of store."""
    return Rows(url)
