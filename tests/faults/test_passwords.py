"""A flood of wrong passwords does not keep out users with the right password, and does not delay shutdown."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.rows import Rows
from tools.attack.scene import Scene, attacked
from tools.attack.victim import NEWCOMERS, under_attack

FLOODS = ["passwords", "passwords-reconnecting"]
SECONDS = 5.0


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An exporter behind passwords whose hashes are as dear as those that htpasswd makes for Prometheus."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    with attacked(tmp_path, rows.url, "users", 1024, cost=10) as running:
        yield running


@pytest.mark.alone
@pytest.mark.parametrize("flood", FLOODS)
def test_right_password_that_was_never_seen_is_answered_in_a_flood_of_wrong_ones(scene: Scene, flood: str) -> None:
    victim, newcomers = scene.victim, iter(NEWCOMERS)
    with under_attack(flood, victim.port, 60):
        time.sleep(2.0)
        others = victim.scrape_as_new_users(SECONDS, newcomers, "127.0.0.2")
        same = victim.scrape_as_new_users(SECONDS, newcomers)
        scene.exporter.running.send_signal(signal.SIGTERM)
        begun = time.monotonic()
        assert scene.exporter.running.wait(15) == 0
        assert time.monotonic() - begun < 5.0
    assert others.failed == []
    assert max(others.took) < 2.0
    # Among attempts from the same address a client may seldom be skipped.
    prompt = [took for took in same.took if took < 2.0]
    assert len(prompt) >= 0.7 * (len(same.took) + len(same.failed)), same
    assert "Traceback" not in scene.exporter.logged()
