"""A hive behind a URL, answering as one in this process does."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from pydantic import ValidationError

from neural_hive.contracts import (
    Ask,
    Caller,
    Case,
    Decision,
    Event,
    Opinion,
    Outcome,
    Page,
    Record,
    Segment,
    Transcript,
    Understanding,
    Verification,
)
from neural_hive.errors import (
    ConflictError,
    ForbiddenError,
    HiveError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
    UsageError,
)
from neural_hive.ports import CaseQuery

R = TypeVar("R", bound=Record)

#: Longest that one answer may take, in seconds: a decision has a deadline of its own, a recording may be long.
TIMEOUT_S, AUDIO_TIMEOUT_S = 60.0, 900.0
#: Intents of a batch that are on their way at once.
N_AT_ONCE = 8
#: Attempts at one request while the server says it is busy or restarts, and the longest wait between two, in seconds.
N_ATTEMPTS, MAX_WAIT_S = 6, 10.0
_RETRIED = frozenset({429, 502, 503, 504})
#: What a status means here.
_KINDS: dict[int, type[HiveError]] = {
    400: UsageError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    413: UsageError,
    415: UsageError,
    422: UsageError,
}
#: OpenAI's transcription format names languages in English.
_LANGUAGE_CODES = {"portuguese": "pt", "english": "en", "spanish": "es"}


@dataclass(frozen=True, slots=True)
class RemoteJudgement:
    """A batch row's answer."""

    understanding: Understanding
    opinions: Sequence[Opinion]
    decision: Decision


class RemoteHive:
    """HTTP client. Tenant, actor and reviewer are whoever the token names; the arguments that say so are not sent."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self._client = client

    async def ask(self, ask: Ask, caller: Caller, *, transcript: Transcript | None = None) -> Case:
        """POST /api/v1/intents, one case whatever happens on the way: a retry carries the same Idempotency-Key.

        A transcript is not sent: use `listen`, and the server hears for itself.
        """
        body = ask.model_dump(mode="json", exclude_defaults=True)
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return self._read(Case, await self._send("POST", "/api/v1/intents", json=body, headers=headers))

    async def listen(self, audio: bytes, *, language: str | None = None) -> Case:
        """POST /api/v1/intents/voice."""
        query = {"language": language} if language else {}
        answer = await self._send(
            "POST",
            "/api/v1/intents/voice",
            content=audio,
            params=query,
            headers={"Content-Type": "application/octet-stream", "Idempotency-Key": secrets.token_hex(16)},
            timeout=AUDIO_TIMEOUT_S,
        )
        return self._read(Case, answer)

    async def judge(self, asks: Sequence[Ask]) -> Sequence[RemoteJudgement]:
        """Each text becomes a recorded intent of the server; answers come in the order of the texts."""
        gate = asyncio.Semaphore(N_AT_ONCE)
        return await asyncio.gather(*(self._judge(ask, gate) for ask in asks))

    async def understand(self, texts: Sequence[str], languages: Sequence[str | None]) -> Sequence[Understanding]:
        """As `judge`, keeping only what was understood."""
        asks = [Ask.model_validate({"text": t, "language": known}) for t, known in zip(texts, languages, strict=True)]
        return [judged.understanding for judged in await self.judge(asks)]

    async def case(self, tenant: str, case_id: str) -> Case:
        """GET /api/v1/intents/{id}."""
        return self._read(Case, await self._send("GET", f"/api/v1/intents/{_path_part(case_id)}"))

    async def cases(self, query: CaseQuery) -> Page:
        """GET /api/v1/reviews for what waits for a person, GET /api/v1/intents otherwise."""
        asked: dict[str, Any] = {"limit": query.limit, "cursor": query.cursor}
        path = "/api/v1/reviews" if query.waiting else "/api/v1/intents"
        if not query.waiting:
            asked |= {"outcome": query.outcome, "domain": query.domain, "q": query.text}
        return self._read(Page, await self._send("GET", path, params={k: v for k, v in asked.items() if v is not None}))

    async def review(self, tenant: str, case_id: str, *, reviewer: str, verdict: Outcome, comment: str) -> Case:
        """POST /api/v1/intents/{id}/reviews."""
        body = {"verdict": verdict.value, "comment": comment}
        return self._read(Case, await self._send("POST", f"/api/v1/intents/{_path_part(case_id)}/reviews", json=body))

    async def verify(self) -> Verification:
        """GET /api/v1/ledger/verify."""
        return self._read(Verification, await self._send("GET", "/api/v1/ledger/verify", timeout=AUDIO_TIMEOUT_S))

    async def export(self) -> AsyncIterator[bytes]:
        """GET /api/v1/ledger/export: the lines of the tenant's entries, without line feeds.

        Raises:
            UnavailableError: the hive went away; what came is not the whole.
        """
        async for line in self._lines("/api/v1/ledger/export"):
            yield line.encode()

    async def state(self, path: str) -> dict[str, Any]:
        """GET /health or /ready; an answer of 503 is an answer too."""
        try:
            answer = await self._client.get(path)
            found = answer.json()
        except httpx2.ConnectError:
            raise self._unreachable() from None
        except (httpx2.TransportError, ValueError) as error:
            raise UnavailableError(f"No hive answers at {self._client.base_url}") from error
        return found if isinstance(found, dict) else {}

    async def specialists(self) -> list[dict[str, Any]]:
        """GET /api/v1/specialists."""
        found: list[dict[str, Any]] = (await self._send("GET", "/api/v1/specialists")).json()["items"]
        return found

    async def metrics(self) -> str:
        """GET /metrics: Prometheus' text format."""
        return (await self._send("GET", "/metrics")).text

    async def events(self, case_id: str) -> AsyncIterator[Event]:
        """GET /api/v1/intents/{id}/events: what happened to the case, then what happens, until it is decided.

        Raises:
            UnavailableError: the hive went away; ask again for the whole.
        """
        async for line in self._lines(f"/api/v1/intents/{_path_part(case_id)}/events"):
            if line.startswith("data: "):
                yield Event.model_validate_json(line.removeprefix("data: "))

    async def _lines(self, path: str) -> AsyncIterator[str]:
        try:
            async with self._client.stream("GET", path, timeout=AUDIO_TIMEOUT_S) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise _problem(answer)
                async for line in answer.aiter_lines():
                    yield line
        except httpx2.ConnectError:
            raise self._unreachable() from None
        except httpx2.TransportError as error:
            raise UnavailableError(f"The hive at {self._client.base_url} did not finish its answer") from error

    async def transcribe(
        self, audio: bytes, *, language: str | None = None, progress: Callable[[float], None] | None = None
    ) -> Transcript:
        """POST /v1/audio/transcriptions, OpenAI's format, which answers once: `progress` is never called."""
        start_s = time.perf_counter()
        form = {"model": "whisper-1", "response_format": "verbose_json"} | ({"language": language} if language else {})
        answer = await self._send(
            "POST", "/v1/audio/transcriptions", data=form, files={"file": ("audio", audio)}, timeout=AUDIO_TIMEOUT_S
        )
        return _transcript(answer.json(), time.perf_counter() - start_s)

    async def _judge(self, ask: Ask, gate: asyncio.Semaphore) -> RemoteJudgement:
        async with gate:
            case = await self.ask(ask, Caller())
        if case.understanding is None or case.decision is None:
            raise UnavailableError(f"The hive at {self._client.base_url} accepted intent {case.id} but did not decide it yet.")
        return RemoteJudgement(case.understanding, case.opinions, case.decision)

    async def _send(self, method: str, path: str, **request: Any) -> httpx2.Response:
        for attempt in range(1, N_ATTEMPTS + 1):
            try:
                answer = await self._client.request(method, path, **request)
            except httpx2.ConnectError:
                raise self._unreachable() from None
            except httpx2.TransportError as error:
                raise UnavailableError(f"The hive at {self._client.base_url} did not finish its answer") from error
            if answer.status_code not in _RETRIED or attempt == N_ATTEMPTS:
                break
            await asyncio.sleep(_wait_s(answer, attempt))
        if answer.is_success:
            return answer
        raise _problem(answer)

    def _unreachable(self) -> UnavailableError:
        return UnavailableError(f"No hive answers at {self._client.base_url}; start one with `hive up` or correct --server")

    def _read(self, kind: type[R], answer: httpx2.Response) -> R:
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            where = self._client.base_url
            raise HiveError(f"{where} is no hive of this version; compare `hive --version` with its /health") from error


