"""The OpenAPI document as a page that people read, with nothing from any other host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_environment = Environment(
    loader=PackageLoader("bernard_exporter.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STYLE = (Path(__file__).parent / "static" / "docs.css").read_text(encoding="utf-8")


def page(document: dict[str, Any], prefix: str) -> str:
    """Return the page of an OpenAPI document."""
    return _environment.get_template("docs.html").render(
        info=document["info"],
        base=document["servers"][0]["url"],
        prefix=prefix,
        operations=list(operations(document)),
        schemas=document["components"]["schemas"],
        kind=kind,
    )


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation with its path, its method and its parameters, wherever they come from."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield {**operation, "path": path, "method": method.upper(), "parameters": _parameters(operation)}


def _parameters(operation: dict[str, Any]) -> list[dict[str, Any]]:
    if "requestBody" not in operation:
        found: list[dict[str, Any]] = operation["parameters"]
        return found
    properties = operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
    return [
        {"name": name, "in": "body", "required": False, "description": schema["description"], "schema": schema}
        for name, schema in properties.items()
    ]


def kind(schema: dict[str, Any]) -> str:
    """Return what a schema says a value is, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " or ".join(kind(choice) for choice in schema["anyOf"])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "array" in types:
        return " or ".join([f"list of {kind(schema['items'])}", *(name for name in types if name != "array")])
    if "enum" in schema:
        return ", ".join("null" if value is None else str(value) for value in schema["enum"])
    found = " or ".join(types)
    if "format" in schema:
        found = found.replace("string", str(schema["format"]))
    return found + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    if "minimum" in schema:
        return f", {schema['minimum']} to {schema['maximum']}"
    return f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
