"""Backstage catalogue files (YAML or JSON, one or many entities) → entities of the knowledge graph.

Source: Backstage, "Descriptor Format of Catalog Entities". Other names that people use for an entity stand in the
annotation `neural-hive-mind/aliases`, separated by commas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from neural_hive.errors import UsageError
from neural_hive.ports import CatalogueEntity

ALIASES = "neural-hive-mind/aliases"
#: Fields of `spec` that name what an entity needs.
_NEEDS = ("dependsOn", "consumesApis")


def read_catalogue(file: Path) -> list[CatalogueEntity]:
    """The entities of a file, in order.

    Raises:
        UsageError: it is not YAML, or an entity has no kind or name; the message names the file and the entity.
    """
    try:
        documents = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UsageError(f"{file} is not a YAML catalogue: {line}{error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not a YAML catalogue") from error
    return [_entity(file, number, item) for number, item in enumerate(_items(documents), start=1)]


def _items(documents: list[Any]) -> Iterator[Any]:
    for document in documents:
        if isinstance(document, list):
            yield from document
        elif document is not None:
            yield document


def _entity(file: Path, number: int, item: Any) -> CatalogueEntity:
    where = f"{file}, entity {number}"
    if not isinstance(item, Mapping):
        raise UsageError(f"{where} is not a mapping with kind, metadata and spec.")
    metadata, spec = _mapping(item, "metadata", where), _mapping(item, "spec", where)
    kind, name = item.get("kind"), metadata.get("name")
    if not isinstance(kind, str) or not isinstance(name, str):
        raise UsageError(f"{where} needs a kind and a metadata.name.")
    aliases = str(_mapping(metadata, "annotations", where).get(ALIASES, "")).split(",")
    return CatalogueEntity(
        name=name,
        kind=kind,
        title=str(metadata.get("title") or ""),
        owner=_name(spec.get("owner") or ""),
        lifecycle=str(spec.get("lifecycle") or ""),
        aliases=tuple(alias.strip() for alias in aliases if alias.strip()),
        depends_on=tuple(dict.fromkeys(_name(needed) for field in _NEEDS for needed in spec.get(field) or ())),
    )


def _mapping(item: Mapping[str, Any], field: str, where: str) -> Mapping[str, Any]:
    value = item.get(field) or {}
    if not isinstance(value, Mapping):
        raise UsageError(f"{where}: {field} is not a mapping.")
    return value


def _name(reference: Any) -> str:
    """`[kind:][namespace/]name` → name."""
    return str(reference).rpartition(":")[2].rpartition("/")[2]
