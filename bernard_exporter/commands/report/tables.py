"""Writes the evidence as CSV or JSON, run by run."""

from __future__ import annotations

import csv
import json
from typing import Any, TextIO

from bernard_exporter.commands.report.evidence import Evidence
from bernard_exporter.domain.model import Status
from bernard_exporter.queries.documents import time_text

FORMATS = ("csv", "json")
_NAMES = ("record", "section", "type", "datacenter")
_OF_RUNS = ("id", "name", "status", "source", "host", "start", "end", "duration", "size")
_OF_JOBS = ("expected", "from", "to", "objective", "met_ratio", "runs", *(status.value for status in Status))


def write(evidence: Evidence, format_: str, output: TextIO) -> None:
    """Write the runs and then the jobs in one of ``FORMATS``, whatever number there are in constant memory."""
    (_write_csv if format_ == "csv" else _write_json)(evidence, output)


def _write_csv(evidence: Evidence, output: TextIO) -> None:
    table = csv.DictWriter(output, (*_NAMES, *_OF_RUNS, *_OF_JOBS), lineterminator="\r\n")
    table.writeheader()
    table.writerows({"record": "run", **run} for run in evidence.runs())
    table.writerows({"record": "job", **_plain(job)} for job in _jobs(evidence))


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in document.items()}


def _write_json(evidence: Evidence, output: TextIO) -> None:
    head = {"from": time_text(evidence.since), "to": time_text(evidence.now)}
    output.write(json.dumps(head)[:-1] + ', "runs": [')
    for number, run in enumerate(evidence.runs()):
        output.write((",\n" if number else "\n") + json.dumps(run))
    jobs = ",\n".join(json.dumps(job) for job in _jobs(evidence))
    output.write(f'\n], "jobs": [\n{jobs}\n]}}\n')


def _jobs(evidence: Evidence) -> list[dict[str, Any]]:
    return [evidence.jobs[job].document() for job in sorted(evidence.jobs)]
