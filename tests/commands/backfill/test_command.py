"""The command ``backfill``: output, parts, and errors."""

from __future__ import annotations

import gzip
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bernard_exporter.metrics.catalogue import CATALOGUE
from testing.exporter import COMMAND
from testing.rows import CODFW, DAY, HOUR, NOW, Rows
from tests.commands.backfill.conftest import Sampled, sampled
from tests.commands.backfill.oracle import NOT_OF_THE_PAST, by_time, would_have_served

NIGHT = ["--start", (NOW - 12 * HOUR).isoformat(), "--end", NOW.isoformat(), "--step=30m"]


@pytest.fixture
def inventory(url: str, tmp_path: Path) -> Sampled:
    return sampled(url, tmp_path, NOW)


@pytest.fixture
def small(tmp_path: Path) -> Sampled:
    """Two dumps of s1 a day apart, one of s2, on SQLite."""
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    rows.add(start=NOW - 2 * DAY)
    rows.add(start=NOW - DAY)
    rows.add(section="s2", host=CODFW, start=NOW - DAY)
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump]}}}}\n")
    return Sampled(rows.url, config)


def test_past_is_the_same_on_every_store(inventory: Sampled, tmp_path: Path) -> None:
    found = by_time(inventory.write(tmp_path, *NIGHT).read_text())
    assert sorted(found) == [NOW - number * timedelta(minutes=30) for number in range(24, 0, -1)]
    rows, policy = inventory.rows, inventory.settings.policy
    for now in (NOW - 12 * HOUR, NOW - 5 * HOUR, NOW - HOUR / 2):
        assert found[now] == would_have_served(rows, policy, now)


def test_part_done_again_has_the_bytes_it_has_within_the_whole(inventory: Sampled, tmp_path: Path) -> None:
    whole = inventory.write(tmp_path, "--start", (NOW - 3 * DAY).isoformat(), *NIGHT[2:]).read_bytes()
    part = inventory.write(tmp_path, *NIGHT).read_bytes()
    assert part == inventory.write(tmp_path, *NIGHT).read_bytes()
    preamble = b"".join(line for line in part.splitlines(True) if line.startswith(b"#") and line != b"# EOF\n")
    assert whole.startswith(preamble)
    assert whole.endswith(part.removeprefix(preamble))


def test_output_is_plain_or_compressed_wherever_it_goes(inventory: Sampled, tmp_path: Path) -> None:
    plain = inventory.write(tmp_path, *NIGHT).read_bytes()
    command = [*COMMAND, "backfill", f"--config.file={inventory.config}", *NIGHT]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == plain
    assert done.stderr == b""
    compressed = subprocess.run([*command, "--gzip"], capture_output=True, check=True).stdout
    assert gzip.decompress(compressed) == plain
    file = tmp_path / "past.om.gz"
    assert inventory.backfill(*NIGHT, f"--output={file}") == 0
    assert file.read_bytes() == compressed


def test_chosen_jobs_are_those_of_the_whole_without_the_sums_over_all(inventory: Sampled, tmp_path: Path) -> None:
    whole = by_time(inventory.write(tmp_path, *NIGHT).read_text())
    chosen = by_time(inventory.write(tmp_path, *NIGHT, "--type=dump", "--datacenter=eqiad").read_text())
    mine = ('datacenter="eqiad"', 'type="dump"')
    assert chosen == {
        now: {series: value for series, value in samples.items() if all(label in series for label in mine)}
        for now, samples in whole.items()
    }
    assert chosen[NOW - HOUR]


def test_labels_are_added_to_every_series(small: Sampled, tmp_path: Path) -> None:
    plain = by_time(small.write(tmp_path, *NIGHT).read_text())
    text = small.write(tmp_path, *NIGHT, "--label=job=bernard", '--label=instance=a"b\\c').read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == sum(map(len, plain.values()))
    assert [line for line in lines if r'instance="a\"b\\c",job="bernard"' not in line.replace(",section", "")] == [
        line for line in lines if r'instance="a\"b\\c"' not in line or 'job="bernard"' not in line
    ]
    assert all('job="bernard"' in line and r'instance="a\"b\\c"' in line for line in lines)


