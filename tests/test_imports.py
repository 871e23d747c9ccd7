"""The number of modules that the exporter imports at its start is limited."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Modules that only other commands need, or that an exporter needs only for pages and API.
NOT_AT_START = {
    "fastapi": "the API imports it with the first question",
    "bcrypt": "only a web configuration file has users",
    "jinja2": "the pages import it with the first page",
    "rich": "colours terminals; structlog would import it",
    "sqlalchemy.orm": "the store speaks Core alone",
    "dashboards": "generated beforehand",
    "alerts": "generated beforehand",
    "grafanalib": "generates dashboards",
    "matplotlib": "draws pictures of the documentation",
    "pandas": "nothing needs it",
    "numpy": "nothing needs it",
    "httpx": "the tests ask with it",
    "pytest": "the tests run in it",
    "bernard_exporter.commands.sample": "the demo makes its inventory with it",
    "bernard_exporter.commands.backfill": "a command of its own",
    "bernard_exporter.web.api.application": "made with the first question",
}
# Modules for polling are imported before the first poll, those for answering requests during it.
BEFORE_THE_POLL = (
    "import bernard_exporter.commands.serve; bernard_exporter.commands.serve.logs.configure('info', 'logfmt')"
)
WHAT_ANSWERS = (
    "import bernard_exporter.queries.executor, bernard_exporter.web.app, bernard_exporter.web.server.run, "
    "bernard_exporter.web.server.systemd, sqlalchemy.dialects.mysql.pymysql"
)


def imported(*statements: str) -> set[str]:
    """Return the modules a new process has after some imports, but for those it begins with."""
    code = "; ".join(("import sys; begun = set(sys.modules)", *statements, "import json"))
    found = subprocess.run(
        [sys.executable, "-c", f"{code}; print(json.dumps(sorted(set(sys.modules) - begun)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(found.stdout))


@pytest.fixture(scope="module")
def served() -> set[str]:
    return imported(BEFORE_THE_POLL, WHAT_ANSWERS)


@pytest.mark.parametrize("module", NOT_AT_START)
def test_serve_starts_without(served: set[str], module: str) -> None:
    assert {name for name in served if name == module or name.startswith(f"{module}.")} == set()


def test_serve_starts_with_a_bounded_number_of_modules(served: set[str]) -> None:
    """Each takes time before the first scrape, and memory for ever: a hundred of the libraries' are about 6 MiB."""
    own = {name for name in served if name.startswith("bernard_exporter")}
    assert len(served - own) < 520
    assert len(own) < 160


def test_first_poll_begins_before_what_answers_is_imported() -> None:
    begun = imported(BEFORE_THE_POLL)
    assert {
        "uvicorn",
        "uvloop",
        "structlog",
        "starlette.applications",
        "bernard_exporter.web.pages.site",
    } & begun == set()
    assert {"bernard_exporter.polling.poller", "pymysql"} <= begun


def test_api_brings_its_framework() -> None:
    """Or the tests above look for a name that nothing has any more."""
    assert {"fastapi", "bernard_exporter.web.api.application"} <= imported(
        "import bernard_exporter.web.api.application"
    )
