"""The sample fleet has the requested number of jobs, and a configuration file that expects them."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bernard_exporter.commands.sample.document import config_yaml, policy_yaml
from bernard_exporter.commands.sample.fleet import Case, make_fleet
from bernard_exporter.config.load import load
from bernard_exporter.domain.model import Job
from testing.rows import NOW

SIZES = [None, 1, 2, 3, 5, 20, 64, 65, 66, 500]


@pytest.mark.parametrize("jobs", SIZES)
def test_fleet_has_exactly_the_requested_jobs(jobs: int | None) -> None:
    members = make_fleet(jobs).members
    assert len({member.job for member in members}) == len(members) == (jobs or 65)


@pytest.mark.parametrize("jobs", SIZES)
def test_configuration_file_means_the_policy_of_the_fleet(jobs: int | None, tmp_path: Path) -> None:
    fleet = make_fleet(jobs)
    file = tmp_path / "config.yaml"
    file.write_text(config_yaml(fleet, "sqlite:////srv/inventory.sqlite", "5s"))
    settings = load(file)
    assert settings.policy == fleet.policy
    assert (settings.database.url, settings.poll_interval) == ("sqlite:////srv/inventory.sqlite", 5.0)


def test_planned_job_is_expected_from_a_midnight_on(tmp_path: Path) -> None:
    fleet = make_fleet(now=NOW)
    file = tmp_path / "config.yaml"
    file.write_text(config_yaml(fleet, "sqlite:////srv/inventory.sqlite"))
    expected = load(file).policy.expected
    assert expected == fleet.policy.expected
    planned = {job: limits.expected_from for job, limits in expected.items() if limits.expected_from}
    assert planned == {Job("x3", "dump", "eqiad"): datetime(2026, 4, 9, tzinfo=UTC)}


def test_policy_document_says_only_what_is_special() -> None:
    sections = yaml.safe_load(policy_yaml(make_fleet()))["policy"]["sections"]
    assert len(sections) == 25
    assert sections["analytics_meta"] == {"team": "data-engineering", "dump": {"datacenters": ["eqiad"]}}
    assert sections["s1"] == ["dump", "snapshot"]
    assert sections["matomo"] == {"dump": {"datacenters": ["eqiad"]}}
    assert sections["es6"] == {"dump": {"retention": "10d"}}
    assert sections["es1"] == {"dump": {"max_age": "1095d", "retention": "10d", "read_only": True}}
    assert sections["db_inventory"] == {"dump": {"schedule": "0 6 * * *"}}


def test_usual_fleet_is_the_configured_one_and_the_read_only_sections() -> None:
    fleet = make_fleet()
    read_only = {job for job, limits in fleet.policy.expected.items() if limits.read_only}
    both = [f"s{number}" for number in range(1, 9)] + ["x1"]
    dumped = [*both, "es6", "es7", "m1", "m2", "m3", "m5", "db_inventory"]
    assert read_only == {Job(f"es{number}", "dump", place) for number in range(1, 6) for place in ("eqiad", "codfw")}
    assert set(fleet.policy.expected) - read_only == {
        *(Job(section, "dump", place) for section in dumped for place in ("eqiad", "codfw")),
        *(Job(section, "snapshot", place) for section in both for place in ("eqiad", "codfw")),
        *(Job(section, "dump", "eqiad") for section in ("matomo", "analytics_meta", "backup1-eqiad")),
        Job("backup1-codfw", "dump", "codfw"),
    }
    assert len(set(fleet.policy.expected) - read_only) == 54
    assert all(fleet.policy.datacenter(member.host) == member.job.datacenter for member in fleet.members)


def test_usual_fleet_shows_each_case_once() -> None:
    cases = Counter(member.case for member in make_fleet(now=NOW).members)
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
