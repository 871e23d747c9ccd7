"""The URLs of the pages, with the path prefix."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from bernard_exporter.domain.model import Job

# Browsers resolve these path segments even if they are percent-encoded.
_STEPS = frozenset({".", ".."})


@dataclass(frozen=True, slots=True)
class Links:
    """Builds URLs with the prefix and query parameters.

    Attributes:
        prefix: the path prefix, such as ``/backups``, '' for none.
    """

    prefix: str = ""

    def to(self, path: str, /, **parameters: object) -> str:
        """Return the URL of a path; parameters that are None or '' are left out, lists are repeated.

        Parameters may have any name, as those of a request are passed on.
        """
        stated = {key: value for key, value in parameters.items() if value not in (None, "", [], ())}
        query = urlencode(stated, doseq=True, errors="replace")
        return f"{self.prefix}{path}{'?' if query else ''}{query}"

    def job(self, job: Job) -> str:
        """Return the URL of a job's page, or of the filtered list if its name would be resolved as a path segment."""
        if _STEPS.intersection(job):
            return self.to("/jobs", **job._asdict())
        return f"{self.prefix}/jobs/{'/'.join(quote(part, safe='', errors='replace') for part in job)}"

    def host(self, host: str) -> str:
        """Return the URL of a host's page, or of the list if its name would be resolved as a path segment."""
        return self.to("/hosts") if host in _STEPS else f"{self.prefix}/hosts/{quote(host, safe='', errors='replace')}"

    def run(self, run_id: int, /, **parameters: object) -> str:
        """Return the URL of a run's page."""
        return self.to(f"/runs/{run_id}", **parameters)

    def runs_of(self, job: Job, /, **parameters: object) -> str:
        """Return the URL of the list of a job's runs."""
        return self.to("/runs", **job._asdict(), **parameters)
