"""Fits the state of every job to the width of the terminal; the last attempt and the reasons are always shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bernard_exporter.commands.terminal import STYLES
from bernard_exporter.domain import humanize
from bernard_exporter.domain.model import Rank
from bernard_exporter.domain.policy import size_change
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.queries.attempts import AttemptOutcome, newer_attempts

_COLUMNS = ("State", "Section", "Type", "DC", "Age", "Size", "Change", "Last attempt")
_RIGHT = ("Age", "Size", "Change")
# Only these may be folded; a state or a number is always on one line.
_FOLDED = ("Last attempt", "Section", "DC", "Type")
_LEAST = 8
# On a narrower terminal changes are left out and ages are short, or starts of attempts are left out.
_ROOM_FOR_CHANGE, _ROOM_FOR_STARTS = 100, 140
# On a narrower terminal reasons are below the row of the job; on a wider one they have this much room beside it.
_ROOM_FOR_WHY, _WHY = 180, 60
_INDENT = 4
_ATTEMPT_STYLES = {
    AttemptOutcome.FAILED: STYLES[Rank.CRITICAL],
    AttemptOutcome.RUNNING: "blue",
    AttemptOutcome.RUNNING_LONG: STYLES[Rank.CRITICAL],
    AttemptOutcome.ABANDONED: STYLES[Rank.WARNING],
    AttemptOutcome.NOT_USABLE: STYLES[Rank.WARNING],
}


def job_table(jobs: Sequence[JobStatus], now: datetime, width: int) -> Group:
    """Return the table of jobs for a terminal of this many columns."""
    names = [name for name in _COLUMNS if name != "Change" or width >= _ROOM_FOR_CHANGE]
    rows = [{name: cell for name, cell in _cells(job, now, width).items() if name in names} for job in jobs]
    beside = width >= _ROOM_FOR_WHY
    header = {name: Text(name, "bold") for name in names}
    widths = _widths([header, *rows], width - _WHY if beside else width)
    return Group(
        _line(header, widths, Text("Why", "bold") if beside else None),
        *(part for job, row in zip(jobs, rows, strict=True) for part in _job(job, row, widths, beside=beside)),
    )


def _job(status: JobStatus, row: dict[str, Text], widths: dict[str, int], *, beside: bool) -> Iterator[RenderableType]:
    why = Text(humanize.visible(_why(status)))
    yield _line(row, widths, why if beside else None)
    if why and not beside:
        yield Padding(why, (0, 0, 0, _INDENT))


def _line(row: dict[str, Text], widths: dict[str, int], why: Text | None) -> Table:
    table = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
    for name in row:
        justify = "right" if name in _RIGHT else "left"
        table.add_column(width=widths[name], overflow="fold", justify=justify)  # type: ignore[arg-type]
    if why is not None:
        table.add_column(overflow="fold")
    table.add_row(*row.values(), *([] if why is None else [why]))
    return table


def _widths(rows: Sequence[dict[str, Text]], room: int) -> dict[str, int]:
    """Return the width of each column; the widest of those that may be folded give way."""
    widths = {name: max(row[name].cell_len for row in rows) for name in rows[0]}
    while sum(widths.values()) + len(widths) > room:
        widest = max(_FOLDED, key=lambda name: widths[name])
        if widths[widest] <= _LEAST:
            break
        widths[widest] -= 1
    return widths


def _cells(status: JobStatus, now: datetime, width: int) -> dict[str, Text]:
    newest = status.newest
    change = size_change(newest.size, status.previous.size if status.previous else None) if newest else None
    age = humanize.NOTHING
    if newest and newest.start:
        seconds = (now - newest.start).total_seconds()
        age = humanize.duration(seconds) if width >= _ROOM_FOR_CHANGE else humanize.age(newest.start, now)
    cells = [*status.job, age, humanize.size(newest.size if newest else None), humanize.percent(change)]
    attempt = _attempt(status, now, has_start=width >= _ROOM_FOR_STARTS)
    texts = [_state(status), *(Text(humanize.visible(cell)) for cell in cells), attempt]
    return dict(zip(_COLUMNS, texts, strict=True))


def _attempt(status: JobStatus, now: datetime, *, has_start: bool) -> Text:
    """Return the attempts since the newest success; if there are none, the status of the last attempt."""
    if not status.attempt:
        return Text(humanize.NOTHING)
    newer = newer_attempts(status, now)
    parts = [Text(attempt.text, _ATTEMPT_STYLES.get(attempt.outcome, "")) for attempt in newer]
    text = Text(", ").join(parts or [Text(status.attempt.status)])
    return text.append(f" {humanize.time(status.attempt.start)}") if has_start else text


def _state(status: JobStatus) -> Text:
    """Return the state of a job, and ``overdue`` if it is."""
    if not status.verdict:
        return Text("planned" if status.planned else "not expected", "dim")
    state = Text(status.verdict.state, STYLES[status.rank])
    return state.append(", overdue", STYLES[Rank.WARNING]) if status.overdue else state


def _why(status: JobStatus) -> str:
    """Return the reasons why a job is not ok or has no state; empty if it is ok."""
    reasons = [] if status.limits is None or (status.verdict and status.rank is Rank.OK) else [status.reason]
    if status.due and status.due.overdue:
        reasons.append(f"no run has started for the due time {humanize.time(status.due.overdue)}")
    return "; ".join(reasons)


def summary(jobs: Sequence[JobStatus]) -> Text:
    """Return the number of jobs of each rank as one line."""
    judged = [job for job in jobs if job.verdict]
    parts = [f"{sum(job.rank is rank for job in judged)} {rank.name.lower()}" for rank in reversed(Rank)]
    further = {
        "overdue": sum(bool(job.overdue) for job in jobs),
        "planned": sum(job.planned for job in jobs),
        "not expected by the policy": sum(job.limits is None for job in jobs),
    }
    return Text(", ".join([*parts, *(f"{count} {text}" for text, count in further.items() if count)]))
