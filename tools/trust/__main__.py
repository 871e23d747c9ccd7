"""``make trust``: simulate fleets for many days and check every promise about alerts; exit 1 if one is broken.

Each seed is one random story of a fleet and always the same. A broken promise is printed with its seed and with the
smallest story that still shows it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from pathlib import Path

from alerts.products import FOLDER
from bernard_exporter.commands.progress import progress_bar
from testing.trust import committed
from testing.trust.imagine import days_of, imagine
from testing.trust.judge import Episode, Finding
from testing.trust.mutation import Laboratory, Rule, mutants, text_of
from testing.trust.shrink import shrink
from testing.trust.story import Story
from tools.trust.days import Result, simulate_all

# Where there is no terminal for a bar, progress is a line after so many stories.
_EVERY = 10


def main() -> None:
    """Simulate, print a summary, and exit 1 if a promise is broken or a changed rule is not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=1000, help="fleet-days to simulate (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--processes", type=int, help="simulations at a time (default: one for each core)")
    parser.add_argument("--rules", type=Path, default=FOLDER, help="directory of the rules (default: alerts)")
    parser.add_argument("--mutate", action="store_true", help="change each rule and require that an episode notices")
    parser.add_argument("--alert", default="", help="with --mutate: only rules whose name matches")
    parser.add_argument("--trials", type=int, default=60, help="simulations to make a story smaller (default: 60)")
    arguments = parser.parse_args()
    rules, configuration = committed.rules(arguments.rules), committed.configuration(arguments.rules)
    seeds = list(_seeds(arguments.seed, arguments.days))
    if arguments.mutate:
        sys.exit(_mutate(seeds, rules, configuration, arguments.alert))
    sys.exit(_simulate(seeds, rules, configuration, arguments))


def _seeds(first: int, days: int) -> list[int]:
    """Return as many seeds as are needed for a number of days."""
    seeds: list[int] = []
    while days > 0:
        seeds.append(first + len(seeds))
        days -= days_of(seeds[-1])
    return seeds


def _simulate(
    seeds: list[int], rules: list[Rule], configuration: committed.Configuration, arguments: argparse.Namespace
) -> int:
    text, results = text_of(rules), []
    with progress_bar("fleets") as progress:
        for result in simulate_all(seeds, text, configuration, arguments.processes):
            results.append(result)
            progress(len(results), len(seeds))
            if not sys.stderr.isatty() and len(results) % _EVERY == 0:
                print(f"{len(results)} of {len(seeds)} stories", file=sys.stderr, flush=True)
            for finding in result.findings:
                print(f"seed {result.seed}: {finding}", flush=True)
    _summary(results)
    shown: list[Finding] = []
    for result in sorted(results, key=lambda one: one.seed):
        for finding in result.findings:
            # One story for each kind of fault and name of an alert.
            if not any(_same_kind(finding, other) for other in shown):
                shown.append(finding)
                _explain(imagine(result.seed), finding, text, configuration, arguments.trials)
    return 1 if shown else 0


def _same_kind(one: Finding, other: Finding) -> bool:
    return one.kind == other.kind and one.alert.split()[:2] == other.alert.split()[:2]


def _explain(story: Story, finding: Finding, rules: str, configuration: committed.Configuration, trials: int) -> None:
    """Print the smallest story with a finding."""

    def holds(smaller: Story) -> bool:
        return any(other.is_like(finding) for other in Episode(smaller, rules, configuration).findings(rules))

    small = shrink(story, holds, trials)
    print("", finding, *small.lines(), sep="\n  ", flush=True)


def _summary(results: list[Result]) -> None:
    days, seconds = sum(result.days for result in results), sum(result.seconds for result in results)
    expected: Counter[str] = Counter()
    for result in results:
        expected.update(result.expected)
    findings = sum(len(result.findings) for result in results)
    print(f"{days} fleet-days in {len(results)} stories, seeds {results[0].seed} and following; {findings} findings")
    print(f"{seconds / days:.1f} s of processor time for each fleet-day")
    for alert, times in sorted(expected.items()):
        print(f"  {alert}: had to fire {times} times")


def _mutate(seeds: list[int], rules: list[Rule], configuration: committed.Configuration, name: str) -> int:
    """Change each rule in every way; print the changes that no episode notices."""
    text = text_of(rules)
    laboratory = Laboratory([Episode(imagine(seed), text, configuration) for seed in seeds], rules)
    tried = [mutant for mutant in mutants(rules) if re.search(name, mutant.name)]
    unnoticed = 0
    with progress_bar("changed rules") as progress:
        for number, mutant in enumerate(tried, 1):
            if laboratory.noticed_by(mutant) is None:
                unnoticed += 1
                print(f"not noticed: {mutant.name}: {mutant.what}", flush=True)
            progress(number, len(tried))
    print(f"{len(tried) - unnoticed} of {len(tried)} changed rules are noticed in {len(seeds)} stories")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    main()
