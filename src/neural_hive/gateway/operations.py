"""The operations of an OpenAPI document in a few words each, for the reference pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address, as the reference shows it. Each parameter, body and answer is one row of cells."""

    method: str
    path: str
    tag: str
    text: str
    parameters: tuple[tuple[str, str, str, str], ...]
    bodies: tuple[tuple[str, str], ...]
    answers: tuple[tuple[str, str, str], ...]


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    """Every operation of an OpenAPI document, in the document's order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield Operation(
                method=method.upper(),
                path=path,
                tag=operation.get("tags", [""])[0],
                text=operation.get("description", operation.get("summary", "")),
                parameters=tuple(_parameter(p) for p in operation.get("parameters", ())),
                bodies=tuple(_content(operation.get("requestBody", {}))),
                answers=tuple((s, _kinds(a), a["description"]) for s, a in sorted(operation["responses"].items())),
            )


def _parameter(parameter: dict[str, Any]) -> tuple[str, str, str, str]:
    text = parameter.get("description", "")
    return parameter["name"], parameter["in"], kind_of(parameter["schema"]), text


def _content(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for media_type, content in body.get("content", {}).items():
        yield media_type, kind_of(content["schema"]) if "schema" in content else "stream of Event"


def _kinds(answer: dict[str, Any]) -> str:
    return "; ".join(f"{media_type}: {kind}" for media_type, kind in _content(answer))


def kind_of(schema: dict[str, Any]) -> str:
    """A schema in a few words: a record's name, or a type with its choices and limits."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(kind_of(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "properties" in schema:
        return "form with " + ", ".join(schema["properties"])
    if "enum" in schema:
        return " | ".join(str(choice) for choice in schema["enum"])
    limits = [f"{label} {schema[key]}" for key, label in _LIMITS if key in schema]
    return ", ".join([str(schema.get("format", schema.get("type", "any"))), *limits])


_LIMITS = (("minimum", "from"), ("maximum", "to"), ("maxLength", "at most"), ("default", "default"))
