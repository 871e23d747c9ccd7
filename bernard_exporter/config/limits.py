"""The limits of a job in the configuration, and the source of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, PlainValidator, StrictBool

from bernard_exporter.config import values
from bernard_exporter.config.entry import Loc
from bernard_exporter.config.validation import Section
from bernard_exporter.config.values import NONE, InvalidValueError
from bernard_exporter.domain.due import start_within
from bernard_exporter.domain.policy import SIZE_CHANGE_CRITICAL, SIZE_CHANGE_WARNING, Limits
from bernard_exporter.domain.schedule import Schedule

Label = Annotated[str | None, PlainValidator(values.label)]
Timezone = Annotated[str | None, PlainValidator(values.timezone)]
Ratio = Annotated[float | None, PlainValidator(values.ratio)]


class SizeChange(Section):
    """The limits of the change from the previous size."""

    warning: Ratio = None
    critical: Ratio = None


def _size_change(value: object) -> object:
    if value != NONE and not isinstance(value, dict):
        raise InvalidValueError("a mapping of warning and critical to ratios, or none")
    return None if value == NONE else value


def _speed(value: object) -> int:
    if (found := values.size(value)) == 0:
        raise InvalidValueError("bytes per second, more than 0")
    return found


class LimitsSection(Section):
    """The limits of a type or a job; :attr:`model_fields_set` has the names of those that are stated."""

    max_age: Annotated[float | None, PlainValidator(values.duration_within("1m", "36500d"))] = None
    min_size: Annotated[int | None, PlainValidator(values.size)] = None
    size_change: Annotated[SizeChange | None, BeforeValidator(_size_change)] = None
    max_duration: Annotated[float | None, PlainValidator(values.duration_within("1m", "366d"))] = None
    retention: Annotated[float | None, PlainValidator(values.duration_within("1h", "36500d"))] = None
    schedule: Annotated[str | None, PlainValidator(values.cron)] = None
    timezone: Timezone = None
    start_within: Annotated[float | None, PlainValidator(values.duration_within("1m", "366d"))] = None
    expected_from: Annotated[datetime | None, PlainValidator(values.moment)] = None
    team: Label = None
    read_only: StrictBool = False
    restore_rate: Annotated[int | None, PlainValidator(_speed)] = None


# The keys that are not limits of the same name.
_OWN_RULES = frozenset(("size_change", "schedule", "timezone", "datacenters"))


@dataclass(frozen=True, slots=True)
class Sourced:
    """Limits with the source of each.

    Attributes:
        origins: the place in the file that sets a field of the limits, by the field's name, and ``timezone`` for that
            of the schedule; other fields have their built-in value.
    """

    limits: Limits
    timezone: str = "UTC"
    origins: Mapping[str, Loc] = field(default_factory=dict)

    def with_timezone(self, timezone: str, loc: Loc) -> Sourced:
        """Return a copy with schedules in a time zone."""
        schedule = self.limits.schedule
        moved = Schedule(schedule.expression, timezone) if schedule else None
        return Sourced(replace(self.limits, schedule=moved), timezone, {**self.origins, "timezone": loc})

    def with_team(self, team: str, loc: Loc) -> Sourced:
        """Return a copy with a team."""
        return replace(self, limits=replace(self.limits, team=team), origins={**self.origins, "team": loc})

    def overridden(self, section: LimitsSection, loc: Loc) -> Sourced:
        """Return a copy in which the limits of a section override the others.

        Args:
            section: the limits.
            loc: their place in the file.

        Raises:
            InvalidValueError: a limit does not fit an inherited one.
        """
        base = self.with_timezone(section.timezone, (*loc, "timezone")) if section.timezone else self
        stated = {name: getattr(section, name) for name in section.model_fields_set - _OWN_RULES}
        origins = {name: (*loc, name) for name in stated}
        if "schedule" in section.model_fields_set:
            stated["schedule"] = Schedule(section.schedule, base.timezone) if section.schedule else None
            origins["schedule"] = (*loc, "schedule")
        if "size_change" in section.model_fields_set:
            ratios = _ratios(section.size_change, base.limits, (*loc, "size_change"))
            stated |= {f"size_change_{name}": ratio for name, ratio in ratios.items()}
            origins |= {f"size_change_{name}": (*loc, "size_change", name) for name in ratios}
        return replace(base, limits=replace(base.limits, **stated), origins={**base.origins, **origins})

    def for_job(self, section: LimitsSection | None, loc: Loc) -> Sourced:
        """Return the limits of a job, with those of its own section if it has one.

        A read-only section is backed up on demand, so it does not inherit a schedule.

        Raises:
            InvalidValueError: a limit does not fit an inherited one.
        """
        found = self.overridden(section, loc) if section else self
        if not found.limits.read_only or (section and "schedule" in section.model_fields_set):
            return found
        origins = {name: origin for name, origin in found.origins.items() if name != "schedule"}
        return replace(found, limits=replace(found.limits, schedule=None), origins=origins)


def limit_texts(limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield name and value of each limit in the notation of the configuration, "none" if it is not set."""
    for name in ("max_age", "max_duration", "retention"):
        seconds = getattr(limits, name)
        yield name, values.duration_text(seconds) if seconds else NONE
    yield "min_size", values.size_text(limits.min_size)
    yield "size_change_warning", values.ratio_text(limits.size_change_warning)
    yield "size_change_critical", values.ratio_text(limits.size_change_critical)
    yield "schedule", limits.schedule.expression if limits.schedule else NONE
    yield "timezone", limits.schedule.timezone if limits.schedule else NONE
    within = start_within(limits)
    yield "start_within", values.duration_text(within.total_seconds()) if within else NONE
    yield "expected_from", values.moment_text(limits.expected_from) if limits.expected_from else NONE
    yield "team", limits.team or NONE
    yield "read_only", str(limits.read_only).lower()
    yield "restore_rate", values.size_text(int(limits.restore_rate)) if limits.restore_rate else NONE


def _ratios(change: SizeChange | None, base: Limits, loc: Loc) -> dict[str, float | None]:
    """Return the ratios that a section sets: one that it leaves out is inherited, or built-in if none is judged."""
    if change is None:
        return {"warning": None, "critical": None}
    found = {name: getattr(change, name) for name in change.model_fields_set}
    inherited = {"warning": base.size_change_warning, "critical": base.size_change_critical}
    if None in inherited.values():
        inherited = {"warning": SIZE_CHANGE_WARNING, "critical": SIZE_CHANGE_CRITICAL}
        found = inherited | found
    warning, critical = (inherited | found).values()
    if warning > critical:
        text = values.ratio_text
        expected = f"a warning of at most the critical {text(critical)}"
        raise InvalidValueError(expected, f"a warning of {text(warning)}", loc)
    return found
