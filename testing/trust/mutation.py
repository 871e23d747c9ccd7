"""Changes each rule a little, and looks for an episode that notices."""

from __future__ import annotations

import copy
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from testing.servers import need
from testing.trust.evaluation import Firing
from testing.trust.judge import Episode, Finding
from testing.trust.tracks import END

Rule = dict[str, Any]
_NUMBER = re.compile(r"(?<![\w.])(?<!vector\()(\d+(?:\.\d+)?)(?![\w.\]])")
_COMPARISON = re.compile(r"(<=|>=|==|!=|<|>)")
_OPPOSITE = {"<=": ">", ">=": "<", "==": "!=", "!=": "==", "<": ">=", ">": "<="}
_SELECTOR = r"[a-z][a-z_:]+(?:\{[^}]*\})?(?:\[\w+\])?"
_CLAUSE = re.compile(
    r"\s+(?:and|unless)\b(?:\s+(?:on|ignoring)\s*\([^)]*\))?(?:\s+group_(?:left|right)\s*\([^)]*\))?"
    rf"\s+{_SELECTOR}(?:\s*(?:==|<=|>=|!=|<|>)\s*[\d.]+)?"
)
_WINDOW = re.compile(r"\[(\d+)([mhd])\]")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed rule.

    Attributes:
        number: of the rule in its list.
        what: the change in words.
        name: of the alert, with severity and cause, or of the recorded series.
        rule: None if the rule is left out.
    """

    number: int
    name: str
    what: str
    rule: Rule | None


def mutants(rules: Sequence[Rule]) -> Iterator[Mutant]:
    """Yield every valid mutant of the alerts, and of the recorded series that they read."""
    for number, rule in enumerate(rules):
        if "record" in rule and not any(rule["record"] in other["expr"] for other in rules if "alert" in other):
            continue
        changed = [("left out", None), *(_changed(rule) if "alert" in rule else _recorded(rule))]
        for what, mutated in changed:
            if mutated is None or _is_valid([mutated]):
                yield Mutant(number, _name(rule), what, mutated)


def _name(rule: Rule) -> str:
    labels = rule.get("labels", {})
    further = [labels[key] for key in ("severity", "cause") if key in labels]
    return " ".join([rule.get("alert") or rule["record"], *further])


def _changed(rule: Rule) -> Iterator[tuple[str, Rule]]:
    held = str(rule.get("for", "0s"))
    # No promise forbids an alert on backups to fire a few minutes earlier.
    waits = ("0s", "3h") if held.endswith("h") or rule["alert"].startswith("Bernard") else ("3h",)
    keeps = ("0s", "3h") if "keep_firing_for" in rule else ()
    for key, values in (("for", waits), ("keep_firing_for", keeps)):
        for value in values:
            if str(rule.get(key, "0s")) != value:
                yield f"{key}: {value} in place of {rule.get(key, 'none')}", {**rule, key: value}
    yield from _expressions(rule)


def _recorded(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Yield changes of a recording rule, by which it chooses the other exporter."""
    for name, opposite in (("topk", "bottomk"), ("max", "min")):
        if re.search(rf"\b{name}\b", rule["expr"]):
            yield f"{opposite} in place of {name}", {**rule, "expr": re.sub(rf"\b{name}\b", opposite, rule["expr"])}


def _expressions(rule: Rule) -> Iterator[tuple[str, Rule]]:
    expr = rule["expr"]

    def replaced(pattern: re.Pattern[str], by: Callable[[re.Match[str]], str | None]) -> Iterator[tuple[str, Rule]]:
        for match in pattern.finditer(expr):
            text = by(match)
            if text is not None and text != match[0]:
                changed = expr[: match.start()] + text + expr[match.end() :]
                yield f"{text.strip() or 'nothing'} in place of {' '.join(match[0].split())}", {**rule, "expr": changed}

    yield from replaced(_CLAUSE, lambda match: "")
    yield from replaced(_COMPARISON, lambda match: _OPPOSITE[match[0]])
    yield from replaced(_NUMBER, lambda match: f"{float(match[0]) * 2 + 1:g}")
    yield from replaced(_WINDOW, lambda match: f"[{int(match[1]) * 20}{match[2]}]")


def _is_valid(rules: Sequence[Rule]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rules.yaml")
        file.write_text(text_of(rules))
        command = [need("promtool"), "check", "rules", "--lint=none", str(file)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def text_of(rules: Sequence[Rule]) -> str:
    """Return rules as a file of one group, without annotations, which cost time and decide nothing."""
    bare = [{key: value for key, value in copy.deepcopy(rule).items() if key != "annotations"} for rule in rules]
    return str(yaml.safe_dump({"groups": [{"name": "rules", "rules": bare}]}, sort_keys=False))


class Laboratory:
    """Tries mutants on episodes whose findings by the unchanged rules are known."""

    def __init__(self, episodes: Sequence[Episode], rules: Sequence[Rule]) -> None:
        """Evaluate the unchanged rules."""
        self._episodes = episodes
        self._rules = rules
        self._fired = [episode.fired(text_of(rules)) for episode in episodes]
        self._known = [list(episode.compare(fired)) for episode, fired in zip(episodes, self._fired, strict=True)]
        self._alone: dict[tuple[int, int], Firing] = {}

    def noticed_by(self, mutant: Mutant) -> Finding | None:
        """Return what an episode finds of a mutant; None if none does."""
        for index in self._promising(mutant.number):
            finding = self._try(index, mutant)
            if finding:
                return finding
        return None

    def _promising(self, number: int) -> list[int]:
        """Return the episodes, first those in which the alert fires."""
        name = self._rules[number].get("alert")

        def fires(index: int) -> int:
            return -sum(any(("alertname", name) in alert for alert in alerts) for alerts in self._fired[index])

        return sorted(range(len(self._episodes)), key=fires)

    def _records(self) -> list[Rule]:
        return [rule for rule in self._rules if "record" in rule]

    def _try(self, index: int, mutant: Mutant) -> Finding | None:
        episode, rule = self._episodes[index], self._rules[mutant.number]
        if "record" in rule:
            others = [other for number, other in enumerate(self._rules) if number != mutant.number]
            rules = [mutant.rule, *others] if mutant.rule else others
            fired = episode.fired(text_of(rules))
        else:
            alone = self._alone.get((index, mutant.number))
            if alone is None:
                alone = self._alone[index, mutant.number] = self._evaluated(episode, rule)
            mutated = self._evaluated(episode, mutant.rule) if mutant.rule else [frozenset()] * len(alone)
            fired = [
                (alerts - before) | after
                for alerts, before, after in zip(self._fired[index], alone, mutated, strict=True)
            ]
        return next((found for found in episode.compare(fired) if self._is_new(index, found)), None)

    def _evaluated(self, episode: Episode, rule: Rule) -> Firing:
        return episode.fired(text_of([*self._records(), rule]))

    def _is_new(self, index: int, found: Finding) -> bool:
        """Return whether the unchanged rules did not do the same, or did it for much shorter."""
        known = [other for other in self._known[index] if other.is_like(found)]
        return not any(other.first - END <= found.first and found.last <= other.last + END for other in known)


def rules_of(documents: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Return the rules of rule files, in the order in which they are evaluated."""
    return [rule for document in documents for group in document["groups"] for rule in group["rules"]]
