"""The OpenAPI document as an HTML page without resources from other hosts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

_environment = Environment(
    loader=PackageLoader("bernard_exporter.web.api"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
STYLE = (Path(__file__).parent / "static" / "docs.css").read_text(encoding="utf-8")
Schemas = dict[str, dict[str, Any]]


def page(document: dict[str, Any], prefix: str) -> str:
    """Render the page of an OpenAPI document."""
    return _environment.get_template("docs.html").render(
        info=document["info"],
        base=document["servers"][0]["url"],
        prefix=prefix,
        operations=list(operations(document)),
        schemas=object_schemas(document),
        kind=partial(kind, document["components"]["schemas"]),
    )


def object_schemas(document: dict[str, Any]) -> Schemas:
    """Return the schemas of JSON objects by name; those of texts with a fixed set of values are shown where used."""
    schemas: Schemas = document["components"]["schemas"]
    return {name: schema for name, schema in schemas.items() if "properties" in schema}


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every operation with its path, its method, and its parameters of path, query and body."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parameters = [*map(_without_null, operation.get("parameters", [])), *_body_parameters(operation, document)]
            yield {**operation, "path": path, "method": method.upper(), "parameters": parameters}


def _without_null(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter of path or query, which cannot be null, without the type null."""
    schema = parameter["schema"]
    choices = [choice for choice in schema.get("anyOf", ()) if choice.get("type") != "null"]
    return {**parameter, "schema": {**schema, "anyOf": choices}} if choices else parameter


def _body_parameters(operation: dict[str, Any], document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "requestBody" in operation:
        name = _name(operation["requestBody"]["content"]["application/json"]["schema"])
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            yield {"name": field, "in": "body", "description": schema["description"], "schema": schema}


def kind(schemas: Schemas, schema: dict[str, Any]) -> str:
    """Return a short description of the type in a schema.

    Args:
        schemas: the schemas that it may refer to.
        schema: the schema.
    """
    if "$ref" in schema:
        target = schemas[_name(schema)]
        return _name(schema) if "properties" in target else kind(schemas, target)
    if "anyOf" in schema:
        return " or ".join(kind(schemas, choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if schema["type"] == "array":
        return f"list of {kind(schemas, schema['items'])}"
    return str(schema.get("format", schema["type"])) + _bounds(schema)


def _name(schema: dict[str, Any]) -> str:
    return str(schema["$ref"].rsplit("/", 1)[1])


def _bounds(schema: dict[str, Any]) -> str:
    if "exclusiveMaximum" in schema:
        return f", {int(schema['minimum'])} to {int(schema['exclusiveMaximum']) - 1}"
    if "minimum" in schema:
        return f", {int(schema['minimum'])} to {int(schema['maximum'])}"
    return f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
