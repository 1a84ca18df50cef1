"""Which hive a command talks to: one opened in this process, or one that runs behind a URL. Both answer alike."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

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
from neural_hive.settings import load_settings

if TYPE_CHECKING:
    from neural_hive.cli.remote import RemoteHive

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


class AnyLedger(Protocol):
    """What reading the record needs. Elsewhere, the token names the tenant."""

    async def case(self, tenant: str, case_id: str) -> Case:
        """One recorded case."""

    async def cases(self, query: CaseQuery) -> Page:
        """Recorded cases, newest first."""

    async def verify(self) -> Verification:
        """Check the whole ledger."""


class AnyHive(Protocol):
    """What judging needs. Elsewhere, the token names tenant and reviewer."""

    async def ask(self, ask: Ask, caller: Caller, *, transcript: Transcript | None = None) -> Case:
        """Judge and record one intent, with what was heard if it was spoken."""

    async def judge(self, asks: Sequence[Ask]) -> Sequence[Judged]:
        """Judge many, in order."""

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Understanding]:
        """Understand many, in order."""

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """Record a person's verdict."""

    async def transcribe(
        self, audio: bytes, *, language: str | None = None, progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """Sound to text; `progress` is called with the share in [0, 1] that is done, where that can be known."""


def connect(server: str | None, token: str | None, *, is_recovering: bool = False) -> AbstractAsyncContextManager[AnyHive]:
    """The hive at `server`, or one opened here with the settings of the environment.

    Args:
        server: where a hive runs, or None.
        token: what to show there.
        is_recovering: as `open_hive`: whether one opened here also finishes and publishes what others left undone.

    Raises:
        UsageError: a token without a server, a URL that is none, or a token file that cannot be read.
    """
    return _remote(server, token) or _embedded(is_recovering)


def connect_ledger(server: str | None, token: str | None) -> AbstractAsyncContextManager[AnyLedger]:
    """The record at `server`, or HIVE_LEDGER_URL without the models that judging needs; raises as `connect`."""
    return _remote(server, token) or _embedded_ledger()


def _remote(server: str | None, token: str | None) -> AbstractAsyncContextManager[RemoteHive] | None:
    if server is None and token is None:
        return None
    from neural_hive.cli.remote import open_remote

    return open_remote(*server_of(server, token))


def server_of(server: str | None, token: str | None) -> tuple[str, str]:
    """The URL of a running hive, and the token itself.

    Raises:
        UsageError: a token without a server, or a token file that cannot be read.
    """
    if server is None:
        raise UsageError("--token is for a running hive; add --server URL.")
    return server, read_token(token)


def tenant_of(tenant: str | None, server: str | None) -> str:
    """Whose cases a command works on.

    Raises:
        UsageError: a tenant is named for a running hive, where the token says which.
    """
    if tenant is not None and server is not None:
        raise UsageError("With --server the token says whose cases; leave --tenant out.")
    return tenant or TENANT


def read_token(token: str | None) -> str:
    """The token itself, read from its file when written @FILE."""
    if token is None or not token.startswith("@"):
        return token or ""
    try:
        return Path(token[1:]).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise UsageError("--token names a file that cannot be read") from error


@asynccontextmanager
async def _embedded(is_recovering: bool) -> AsyncIterator[AnyHive]:
    from neural_hive.hive import open_hive
    from neural_hive.observability.logs import configure_logs

    settings = load_settings()
    # Beside an answer, only what went wrong is worth a line, unless the person asked for more.
    level = settings.log_level if "log_level" in settings.model_fields_set else "warning"
    configure_logs(settings.log_format, level)
    async with open_hive(settings, is_recovering=is_recovering) as hive:
        yield hive


@asynccontextmanager
async def _embedded_ledger() -> AsyncIterator[AnyLedger]:
    from neural_hive.cli.record import open_record

    async with open_record(load_settings()) as record:
        yield record


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine to its end; Ctrl-C and SIGTERM let it clean up first."""
    signal.signal(signal.SIGTERM, _on_terminate)
    return asyncio.run(work)


def _on_terminate(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)
