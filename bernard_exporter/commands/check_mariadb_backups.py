"""``check-mariadb-backups``: a drop-in replacement for wmfbackups' plugin, with its name and options.

It uses ``argparse`` like the original, so that it accepts the same abbreviations and spellings of numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bernard_exporter.commands import standard_output
from bernard_exporter.commands.check.output import UNKNOWN, Output, unknown
from bernard_exporter.commands.plugin_process import TIMEOUT, run_plugin

if TYPE_CHECKING:
    from bernard_exporter.commands.check.deadline import Deadline
    from bernard_exporter.config.settings import Settings

NAME = "check-mariadb-backups"
OPTION_FILE = Path("/etc/wmfbackups/backups_check.ini")
SECTIONS_FILE = Path("/etc/wmfbackups/valid_sections.txt")
# Larger than any age in seconds or size in bytes.
_MOST = 1 << 62


class _RefusedError(Exception):
    """The command line is wrong; the message says why."""


class _HelpError(Exception):
    """The help was requested."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _RefusedError(message)

    def print_help(self, file: object = None) -> NoReturn:
        raise _HelpError


def _whole(text: str) -> int:
    """Return a whole number as the predecessor takes it, but none beyond :data:`_MOST`, either way."""
    return max(-_MOST, min(int(text), _MOST))


def _ratio(text: str) -> float:
    """Return the ratio of a percentage, rounded once, so that a change of exactly 5.1 % does not exceed ``5.1``."""
    return float(Decimal(repr(float(text))) / 100)


# The names of the types in error messages, the same as the predecessor's.
_whole.__name__, _ratio.__name__ = "int", "float"


def parser() -> argparse.ArgumentParser:
    """Return the argument parser."""
    from bernard_exporter.commands.check.request import PREDECESSORS_LIMITS as LIMITS
    from bernard_exporter.domain.policy import SIZE_CHANGE_CRITICAL, SIZE_CHANGE_WARNING

    made = _Parser(
        prog=NAME,
        description="Check the newest backup of a section for Icinga or Nagios: a drop-in replacement for wmfbackups' "
        "check-mariadb-backups. Prints one line with performance data. Exit status: 0 OK, 1 WARNING, 2 CRITICAL, "
        "3 UNKNOWN.",
        epilog="The time limit is 10 seconds. bernard-exporter check does the same with the limits of the policy, and "
        "has more options.",
    )
    add = made.add_argument
    add("--section", "-s", required=True, help="Section to check.")
    add("--datacenter", "-d", required=True, help="Data centre that stores the backup: eqiad or codfw.")
    add("--type", "-t", default="dump", help="Backup type, dump or snapshot (default: dump).")
    add("--freshness", "-f", type=_whole, help=f"Maximum age in seconds (default: {LIMITS.max_age:.0f}).")
    add("--min-size", "-c", type=_whole, help=f"Minimum size in bytes (default: {LIMITS.min_size}).")
    add(
        "--warn-size-percentage",
        "-p",
        type=_ratio,
        help="Size change from the previous backup, in percent, above which the result is WARNING "
        f"(default: {SIZE_CHANGE_WARNING * 100:g}).",
    )
    add(
        "--crit-size-percentage",
        "-P",
        type=_ratio,
        help="Size change from the previous backup, in percent, above which the result is CRITICAL "
        f"(default: {SIZE_CHANGE_CRITICAL * 100:g}).",
    )
    add("--config-file", "-m", type=Path, help=f"MySQL option file to connect with (default: {OPTION_FILE}).")
    add(
        "--valid-sections-file",
        "-v",
        type=Path,
        help=f"File with valid section names, one per line (default: {SECTIONS_FILE} if it exists).",
    )
    add(
        "--host", "-o", help="Host of the metadata database, instead of an option file; requires --user and --database."
    )
    add("--user", "-u", help="User to connect as.")
    add("--password", "-w", help="Password; it is visible in the process list, so prefer an option file.")
    add("--database", "-D", help="Name of the metadata database.")
    return made


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the plugin and exit."""
    standard_output.escape_what_cannot_be_encoded()
    now = datetime.now(UTC)
    sys.exit(run_plugin(lambda deadline: _answer(arguments, now, deadline), TIMEOUT))


def _answer(arguments: Sequence[str] | None, now: datetime, deadline: Deadline) -> Output:
    options = parser()
    try:
        given = options.parse_args(arguments)
    except _RefusedError as error:
        return unknown(f"{error}; see {NAME} --help")
    except _HelpError:
        # Exit status 3, as in the predecessor: without a verdict the result is not OK.
        return Output(options.format_help().rstrip(), UNKNOWN)
    return _judged(given, now, deadline)


def _judged(options: argparse.Namespace, now: datetime, deadline: Deadline) -> Output:
    from bernard_exporter.commands.check.request import Request, check_one
    from bernard_exporter.domain.model import Job

    sections = _sections(options.valid_sections_file)
    if sections and options.section not in sections:
        file = options.valid_sections_file or SECTIONS_FILE
        return unknown(f"unknown section {options.section!r}, expected one of those in {file}")
    limits = {
        "max_age": options.freshness,
        "min_size": options.min_size,
        "size_change_warning": options.warn_size_percentage,
        "size_change_critical": options.crit_size_percentage,
    }
    given = {name: value for name, value in limits.items() if value is not None}
    job = Job(options.section, options.type, options.datacenter)
    return check_one(_settings(options), Request(job, given, sections), now, deadline)


def _sections(file: Path | None) -> frozenset[str]:
    """Return the valid sections; none if no file is given and the default one does not exist."""
    from bernard_exporter.commands.check.names import read_sections

    return read_sections(file or SECTIONS_FILE) if file or SECTIONS_FILE.exists() else frozenset()


def _settings(options: argparse.Namespace) -> Settings:
    from bernard_exporter.commands.check.connection import by_flags, by_option_file

    flags = [options.host, options.user, options.password, options.database]
    if any(flags) and not options.config_file:
        return by_flags(*flags)
    return by_option_file(options.config_file or OPTION_FILE)
