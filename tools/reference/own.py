"""The pages of the reference that tell of metrics and of commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bernard_exporter.catalogue import CATALOGUE
from bernard_exporter.cli import NAME, cli
from bernard_exporter.metric import AS_OF

_MARKS = re.compile(r"([\\`*_<>\[\]{}|$])")
_METRICS = """\
# Metrics

Every metric is exposed as text and as OpenMetrics under `/metrics`. Gauges of jobs are as of the last poll: scrapes
never touch the database. Unknown is absent, never 0. Times are Unix timestamps, never ages. Every series of a fixed set
of label values is always there, 0 included, so that an alert on it can never be blind. `process_*` and `python_info`
are there as well.

| metric | kind | labels | meaning |
|---|---|---|---|
"""
_COMMANDS = f"""\
# Commands

What `{NAME}` can do. Flags are named as those of Prometheus' own exporters. Each page is also a manual page.

```{{toctree}}
:maxdepth: 1

"""


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield the pages, and what they should hold."""
    yield docs / "reference" / "metrics.md", _METRICS + "\n".join(_metric_rows()) + "\n"
    commands = dict(_commands(click.Context(cli, info_name=NAME, **cli.context_settings)))
    folder = docs / "reference" / "commands"
    yield folder / "index.md", _COMMANDS + "\n".join(commands) + "\n```\n"
    for name, page in commands.items():
        yield folder / f"{name}.md", page


def _metric_rows() -> Iterator[str]:
    for metric in CATALOGUE:
        yield f"| `{metric.name}` | {metric.kind} | {', '.join(metric.labels)} | {metric.help.removesuffix(AS_OF)} |"


def _commands(context: click.Context) -> Iterator[tuple[str, str]]:
    """Yield the page of a command, and of every command below it, by the name of its manual page."""
    command = context.command
    name = context.command_path.replace(" ", "-")
    below = []
    if isinstance(command, click.Group):
        commands = ((name, command.get_command(context, name)) for name in command.list_commands(context))
        below = [click.Context(found, context, name) for name, found in commands if found and not found.hidden]
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


def _paragraphs(text: str) -> str:
    r"""Return a help text as Markdown; what click keeps as it is, after a line of ``\b``, stays as it is."""
    found = []
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if paragraph.startswith("\b"):
            found.append("```text\n" + paragraph.removeprefix("\b").strip("\n") + "\n```")
        else:
            found.append(_escaped(paragraph))
    return "\n\n".join(found)


def _escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", text)