def test_without_a_start_the_past_begins_with_the_first_run(small: Sampled, tmp_path: Path) -> None:
    found = by_time(small.write(tmp_path, "--end", NOW.isoformat(), "--step=7h").read_text())
    first = min(found)
    assert timedelta() <= first - (NOW - 2 * DAY) < 7 * HOUR
    assert first.timestamp() % (7 * 3600) == 0
    # s2 is not expected, so it is seen from its first run on.
    seen = [now for now, samples in found.items() if any('section="s2"' in series for series in samples)]
    assert min(seen) >= NOW - DAY
    # s1 in codfw is expected and was never seen.
    missing = 'bernard_backup_state{datacenter="codfw",section="s1",state="missing",type="dump"}'
    assert {samples[missing] for samples in found.values()} == {1.0}


def test_run_is_ongoing_until_its_end_and_finished_from_then_on(small: Sampled, tmp_path: Path) -> None:
    start = NOW - DAY
    found = by_time(
        small.write(
            tmp_path, "--start", (start - HOUR).isoformat(), "--end", (start + 2 * HOUR).isoformat(), "--step=30m"
        ).read_text()
    )
    job = 'datacenter="eqiad",section="s1",type="dump"'
    assert [samples[f"bernard_backup_ongoing{{{job}}}"] for samples in found.values()] == [0, 0, 1, 1, 0, 0]
    sizes = [samples[f"bernard_backup_last_success_id{{{job}}}"] for samples in found.values()]
    assert sizes == [1, 1, 1, 1, 2, 2]


def test_every_metric_has_a_past_or_a_reason_for_none() -> None:
    historical = {metric.name for metric in CATALOGUE if metric.historical}
    assert historical.isdisjoint(NOT_OF_THE_PAST)
    assert historical | set(NOT_OF_THE_PAST) == {metric.name for metric in CATALOGUE}


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--step=soon"], 2, "found 'soon', expected a duration such as 90s"),
        (["--step=500ms"], 2, "expected whole seconds"),
        (["--start=yesterday"], 2, "expected a time such as"),
        (["--end=2999-01-01"], 2, "the time is in the future"),
        (["--label=job"], 2, "expected NAME=VALUE such as job=bernard"),
        (["--label=__x=1"], 2, "expected NAME=VALUE such as job=bernard"),
        (["--label=section=s1"], 2, "the label section already exists"),
        (["--section=s77"], 1, "no job of the policy or the inventory matches"),
        (["--section=s1"] * 51, 1, "section: found 51 values, expected at most 50"),
        (["--start=2026-03-01", "--end=2026-02-01"], 1, "choose an earlier --start or a later --end"),
        (["--output=/nowhere/past.om"], 1, "/nowhere/past.om: No such file or directory"),
        (["--output=/dev/full"], 1, "/dev/full: No space left on device; the output is incomplete"),
        (["--config.file=/nowhere.yaml"], 2, "/nowhere.yaml: No such file or directory"),
    ],
)
def test_wrong_arguments_are_one_line(
    small: Sampled, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, says: str
) -> None:
    assert small.backfill(*arguments) == status
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert says in said.err


def test_inventory_without_runs_has_no_first_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
    config = tmp_path / "config.yaml"
    config.write_text(f"database: {{url: '{rows.url}'}}\npolicy: {{sections: {{s1: [dump]}}}}\n")
    empty = Sampled(rows.url, config)
    assert empty.backfill() == 1
    assert "give --start" in capsys.readouterr().err
    found = by_time(empty.write(tmp_path, *NIGHT).read_text())
    missing = 'bernard_backup_state{datacenter="codfw",section="s1",state="missing",type="dump"}'
    assert {samples[missing] for samples in found.values()} == {1.0}


def test_reader_that_goes_away_ends_it_in_one_line(inventory: Sampled) -> None:
    command = [*COMMAND, "backfill", f"--config.file={inventory.config}", *NIGHT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(100)
        running.stdout.close()
        said = running.stderr.read()
    assert running.returncode == 1
    assert said == b"bernard-exporter: standard output: Broken pipe; the output is incomplete\n"
