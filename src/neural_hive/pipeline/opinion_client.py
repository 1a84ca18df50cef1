"""One request to a specialist service, and nothing of its answer taken on trust."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx2
from pydantic import Field, ValidationError

from neural_hive.contracts import Brief, Opinion, Record
from neural_hive.errors import ConfigurationError, SilenceReason, SpecialistError
from neural_hive.pipeline.connections import BrokenError, Connections, Post, Reply, Target, TooLargeError, UnreachableError
from neural_hive.pipeline.courier import MAX_BATCH
from neural_hive.pipeline.deadlines import DEADLINE_HEADER, write_deadline

TOKEN_SETTING = "HIVE_SPECIALISTS__TOKEN"
PATH = "/api/v1/opinions"
#: Largest answer that is read, in bytes; 16 long opinions take a tenth of it.
MAX_ANSWER_BYTES = 1_000_000
#: Idle connections are closed after this long, in seconds: before the service does (75 s), so that none dies in use.
KEEP_ALIVE_S = 60.0


class RefusedError(SpecialistError):
    """The specialist refuses us; asking again would not help until somebody changes a setting."""


class _Answer(Record):
    """What a service may answer; see `gateway.specialist_app.Opinions`."""

    opinions: tuple[Opinion, ...] = Field(max_length=MAX_BATCH)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a specialist is and how it is named.

    name: the specialist's. model: rubric name that its opinions must carry; empty accepts any. setting: environment variable
    that names the URL. url: scheme://host[:port][/prefix], without credentials. token: for the Authorization header.
    """

    name: str
    model: str
    setting: str
    url: str
    token: str = ""

    def say(self, what: str) -> str:
        """A line about what went wrong there."""
        return f"{self.setting}: {self.url}: {what}"


def address_of(name: str, model: str, url: str, token: str) -> Address:
    """The address that the settings give.

    Raises:
        ConfigurationError: the URL or the token cannot be used; the message names the setting and shows neither.
    """
    setting = f"HIVE_SPECIALISTS__{name.upper()}_URL"
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_address = parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
        has_more = bool(parts.query or parts.fragment)
        httpx2.URL(url)
    except (ValueError, httpx2.InvalidURL):  # whose messages repeat parts of the URL
        raise ConfigurationError(f"{setting}: write it as http[s]://host:port, or inprocess://") from None
    if "@" in parts.netloc or (is_address and has_more):
        raise ConfigurationError(f"{setting}: the URL may hold host, port and path only; a token goes into {TOKEN_SETTING}")
    if not is_address:
        raise ConfigurationError(f"{setting}: write it as http[s]://host:port, or inprocess://")
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise ConfigurationError(f"{TOKEN_SETTING}: a token is made of visible ASCII characters, without spaces")
    return Address(name, model, setting, url.rstrip("/"), token)


class OpinionClient:
    """Keep-alive HTTP/1.1 to one service. Whatever goes wrong is a SpecialistError whose message is one line without secrets."""

    def __init__(self, address: Address, post: Post | None = None) -> None:
        """post: instead of the network."""
        self._address = address
        self._connections = Connections(_target(address))
        self._post = post or self._connections.post

    async def ask(self, briefs: Sequence[Brief], timeout_s: float, trace: str = "") -> Sequence[Opinion]:
        """One usable opinion per brief, in their order. trace: W3C traceparent, or empty.

        Raises:
            SpecialistError: there is none; `reason` says why.
        """
        headers = {DEADLINE_HEADER: write_deadline(timeout_s)} | ({"traceparent": trace} if trace else {})
        content = b'{"briefs":[%s]}' % b",".join(b.__pydantic_serializer__.to_json(b) for b in briefs)
        try:
            async with asyncio.timeout(timeout_s):
                reply = await self._post(content, headers)
        except TimeoutError as error:
            raise self._error(f"no answer within {timeout_s:.3g} s", "timeout") from error
        except TooLargeError as error:
            raise self._garbage(f"more than {MAX_ANSWER_BYTES} bytes") from error
        except BrokenError as error:
            raise self._error("the connection broke, or what came is not HTTP") from error
        except UnreachableError as error:
            raise self._error(_reason_of(error)) from error
        self._check_head(reply)
        return self._checked(reply.body, briefs)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _check_head(self, reply: Reply) -> None:
        status = reply.status
        if status in (401, 403):
            raise RefusedError(f"{TOKEN_SETTING}: the {self._address.name} specialist does not accept it (HTTP {status})")
        if status == 504:
            raise self._error("it had too little time left", "timeout")
        if status in (429, 500, 502, 503):
            raise self._error(f"HTTP {status}")
        if status != 200:
            raise RefusedError(self._address.say(f"HTTP {status}; is it `hive serve specialist {self._address.name}`?"))
        if reply.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise self._garbage("no JSON")
        if reply.headers.get("content-encoding", "identity").lower() != "identity":
            raise self._garbage("an encoding that was not asked for")

    def _checked(self, body: bytes, briefs: Sequence[Brief]) -> Sequence[Opinion]:
        try:
            opinions = _Answer.model_validate_json(body, strict=True).opinions
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False, include_context=False)[0]
            raise self._garbage("/".join(str(p) for p in first["loc"])[:80] + f" {first['type']}") from None
        if len(opinions) != len(briefs):
            raise self._garbage(f"{len(opinions)} opinions for {len(briefs)} briefs")
        for opinion in opinions:
            self._check_speaker(opinion)
        return opinions

    def _check_speaker(self, opinion: Opinion) -> None:
        name, model = self._address.name, self._address.model
        if opinion.specialist != name:
            raise self._garbage("the opinion of another specialist")
        if model and opinion.model != model:
            what = f"it judges by another rubric than this hive's {model}; start both from the same rubrics"
            raise RefusedError(self._address.say(what), reason="garbage")

    def _error(self, what: str, reason: SilenceReason = "error") -> SpecialistError:
        return SpecialistError(self._address.say(what), reason=reason)

    def _garbage(self, what: str) -> SpecialistError:
        return self._error(f"the answer cannot be used: {what}", "garbage")


def _target(address: Address) -> Target:
    """Where the opinions are, and the head of every request for them."""
    url = httpx2.URL(address.url + PATH)
    token = f"Authorization: Bearer {address.token}\r\n" if address.token else ""
    about = f"Content-Type: application/json\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n{token}"
    head = b"POST %s HTTP/1.1\r\nHost: %s\r\n%s" % (url.raw_path, url.netloc, about.encode("ascii"))
    is_https = url.scheme == "https"
    tls = ssl.create_default_context() if is_https else None
    return Target(url.raw_host.decode("ascii"), url.port or (443 if is_https else 80), head, tls, MAX_ANSWER_BYTES, KEEP_ALIVE_S)


def _reason_of(error: BaseException) -> str:
    """Why no connection was made, from the chain of causes."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({link.verify_message}); see SSL_CERT_FILE"
        if isinstance(link, ssl.SSLError):
            return "TLS failed; is it https:// there, or http://?"
        if isinstance(link, ConnectionRefusedError):
            return "cannot be reached (connection refused)"
        link = link.__cause__ or link.__context__
    return "cannot be reached; check that it runs, the host and the port"
