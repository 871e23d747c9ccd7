"""The exporter as a separate process, as an operator runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from testing import plain_http
from testing.servers import eventually, free_port, process

COMMAND = [sys.executable, "-m", "bernard_exporter"]


@dataclass
class Exporter:
    """A running exporter.

    Attributes:
        config: its configuration file.
        log: what it wrote to standard error.
        url: where it answers.
        client: arguments for httpx, such as credentials and trusted CAs.
    """

    config: Path
    log: Path
    address: str
    running: subprocess.Popen[bytes]
    scheme: str = "http"
    client: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.address}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return plain_http.get(f"{self.url}{path}", headers=headers, timeout=10, **self.client)

    def logged(self) -> str:
        return self.log.read_text()


@contextmanager
def exporter(
    directory: Path,
    config: str,
    *flags: str,
    prefix: str = "",
    scheme: str = "http",
    client: dict[str, Any] | None = None,
    env: dict[str, str] | None = None,
    by: Sequence[str] = (),
) -> Iterator[Exporter]:
    """Run the exporter until the block ends, started by the command ``by``; it answers when the block begins."""
    file, log = directory / "config.yaml", directory / "exporter.log"
    file.write_text(config)
    address = f"127.0.0.1:{free_port()}"
    command = [*by, *COMMAND, "serve", "--config.file", str(file), "--web.listen-address", address, *flags]
    with process(command, log, env) as running:
        started = Exporter(file, log, address, running, scheme, client or {})

        def healthy() -> bool:
            assert running.poll() is None, log.read_text()
            try:
                return started.get(f"{prefix}/-/healthy").status_code == 200
            except httpx.TransportError:
                return False

        eventually(healthy, "the exporter answers")
        yield started
