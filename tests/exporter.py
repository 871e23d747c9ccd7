"""The exporter as a process of its own, as an operator runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.servers import eventually, free_port, process

COMMAND = [sys.executable, "-m", "bernard_exporter"]


@dataclass
class Exporter:
    """A running exporter.

    Attributes:
        config: its configuration file.
        log: what it wrote to standard error.
    """

    config: Path
    log: Path
    address: str
    running: subprocess.Popen[bytes]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://{self.address}{path}", headers=headers, timeout=10)

    def logged(self) -> str:
        return self.log.read_text()


@contextmanager
def exporter(directory: Path, config: str, *flags: str, prefix: str = "") -> Iterator[Exporter]:
    file, log = directory / "config.yaml", directory / "exporter.log"
    file.write_text(config)
    address = f"127.0.0.1:{free_port()}"
    command = [*COMMAND, "serve", "--config.file", str(file), "--web.listen-address", address, *flags]
    with process(command, log) as running:
        started = Exporter(file, log, address, running)

        def healthy() -> bool:
            assert running.poll() is None, log.read_text()
            try:
                return started.get(f"{prefix}/-/healthy").status_code == 200
            except httpx.TransportError:
                return False

        eventually(healthy, "the exporter answers")
        yield started
