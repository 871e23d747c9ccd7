"""Fixtures that start real servers once a session, and give each test a place of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.rows import Rows
from tests.servers import MariaDB

# A busy machine is no error.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")
_numbers = itertools.count(1)
# What starts a server or a process; a test whose module or fixtures know one of them is an integration test.
_STARTERS = {"MariaDB", "Popen", "chromium", "exporter", "need", "process", "subprocess", "world"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need more than Python, so that the others can be run anywhere."""
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
