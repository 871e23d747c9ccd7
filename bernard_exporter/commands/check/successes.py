"""The newest two successes of each job of a type and section."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Run
from bernard_exporter.domain.policy import Policy
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair
from bernard_exporter.store.successes import newest_successes

# Enough for the jobs of most sections.
_FIRST_PAGE = 10


def newest_two(
    connection: Connection, pair: Pair, jobs: Iterable[Job], policy: Policy, now: datetime
) -> dict[Job, list[Run]]:
    """Return up to two newest successes of each job of one type and section.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    successes: dict[Job, list[Run]] = {job: [] for job in jobs}
    # The columns may have a character set that lacks characters of the name, which a server answers with an error.
    if not "".join(pair).isascii() and pair not in reader.pairs(connection):
        return successes
    without, limit = set[str](), _FIRST_PAGE
    while any(len(runs) < 2 for runs in successes.values()):
        page = newest_successes(connection, pair, now, limit, without)
        of_job = defaultdict[Job, list[Run]](list)
        for run in page:
            of_job[Job(run.section, run.type, policy.datacenter(run.host))].append(run)
        successes |= {job: of_job[job][:2] for job, runs in successes.items() if len(runs) < 2}
        if len(page) < limit:
            break
        enough = [runs for job, runs in of_job.items() if job not in successes or len(successes[job]) == 2]
        hosts = {run.host for runs in enough for run in runs} - without
        without |= hosts
        limit *= 1 if hosts else 4
    return successes
