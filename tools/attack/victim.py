"""Behaviour of an exporter under attack: duration of scrapes, and resources of the process."""

from __future__ import annotations

import base64
import http.client
import os
import re
import ssl
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RIGHT = "right"
# Users with the right password; each sends one request.
NEWCOMERS = [f"newcomer{number}" for number in range(200)]
_PATIENCE = 10.0
_PAUSE = 0.05
# Seconds between two new users.
_LONG_PAUSE = 0.5


@dataclass
class Measurements:
    """Observations during some seconds.

    Attributes:
        took: seconds of each scrape that was answered, over a new connection each.
        failed: the errors of the other scrapes.
        resident, descriptors, threads: the maximum of the process.
        polls: the number of successful polls, as of the last scrape.
    """

    took: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    resident: int = 0
    descriptors: int = 0
    threads: int = 0
    polls: float = 0

    @property
    def p99(self) -> float:
        """The 99th percentile of the duration of scrapes, in seconds."""
        return statistics.quantiles(self.took, n=100, method="inclusive")[98] if len(self.took) > 1 else float("nan")


def authorization(user: str) -> dict[str, str]:
    """Return the headers of a user with the right password."""
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{RIGHT}'.encode()).decode()}"}


@dataclass(frozen=True)
class Victim:
    """A running exporter.

    Attributes:
        headers: headers of a user with the right password.
        tls: the client's TLS settings; None for HTTP.
    """

    pid: int
    port: int
    headers: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None

    def scrape(self, headers: dict[str, str] | None = None, source: str = "127.0.0.1") -> str:
        """Scrape once over a new connection, with the right credentials.

        Args:
            headers: sent instead of those of the right user.
            source: address of the client.

        Raises:
            OSError: the connection failed.
            http.client.HTTPException: the response is invalid, or its status is not 200.
        """
        where: dict[str, Any] = {"timeout": _PATIENCE, "source_address": (source, 0)}
        if self.tls:
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, context=self.tls, **where
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, **where)
        try:
            connection.request("GET", "/metrics", headers=self.headers if headers is None else headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        return text

    def measure_resources(self, measured: Measurements) -> None:
        """Record the resources that the process uses now."""
        process = Path(f"/proc/{self.pid}")
        resident = re.search(r"VmRSS:\s+(\d+) kB", (process / "status").read_text())
        measured.resident = max(measured.resident, int(resident[1]) * 1024 if resident else 0)
        measured.descriptors = max(measured.descriptors, len(os.listdir(process / "fd")))
        measured.threads = max(measured.threads, len(os.listdir(process / "task")))

    def watch(self, seconds: float) -> Measurements:
        """Scrape repeatedly for some seconds."""
        measured = Measurements()
        end = time.monotonic() + seconds
        with self._measuring_resources(measured):
            while time.monotonic() < end:
                text = self._time(measured, self.headers)
                polls = re.search(r'^bernard_polls_total{outcome="success"} (\S+)$', text, re.MULTILINE)
                measured.polls = float(polls[1]) if polls else measured.polls
                time.sleep(_PAUSE)
        return measured

    def scrape_as_new_users(self, seconds: float, newcomers: Iterable[str], source: str = "127.0.0.1") -> Measurements:
        """Scrape for some seconds as new users, one after another."""
        measured = Measurements()
        end = time.monotonic() + seconds
        for user in newcomers:
            self._time(measured, authorization(user), source)
            time.sleep(_LONG_PAUSE)
            if time.monotonic() > end:
                break
        return measured

    def _time(self, measured: Measurements, headers: dict[str, str], source: str = "127.0.0.1") -> str:
        """Scrape once, record the result, and return the response, empty if there was none."""
        begun = time.monotonic()
        try:
            text = self.scrape(headers, source)
        except (OSError, http.client.HTTPException) as error:
            measured.failed.append(f"{type(error).__name__}: {error}")
            return ""
        measured.took.append(time.monotonic() - begun)
        return text

    @contextmanager
    def _measuring_resources(self, measured: Measurements) -> Iterator[None]:
        ended = threading.Event()

        def measure() -> None:
            while not ended.wait(_PAUSE):
                self.measure_resources(measured)

        thread = threading.Thread(target=measure)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@contextmanager
def under_attack(name: str, port: int, seconds: float, *, few: bool = False) -> Iterator[subprocess.Popen[str]]:
    """Attack a port of this machine while the block runs, for so many seconds at most.

    Args:
        name: of the attack.
        port: the port to attack.
        seconds: how long.
        few: whether to use fewer connections.
    """
    command = [sys.executable, "-m", "tools.attack.attacks", name, str(port), f"--seconds={seconds}"]
    with subprocess.Popen([*command, *(["--few"] if few else [])], stdout=subprocess.PIPE, text=True) as attacking:
        try:
            yield attacking
        finally:
            attacking.kill()
