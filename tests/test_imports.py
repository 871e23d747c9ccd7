"""What the long-running exporter imports at its start; told in modules, never in seconds."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Neither what only other commands need, nor what an exporter that is only scraped never needs.
NOT_AT_START = {
    "fastapi": "the API imports it with the first question",
    "pydantic": "comes with fastapi",
    "bcrypt": "whoever names a web configuration file has users",
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
    "bernard_exporter.sample": "the demo makes its inventory with it",
    "bernard_exporter.backfill": "a command of its own",
    "bernard_exporter.api.application": "made with the first question",
}
# What polls is imported before the first poll, and what answers while it goes on.
BEFORE_THE_POLL = "import bernard_exporter.cli.serve; bernard_exporter.cli.serve.logs.configure('info', 'logfmt')"
WHAT_ANSWERS = (
    "import bernard_exporter.inspection.access, bernard_exporter.web.application, bernard_exporter.web.server, "
    "bernard_exporter.web.supervision, sqlalchemy.dialects.mysql.pymysql"
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
    """Each takes time before the first scrape, and memory for ever: a hundred of them are about 6 MiB."""
    assert len(served) < 650


def test_first_poll_begins_before_what_answers_is_imported() -> None:
    begun = imported(BEFORE_THE_POLL)
    assert {"uvicorn", "uvloop", "structlog", "starlette.applications", "bernard_exporter.pages.site"} & begun == set()
    assert {"bernard_exporter.poller", "pymysql"} <= begun


def test_api_brings_its_framework() -> None:
    """Or the tests above look for a name that nothing has any more."""
    assert {"fastapi", "bernard_exporter.api.application"} <= imported("import bernard_exporter.api.application")
