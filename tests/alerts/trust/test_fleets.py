"""Ten fleet-days: random stories in which the generated rules keep every promise about alerts."""

from __future__ import annotations

from functools import cache

import pytest

from testing.trust import committed
from testing.trust.imagine import days_of, imagine
from testing.trust.judge import Episode
from testing.trust.mutation import text_of

# promtool evaluates the rules.
pytestmark = pytest.mark.integration
# In these stories every alert must fire at least once; one of them lasts three days.
SEEDS = (69, 3, 22, 25, 26, 28, 60, 85)


@cache
def rules() -> str:
    return text_of(committed.rules())


@pytest.mark.parametrize("seed", SEEDS)
def test_fleet_gets_every_alert_that_is_promised_and_no_other(seed: int) -> None:
    episode = Episode(imagine(seed), rules(), committed.configuration())
    assert "\n".join(map(str, episode.findings(rules()))) == ""


def test_every_alert_that_never_fires_is_missed_in_one_of_the_ten_days() -> None:
    missed = set()
    for seed in SEEDS:
        episode = Episode(imagine(seed), rules(), committed.configuration())
        silence = [frozenset[tuple[tuple[str, str], ...]]()] * (episode.story.minutes + 1)
        missed |= {finding.alert.split()[0] for finding in episode.compare(silence)}
    assert sum(map(days_of, SEEDS)) == 10
    assert missed == {rule["alert"] for rule in committed.rules() if "alert" in rule}
