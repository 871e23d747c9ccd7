"""Load on an HTTP server, by wrk."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

import httpx

from tests.servers import need

CONNECTIONS = 8
_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


class Load(NamedTuple):
    """What a server answered under load: requests a second, and the 99th percentile of their seconds."""

    rate: float
    p99: float


def load(url: str, seconds: int, gzip: bool = False) -> Load:
    """Return what a server answers at eight connections; one that answers nothing is told as one answer in that time.

    Raises:
        SystemExit: it answers errors, or not at all.
    """
    headers = ["-H", "Accept-Encoding: gzip"] if gzip else []
    command = [need("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout=60s", *headers, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", said)
    if not rate or not p99 or "Non-2xx" in said:
        raise SystemExit(f"wrk says of {url}: {said}")
    if not float(rate[1]):
        return Load(1 / seconds, float(seconds))
    return Load(float(rate[1]), float(p99[1]) * _UNITS[p99[2]])


class SilentError(Exception):
    """A server did not answer as expected in time."""


def answer_of(url: str, accept: Callable[[str], bool], seconds: float = 600) -> str:
    """Return the answer of ``url`` once it is accepted.

    Raises:
        SilentError: it is not accepted in time.
    """
    deadline = time.monotonic() + seconds
    text = ""
    # One client, for making it takes longer than a scrape.
    with httpx.Client(timeout=60) as client:
        while time.monotonic() < deadline:
            try:
                text = client.get(url).text
                if accept(text):
                    return text
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
    raise SilentError(f"{url} does not answer as expected, but: {text[:500]}")
