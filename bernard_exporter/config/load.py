"""Loads the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import PlainValidator

from bernard_exporter.config import values
from bernard_exporter.config.database import DatabaseSection
from bernard_exporter.config.document import config_errors_only, read
from bernard_exporter.config.entry import Entry
from bernard_exporter.config.policy import PolicySection, SourcedPolicy, sourced_policy
from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.config.validation import Section, fail, validate
from bernard_exporter.config.values import InvalidValueError

_DEFAULTS = Settings(DatabaseSettings())


class ConfigFile(Section):
    """The configuration file."""

    database: DatabaseSection
    poll_interval: Annotated[float, PlainValidator(values.duration_within("100ms", "1h"))] = _DEFAULTS.poll_interval
    resync_interval: Annotated[float, PlainValidator(values.duration_within("1s", "7d"))] = _DEFAULTS.resync_interval
    policy: PolicySection = PolicySection()


class PolicyFile(Section):
    """A configuration file whose policy alone is read, so that it may lack everything else."""

    database: Any = None
    poll_interval: Any = None
    resync_interval: Any = None
    policy: PolicySection


def load(file: Path) -> Settings:
    """Load the settings from a configuration file.

    Raises:
        ConfigError: the file cannot be read or is invalid; the message names the place and what was expected.
    """
    with config_errors_only(file):
        document = read(file)
        found = validate(ConfigFile, document)
        return Settings(
            database=found.database.settings(file.parent),
            poll_interval=found.poll_interval,
            resync_interval=found.resync_interval,
            policy=_policy(found.policy, document).policy,
        )


def load_policy(file: Path) -> SourcedPolicy:
    """Load the policy from a configuration file, which may lack everything else.

    Raises:
        ConfigError: the file cannot be read, or the policy is missing or invalid.
    """
    with config_errors_only(file):
        return read_policy(read(file))


def read_policy(document: Entry) -> SourcedPolicy:
    """Return the policy of a document, which may lack everything else.

    Raises:
        ConfigError: the policy is missing or invalid.
    """
    return _policy(validate(PolicyFile, document).policy, document)


def _policy(section: PolicySection, document: Entry) -> SourcedPolicy:
    try:
        return sourced_policy(section, document)
    except InvalidValueError as error:
        fail(document, error)
