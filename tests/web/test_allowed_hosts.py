"""``--web.allowed-host`` restricts the Host header of requests."""

from __future__ import annotations

from pathlib import Path

import pytest
import starlette._utils

from bernard_exporter.web.allowed_hosts import allowed_host
from testing.exporter import exporter
from testing.rows import Rows
from tests.commands.test_serve import config, outcome
from tests.faults.raw import ask, get

PATHS = ("/", "/metrics", "/api/v1/jobs", "/-/ready", "/nothing")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("bernard.example", "bernard.example"),
        ("Bernard.Example", "bernard.example"),
        ("*.example", "*.example"),
        ("localhost", "localhost"),
        ("10.0.0.1", "10.0.0.1"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("2001:db8:0::1", "[2001:db8::1]"),
    ],
)
def test_host_is_as_a_browser_sends_it(text: str, host: str) -> None:
    assert allowed_host(text) == host


@pytest.mark.parametrize("text", ["", "*", "*x", "a.*", "x:80", "https://x", "a b", "a/b", "[::1]:80", "x.", "é"])
def test_what_is_no_host_is_refused_in_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    status, out, err = outcome(capsys, "serve", f"--web.allowed-host={text}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"found {text!r}, expected a host without a port, such as bernard.example" in err


def test_only_the_hosts_named_are_answered_but_for_the_health_check(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    flags = [f"--web.allowed-host={host}" for host in ("127.0.0.1", "bernard.example", "*.inner.example", "[::1]")]
    with exporter(tmp_path, config(rows), *flags) as running:

        def statuses(*headers: str) -> set[int]:
            return {ask(running.address, get(path, *headers)).status for path in PATHS}

        for host in ("bernard.example", "bernard.example:10279", "127.0.0.1", "x.inner.example:1", "a.b.inner.example"):
            assert 400 not in statuses(f"Host: {host}"), host
        for host in (
            "evil.example",
            "bernard.example.evil.example",
            "xbernard.example",
            "inner.example",
            "",
            "[",
            "10.1",
        ):
            assert statuses(f"Host: {host}") == {400}, host
        assert statuses("X: no host") == {400}
        for name in ("X-Forwarded-Host: bernard.example", "Forwarded: host=bernard.example"):
            assert statuses("Host: evil.example", name) == {400}
        assert statuses("Host: evil.example", "Host: bernard.example") == {400}
        assert ask(running.address, get("/-/healthy", "Host: evil.example")).status == 200
        assert "Traceback" not in running.logged()


def test_every_host_is_answered_where_none_is_named(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    with exporter(tmp_path, config(rows)) as running:
        assert ask(running.address, get("/metrics", "Host: evil.example")).status == 200


@pytest.mark.skipif(not hasattr(starlette._utils, "parse_host_header"), reason="older: takes no address of IPv6")
def test_address_of_ipv6_is_a_host_like_any_other(tmp_path: Path) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    with exporter(tmp_path, config(rows), "--web.allowed-host=2001:db8::1") as running:
        statuses = [
            ask(running.address, get("/metrics", f"Host: {host}")).status
            for host in ("[2001:db8::1]", "[2001:DB8::1]:10279", "[2001:db8::2]", "[", "2001:db8::1")
        ]
        assert statuses == [200, 200, 400, 400, 400]
