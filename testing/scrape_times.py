"""How long scrapes take, idle and while other requests load the exporter."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from testing.servers import need

_SCRAPES = 300


def scrapes(base: str) -> list[float]:
    """Return how many seconds each scrape takes, one every 5 ms on a connection that is kept."""
    connection = http.client.HTTPConnection(urlsplit(base).netloc)
    seconds = []
    for _ in range(_SCRAPES):
        begun = time.perf_counter()
        connection.request("GET", "/metrics", headers={"accept-encoding": "gzip"})
        connection.getresponse().read()
        seconds.append(time.perf_counter() - begun)
        time.sleep(0.005)
    connection.close()
    return seconds


@contextmanager
def load_of(url: str) -> Iterator[None]:
    """Ask for ``url`` on four connections without a pause while the block runs."""
    with subprocess.Popen([need("wrk"), "-t1", "-c4", "-d600s", url], stdout=subprocess.DEVNULL) as load:
        time.sleep(0.2)
        try:
            yield
        finally:
            load.terminate()


def p99(seconds: Sequence[float]) -> float:
    """Return the time that 99 of 100 take at most."""
    return sorted(seconds)[len(seconds) * 99 // 100]
