"""Behind nginx, Apache and Caddy, configured as in the how-to, every page is reachable and every link valid."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from testing import plain_http
from testing.browser import complaints
from testing.exporter import exporter
from testing.rows import Rows
from testing.servers import eventually, free_port, need, process
from testing.tree import ROOT
from tests.web.pages.fleet import fill

HOW_TO = ROOT / "docs" / "how-to" / "reverse-proxy.md"
# Pygments has no lexer for what Caddy reads.
LANGUAGES = {"caddy": "text"}
KEPT, REMOVED = "Keep the path", "Strip the path in the proxy"
POLICY = "policy: {sections: {s1: [dump, snapshot], s2: [dump]}}\n"


def block(title: str, language: str) -> str:
    """Return what stands in the how-to, under a title, in a language."""
    _, _, section = HOW_TO.read_text().partition(f"## {title}\n")
    found = re.search(rf"```{language}\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert found, f"no {language} under {title}"
    return found[1]


def nginx(directory: Path, port: int, block: str) -> list[str]:
    file = directory / "nginx.conf"
    paths = "".join(
        f"{name}_temp_path {directory}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    server = f"server {{ listen 127.0.0.1:{port}; {block} }}"
    file.write_text(
        f"daemon off; pid {directory}/pid; worker_processes 1; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off; {paths}\n{server} }}\n"
    )
    return [need("nginx"), "-p", str(directory), "-c", str(file)]


def apache(directory: Path, port: int, block: str) -> list[str]:
    modules = ("mpm_event", "authz_core", "proxy", "proxy_http", "alias")
    loaded = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
    file = directory / "apache.conf"
    file.write_text(
        f"{loaded}ServerName 127.0.0.1\nServerRoot {directory}\nPidFile {directory}/pid\nErrorLog {directory}/errors\n"
        f"Listen 127.0.0.1:{port}\n<VirtualHost 127.0.0.1:{port}>\n{block}</VirtualHost>\n"
    )
    return [need("apache2"), "-X", "-f", str(file)]


def caddy(directory: Path, port: int, block: str) -> list[str]:
    file = directory / "Caddyfile"
    site = block.replace("monitoring.example", f"http://127.0.0.1:{port}")
    file.write_text(f"{{\nadmin off\nauto_https off\n}}\n{site}")
    return [need("caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]


PROXIES: dict[str, Callable[[Path, int, str], list[str]]] = {"nginx": nginx, "apache": apache, "caddy": caddy}


@contextmanager
def fronted(directory: Path, proxy: str, title: str) -> Iterator[tuple[str, dict[str, int]]]:
    """Yield the address of an exporter as users reach it, and the ids of its runs."""
    rows = Rows(f"sqlite:///{directory / 'inventory.sqlite'}")
    ids = fill(rows)
    (flags,) = re.findall(r"serve (.*)\n", block(title, "sh"))
    wanted = [flag for flag in flags.split() if not flag.startswith("--web.listen-address")]
    prefix = "" if title == REMOVED else "/backups"
    port = free_port()
    with ExitStack() as stack:
        running = stack.enter_context(exporter(directory, config(rows), *wanted, prefix=prefix))
        text = block(title, LANGUAGES.get(proxy, proxy)).replace("127.0.0.1:10279", running.address)
        command = PROXIES[proxy](directory, port, text)
        log = directory / "proxy.log"
        proxying = stack.enter_context(process(command, log, {"HOME": str(directory)}))
        address = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert proxying.poll() is None, log.read_text()
            try:
                return plain_http.get(f"{address}/backups/-/ready").status_code == 200
            except httpx.TransportError:
                return False

        eventually(ready, f"the exporter answers through {proxy}")
        yield address, ids


def config(rows: Rows) -> str:
    return f"database: {{url: '{rows.url}'}}\npoll_interval: 1s\n{POLICY}"


@pytest.mark.parametrize("title", [KEPT, REMOVED])
@pytest.mark.parametrize("proxy", PROXIES)
def test_everything_is_reached_through_a_proxy(tmp_path: Path, proxy: str, title: str) -> None:
    with fronted(tmp_path, proxy, title) as (address, ids), plain_http.Client(base_url=address, timeout=60) as client:
        base = f"{address}/backups"
        start = client.get("/backups")
        assert start.status_code in (301, 302, 307, 308)
        assert start.headers["location"] in ("/backups/", f"{base}/")
        for path in (
            "/metrics",
            "/-/healthy",
            "/jobs",
            "/schedule",
            f"/runs/{ids['newest']}",
            "/api/docs",
            "/runs.csv",
        ):
            assert client.get(f"{base}{path}").status_code == 200, path
        assert client.get(f"{base}/api").headers["location"] == "/backups/api/docs"
        assert client.get(f"{base}/api/v1/openapi.json").json()["servers"] == [{"url": "/backups/api"}]
        assert client.get(f"{base}/runs?q={ids['newest']}").headers["location"] == f"/backups/runs/{ids['newest']}"
        assert client.post(f"{base}/-/reload", headers={"origin": address}).status_code == 200
        assert client.post(f"{base}/-/reload", headers={"origin": "http://evil.example"}).status_code == 403
        # A name that holds what must be escaped.
        odd = client.get(f"{base}/jobs/a%20b%3Fc/dump/eqiad")
        assert (odd.status_code, "a b?c" in odd.text) == (404, True)
        slash = client.get(f"{base}/jobs/a%2Fb/dump/eqiad")
        assert ("a/b" in slash.text) is ((proxy, title) != ("nginx", REMOVED))


_ADDRESSES = """
return [...document.querySelectorAll("a[href]")].map(link => new URL(link.getAttribute("href"), location).href)
"""


def walk(browser: webdriver.Chrome, address: str, base: str) -> set[str]:
    """Open pages from link to link; return the kinds of those that were open; none had a fault."""
    start = f"{address}{base}/"
    ahead, seen = [start], set[str]()
    while ahead and len(seen) < 25:
        url = ahead.pop(0)
        kind = re.sub(r"\d+|\?.*", "", url.removeprefix(start))
        if kind in seen:
            continue
        seen.add(kind)
        browser.get(url)
        assert complaints(browser) == [], url
        assert browser.find_elements(By.TAG_NAME, "h1"), url
        found = browser.execute_script(_ADDRESSES)
        assert [link for link in found if not link.startswith(start)] == [], url
        pages = [link.partition("#")[0] for link in found if not re.search(r"/-/|/metrics|\.csv|\.json", link)]
        ahead += pages
    return seen


EVERY = {"", "jobs", "runs", "runs/", "schedule", "api/docs"}


def test_browser_walks_from_link_to_link_behind_a_proxy(browser: webdriver.Chrome, tmp_path: Path) -> None:
    with fronted(tmp_path, "nginx", REMOVED) as (address, _):
        assert walk(browser, address, "/backups") >= EVERY


def test_browser_walks_from_link_to_link_under_a_prefix_with_a_space(browser: webdriver.Chrome, tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    fill(rows)
    flag = "--web.external-url=https://monitoring.example/my%20backups/"
    with exporter(tmp_path, config(rows), flag, prefix="/my%20backups") as running:
        eventually(lambda: running.get("/my%20backups/-/ready").status_code == 200, "it has polled")
        assert walk(browser, running.url, "/my%20backups") >= EVERY
