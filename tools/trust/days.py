"""Simulates fleet-days in several processes."""

from __future__ import annotations

import os
import resource
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from multiprocessing import get_context

from testing.trust.committed import Configuration
from testing.trust.imagine import days_of, imagine
from testing.trust.judge import Episode, Finding


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one story.

    Attributes:
        days: the length of the story.
        seconds: of processor time, promtool included.
        findings: the broken promises.
        expected: how often each alert had to fire.
    """

    seed: int
    days: int
    seconds: float
    findings: list[Finding]
    expected: Counter[str] = field(default_factory=Counter)


def simulate(seed: int, rules: str, configuration: Configuration) -> Result:
    """Simulate the story of a seed and judge the rules on it."""
    before = _processor_time()
    episode = Episode(imagine(seed), rules, configuration)
    findings = episode.findings(rules)
    expected: Counter[str] = Counter()
    for track in episode.tracks:
        must = [False, *track.must()]
        expected[f"{track.name} {track.severity}".strip()] += sum(
            now and not earlier for earlier, now in pairwise(must)
        )
    return Result(seed, days_of(seed), _processor_time() - before, findings, expected)


def _processor_time() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def simulate_all(
    seeds: Iterable[int], rules: str, configuration: Configuration, processes: int | None
) -> Iterator[Result]:
    """Yield the results of all seeds as they become available."""
    work = partial(simulate, rules=rules, configuration=configuration)
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for done in as_completed([pool.submit(work, seed) for seed in seeds]):
            yield done.result()
