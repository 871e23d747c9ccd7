"""The reference pages of metrics and commands."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bernard_exporter.commands import check_mariadb_backups, cli
from bernard_exporter.commands.exits import NAME
from bernard_exporter.metrics.catalogue import CATALOGUE
from bernard_exporter.metrics.metric import AS_OF

_MARKS = re.compile(r"([\\`*_<>\[\]{}|$])")
_METRICS = """\
# Metrics

All metrics are exposed under `/metrics`, as text and as OpenMetrics. Gauges of jobs are as of the last poll: scrapes
never access the database. Unknown values are absent, never 0. Times are Unix timestamps, never ages. Series with a
fixed set of label values always exist, with the value 0 where nothing applies, so that alerts never miss them.
`process_*` and `python_info` are exported as well.

| metric | kind | labels | meaning |
|---|---|---|---|
"""
_COMMANDS = f"""\
# Commands

The commands of `{NAME}`. Flags follow those of Prometheus' own exporters. Each page is also a manual page.

```{{toctree}}
:maxdepth: 1

"""


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of each page."""
    yield docs / "reference" / "metrics.md", _METRICS + "\n".join(_metric_rows()) + "\n"
    commands = dict(_commands(click.Context(cli, info_name=NAME, **cli.context_settings)))
    drop_in = check_mariadb_backups.parser()
    commands[drop_in.prog] = "\n".join(_drop_in_page(drop_in))
    folder = docs / "reference" / "commands"
    yield folder / "index.md", _COMMANDS + "\n".join(commands) + "\n```\n"
    for name, page in commands.items():
        yield folder / f"{name}.md", page


def _metric_rows() -> Iterator[str]:
    for metric in CATALOGUE:
        yield f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels)} | {metric.help.removesuffix(AS_OF)} |"


def _commands(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the page of a command and of all its subcommands, by the name of the manual page."""
    command = context.command
    name = context.command_path.replace(" ", "-")
    below = []
    if isinstance(command, click.Group):
        commands = ((name, command.get_command(context, name)) for name in command.list_commands(context))
        below = [
            click.Context(subcommand, context, name)
            for name, subcommand in commands
            if subcommand and not subcommand.hidden
        ]
    yield name, "\n".join(_page(context, name, below))
    for each in below:
        yield from _commands(each)


def _page(context: click.Context, name: str, below: list[click.Context]) -> Iterator[str]:
    command = context.command
    yield f"# {name}\n"
    yield f"## Synopsis\n\n`{context.command_path} {' '.join(command.collect_usage_pieces(context))}`\n"
    yield f"## Description\n\n{_paragraphs(command.help or '')}\n"
    yield "## Options\n"
    for option in command.get_params(context):
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record:
            yield f"`{record[0]}`\n: {_escaped(' '.join(record[1].split()))}\n"
    if below:
        yield "## Commands\n"
        for each in below:
            page = each.command_path.replace(" ", "-")
            yield f"[`{each.command_path}`]({page}.md)\n: {_escaped(each.command.get_short_help_str(200))}\n"


def _drop_in_page(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield f"# {parser.prog}\n"
    yield f"## Synopsis\n\n`{' '.join(parser.format_usage().removeprefix('usage: ').split())}`\n"
    yield f"## Description\n\n{_escaped(parser.description or '')}\n\n{_escaped(parser.epilog or '')}\n"
    yield "## Options\n"
    for action in parser._actions:
        value = "" if action.nargs == 0 else f" {action.dest.upper()}"
        yield f"`{', '.join(action.option_strings)}{value}`\n: {_escaped(action.help or '')}\n"


def _paragraphs(text: str) -> str:
    r"""Return a help text as Markdown; paragraphs after a line of ``\b`` become code blocks."""
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            paragraphs.append("```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            paragraphs.append(_escaped(paragraph))
    return "\n\n".join(paragraphs)


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
