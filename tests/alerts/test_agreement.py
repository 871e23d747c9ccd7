"""The alerts, evaluated by Prometheus, agree with the function that determines states."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from alerts import render
from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job, State
from bernard_exporter.domain.policy import Limits, Policy, judge
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.catalogue import CATALOGUE
from bernard_exporter.metrics.metric import JOB_LABELS
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.store.connection import Database
from monitoring.settings import SiteSettings
from testing.rows import CODFW, EQIAD, Rows, run_row
from testing.servers import need

# promtool counts time from 1970 in steps of one size, so the moment that is looked at is a whole number of them.
STEPS, STEP = 20, timedelta(days=1000)
NOW = datetime(1970, 1, 1, tzinfo=UTC) + STEPS * STEP
JOBS = 300
UNIT = 1_000_000
FOR_EVER = 1e12


@dataclass(frozen=True)
class Drawn:
    """A random policy and history."""

    limits: dict[Job, Limits]
    rows: list[dict[str, Any]]


def draw(seed: int) -> Drawn:
    """Return so many jobs, their values as often as not on a limit or one unit beside it."""
    chance = random.Random(seed)
    limits, rows = {}, []
    for number in range(JOBS):
        section, place = f"p{number}", chance.choice([("eqiad", EQIAD), ("codfw", CODFW)])
        mine = _limits(chance)
        limits[Job(section, "dump", place[0])] = mine
        for start, status, size in _history(chance, mine):
            rows.append(run_row(section=section, host=place[1], status=status, start=start, size=size))
    return Drawn(limits, rows)


def _limits(chance: random.Random) -> Limits:
    warning = chance.choice([0.0, 0.05, 0.1, 0.25])
    return Limits(
        max_age=chance.choice([3600, 86_400, 691_200]),
        min_size=chance.choice([0, UNIT, 5 * UNIT]),
        size_change_warning=warning,
        size_change_critical=warning + chance.choice([0.0, 0.1, 0.25]),
        max_duration=chance.choice([3600, 43_200]),
        read_only=chance.random() < 0.3,
    )


def _history(chance: random.Random, limits: Limits) -> Iterator[tuple[datetime, str, int | None]]:
    """Yield start, status and size of each run, oldest last."""
    near = chance.choice([-1, 0, 1])
    age = chance.choice([limits.max_age, 2 * limits.max_age, limits.max_duration, 1000]) + near
    size: int | None = chance.choice([limits.min_size, limits.min_size + UNIT, 10 * UNIT]) + chance.choice([-1, 0, 1])
    for _ in range(chance.choice([0, 1, 2, 3, 5])):
        status = chance.choice(["finished", "finished", "finished", "failed", "ongoing", "deleted", ""])
        yield NOW - timedelta(seconds=age), status, None if size is None or size < 0 else size
        age += chance.choice([1, 3600, limits.max_age])
        size = _before(chance, limits, size)


def _before(chance: random.Random, limits: Limits, size: int | None) -> int | None:
    """Return the size of an earlier success, from which the change to ``size`` may be just on a limit."""
    # Where any change is accepted, as if by the usual limit.
    change = chance.choice([limits.size_change_warning or 0.05, limits.size_change_critical or 0.15])
    change *= chance.choice([-1, 1])
    found = round((size or UNIT) / (1 + change)) + chance.choice([-1, 0, 0, 1])
    return chance.choice([found, found, found, 0, None, 2 * found])


def snapshot(rows: Rows, drawn: Drawn) -> Snapshot:
    """Return the exporter's snapshot of the rows, built by its own code."""
    rows.add_all(drawn.rows)
    inventory = Inventory(Policy(expected=drawn.limits), 1e9)
    with Database(rows.settings).connect() as connection:
        inventory.update(connection, NOW)
    return build(inventory, ContentsCounter(), Calendar(), NOW)


