"""Reloading survives any exception while the configuration is read, and concurrent requests share a reload."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.errors import BernardError, ConfigError
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.poller import Poller
from bernard_exporter.web import reload as reloading
from bernard_exporter.web.reload import Reloading
from testing.rows import Rows

SECRET = "w0rd-of-honour"


@pytest.fixture
def poller(tmp_path: Path) -> Iterator[Poller]:
    made = Poller(Settings(DatabaseSettings(url=Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}").url)))
    made.tick()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reloading, "_PAUSE", 0.0)


def succeeded(poller: Poller) -> bool:
    scraped = b"".join(poller.scrape.answer(TEXT, gzip=False))
    return b"bernard_config_last_reload_successful 1.0" in scraped


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("config.yaml: no such key"),
        OSError(5, SECRET),
        UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, "invalid start byte"),
        ValueError(SECRET),
        RecursionError(SECRET),
        MemoryError(),
        SystemExit(SECRET),
        KeyboardInterrupt(),
        GeneratorExit(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_failure_of_any_kind_is_one_line_and_the_metric(
    poller: Poller, caplog: pytest.LogCaptureFixture, error: BaseException
) -> None:
    good = poller.settings
    answers: list[BaseException | Settings] = [error, good]

    def load() -> Settings:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def reload_twice() -> None:
        reload = Reloading(poller, load)
        with pytest.raises(BernardError) as refused:
            await reload()
        assert SECRET not in str(refused.value)
        assert not succeeded(poller)
        await reload()

    caplog.set_level(logging.INFO)
    asyncio.run(reload_twice())
    poller.tick()
    assert succeeded(poller)
    lines = [(record.levelname, record.getMessage()) for record in caplog.records if record.name == reloading.__name__]
    assert [level for level, _ in lines] == ["ERROR", "INFO"]
    assert lines[0][1].startswith("reload failed, the old configuration is kept: ")
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if record.exc_info]


def test_waiting_requests_share_a_reload(poller: Poller) -> None:
    loads = 0

    def load() -> Settings:
        nonlocal loads
        loads += 1
        return poller.settings

    async def reload_often() -> None:
        reload = Reloading(poller, load)
        await asyncio.gather(*(reload() for _ in range(100)))

    asyncio.run(reload_often())
    assert loads == 1
