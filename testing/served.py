"""An exporter with a web configuration file."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt

from testing.certificates import Authority, Pair
from testing.exporter import Exporter, exporter
from testing.rows import Rows
from testing.servers import eventually

# The minimum cost of bcrypt, to keep the tests quick.
COST = 4


def hashed(password: str, cost: int = COST) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def trusting(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    """Return a TLS context for a client, with or without a client certificate."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@contextmanager
def guarded(
    directory: Path,
    web: str,
    *,
    scheme: str = "http",
    client: dict[str, Any] | None = None,
    prefix: str = "",
    env: dict[str, str] | None = None,
    by: Sequence[str] = (),
) -> Iterator[Exporter]:
    """Run an exporter with one backup and a web configuration file; it has polled when the block begins."""
    rows = Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
    rows.add()
    file = directory / "web.yaml"
    file.write_text(web)
    config = f"database: {{url: '{rows.url}'}}\npoll_interval: 500ms\n"
    flags = ["--web.config.file", str(file)]
    if prefix:
        flags += ["--web.external-url", f"https://monitoring.example{prefix}"]
    with exporter(directory, config, *flags, scheme=scheme, client=client, prefix=prefix, env=env, by=by) as running:
        eventually(lambda: running.get(f"{prefix}/-/ready").status_code in (200, 401), "it has polled")
        yield running
