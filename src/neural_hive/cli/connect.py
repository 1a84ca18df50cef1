"""Which hive a command talks to: one opened in this process, or one that runs behind a URL. Both answer alike."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from neural_hive.contracts import (
    Ask,
    Caller,
    Case,
    Channel,
    Decision,
    Opinion,
    Outcome,
    Page,
    Transcript,
    Understanding,
    Verification,
)
from neural_hive.errors import UsageError
from neural_hive.ports import CaseQuery

T = TypeVar("T")

#: Tenant of a hive in this process: DESIGN §5, without authentication it is `default`.
TENANT = "default"
CALLER = Caller(tenant=TENANT, channel=Channel.CLI)


class Judged(Protocol):
    """What a batch gives for each text."""

    @property
    def understanding(self) -> Understanding:
        """What was understood."""

    @property
    def opinions(self) -> Sequence[Opinion]:
        """What the specialists said."""

    @property
    def decision(self) -> Decision:
        """What was decided."""


class AnyHive(Protocol):
    """What the commands need of a hive, here or elsewhere. Elsewhere, the token names tenant and reviewer."""

    async def ask(self, ask: Ask, caller: Caller, *, transcript: Transcript | None = None) -> Case:
        """Judge and record one intent, with what was heard if it was spoken."""

    async def judge(self, asks: Sequence[Ask]) -> Sequence[Judged]:
        """Judge many, in order."""

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Understanding]:
        """Understand many, in order."""

    async def case(self, tenant: str, case_id: str) -> Case:
        """One recorded case."""

    async def cases(self, query: CaseQuery) -> Page:
        """Recorded cases, newest first."""

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """Record a person's verdict."""

    async def verify(self) -> Verification:
        """Check the whole ledger."""

    def export(self, tenant: str | None) -> AsyncIterator[dict[str, Any]]:
        """Every ledger entry, in order."""

    async def transcribe(self, audio: bytes, *, language: str | None = None) -> Transcript:
        """Sound to text."""


def connect(server: str | None, token: str | None) -> AbstractAsyncContextManager[AnyHive]:
    """The hive at `server`, or one opened here with the settings of the environment.

    Raises:
        UsageError: a token without a server, a URL that is none, or a token file that cannot be read.
    """
    if server is None:
        if token is not None:
            raise UsageError("--token is for a running hive; add --server URL.")
        return _embedded()
    from neural_hive.cli.remote import open_remote

    return open_remote(server, read_token(token))


def read_token(token: str | None) -> str:
    """The token itself, read from its file when written @FILE."""
    if token is None or not token.startswith("@"):
        return token or ""
    try:
        return Path(token[1:]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError("--token names a file that cannot be read") from error


@asynccontextmanager
async def _embedded() -> AsyncIterator[AnyHive]:
    from neural_hive.hive import open_hive
    from neural_hive.settings import load_settings

    async with open_hive(load_settings()) as hive:
        yield hive


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end; Ctrl-C and SIGTERM let it clean up first."""
    signal.signal(signal.SIGTERM, _on_terminate)
    return asyncio.run(work)


def _on_terminate(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
