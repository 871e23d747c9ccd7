"""The sample fleet has as many jobs as asked, and a configuration file that expects them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from bernard_exporter.config.load import load
from bernard_exporter.model import Job
from bernard_exporter.sample.document import config_yaml, policy_yaml
from bernard_exporter.sample.fleet import Case, make_fleet

SIZES = [None, 1, 2, 3, 5, 20, 69, 70, 71, 500]


@pytest.mark.parametrize("jobs", SIZES)
def test_fleet_has_exactly_the_jobs_asked_for(jobs: int | None) -> None:
    members = make_fleet(jobs).members
    assert len({member.job for member in members}) == len(members) == (jobs or 70)


@pytest.mark.parametrize("jobs", SIZES)
def test_configuration_file_means_the_policy_of_the_fleet(jobs: int | None, tmp_path: Path) -> None:
    fleet = make_fleet(jobs)
    file = tmp_path / "config.yaml"
    file.write_text(config_yaml(fleet, "sqlite:////srv/inventory.sqlite", "5s"))
    settings = load(file)
    assert settings.policy == fleet.policy
    assert (settings.database.url, settings.poll_interval) == ("sqlite:////srv/inventory.sqlite", 5.0)


def test_policy_document_says_only_what_is_special() -> None:
    sections = yaml.safe_load(policy_yaml(make_fleet()))["policy"]["sections"]
    assert len(sections) == 22
    assert sections["s1"] == ["dump", "snapshot"]
    assert sections["matomo"] == {"dump": {"datacenters": ["eqiad"]}}
    assert sections["es4"] == {"dump": {"max_duration": "1d"}}
    assert sections["es1"]["dump"]["read_only"] is True


def test_usual_fleet_shows_each_case_once() -> None:
    cases = Counter(member.case for member in make_fleet().members)
    assert set(cases) == set(Case)
    assert {case for case, jobs in cases.items() if jobs > 1} == {Case.HEALTHY}


def test_small_fleet_shows_as_many_cases_as_fit_beside_a_healthy_job() -> None:
    cases = [member.case for member in make_fleet(5).members]
    assert cases[0] is Case.HEALTHY
    assert sorted(set(cases)) == sorted([Case.HEALTHY, Case.STALE, Case.WRONG_SIZE, Case.MISSING, Case.UNEXPECTED])


def test_policy_knows_every_job_but_one() -> None:
    fleet = make_fleet()
    unknown = {member.job for member in fleet.members} - set(fleet.policy.expected)
    assert unknown == {Job("pc1", "dump", "eqiad")}
