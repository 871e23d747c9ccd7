"""Locates and serves style sheets, script and icon."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bernard_exporter.errors import PagesError

_OWN = Path(__file__).parent / "static"
_BOOTSTRAP = "bootstrap.min.css"
_PYPI_MODULE = "js_lib_bootstrap5"
_DEBIAN = Path("/usr/share/javascript/bootstrap5/css")
_DIGEST_LENGTH = 12


def bootstrap_directory(module: str = _PYPI_MODULE, debian: Path = _DEBIAN) -> Path:
    """Return the directory of ``bootstrap.min.css``: that of the PyPI package, or else of the Debian package.

    Raises:
        PagesError: neither is installed.
    """
    spec = find_spec(module)
    locations = (spec.submodule_search_locations if spec else None) or ()
    installed = [Path(location) / "static/js-lib-bootstrap5/css" for location in locations]
    for directory in (*installed, debian):
        if (directory / _BOOTSTRAP).is_file():
            return directory
    raise PagesError(
        f"pages: {_BOOTSTRAP} is neither in the Python package django-js-lib-bootstrap5 nor in {debian}; "
        "install django-js-lib-bootstrap5 from PyPI or libjs-bootstrap5 from Debian"
    )


class _Cached(StaticFiles):
    """Static files whose URL changes with their content, so that browsers may cache them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file with its cache time: a year if the URL has the hash of the content."""
        response = await super().get_response(path, scope)
        named = scope.get("query_string", b"").startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return response


class Assets:
    """The static files of the pages and their URLs."""

    def __init__(self, bootstrap: Path) -> None:
        """Read every file once, to compute the hash in its URL."""
        self._directories = {"/static/bootstrap": bootstrap, "/static": _OWN}
        self._addresses = {
            path.name: f"{mount}/{path.name}?v={_digest(path)}"
            for mount, path in [
                ("/static/bootstrap", bootstrap / _BOOTSTRAP),
                *(("/static", own) for own in sorted(_OWN.iterdir())),
            ]
        }

    def address(self, name: str) -> str:
        """Return the URL of a file, without the prefix.

        Raises:
            KeyError: the file does not exist.
        """
        return self._addresses[name]

    def routes(self) -> list[Mount]:
        """Return the routes that serve the files; those of Debian packages are symbolic links."""
        return [
            Mount(mount, _Cached(directory=directory, follow_symlink=True))
            for mount, directory in self._directories.items()
        ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_LENGTH]