@asynccontextmanager
async def open_remote(server: str, token: str) -> AsyncIterator[RemoteHive]:
    """A client for the hive at `server`, closed at the end.

    Raises:
        UsageError: `server` is no http(s) URL.
    """
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with httpx2.AsyncClient(base_url=base_url(server), headers=headers, timeout=TIMEOUT_S) as client:
        yield RemoteHive(client)


def base_url(server: str) -> str:
    """`server` without a trailing slash or API path.

    Raises:
        UsageError: it is no http(s) URL.
    """
    if not server.startswith(("http://", "https://")):
        raise UsageError(f"--server takes a URL such as http://127.0.0.1:8000, not {server!r}.")
    return server.rstrip("/").removesuffix("/api/v1")


def _path_part(case_id: str) -> str:
    """An id that can stand in a path; another one cannot exist."""
    if not case_id or not all(character.isalnum() or character in "-_" for character in case_id):
        raise UsageError(f"{case_id!r} is not the id of a case; `hive reviews` lists some.")
    return case_id


def _wait_s(answer: httpx2.Response, attempt: int) -> float:
    asked = answer.headers.get("Retry-After", "")
    return min(float(asked) if asked.replace(".", "", 1).isdigit() else 0.25 * 2**attempt, MAX_WAIT_S)


def _problem(answer: httpx2.Response) -> HiveError:
    """The server's problem+json as the error that it was there."""
    try:
        problem: Any = answer.json()
    except ValueError:
        problem = None
    fields: Mapping[str, Any] = problem if isinstance(problem, dict) else {}
    message = str(fields.get("detail") or fields.get("title") or f"The server answered {answer.status_code}")
    if answer.status_code == UnauthenticatedError.status:
        return UnauthenticatedError(f"{message.rstrip('.')}; pass --token.")
    kind = UnavailableError if answer.status_code in _RETRIED else _KINDS.get(answer.status_code, HiveError)
    return kind(message)


def _transcript(said: Mapping[str, Any], elapsed_s: float) -> Transcript:
    language = str(said.get("language") or "und").lower()
    segments = tuple(
        Segment(
            text=str(s["text"]).strip(),
            start_s=s["start"],
            end_s=s["end"],
            avg_logprob=min(0.0, s.get("avg_logprob", 0.0)),
        )
        for s in said.get("segments") or ()
    )
    return Transcript(
        text=said["text"],
        raw_text=said["text"],
        has_speech=bool(said["text"]),
        language=_LANGUAGE_CODES.get(language, language),
        language_probability=1.0,
        duration_s=said.get("duration", 0.0),
        compute_s=said.get("compute_s", elapsed_s),
        confidence=said.get("confidence", 0.0),
        avg_logprob=min(0.0, said.get("avg_logprob", 0.0)),
        segments=segments,
    )
