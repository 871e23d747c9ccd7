"""The path prefix of requests and of links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_URL = "a URL such as https://monitoring.example/backups"
_ROUTES = "a path such as /backups"
# Invalid path segments: browsers resolve dots and proxies merge slashes.
_NO_STEPS = frozenset({"", ".", ".."})
# The router takes what is in braces for a parameter.
_BRACES = frozenset("{}")
# Of a query, a fragment and an escape.
_NOT_IN_ROUTES = _BRACES | frozenset("?#%")


@dataclass(frozen=True, slots=True)
class Prefix:
    """The path prefixes, which differ behind a proxy that removes a part of the path.

    Attributes:
        routes: the prefix of requests, decoded, such as ``/my backups``; '' for none.
        links: the prefix of links and redirects, encoded, such as ``/my%20backups``; '' for none.
    """

    routes: str = ""
    links: str = ""


NO_PREFIX = Prefix()


def prefix(external_path: str | None, route_prefix: str | None) -> Prefix:
    """Return the prefixes for two flags, each being the default of the other.

    Args:
        external_path: the result of :func:`external_path`; None without an external URL.
        route_prefix: the result of :func:`route_prefix`; None if not given.
    """
    routes = unquote(external_path or "") if route_prefix is None else route_prefix
    return Prefix(routes, quote(routes) if external_path is None else external_path)


def external_path(url: str) -> str:
    """Return the encoded path of the exporter's external URL, '' for none.

    Raises:
        ValueError: the URL is invalid; the message says what was expected.
    """
    if "?" in url or "#" in url:
        raise ValueError(f"found {url!r}, expected {_URL}, without a query or a fragment")
    try:
        parts = urlsplit(url)
        is_url = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
        steps = _steps(unquote(step, errors="strict") for step in _split(parts.path))
    except ValueError:
        is_url, steps = False, None
    if not is_url or steps is None or " " in url or not url.isprintable():
        raise ValueError(f"found {url!r}, expected {_URL}")
    if any(_BRACES.intersection(step) for step in steps):
        raise ValueError(f"found {url!r}, expected {_URL}, without braces in its path")
    return "".join(f"/{quote(step, safe='')}" for step in steps)


def route_prefix(path: str) -> str:
    """Return the decoded path prefix of requests, '' for none.

    Raises:
        ValueError: the path is invalid; the message says what was expected.
    """
    steps = _steps(_split(path))
    if steps is None or _NOT_IN_ROUTES.intersection(path):
        raise ValueError(f"found {path!r}, expected {_ROUTES}, not percent-encoded")
    return "".join(f"/{step}" for step in steps)


def _split(path: str) -> list[str]:
    return path.removeprefix("/").removesuffix("/").split("/")


def _steps(parts: Iterable[str]) -> list[str] | None:
    """Return the segments of a path, empty for an empty path; None if a segment is invalid."""
    steps = list(parts)
    if steps == [""]:
        return []
    return steps if all(step not in _NO_STEPS and step.isprintable() for step in steps) else None
