"""The record read without opening a hive: no model is loaded and nothing is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from neural_hive.contracts import Case, Page, Verification
from neural_hive.errors import ConfigurationError, NotFoundError
from neural_hive.ports import CaseQuery, Ledger
from neural_hive.settings import Settings
from neural_hive.storage.open import open_storage
from neural_hive.storage.urls import MEMORY, scheme, sqlite_path


def sqlite_file(url: str, setting: str) -> Path | None:
    """The file behind a SQLite URL; None for any other product and for a database in memory.

    Raises:
        ConfigurationError: it is no storage URL.
    """
    path = sqlite_path(url, setting) if scheme(url, setting) == "sqlite" else MEMORY
    return None if path == MEMORY else Path(path)


@asynccontextmanager
async def open_record(settings: Settings) -> AsyncIterator[RecordReader]:
    """The ledger of the settings. One that does not exist is not made: an empty ledger would verify.

    Raises:
        NotFoundError: there is no such file.
    """
    file = sqlite_file(settings.ledger_url, "HIVE_LEDGER_URL")
    if file is not None and not file.exists():
        raise NotFoundError(f"There is no ledger {file} here; set HIVE_LEDGER_URL, or use --server URL.")
    async with open_storage() as storage:
        yield RecordReader(await storage.ledger(settings.ledger_url))


class RecordReader:
    """A ledger under the names that a hive gives its reading."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def case(self, tenant: str, case_id: str) -> Case:
        """One recorded case."""
        return await self._ledger.get(tenant, case_id)

    async def cases(self, query: CaseQuery) -> Page:
        """Recorded cases, newest first."""
        return await self._ledger.find(query)

    async def verify(self) -> Verification:
        """Check the whole ledger."""
        return await self._ledger.verify()

    def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every ledger entry, in order; of one tenant if one is named."""
        exporter = getattr(self._ledger, "export", None)
        if exporter is None:
            raise ConfigurationError("HIVE_LEDGER_URL: this ledger cannot be exported.")
        entries: AsyncIterator[dict[str, Any]] = exporter(tenant)
        return entries
