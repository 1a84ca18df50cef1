"""The settings in force, for people to look at. Secrets are only said to be set or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, SecretStr

from neural_hive.settings import Settings


@dataclass(frozen=True, slots=True)
class Row:
    """One setting. is_default: whether it was left alone."""

    name: str
    value: str
    meaning: str
    is_default: bool


def rows(settings: Settings) -> list[Row]:
    """Every setting by the name of its environment variable."""
    return _rows(settings, "HIVE_")


def _rows(model: BaseModel, prefix: str) -> list[Row]:
    found: list[Row] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            found += _rows(value, f"{prefix}{name.upper()}__")
        else:
            is_default = value == field.get_default(call_default_factory=True, validated_data={})
            found.append(Row(f"{prefix}{name.upper()}", shown(value), field.description or "", is_default))
    return found


def shown(value: Any) -> str:
    """A value without secrets."""
    if isinstance(value, SecretStr):
        return "••••••" if value.get_secret_value() else "–"
    if value is None or value == "":
        return "–"
    if isinstance(value, str) and "://" in value:
        return without_credentials(value)
    return str(value)


def without_credentials(url: str) -> str:
    """A URL without what stands before the @ of its authority, and without its query."""
    parts = urlsplit(url)
    authority = parts.netloc.rpartition("@")[2]
    hidden = f"…@{authority}" if authority != parts.netloc else authority
    return urlunsplit(parts._replace(netloc=hidden, query="", fragment="")) if parts.netloc else url.partition("?")[0]
