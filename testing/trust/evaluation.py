"""Evaluates rules on the samples of a story with promtool, a minute at a time."""

from __future__ import annotations

import json
import math
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

from testing.servers import need
from testing.trust.exporters import Values

# An alert by its labels, sorted by name.
Alert = tuple[tuple[str, str], ...]
# The alerts that fire at each minute.
Firing = list[frozenset[Alert]]

_FIRING = 'ALERTS{alertstate="firing"}'
_TIME = re.compile(r"^\s+expr: .*, time: (\w+),\s*$")
_SAMPLE = re.compile(r"\{((?:[^\"}]|\"(?:[^\"\\]|\\.)*\")*)\} \S+")
_LABEL = re.compile(r"(\w+)=\"((?:[^\"\\]|\\.)*)\"")
_PART = re.compile(r"(\d+)([wdhms])")
_SECONDS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
# Evaluate this long at most, whatever else the machine does.
_PATIENCE = 1800
# The labels of ALERTS that are no labels of the alert.
_OWN = ("__name__", "alertstate")


def written(values: Values, minutes: int) -> str:
    """Return a series in promtool's notation: minutes without a sample are ``_``, NaN is ``stale``."""
    steps = ((minute, values.get(minute)) for minute in range(minutes + 1))
    parts: list[str] = []
    for kind, group in groupby(steps, key=_notation):
        times = sum(1 for _ in group)
        if kind == "stale":
            parts += ["stale"] * times
        elif kind == "_":
            parts.append(f"_x{times}")
        else:
            parts.append(f"{kind}x{times - 1}")
    return " ".join(parts)


def _notation(step: tuple[int, float | None]) -> str:
    """Return the notation of one sample."""
    value = step[1]
    if value is None:
        return "_"
    return "stale" if math.isnan(value) else repr(value)


def _series(stored: Mapping[str, Values], minutes: int) -> Iterator[dict[str, str]]:
    for name, values in stored.items():
        if any(not math.isnan(value) for value in values.values()):
            yield {"series": name, "values": written(values, minutes)}


def firing(rules: str, stored: Mapping[str, Values], minutes: int, every: int = 1) -> Firing:
    """Return the alerts that fire at each minute of a story.

    Args:
        rules: the text of a file of rules.
        stored: the samples of each series by minute.
        minutes: the length of the story.
        every: minutes between evaluations of the rules.
    """
    nothing = {"expr": _FIRING, "exp_samples": []}
    test = {
        "interval": "1m",
        "input_series": list(_series(stored, minutes)),
        "promql_expr_test": [{**nothing, "eval_time": f"{minute}m"} for minute in range(minutes + 1)],
    }
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": f"{every}m", "tests": [test]}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rules.yaml").write_text(rules)
        # JSON is YAML, and written faster.
        Path(folder, "test.yaml").write_text(json.dumps(document))
        command = [need("promtool"), "test", "rules", "test.yaml"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_PATIENCE)
    return _parsed(done.stdout + done.stderr, minutes)


def _parsed(output: str, minutes: int) -> Firing:
    """Return the alerts of each minute from what promtool found beside the nothing that it was to expect."""
    fired: Firing = [frozenset()] * (minutes + 1)
    minute: int | None = None
    for line in output.splitlines():
        if moment := _TIME.match(line):
            seconds = sum(int(number) * _SECONDS[unit] for number, unit in _PART.findall(moment[1]))
            minute = seconds // 60
        elif line.strip().startswith("got:") and minute is not None:
            fired[minute] = frozenset(map(_alert, _SAMPLE.findall(line)))
            minute = None
    if not any(fired) and "SUCCESS" not in output:
        raise RuntimeError(f"promtool did not evaluate the rules: {output[-2000:]}")
    return fired


def _alert(labels: str) -> Alert:
    return tuple(sorted((name, value) for name, value in _LABEL.findall(labels) if name not in _OWN))