def evaluated(found: Snapshot, folder: Path) -> dict[Job, set[str]]:
    """Return the alerts of each job that fire at this moment, by promtool, without waiting."""
    files = dict(render.rule_files(SiteSettings(pace=0)))
    (folder / "bernard_backups.yaml").write_text(files["rules/bernard_backups.yaml"])
    own = SelfMetrics(reload_success=0.0, up=True, last_poll=NOW.timestamp())
    told = {'up{job="bernard",instance="a"}': 1.0}
    for metric in CATALOGUE:
        for labels, value in metric.samples(found, own):
            pairs = [*zip(metric.labels, labels, strict=True), ("job", "bernard"), ("instance", "a")]
            told[f"{metric.name}{{{','.join(f'{name}={text!r}' for name, text in pairs)}}}"] = value
    step = f"{STEP.days}d"
    test = {
        "interval": step,
        "input_series": [{"series": name, "values": f"_x{STEPS} {value!r}"} for name, value in told.items()],
        "promql_expr_test": [{"expr": 'ALERTS{alertstate="firing"}', "eval_time": f"{STEPS * STEP.days}d"}],
    }
    document = {"rule_files": ["bernard_backups.yaml"], "evaluation_interval": step, "tests": [test]}
    (folder / "agreement_test.yaml").write_text(render.as_yaml(document))
    done = subprocess.run(
        [need("promtool"), "test", "rules", "agreement_test.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return _fired(done.stdout + done.stderr)


def _fired(said: str) -> dict[Job, set[str]]:
    """Return the alerts that promtool reports, where none was expected."""
    assert "exp: nil" in said, said[:3000]
    fired: dict[Job, set[str]] = {}
    for text in re.findall(r"\{([^}]*)\} 1E\+00", said):
        labels = dict(re.findall(r'(\w+)="([^"]*)"', text))
        if set(JOB_LABELS) <= set(labels):
            job = Job(*(labels[name] for name in JOB_LABELS))
            fired.setdefault(job, set()).add(f"{labels['alertname']} {labels['severity']}")
    return fired


def should_fire(status: JobStatus) -> set[str]:
    """Return the result of each rule of the state function, evaluated separately like an alert."""
    limits = status.limits
    assert limits
    newest, previous = status.newest, status.previous
    state = judge(limits, newest, previous, NOW).state
    ageless = replace(limits, max_age=FOR_EVER)
    sized = judge(ageless, newest, previous, NOW).state
    measured = replace(newest, size=newest.size or 0) if newest else None
    compared = judge(replace(ageless, min_size=0), newest, previous, NOW).state
    lonely = judge(replace(ageless, min_size=0), measured, previous, NOW).state
    alerts = {
        "BackupMissing critical": state is State.MISSING,
        "BackupStale critical": state in (State.STALE, State.VERY_STALE),
        "BackupVeryStale page": state is State.VERY_STALE,
        "BackupTooSmall critical": sized is State.TOO_SMALL,
        "BackupOnlyOne warning": lonely is State.ONLY_ONE,
        "BackupSizeChanged critical": compared is State.VERY_WRONG_SIZE,
        "BackupSizeChanged warning": compared is State.WRONG_SIZE,
    }
    return {name for name, fires in alerts.items() if fires} | _of_runs(status, limits)


def _of_runs(status: JobStatus, limits: Limits) -> set[str]:
    oldest = status.ongoing[0].start if status.ongoing else None
    alerts = {
        "BackupFailed warning": status.consecutive_failures > 0 and _failed_within(status, 7),
        "BackupFailingRepeatedly critical": status.consecutive_failures > 1 and _failed_within(status, 14),
        "BackupRunningLong warning": oldest is not None and (NOW - oldest).total_seconds() > limits.max_duration,
    }
    return {name for name, fires in alerts.items() if fires}


def _failed_within(status: JobStatus, days: int) -> bool:
    """Return whether the last failed run since the newest success started less than so many days ago."""
    return status.last_failure is not None and NOW.timestamp() - status.last_failure < days * 86_400


@pytest.mark.parametrize("seed", range(2))
def test_alerts_agree_with_the_states_of_random_histories(seed: int, tmp_path: Path) -> None:
    found = snapshot(Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}"), draw(seed))
    fired = evaluated(found, tmp_path)
    assert {status.job: fired.get(status.job, set()) for status in found.jobs} == {
        status.job: should_fire(status) for status in found.jobs
    }
    states = {status.verdict.state for status in found.jobs if status.verdict}
    assert states == set(State)
