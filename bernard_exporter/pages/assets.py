"""Style sheets, script and icon: where they lie, and how they are served."""

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
    """Return the directory that holds ``bootstrap.min.css``: of the PyPI package, else of Debian's.

    Raises:
        PagesError: neither is installed.
    """
    found = find_spec(module)
    places = (found.submodule_search_locations if found else None) or ()
    installed = [Path(place) / "static/js-lib-bootstrap5/css" for place in places]
    for directory in (*installed, debian):
        if (directory / _BOOTSTRAP).is_file():
            return directory
    raise PagesError(
        f"pages: found {_BOOTSTRAP} neither in the Python package django-js-lib-bootstrap5 nor in {debian}; "
        "install django-js-lib-bootstrap5 from PyPI or libjs-bootstrap5 from Debian"
    )


class _Cached(StaticFiles):
    """Files whose address changes with their content, so that a browser may keep them for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file and how long it may be kept: for ever when its address names its content."""
        response = await super().get_response(path, scope)
        named = scope.get("query_string", b"").startswith(b"v=")
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return response


class Assets:
    """The static files of the pages and their addresses."""

    def __init__(self, bootstrap: Path) -> None:
        """Read every file once, for the address that names its content."""
        self._directories = {"/static/bootstrap": bootstrap, "/static": _OWN}
        self._addresses = {
            path.name: f"{mount}/{path.name}?v={_digest(path)}"
            for mount, path in [
                ("/static/bootstrap", bootstrap / _BOOTSTRAP),
                *(("/static", own) for own in sorted(_OWN.iterdir())),
            ]
        }

    def address(self, name: str) -> str:
        """Return the address of a file, without the prefix.

        Raises:
            KeyError: there is no such file.
        """
        return self._addresses[name]

    def routes(self) -> list[Mount]:
        """Return the routes that serve the files; Debian's are links to where they lie."""
        return [
            Mount(mount, _Cached(directory=directory, follow_symlink=True))
            for mount, directory in self._directories.items()
        ]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGEST_LENGTH]
