"""Unauthenticated clients do not delay scrapes, get no data, and leave nothing behind.

The attacks are those of ``make attack``, with fewer connections and fewer descriptors for the exporter; those that
need many to do harm in full, too.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from testing.rows import Rows
from testing.servers import eventually
from tools.attack.attacks import ATTACKS
from tools.attack.scene import Scene, attacked
from tools.attack.victim import Measurements, under_attack

# Without those that a busy machine uses itself.
SECONDS = 4.0
DESCRIPTORS, MANY_DESCRIPTORS = 640, 8192
# Seconds in which a scrape is answered in at least one of some rounds; other processes may delay it in the others.
IN_TIME, ROUNDS = 2.0, 3
# Attacks that do harm by the number of connections, or by what each of many holds.
IN_FULL = ["hello", "heads", "large-heads", "heads-below-limit", "bodies", "unread"]
# Seconds after which the server ends whatever is under way; under attack nothing that is has to be waited for.
GRACE = 10.0


@contextmanager
def running(directory: Path, server: str, descriptors: int = DESCRIPTORS) -> Iterator[Scene]:
    """Run an exporter with so many descriptors."""
    rows = Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
    rows.add()
    with attacked(directory, rows.url, server, descriptors) as scene:
        yield scene


@pytest.fixture(scope="module", params=["open", "users", "mutual"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running(tmp_path_factory.mktemp(request.param), request.param) as found:
        yield found


def _of(server: str) -> list[str]:
    return [name for name, attack in ATTACKS.items() if attack.server == server]


def _is_unharmed(before: Measurements, during: Measurements, descriptors: int) -> None:
    assert during.failed == []
    assert during.polls > before.polls
    assert during.resident < 2 * before.resident
    assert during.descriptors < descriptors


@pytest.mark.parametrize(
    ("scene", "name"), [(attack.server, name) for name, attack in ATTACKS.items()], indirect=["scene"]
)
def test_attack_delays_no_scrape_gets_nothing_and_leaves_nothing(scene: Scene, name: str) -> None:
    _withstands(scene, name, DESCRIPTORS)


@pytest.mark.parametrize("name", IN_FULL)
def test_attack_in_full_delays_no_scrape_gets_nothing_and_leaves_nothing(name: str, tmp_path: Path) -> None:
    with running(tmp_path, ATTACKS[name].server, MANY_DESCRIPTORS) as scene:
        _withstands(scene, name, MANY_DESCRIPTORS)


def test_no_scrape_is_reset_by_clients_that_read_nothing_on_one_core(tmp_path: Path) -> None:
    """A slow exporter has read no request yet when the next connections come; only some of them have a place."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, [min(cores)])
    try:
        with attacked(tmp_path, rows.url, "open", DESCRIPTORS) as scene:
            for _ in range(ROUNDS):
                _attacked_once(scene, "unread", scene.victim.watch(1.0), DESCRIPTORS)
    finally:
        os.sched_setaffinity(0, cores)


def _withstands(scene: Scene, name: str, descriptors: int) -> None:
    before = scene.victim.watch(1.0)
    logged = len(scene.exporter.logged().splitlines())
    longest = [_attacked_once(scene, name, before, descriptors)]
    while min(longest) >= IN_TIME and len(longest) < ROUNDS:
        longest.append(_attacked_once(scene, name, before, descriptors))
    assert min(longest) < IN_TIME
    assert len(scene.exporter.logged().splitlines()) <= logged + 3 * len(longest)
    assert "Traceback" not in scene.exporter.logged()


def _attacked_once(scene: Scene, name: str, before: Measurements, descriptors: int) -> float:
    """Attack, expect no harm but delay, and return the seconds that the slowest scrape took."""
    with under_attack(name, scene.victim.port, SECONDS + 2, few=descriptors == DESCRIPTORS) as attacking:
        time.sleep(1.0)
        during = scene.victim.watch(SECONDS)
        reported = json.loads(attacking.communicate(timeout=60)[0])
    _is_unharmed(before, during, descriptors)
    assert reported["opened"] > 0
    assert [status for status in reported["statuses"] if status.startswith("2")] == []

    def is_over() -> bool:
        now = Measurements()
        scene.victim.measure_resources(now)
        return now.descriptors <= before.descriptors + 2 and now.threads <= before.threads + 2

    eventually(is_over, "nothing is left over")
    assert scene.victim.watch(1.0).failed == []
    return max(during.took)


def _ended_after(scene: Scene) -> float:
    """End the exporter as systemd does, and return the seconds that it took."""
    begun = time.monotonic()
    scene.exporter.running.send_signal(signal.SIGTERM)
    assert scene.exporter.running.wait(15) == 0
    return time.monotonic() - begun


@pytest.mark.parametrize("server", ["open", "users", "mutual"])
def test_exporter_under_all_attacks_ends_within_its_grace(server: str, tmp_path: Path) -> None:
    with running(tmp_path, server) as scene, ExitStack() as stack:
        for name in _of(server):
            stack.enter_context(under_attack(name, scene.victim.port, 30, few=True))
        time.sleep(3.0)
        assert _ended_after(scene) < GRACE
    assert "Traceback" not in scene.exporter.logged()


def test_one_command_attacks_and_prints_what_happened() -> None:
    command = [sys.executable, "-m", "tools.attack", "--attack=garbage", "--seconds=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
    row = next(line for line in done.stdout.splitlines() if line.startswith("garbage: "))
    assert re.search(r" \| [\d,]+ opened; .*[\d,]+ times 400 \| \d+, 0 \| .* status 0$", row), row


def test_exporter_with_thousands_of_unfinished_requests_ends_within_its_grace(tmp_path: Path) -> None:
    """Some of them are being opened when the end comes."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    with attacked(tmp_path, rows.url, "users", 8192) as scene, under_attack("heads", scene.victim.port, 60):
        time.sleep(3.0)
        assert _ended_after(scene) < GRACE
