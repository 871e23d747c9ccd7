"""An exporter behind a web configuration file."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt

from tests.exporter import Exporter, exporter
from tests.rows import Rows
from tests.servers import eventually
from tests.toolkit.certificates import Authority, Pair

# The least that bcrypt does, to keep the tests quick.
COST = 4


def hashed(password: str, cost: int = COST) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()


def trusting(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    """Return a client's context, with a certificate of its own or without."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if pair:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


@contextmanager
def guarded(
    directory: Path, web: str, *, scheme: str = "http", client: dict[str, Any] | None = None, prefix: str = ""
) -> Iterator[Exporter]:
    """Run an exporter on one backup, with the text of a web configuration file; once it has polled."""
    rows = Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
    rows.add()
    file = directory / "web.yaml"
    file.write_text(web)
    config = f"database: {{url: '{rows.url}'}}\npoll_interval: 500ms\n"
    flags = ["--web.config.file", str(file)]
    if prefix:
        flags += ["--web.external-url", f"https://monitoring.example{prefix}"]
    with exporter(directory, config, *flags, scheme=scheme, client=client, prefix=prefix) as running:
        eventually(lambda: running.get(f"{prefix}/-/ready").status_code in (200, 401), "it has polled")
        yield running
