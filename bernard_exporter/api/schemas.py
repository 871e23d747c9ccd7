"""What answers look like, as JSON Schema of OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from bernard_exporter.inspection.timeline import Outcome
from bernard_exporter.model import Rank, State, Status

Schema = dict[str, Any]


def _of(kind: str, description: str = "", **more: Any) -> Schema:
    return {"type": kind, **({"description": description} if description else {}), **more}


def _text(description: str = "") -> Schema:
    return _of("string", description)


def _whole(description: str = "") -> Schema:
    return _of("integer", description)


def _number(description: str = "") -> Schema:
    return _of("number", description)


def _time(description: str = "") -> Schema:
    return _of("string", description, format="date-time")


def _choice(values: type[StrEnum] | Iterable[str], description: str = "") -> Schema:
    return _of("string", description, enum=[str(value) for value in values])


def _maybe(schema: Schema) -> Schema:
    """Return what may also be null, for unknown is null."""
    if "$ref" in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    nullable = {**schema, "type": [schema["type"], "null"]}
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema else {})


def _record(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}


def _list(item: Schema, description: str = "") -> Schema:
    return _of("array", description, items=item)


def ref(name: str) -> Schema:
    """Return a reference to a schema of :data:`SCHEMAS`."""
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str) -> Schema:
    return _record(items=_list(ref(name)), next_cursor=_maybe(_text("What to ask for the next page with.")))


_JOB_NAME = {"section": _text(), "type": _text(), "datacenter": _text()}
_RUN = _record(
    id=_whole("`backups.id`."),
    name=_text(),
    status=_choice(Status),
    **{key: _JOB_NAME[key] for key in ("type", "section", "datacenter")},
    source=_text("The instance that was backed up."),
    host=_text("The host that stores it."),
    start=_maybe(_time()),
    end=_maybe(_time()),
    duration=_maybe(_number("Seconds.")),
    size=_maybe(_whole("Bytes.")),
)
_LIMITS = _record(
    max_age=_number("Seconds."),
    min_size=_whole("Bytes."),
    size_change_warning=_number("Ratio."),
    size_change_critical=_number("Ratio."),
    max_duration=_number("Seconds."),
    retention=_maybe(_number("Seconds.")),
    read_only=_of("boolean"),
    restore_rate=_maybe(_number("Bytes per second.")),
    schedule=_maybe(_text("Cron expression.")),
    timezone=_maybe(_text()),
)
_CONTENTS = _record(
    files=_whole(),
    size=_maybe(_whole("Bytes.")),
    objects=_maybe(_whole("Databases and tables.")),
    added=_maybe(_whole("Objects the success before had not.")),
    removed=_maybe(_whole("Objects only the success before had.")),
)
_JOB = _record(
    **_JOB_NAME,
    expected=_of("boolean", "Whether the policy expects it."),
    state=_maybe(_choice(State)),
    rank=_maybe(_choice((rank.name.lower() for rank in Rank), "How bad the state is.")),
    reason=_text("Why, in words."),
    limits=_maybe(ref("Limits")),
    age=_maybe(_number("Seconds since the newest success began.")),
    size_change=_maybe(_number("(size - previous) / previous.")),
    newest_success=_maybe(ref("Run")),
    previous_success=_maybe(ref("Run")),
    last_attempt=_maybe(ref("Run")),
    consecutive_failures=_whole("Failed runs since the newest success."),
    ongoing=_list(ref("Run"), "Runs in progress, oldest first."),
    abandoned=_whole("Runs that say ongoing and can never end."),
    previous_due=_maybe(_time("When a run was due last.")),
    next_run=_maybe(_time("When the next run is due.")),
    runs=_of("object", "Rows by status.", additionalProperties=_of("integer")),
    contents=_maybe(ref("Contents")),
    size_expected=_maybe({**_record(lower=_number(), upper=_number()), "description": "Bytes, from the last sizes."}),
    oldest_retained=_maybe(_time("Start of the oldest success within retention.")),
    retained=_maybe(_list(_record(host=_text(), backups=_whole(), bytes=_whole()), "Within retention, by host.")),
)
_OBJECT = _record(
    db=_text(),
    name=_maybe(_text("The table; null for the whole database, its tables included.")),
    size=_maybe(_whole("Bytes.")),
    files=_maybe(_whole()),
)
_CHANGED = _record(
    **_OBJECT["properties"],
    previous_size=_whole("Bytes."),
    change=_maybe(_number("(size - previous) / previous; null when the previous size is 0.")),
)
_DIFF = _record(
    run=ref("Run"),
    against=_maybe(ref("Run")),
    threshold=_number(),
    reason=_maybe(_text("Why nothing is known; null when it is.")),
    added=_maybe(_list(ref("Object"), "Whole databases first.")),
    removed=_maybe(_list(ref("Object"), "Whole databases first.")),
    changed=_maybe(_list(ref("Changed"), "Whole databases first, then by how many bytes.")),
    truncated=_of("boolean", "Whether a list was longer than the limit."),
)
_EVENT = _record(
    **_JOB_NAME,
    time=_time("When it was due, or began."),
    due=_maybe(_time("Null for a run that began at no set time.")),
    outcome=_choice(Outcome),
    run=_maybe(ref("Run")),
)
_STATES = _of("object", "Jobs by state.", additionalProperties=_of("integer"))
_PROBLEM = {
    "type": "object",
    "properties": {
        "type": _text(),
        "title": _text(),
        "status": _whole(),
        "detail": _text("What was found, what was expected, what to do."),
        "parameter": _text("Which value of the question is wrong."),
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
_ITEMS: dict[str, Schema] = {
    "Job": _JOB,
    "Run": _RUN,
    "File": _record(
        path=_text("The directory within the backup."),
        name=_text(),
        size=_maybe(_whole("Bytes.")),
        date=_maybe(_time()),
    ),
    "Object": _OBJECT,
    "Event": _EVENT,
    "Section": _record(section=_text(), types=_list(_text()), datacenters=_list(_text()), states=_STATES),
    "Datacenter": _record(
        datacenter=_text(), pattern=_maybe(_text("What its hosts match.")), hosts=_whole(), states=_STATES
    ),
    "Type": _record(type=_text(), sections=_whole(), states=_STATES),
    "Host": _record(
        host=_text(),
        datacenter=_text(),
        runs=_whole("Rows recorded."),
        retained_backups=_whole("Successes within retention."),
        retained_bytes=_whole("Their bytes."),
    ),
}
SCHEMAS: dict[str, Schema] = {
    **_ITEMS,
    **{f"{name}Page": _page(name) for name in _ITEMS},
    "Limits": _LIMITS,
    "Contents": _CONTENTS,
    "Changed": _CHANGED,
    "Diff": _DIFF,
    "Problem": _PROBLEM,
}
