"""``--web.external-url`` and ``--web.route-prefix`` determine the paths of requests and links."""

from __future__ import annotations

from pathlib import Path

import pytest

from bernard_exporter.web.url_prefix import Prefix, external_path, prefix, route_prefix
from testing import plain_http
from testing.exporter import exporter
from testing.rows import Rows
from tests.commands.test_serve import config, outcome


@pytest.mark.parametrize(
    ("external", "route", "found"),
    [
        (None, None, Prefix("", "")),
        ("https://x.example", None, Prefix("", "")),
        ("https://x.example/", None, Prefix("", "")),
        ("http://x.example:8080/backups/", None, Prefix("/backups", "/backups")),
        ("https://[2001:db8::1]/a/b", None, Prefix("/a/b", "/a/b")),
        ("https://x.example/my%20backups/", None, Prefix("/my backups", "/my%20backups")),
        ("https://x.example/%c3%a4/ö", None, Prefix("/ä/ö", "/%C3%A4/%C3%B6")),
        ("https://x.example/x%25", None, Prefix("/x%", "/x%25")),
        ("https://x.example/backups", "/", Prefix("", "/backups")),
        ("https://x.example/backups", "", Prefix("", "/backups")),
        ("https://x.example/backups", "inner/", Prefix("/inner", "/backups")),
        ("https://x.example", "/inner", Prefix("/inner", "")),
        (None, "/my backups", Prefix("/my backups", "/my%20backups")),
        (None, "/", Prefix("", "")),
    ],
)
def test_each_flag_is_the_default_of_the_other(external: str | None, route: str | None, found: Prefix) -> None:
    path = None if external is None else external_path(external)
    assert prefix(path, None if route is None else route_prefix(route)) == found


@pytest.mark.parametrize("tail", ["?x=1", "?", "#top", "#", "backups?x#y"])
def test_query_or_fragment_is_refused(capsys: pytest.CaptureFixture[str], tail: str) -> None:
    status, out, err = outcome(capsys, "serve", f"--web.external-url=https://x.example/{tail}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"found 'https://x.example/{tail}'" in err
    assert "without a query or a fragment" in err


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "/backups", "ftp://x.example/", "https://", "https:///backups", "https://:80/", "https://[::1/",
        "https://x.example:99999/", "https://x.example:port/", "https://x.example/a//b", "https://x.example//b",
        "https://x.example/../b", "https://x.example/a/%2e%2e/b", "https://x.example/./b", "https://x.example/%ff",
        "https://x.example/a b", "https://x.example/a\nb", "https://x.example/%0d%0ab", "https://x.example/%00",
    ],
)  # fmt: skip
def test_external_url_that_is_none_is_refused_in_one_line(capsys: pytest.CaptureFixture[str], url: str) -> None:
    status, out, err = outcome(capsys, "serve", f"--web.external-url={url}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--web.external-url" in err
    assert "expected a URL such as https://monitoring.example/backups" in err


@pytest.mark.parametrize("path", ["{a:foo}/", "{a}", "a/b{", "b}", "%7Ba:foo%7D", "%7bx", "x%7D/y"])
def test_external_url_with_braces_in_its_path_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], path: str
) -> None:
    status, out, err = outcome(capsys, "serve", f"--web.external-url=https://x.example/{path}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"found 'https://x.example/{path}'" in err
    assert "without braces in its path" in err


@pytest.mark.parametrize("path", ["/a//b", "/..", "/a/./b", "/my%20backups", "/a?b", "/a#b", "/{x}", "/a\nb", "/\0"])
def test_route_prefix_that_is_none_is_refused_in_one_line(capsys: pytest.CaptureFixture[str], path: str) -> None:
    status, out, err = outcome(capsys, "serve", f"--web.route-prefix={path}")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert "--web.route-prefix" in err
    assert "expected a path such as /backups, not percent-encoded" in err


@pytest.mark.parametrize(
    ("flags", "routes", "links"),
    [
        (["--web.external-url=https://x.example/my%20backups/"], "/my%20backups", "/my%20backups"),
        (["--web.external-url=https://x.example/backups", "--web.route-prefix=/"], "", "/backups"),
        (["--web.route-prefix=inner"], "/inner", "/inner"),
    ],
)
def test_process_answers_under_the_one_and_links_to_the_other(
    tmp_path: Path, flags: list[str], routes: str, links: str
) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add()
    with exporter(tmp_path, config(rows), *flags, prefix=routes) as running:
        for path in ("/metrics", "/-/healthy", "/", "/static/pages.js", "/api/docs", "/api/docs.css", "/api/v1/jobs"):
            assert running.get(f"{routes}{path}").status_code in (200, 503), path
            if routes:
                assert running.get(path).status_code == 404, path
        assert f'href="{links}/jobs"' in running.get(f"{routes}/").text
        assert running.get(f"{routes}/api").headers["location"] == f"{links}/api/docs"
        assert running.get(f"{routes}/runs?q=1").headers["location"] == f"{links}/runs/1"
        assert running.get(f"{routes}/api/v1/openapi.json").json()["servers"] == [{"url": f"{links}/api"}]
        assert plain_http.post(f"{running.url}{routes}/-/reload").status_code == 200
        if routes:
            assert running.get(routes).headers["location"] == f"{links}/"
