"""Checks one job, or all jobs of the policy."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from bernard_exporter.commands.check import plugin
from bernard_exporter.commands.check.deadline import Deadline
from bernard_exporter.commands.check.expected import judge_jobs
from bernard_exporter.commands.check.names import unknown_name
from bernard_exporter.commands.check.output import Output, unknown
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.model import BackupType, Job, State
from bernard_exporter.domain.policy import BUILT_IN
from bernard_exporter.store.connection import Database

# The predecessor's limits, which are the same for every type.
PREDECESSORS_LIMITS = BUILT_IN[BackupType.DUMP]
# The share of the time limit for connecting to all hosts in turn; the rest is for the statements.
_CONNECTING = 0.8
# Minimum seconds to connect if the deadline has passed already.
_LEAST = 0.1


@dataclass(frozen=True, slots=True)
class Request:
    """A job, and options that override its limits.

    Attributes:
        given: the limits given as options, by their names in :class:`Limits`; the others come from the policy, or else
            are the predecessor's.
        sections: the list of valid sections.
    """

    job: Job
    given: Mapping[str, Any] = field(default_factory=dict)
    sections: frozenset[str] = frozenset()


def check_one(settings: Settings, request: Request, now: datetime, deadline: Deadline) -> Output:
    """Return the output for one job.

    Args:
        settings: the connection and the policy.
        request: the job.
        now: the current time, with a time zone.
        deadline: the plugin's time limit.

    Raises:
        BernardError: the database cannot be read.
    """
    policy, job = settings.policy, request.job
    expected = policy.expected.get(job)
    if expected and expected.planned(now):
        return plugin.planned(job, expected)
    limits = replace(expected or PREDECESSORS_LIMITS, **request.given)
    with _connection(settings.database, deadline) as connection:
        (judged,) = judge_jobs(connection, {job: limits}, policy, now)
        if judged.verdict.state is State.MISSING and not expected:
            wrong = unknown_name(connection, job, policy, request.sections)
            if wrong:
                return unknown(wrong)
    return plugin.one(judged, now)


def check_all(settings: Settings, now: datetime, deadline: Deadline) -> Output:
    """Return the output for every job of the policy.

    Args:
        settings: the connection and the policy.
        now: the current time, with a time zone.
        deadline: the plugin's time limit.

    Raises:
        BernardError: the database cannot be read.
    """
    policy = settings.policy
    jobs = {job: limits for job, limits in policy.expected.items() if not limits.planned(now)}
    with _connection(settings.database, deadline) as connection:
        return plugin.everything(judge_jobs(connection, jobs, policy, now), len(policy.expected) - len(jobs))


def _connection(settings: DatabaseSettings, deadline: Deadline) -> AbstractContextManager[Connection]:
    """Return a connection with timeouts such that all hosts can be tried before the deadline."""
    each = max(deadline.left, _LEAST) * _CONNECTING / max(1, len(settings.hosts))
    database = Database(replace(settings, timeout=min(settings.timeout, each)))
    deadline.hosts = ", ".join(database.names)
    return database.connect()
