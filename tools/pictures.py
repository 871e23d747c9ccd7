"""Take the pictures of the pages for the documentation: the demo in Chromium."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import httpx
from selenium import webdriver

from testing.browser import chromium, look, picture
from testing.exporter import COMMAND
from testing.servers import eventually, free_port, process
from testing.tree import ROOT

DOCS = ROOT / "docs"
WIDE, PHONE = (1280, 900), (390, 844)


def main() -> int:
    """Write docs/pages-*.png; return the exit status."""
    with tempfile.TemporaryDirectory() as directory:
        address = f"127.0.0.1:{free_port()}"
        demo = [*COMMAND, "demo", "--web.listen-address", address]
        with process(demo, Path(directory, "log")), chromium(Path(directory, "profile")) as driver:
            eventually(lambda: _ready(address), "the demo is ready")
            _take(driver, f"http://{address}")
    return 0


def _ready(address: str) -> bool:
    try:
        return httpx.get(f"http://{address}/-/ready").status_code == 200
    except httpx.TransportError:
        return False


def _take(driver: webdriver.Chrome, base: str) -> None:
    wrong = httpx.get(f"{base}/jobs?state=very_wrong_size").text
    job = re.findall(r'href="(/jobs/[^"?]+)"', wrong)[0]
    run = re.findall(r'href="(/runs/\d+)"', httpx.get(base + job).text)[0]
    for name, path, size, dark, height in (
        ("overview", "/", WIDE, False, 960),
        ("job", job, WIDE, False, 900),
        ("run", run, WIDE, True, 900),
        ("schedule", "/schedule?type=dump", WIDE, False, 900),
        ("phone", "/", PHONE, True, 1100),
    ):
        look(driver, size, dark=dark)
        driver.get(base + path)
        picture(driver, DOCS / f"pages-{name}.png", height)


if __name__ == "__main__":
    sys.exit(main())
