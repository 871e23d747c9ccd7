"""The addresses of the pages, under the path that users reach the exporter by."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from bernard_exporter.model import Job


@dataclass(frozen=True, slots=True)
class Links:
    """Makes addresses that carry the prefix and their filters.

    Attributes:
        prefix: such as ``/backups``, '' for none.
    """

    prefix: str = ""

    def to(self, path: str, **parameters: object) -> str:
        """Return the address of a path; parameters that are None or '' are left out, lists are repeated."""
        given = {key: value for key, value in parameters.items() if value not in (None, "", [], ())}
        query = urlencode(given, doseq=True)
        return f"{self.prefix}{path}{'?' if query else ''}{query}"

    def job(self, job: Job) -> str:
        """Return the address of a job's page."""
        return f"{self.prefix}/jobs/{'/'.join(quote(part, safe='') for part in job)}"

    def run(self, run_id: int, **parameters: object) -> str:
        """Return the address of a run's page."""
        return self.to(f"/runs/{run_id}", **parameters)

    def runs_of(self, job: Job, **parameters: object) -> str:
        """Return the address of the list of a job's runs."""
        return self.to("/runs", **job._asdict(), **parameters)
