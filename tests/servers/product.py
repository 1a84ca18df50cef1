"""What one product's file has to tell, and how a failed start is reported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class ServerError(Exception):
    """A server could not be installed, started or stopped; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How to run a server. ready: text in its log that means it serves; empty when its port answering is enough."""

    command: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: str = ""


class Server(Protocol):
    """One product. `name` is the word that HIVE_TEST_REQUIRE uses; `n_ports` loopback ports are reserved for it."""

    name: str
    n_ports: int

    def install(self) -> None:
        """Put the product below `.servers/installed/`; does nothing when it is there."""

    def version(self) -> str:
        """Product and version, as people know it."""

    def prepare(self, home: Path, ports: list[int]) -> Launch:
        """Write configuration into `home` and say how to start. `ports[0]` is the one that clients use."""

    def urls(self, home: Path, ports: list[int]) -> dict[str, str]:
        """Environment variables for the test suites, by name."""
