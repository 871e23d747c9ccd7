"""Queries about the fleet: aggregates over all selected jobs."""

from __future__ import annotations

from bernard_exporter.domain.model import RANK, Rank, State
from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import JOB_LABELS
from dashboards.queries import jobs
from dashboards.queries.selection import chosen, counted, each
from dashboards.states import SEVERITIES
from monitoring.promql import largest

# States in which a restore would recover old data, or none.
_TOO_OLD = "|".join((State.MISSING, State.STALE, State.VERY_STALE))


def _in_rank(rank: Rank) -> str:
    states = "|".join(state for state in State if RANK[state] is rank)
    return f"sum({largest(each(c.STATE, {'state': states}))})"


EXPECTED = f"sum({chosen(c.EXPECTED)})"
_FRESH = chosen(c.STATE, state=State.FRESH.value)
FRESH_SHARE = f"avg({_FRESH})"
FRESH_SHARE_BY_DATACENTER = f"avg by (type, datacenter) ({_FRESH})"
CRITICAL = _in_rank(Rank.CRITICAL)
WARNING = _in_rank(Rank.WARNING)
# The minimum over all data centres: 1 if all of them are stale.
STALE_EVERYWHERE = f"sum(min by (section, type) ({largest(each(c.STATE, {'state': _TOO_OLD}))}))"
FAILED = f"sum({chosen(c.LAST_ATTEMPT_STATUS, status='failed')})"
RUNNING = f"sum({chosen(c.ONGOING)})"
OVERDUE = f"sum({jobs.IS_OVERDUE}) or 0 * count({chosen(c.EXPECTED)})"
ABANDONED = f"sum({chosen(c.ABANDONED)})"
BY_STATE = f"sum by (state) ({chosen(c.STATE)})"
BY_STATUS = f"sum by (status) ({chosen(c.LAST_ATTEMPT_STATUS)})"
RUNS = f"sum({chosen(c.RUNS)})"
RUNNING_BY_DATACENTER = f"sum by (type, datacenter) ({chosen(c.ONGOING)})"
RUNNING_LONG = counted(f"({jobs.RUNNING_OF_LIMIT}) > 1")
# The name of a job's column in the matrix consists of type and data centre.
MATRIX = f'max by (section, place) (label_join({jobs.STATE}, "place", "/", "type", "datacenter"))'
# The share of time in which the newest success was young enough; a job without a success was never so.
_IS_FRESH = f"({jobs.AGE} <= bool {jobs.MAX_AGE}) or 0 * {jobs.MAX_AGE}"
JOB_RPO_MET = f"avg_over_time(({_IS_FRESH})[30d:1h])"
# Less often, as it covers all jobs.
RPO_MET = f"avg by (type, datacenter) (avg_over_time(({_IS_FRESH})[30d:6h]))"

# Alerts that are not about a job have none of these labels.
_ABOUT = ",".join(f'{label}=~"${label}|"' for label in JOB_LABELS)
_FIRING = " or ".join(
    f'{code} * ALERTS{{alertstate="firing",alertname=~"(Backup|Bernard).+",severity="{severity}",{_ABOUT}}}'
    for code, severity in SEVERITIES.items()
)
ALERTS = largest(_FIRING, ("alertname", *JOB_LABELS))
INVENTORY_AGE = f"time() - {chosen(c.LAST_POLL)}"
ON_TIME = f"1 - avg({jobs.IS_OVERDUE})"
LONGEST = f"topk(15, {jobs.DURATION_OF_LIMIT})"
