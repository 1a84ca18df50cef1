"""What people call the words of the contracts, in pt, en and es."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def _catalogue() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads(resources.files(__package__).joinpath("names.toml").read_text(encoding="utf-8"))


def names(kind: str, language: str) -> Mapping[str, str]:
    """Word → what people call it. kind: specialist, outcome or safeguard. language: pt, en or es."""
    return _catalogue()[kind][language]
