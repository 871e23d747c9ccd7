"""The section ``policy`` of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, PlainValidator, Tag, model_validator

from bernard_exporter.config import values
from bernard_exporter.config.entry import Entry, Loc
from bernard_exporter.config.limits import Label, LimitsSection, Sourced, Timezone
from bernard_exporter.config.validation import Section, shaped
from bernard_exporter.config.values import InvalidValueError
from bernard_exporter.domain.model import UNKNOWN_DATACENTER, BackupType, Job
from bernard_exporter.domain.policy import BUILT_IN, Policy

_TYPES = tuple(kind.value for kind in BackupType)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
NAME_EXPECTED = "up to 100 letters, digits, '_', '.' and '-', the first a letter, a digit or '_'"


def _section_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InvalidValueError(f"a section name of {NAME_EXPECTED}")
    return name


def _datacenter_name(name: str) -> str:
    if name == UNKNOWN_DATACENTER or not NAME.fullmatch(name):
        raise InvalidValueError(f"a name other than {UNKNOWN_DATACENTER}, of {NAME_EXPECTED}")
    return name


def _type(value: object) -> str:
    if value not in _TYPES:
        raise InvalidValueError(f"one of {', '.join(_TYPES)}")
    return str(value)


def _each_once(types: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(types)) < len(types):
        raise InvalidValueError("each type once", ", ".join(types))
    return types


def _one_or_more(datacenters: Any) -> Any:
    if not datacenters:
        raise InvalidValueError("at least one data centre", "none")
    return datacenters


class JobLimits(LimitsSection):
    """The limits of a section and type, and where it is expected."""

    datacenters: Annotated[
        tuple[Annotated[str, PlainValidator(values.text("a data centre"))], ...] | None,
        AfterValidator(_one_or_more),
        BeforeValidator(shaped(list, "a list of data centres")),
    ] = None


class Types(Section):
    """The types of a section with their limits; None for a type without limits of its own."""

    dump: JobLimits | None = None
    snapshot: JobLimits | None = None
    cold: JobLimits | None = None
    team: Label = None

    @model_validator(mode="after")
    def _has_a_type(self) -> Self:
        if self.model_fields_set == {"team"}:
            raise InvalidValueError(f"one of the types {', '.join(_TYPES)} in addition to the team", "no type")
        return self


class Defaults(Section):
    """The default limits of each type."""

    dump: LimitsSection | None = None
    snapshot: LimitsSection | None = None
    cold: LimitsSection | None = None


_Pattern: TypeAlias = Annotated[re.Pattern[str], PlainValidator(values.pattern)]
_TypeList: TypeAlias = Annotated[tuple[Annotated[str, PlainValidator(_type)], ...], AfterValidator(_each_once)]
_SectionTypes: TypeAlias = Annotated[
    # Pydantic adds the tags to the place of an error; they are no keys of the file.
    Annotated[_TypeList, Tag("<list>")] | Annotated[Types, Tag("<mapping>")],
    Discriminator(lambda value: "<list>" if isinstance(value, list) else "<mapping>"),
    BeforeValidator(shaped((list, dict), "a list of types such as [dump, snapshot], or a mapping of types to limits")),
]


class PolicySection(Section):
    """The expected backups and their limits."""

    datacenters: Annotated[
        dict[Annotated[str, AfterValidator(_datacenter_name)], _Pattern],
        AfterValidator(_one_or_more),
        BeforeValidator(shaped(dict, "a mapping of names to patterns of hosts")),
    ] = Field(default_factory=lambda: dict(Policy().datacenters))
    defaults: Defaults = Defaults()
    sections: dict[Annotated[str, AfterValidator(_section_name)], _SectionTypes] = Field(default_factory=dict)
    timezone: Timezone = None


@dataclass(frozen=True, slots=True)
class SourcedPolicy:
    """A policy with the sources of its values.

    Attributes:
        document: the file.
        sources: the limits of each expected job with their origins.
        stated: the place in the file of each expected job.
    """

    policy: Policy
    sources: Mapping[Job, Sourced]
    stated: Mapping[Job, Loc]
    document: Entry

    def place(self, loc: Loc) -> str:
        """Return a place in the file as ``FILE:LINE KEY``."""
        entry = self.document.at(loc)
        return f"{entry.where} {entry.key}"


def sourced_policy(section: PolicySection, document: Entry) -> SourcedPolicy:
    """Return the policy of a section, in which each job has its own limits, those of its type, or built-in ones.

    Args:
        section: the section ``policy`` of the document.
        document: the file.

    Raises:
        InvalidValueError: a value does not fit another one.
    """
    defaults = _defaults(section)
    sources: dict[Job, Sourced] = {}
    stated: dict[Job, Loc] = {}
    for name, types in section.sections.items():
        for kind, sourced, datacenters, place in _types(types, defaults, ("policy", "sections", name)):
            for datacenter in datacenters or section.datacenters:
                if datacenter not in section.datacenters:
                    index = list(datacenters).index(datacenter)
                    expected = f"one of {', '.join(section.datacenters)}"
                    raise InvalidValueError(expected, loc=(*place, "datacenters", index))
                sources[Job(name, kind, datacenter)] = sourced
                stated[Job(name, kind, datacenter)] = place
    expected_jobs = {job: sourced.limits for job, sourced in sources.items()}
    return SourcedPolicy(Policy(section.datacenters, expected_jobs), sources, stated, document)


def _defaults(section: PolicySection) -> dict[str, Sourced]:
    found = {kind: Sourced(BUILT_IN[kind]) for kind in _TYPES}
    if section.timezone:
        found = {kind: one.with_timezone(section.timezone, ("policy", "timezone")) for kind, one in found.items()}
    for kind in _TYPES:
        if own := getattr(section.defaults, kind):
            found[kind] = found[kind].overridden(own, ("policy", "defaults", kind))
    return found


def _types(
    types: tuple[str, ...] | Types, defaults: Mapping[str, Sourced], loc: Loc
) -> Iterator[tuple[str, Sourced, tuple[str, ...], Loc]]:
    """Yield each type of a section, its limits, its data centres ((): all), and its place in the file."""
    if isinstance(types, tuple):
        for index, kind in enumerate(types):
            yield kind, defaults[kind].for_job(None, loc), (), (*loc, index)
        return
    for kind in filter(types.model_fields_set.__contains__, _TYPES):
        limits: JobLimits | None = getattr(types, kind)
        usual = defaults[kind].with_team(types.team, (*loc, "team")) if types.team else defaults[kind]
        datacenters = limits.datacenters if limits and limits.datacenters else ()
        yield kind, usual.for_job(limits, (*loc, kind)), datacenters, (*loc, kind)
