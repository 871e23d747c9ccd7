"""Writes the imported policy as YAML, and the summary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from bernard_exporter.commands.policy.builder import Expected, PolicyBuilder
from bernard_exporter.domain.wikimedia import EXTERNAL_RETENTION, HABITS


def policy_text(builder: PolicyBuilder) -> str:
    """Return the key ``policy`` of a configuration file.

    Wikimedia's schedule and retention, if not in any of the files, are added as comments.
    """
    lines = ["policy:", f"  datacenters: {_flow(builder.datacenters)}"]
    by_type = {
        backup_type: list(_default(builder, backup_type)) for backup_type in {**builder.defaults, **builder.jobs()}
    }
    if any(by_type.values()):
        lines.append("  defaults:")
        for backup_type, stated in by_type.items():
            lines += [f"    {backup_type}:", *(f"      {line}" for line in stated)] if stated else []
    lines.append("  sections:")
    lines += [
        f"    {_flow(section)}: {_flow(_section(builder, by_type))}" for section, by_type in builder.sections.items()
    ]
    return "\n".join(lines) + "\n"


def summary(builder: PolicyBuilder) -> list[str]:
    """Return the summary of the import, one line per heading of the notes."""
    jobs = builder.jobs()
    counted = ", ".join(f"{number} {backup_type}" for backup_type, number in jobs.items())
    lines = [f"{_number(sum(jobs.values()), 'job')} in {_number(len(builder.sections), 'section')}: {counted}"]
    lines += builder.notes.lines()
    usual = {backup_type: HABITS[backup_type] for backup_type in jobs if backup_type in HABITS}
    if usual:
        when = ", ".join(f"{backup_type}s on {habit.days}" for backup_type, habit in usual.items())
        lines.append(
            "these files contain no schedules, and without a schedule a missed start is not detected. Wikimedia's "
            f"({when}) are comments in the policy: compare them with your timers and uncomment them"
        )
    without_retention = {
        backup_type: habit for backup_type, habit in usual.items() if _lacks_retention(builder, backup_type)
    }
    if without_retention:
        days = ", ".join(f"{backup_type}s {habit.retention}" for backup_type, habit in without_retention.items())
        external = f"; {EXTERNAL_RETENTION} for dumps of external storage" if "dump" in without_retention else ""
        lines.append(
            f"retention is missing; Wikimedia's ({days}{external}) is a comment in the policy too. "
            "The writer's configuration has yours: import it as well"
        )
    return lines


def _default(builder: PolicyBuilder, backup_type: str) -> Iterator[str]:
    for name, value in builder.defaults.get(backup_type, {}).items():
        yield f"{name}: {_flow(value)}"
    if backup_type not in HABITS or backup_type not in builder.jobs():
        return
    habit = HABITS[backup_type]
    yield "# Not in the imported files. These are Wikimedia's values; uncomment those that apply to you:"
    yield f"# schedule: '{habit.schedule}'"
    if _lacks_retention(builder, backup_type):
        external = f"  # {EXTERNAL_RETENTION} for external storage, in its sections" if backup_type == "dump" else ""
        yield f"# retention: {habit.retention}{external}"


def _lacks_retention(builder: PolicyBuilder, backup_type: str) -> bool:
    return any(
        backup_type in by_type and "retention" not in by_type[backup_type].limits
        for by_type in builder.sections.values()
    )


def _section(builder: PolicyBuilder, by_type: dict[str, Expected]) -> dict[str, Any] | list[str]:
    """Return the value of a section: a list of types if none has limits or data centres of its own."""
    stated = {backup_type: _stated(builder, expected) for backup_type, expected in by_type.items()}
    return stated if any(stated.values()) else list(stated)


def _stated(builder: PolicyBuilder, expected: Expected) -> dict[str, Any]:
    datacenters = builder.datacenters_of(expected)
    some = set(datacenters) != set(builder.datacenters)
    return ({"datacenters": list(datacenters)} if some else {}) | expected.limits


def _flow(value: object) -> str:
    """Return a value as YAML on one line."""
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
