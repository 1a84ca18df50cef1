"""The models that judge: their hashes, and how good they were when they were made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class Quality:
    """How one part of a model did on examples that it had not learnt from.

    part: what it tells, e.g. the domain. accepted: share of answers that a careful person would accept. error: expected
    calibration error. n: number of examples.
    """

    part: str
    accepted: float
    error: float
    n: int


@dataclass(frozen=True, slots=True)
class Row:
    """One model. digest: the first 16 hex digits of its SHA-256. quality: empty for what is not learnt."""

    name: str
    digest: str
    quality: tuple[Quality, ...]


def model_rows(digests: Mapping[str, str]) -> list[Row]:
    """Every model in use, by name. The measures stand in its manifest; they are shown only for the model they belong to."""
    manifest = _manifest()
    is_same = str(manifest["digest"]).startswith(digests.get("understanding", "-"))
    quality = _quality(manifest["metrics"]) if is_same else ()
    return [Row(name, value, quality if name == "understanding" else ()) for name, value in digests.items()]


@lru_cache(maxsize=1)
def _manifest() -> dict[str, Any]:
    folder = resources.files("neural_hive").joinpath("models", "understanding")
    found: dict[str, Any] = orjson.loads(folder.joinpath("manifest.json").read_bytes())
    return found


def _quality(metrics: Mapping[str, float]) -> tuple[Quality, ...]:
    parts = [name.removesuffix("_accepted") for name in metrics if name.endswith("_accepted")]
    return tuple(Quality(p, metrics[f"{p}_accepted"], metrics[f"{p}_ece"], int(metrics[f"{p}_n"])) for p in parts)
