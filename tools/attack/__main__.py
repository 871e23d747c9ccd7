"""``make attack``: run every attack on an exporter, and print its behaviour."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.table import Table

from testing.attack_scene import prepare
from testing.servers import MariaDB
from tools.attack.attacks import ATTACKS
from tools.attack.scene import Scene, attacked
from tools.attack.victim import NEWCOMERS, Measurements, under_attack

_COLUMNS = (
    "attack",
    "connections, answers",
    "scrapes, failed",
    "p99 before, during, after (longest)",
    "new passwords from another address, from the same: within 2 s, longest",
    "polls",
    "memory before, most",
    "descriptors before, most",
    "threads before, most",
    "SIGTERM",
)


def main() -> None:
    """Attack and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attack", action="append", choices=ATTACKS, help="run only this attack; repeatable")
    parser.add_argument("--seconds", type=float, default=10.0, help="duration of each attack")
    parser.add_argument("--cost", type=int, default=10, help="bcrypt cost of the password hashes (default: 10)")
    parser.add_argument(
        "--descriptors", type=int, default=8192, help="limit of file descriptors of the exporter (default: 8192)"
    )
    options = parser.parse_args()
    console = Console(width=200)
    table = Table(*_COLUMNS, title=_machine(options.cost, options.descriptors), show_lines=True)
    with tempfile.TemporaryDirectory(prefix="bernard-attack-") as name:
        server = MariaDB(Path(name))
        server.install()
        with server.serve():
            prepare(server)
            for attack in options.attack or ATTACKS:
                directory = Path(name) / attack
                directory.mkdir()
                url = server.url("dbbackups")
                with attacked(directory, url, ATTACKS[attack].server, options.descriptors, options.cost) as scene:
                    cells = _cells(scene, attack, options.seconds)
                console.print(" | ".join(cells), highlight=False, soft_wrap=True)
                table.add_row(*cells)
    console.print(table)


def _machine(cost: int, descriptors: int) -> str:
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores ({platform.machine()}, load {load:.1f} at the start), Linux {platform.release()}, "
        f"Python {platform.python_version()}; limit of {descriptors:,} descriptors, bcrypt of cost {cost}"
    )


def _cells(scene: Scene, attack: str, seconds: float) -> tuple[str, ...]:
    victim, newcomers = scene.victim, iter(NEWCOMERS)
    before = victim.watch(seconds / 2)
    new_users: list[Measurements] = []
    with under_attack(attack, victim.port, seconds * 2 + 4) as attacking, ThreadPoolExecutor(1) as aside:
        # From the first connection on: some attacks cost most at their beginning.
        during = aside.submit(victim.watch, seconds * 2 + 2)
        time.sleep(2.0)
        if ATTACKS[attack].server == "users":
            new_users = [
                victim.scrape_as_new_users(seconds, newcomers, source) for source in ("127.0.0.2", "127.0.0.1")
            ]
        measured = during.result()
        reported = json.loads(attacking.communicate(timeout=120)[0])
    time.sleep(1.0)
    after = victim.watch(seconds / 2)
    with under_attack(attack, victim.port, 60):
        time.sleep(3.0)
        ended = _end(scene)
    answers = ", ".join(f"{count:,} times {status}" for status, count in sorted(reported["statuses"].items()))
    return (
        f"{attack}: {ATTACKS[attack].says}",
        f"{reported['opened']:,} opened; {answers or 'no answer'}",
        f"{len(measured.took) + len(measured.failed)}, {len(measured.failed)}",
        f"{_ms(before.p99)}, {_ms(measured.p99)}, {_ms(after.p99)} ({_ms(max(measured.took, default=float('nan')))})",
        "; ".join(map(_new_users, new_users)),
        f"{measured.polls - before.polls:.0f}",
        f"{before.resident >> 20}, {measured.resident >> 20} MiB",
        f"{before.descriptors}, {measured.descriptors}",
        f"{before.threads}, {measured.threads}",
        ended,
    )


def _new_users(measured: Measurements) -> str:
    asked = len(measured.took) + len(measured.failed)
    prompt = sum(took < 2 for took in measured.took)
    return f"{prompt} of {asked}, {max(measured.took, default=float('nan')):.2f} s"


def _end(scene: Scene) -> str:
    begun = time.monotonic()
    scene.exporter.running.send_signal(signal.SIGTERM)
    status = scene.exporter.running.wait(60)
    return f"{time.monotonic() - begun:.1f} s, status {status}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


if __name__ == "__main__":
    main()
