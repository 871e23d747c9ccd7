"""An exporter to attack, and the credentials of its users."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from testing.certificates import Authority
from testing.exporter import Exporter, exporter
from testing.served import hashed, trusting
from testing.servers import eventually, need
from tools.attack.victim import NEWCOMERS, RIGHT, Victim, authorization

# The minimum cost of bcrypt.
_COST = 4


@dataclass(frozen=True)
class Scene:
    """An exporter with few descriptors, and who scrapes it."""

    exporter: Exporter
    victim: Victim


@contextmanager
def attacked(directory: Path, database: str, server: str, descriptors: int, cost: int = _COST) -> Iterator[Scene]:
    """Run an exporter that has polled once.

    Args:
        directory: an empty one.
        database: its URL.
        server: who is let in: ``open`` every client, ``users`` by a password, ``mutual`` by a certificate.
        descriptors: how many the process may have.
        cost: of the passwords' hashes.
    """
    web, let_in = _web(directory, server, cost)
    file = directory / "web.yaml"
    file.write_text(web)
    flags = ["--web.config.file", str(file)] if web else []
    scheme, client = ("https", {"verify": let_in.tls}) if let_in.tls else ("http", {"auth": ("alice", RIGHT)})
    config = f"database: {{url: '{database}'}}\npoll_interval: 500ms\n"
    by = [need("prlimit"), f"--nofile={descriptors}"]
    with exporter(directory, config, *flags, scheme=scheme, client=client, by=by) as running:
        victim = Victim(running.running.pid, int(running.address.split(":")[1]), let_in.headers, let_in.tls)
        eventually(lambda: "bernard_up 1.0" in victim.scrape(), "it has polled")
        # Imports at the first use must not be measured as part of an attack.
        for path in ("/", "/api/v1/runs", "/nothing"):
            running.get(path)
        yield Scene(running, victim)


def _web(directory: Path, server: str, cost: int) -> tuple[str, Victim]:
    """Return a web configuration and the credentials of a user, without process and port."""
    if server == "open":
        return "", Victim(0, 0)
    if server == "users":
        right = hashed(RIGHT, cost)
        users = "".join(f"  {user}: {right}\n" for user in ("alice", *NEWCOMERS))
        return f"basic_auth_users:\n{users}", Victim(0, 0, authorization("alice"))
    authority = Authority(directory)
    pair = authority.sign("server", "DNS:localhost,IP:127.0.0.1")
    web = f"tls_server_config: {{cert_file: {pair.certificate}, key_file: {pair.key}, "
    web += f"client_auth_type: RequireAndVerifyClientCert, client_ca_file: {authority.certificate}}}\n"
    return web, Victim(0, 0, tls=trusting(authority, authority.sign("client", "DNS:prometheus.example")))
