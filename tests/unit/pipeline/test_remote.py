"""A specialist over HTTP: what it needs of a service, and what it makes of one that is down, slow or lying."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from neural_hive.consensus.decide import Panel as Votes
from neural_hive.consensus.decide import decide
from neural_hive.consensus.guardrails import bundled_guardrails
from neural_hive.contracts import SEVERITY_ORDER, Brief, Decision, Opinion
from neural_hive.errors import ConfigurationError, SpecialistError
from neural_hive.pipeline.breaker import Breaker, BreakerRules
from neural_hive.pipeline.connections import Reply, TooLargeError, UnreachableError
from neural_hive.pipeline.deadlines import DEADLINE_HEADER, read_deadline, write_deadline
from neural_hive.pipeline.listening import Silence
from neural_hive.pipeline.opinion_client import MAX_ANSWER_BYTES, Address, address_of
from neural_hive.pipeline.panel import Panel
from neural_hive.pipeline.remote import Patience, RemoteSpecialist
from neural_hive.specialists.engine import judge
from neural_hive.specialists.rubric import bundled_rubrics

RUBRICS = bundled_rubrics()
TECHNICAL = RUBRICS["technical"]
TOKEN = "s3cret-between-services"
PATIENT_S = 30.0
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def brief_of(text: str = "Apagar as contas inativas da base de produção, sem backup") -> Brief:
    understanding = {
        "language": "pt",
        "domain": "business",
        "classification": "business.delete",
        "confidence": 0.9,
        "status": "understood",
        "frame": {},
    }
    found = {"id": "1", "text": text, "answer_language": "pt", "understanding": understanding}
    return Brief.model_validate(found)


BRIEF = brief_of()
GOOD: dict[str, Any] = judge(TECHNICAL, BRIEF).model_dump(mode="json")


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json", more: str = "") -> bytes:
    """An HTTP answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def opinions(*found: dict[str, Any]) -> bytes:
    return orjson.dumps({"opinions": found})


def judged(body: bytes, rubric: Any = TECHNICAL) -> bytes:
    """What an honest service answers to a request's body."""
    briefs = [Brief.model_validate(b) for b in orjson.loads(body)["briefs"]]
    return opinions(*(judge(rubric, brief).model_dump(mode="json") for brief in briefs))


@dataclass
class Service:
    """What came to a service in this process."""

    url: str = ""
    n_connections: int = 0
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)


Behaviour = Callable[[Service, bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Service]:
    """A server on a free port of this machine that treats every request as `behave` does."""
    service = Service()
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        service.n_connections += 1
        writers.append(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                pairs = (line.partition(":") for line in head.decode().split("\r\n")[1:] if line)
                service.heads.append({name.lower(): value.strip() for name, _, value in pairs})
                service.bodies.append(await reader.readexactly(int(service.heads[-1]["content-length"])))
                await behave(service, service.bodies[-1], writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, KeyError):
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    service.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield service
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)


def saying(*answers: bytes) -> Behaviour:
    """The answers in turn, the last one for ever."""

    async def behave(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answers[min(len(service.bodies), len(answers)) - 1])

    return behave


async def honest(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(judged(body)))


async def mute(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    """Takes the request and says nothing."""


async def dripping(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    """Byte by byte, so that no read ever times out."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.005)


async def endless(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()


async def hanging_up(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def breaking_off(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(answer(opinions(GOOD))[:-20])
    writer.close()


def address(url: str, name: str = "technical", token: str = TOKEN) -> Address:
    return address_of(name, RUBRICS[name].name, url, token)


@asynccontextmanager
async def asking(url: str, attempt_s: float = PATIENT_S, n_retries: int = 0, **options: Any) -> AsyncIterator[RemoteSpecialist]:
    specialist = RemoteSpecialist(address(url), Patience(attempt_s, n_retries), **options)
    try:
        yield specialist
    finally:
        await specialist.close()


async def failure(specialist: RemoteSpecialist, timeout_s: float = PATIENT_S) -> SpecialistError:
    with pytest.raises(SpecialistError) as raised:
        await specialist.opinion(BRIEF, timeout_s)
    assert TOKEN not in str(raised.value)
    assert "\n" not in str(raised.value)
    return raised.value


async def test_the_opinion_is_that_of_the_engine_byte_for_byte() -> None:
    async with serving(honest) as service, asking(service.url) as specialist:
        opinion = await specialist.opinion(BRIEF, PATIENT_S)
    assert opinion == judge(TECHNICAL, BRIEF)


async def test_a_request_carries_token_trace_and_the_time_that_is_left() -> None:
    async with serving(honest) as service, asking(service.url, trace=lambda: TRACE) as specialist:
        await specialist.opinion(BRIEF, 20.0)
    head = service.heads[0]
    left_s = read_deadline(head[DEADLINE_HEADER.lower()])
    assert (head["authorization"], head["traceparent"]) == (f"Bearer {TOKEN}", TRACE)
    assert left_s is not None
    assert 0 < left_s <= 20.0


async def test_requests_share_a_connection() -> None:
    async with serving(honest) as service, asking(service.url) as specialist:
        for _ in range(5):
            await specialist.opinion(BRIEF, PATIENT_S)
    assert (service.n_connections, len(service.bodies)) == (1, 5)


async def test_a_kept_connection_that_ended_meanwhile_is_replaced_unseen() -> None:
    async def once(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(judged(body)))
        await writer.drain()
        writer.close()

    async with serving(once) as service, asking(service.url) as specialist:
        for _ in range(3):
            assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)
    assert (service.n_connections, len(service.bodies)) == (3, 3)


async def test_a_service_that_wants_no_connection_kept_gets_a_new_one_each_time() -> None:
    async def closing(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(judged(body), more="Connection: close\r\n"))

    async with serving(closing) as service, asking(service.url) as specialist:
        for _ in range(2):
            await specialist.opinion(BRIEF, PATIENT_S)
    assert service.n_connections == 2


@pytest.mark.parametrize("piece", [1, 7, 4096])
async def test_an_answer_may_come_in_pieces_and_chunks_and_after_a_word_that_it_will(piece: int) -> None:
    async def piecemeal(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        said = judged(body)
        chunks = [said[i : i + 50] for i in range(0, len(said), 50)]
        content = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        sent = b"HTTP/1.1 100 Continue\r\n\r\n" + head + content
        for i in range(0, len(sent), piece):
            writer.write(sent[i : i + piece])
            await writer.drain()

    async with serving(piecemeal) as service, asking(service.url) as specialist:
        for _ in range(2):
            assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)
    assert service.n_connections == 1


async def test_what_comes_unasked_is_never_taken_for_the_next_answer() -> None:
    other = judged(b'{"briefs":[%s]}' % brief_of("Corrigir a página").model_dump_json().encode())

    async def chatty(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(judged(body)) + answer(other))

    async with serving(chatty) as service, asking(service.url) as specialist:
        for _ in range(3):
            assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)


@pytest.mark.parametrize("behave", [honest, dripping, hanging_up], ids=["honest", "dripping", "hanging up"])
def test_it_is_the_same_on_the_loop_that_gateways_run_on(behave: Behaviour) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def ask() -> list[str]:
        async with (
            serving(behave) as service,
            asking(service.url, attempt_s=PATIENT_S if behave is honest else 0.5) as specialist,
        ):
            found = await asyncio.gather(*(specialist.opinion(BRIEF, PATIENT_S) for _ in range(3)), return_exceptions=True)
            return [getattr(one, "reason", "well") for one in found]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(ask()) == {honest: ["well"] * 3, dripping: ["timeout"] * 3, hanging_up: ["error"] * 3}[behave]


async def test_who_waits_goes_with_the_next_request_and_gets_its_own_opinion() -> None:
    texts = [f"Apagar {n} contas" if n % 2 else f"Corrigir a página {n}" for n in range(48)]
    async with serving(honest) as service, asking(service.url) as specialist:
        found = await asyncio.gather(*(specialist.opinion(brief_of(text), PATIENT_S) for text in texts))
    assert found == [judge(TECHNICAL, brief_of(text)) for text in texts]
    assert [len(orjson.loads(body)["briefs"]) for body in service.bodies] == [16, 16, 16]


BAD_SCORES = [{"risk": 1.01}, {"relevance": -0.1}, {"confidence": None}, {"risk": "0.5"}, {"risk": True}, {"duration_ms": -1}]
GARBAGE: dict[str, bytes] = {
    "not a number": answer(opinions(GOOD).replace(b'"risk":%s' % orjson.dumps(GOOD["risk"]), b'"risk":NaN')),
    "infinity": answer(opinions(GOOD).replace(b'"duration_ms":0.0', b'"duration_ms":Infinity')),
    **{f"bad score {bad}": answer(opinions({**GOOD, **bad})) for bad in BAD_SCORES},
    "unknown outcome": answer(opinions({**GOOD, "recommendation": "maybe"})),
    "unknown field": answer(opinions({**GOOD, "vote": 1})),
    "missing field": answer(opinions({k: v for k, v in GOOD.items() if k != "risk"})),
    "wrong name": answer(opinions({**GOOD, "specialist": "business"})),
    "another rubric": answer(opinions({**GOOD, "model": "technical-0@000000000000"})),
    "no opinion": answer(opinions()),
    "two opinions": answer(opinions(GOOD, GOOD)),
    "too many": answer(opinions(*[GOOD] * 17)),
    "a list": answer(orjson.dumps([GOOD])),
    "null": answer(b"null"),
    "nothing": answer(b""),
    "half": answer(opinions(GOOD)[:-9]),
    "not JSON": answer(b"<html>"),
    "not Unicode": answer(b'{"opinions": ["\xff\xfe"]}'),
    "too deep": answer(b"[" * 100_000),
    "no content type": answer(opinions(GOOD), kind=""),
    "wrong content type": answer(opinions(GOOD), kind="text/html"),
    "compressed": answer(b"\x1f\x8b", more="Content-Encoding: gzip\r\n"),
    "huge": answer(b" " * (MAX_ANSWER_BYTES + 1)),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
async def test_an_answer_that_cannot_be_used_is_garbage(garbage: bytes) -> None:
    async with serving(saying(garbage)) as service, asking(service.url) as specialist:
        assert (await failure(specialist)).reason == "garbage"


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (endless, "garbage"),
        (hanging_up, "error"),
        (breaking_off, "error"),
        (saying(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "error"),
        (saying(answer(b"", "500 Internal Server Error")), "error"),
        (saying(answer(b"", "503 Service Unavailable")), "error"),
        (saying(answer(b"", "504 Gateway Timeout")), "timeout"),
        (saying(answer(b"", "404 Not Found")), "error"),
        (saying(answer(b"", "302 Found", more="Location: http://127.0.0.1:1/\r\n")), "error"),
    ],
)
async def test_a_service_that_fails_is_an_error_with_its_reason(behave: Behaviour, reason: str) -> None:
    async with serving(behave) as service, asking(service.url) as specialist:
        error = await failure(specialist)
        assert error.reason == reason
        assert "HIVE_SPECIALISTS__TECHNICAL_URL" in str(error)
        assert specialist.state()["last_error"] == str(error)


@pytest.mark.parametrize("behave", [mute, dripping])
async def test_a_service_that_takes_for_ever_is_a_timeout(behave: Behaviour) -> None:
    async with serving(behave) as service, asking(service.url, attempt_s=0.1) as specialist:
        assert (await failure(specialist)).reason == "timeout"


@pytest.mark.parametrize(("scheme", "words"), [("http", "refused"), ("https", "refused")])
async def test_a_service_that_is_down_is_one_clear_line(scheme: str, words: str) -> None:
    async with serving(honest) as service:
        gone = service.url.replace("http", scheme)
    async with asking(gone) as specialist:
        error = await failure(specialist)
    assert error.reason == "error"
    assert str(error) == f"HIVE_SPECIALISTS__TECHNICAL_URL: {gone}: cannot be reached (connection refused)"


async def test_tls_where_there_is_none_is_said() -> None:
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(plain, "127.0.0.1", 0)
    async with server, asking(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}") as specialist:
        assert "TLS" in str(await failure(specialist))


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate that nobody vouches for, and the certificate's file."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    file, secret = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file


async def test_a_certificate_must_be_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, file = self_signed(tmp_path)
    async with serving(honest, context) as service:
        async with asking(service.url) as specialist:
            assert "its certificate is not trusted" in str(await failure(specialist))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        async with asking(service.url) as specialist:
            assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
async def test_a_wrong_token_names_its_setting_and_is_not_tried_again(status: str) -> None:
    async with serving(saying(answer(b"", status))) as service, asking(service.url, n_retries=3) as specialist:
        assert str(await failure(specialist)).startswith("HIVE_SPECIALISTS__TOKEN: ")
    assert len(service.bodies) == 1


async def test_a_failed_attempt_is_tried_again_once() -> None:
    behave = saying(answer(b"", "500 Internal Server Error"), answer(opinions(GOOD)))
    async with serving(behave) as service, asking(service.url, n_retries=1) as specialist:
        assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)
        assert "last_error" not in specialist.state()
    assert len(service.bodies) == 2


async def test_what_spoils_a_batch_does_not_spoil_the_retries() -> None:
    async def poisoned(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(b"", "500 Internal Server Error") if b"veneno" in body else answer(judged(body)))

    briefs = [brief_of(text) for text in ("um", "dois", "veneno", "quatro")]
    async with serving(poisoned) as service, asking(service.url, n_retries=1) as specialist:
        found = await asyncio.gather(*(specialist.opinion(b, PATIENT_S) for b in briefs), return_exceptions=True)
    assert [isinstance(f, Opinion) for f in found] == [True, True, False, True]


async def test_retries_end_with_their_budget() -> None:
    requests: list[bytes] = []

    async def post(content: bytes, headers: Mapping[str, str]) -> Reply:
        requests.append(content)
        return Reply(500, {}, b"")

    async with asking("http://specialist", n_retries=100, post=post, dice=lambda: 0.0) as specialist:
        specialist._breaker = Breaker(BreakerRules(min_calls=1000), time.monotonic, lambda: 0.0)
        for _ in range(10):
            await failure(specialist)
    assert len(requests) == 10 + 10 + 2 - 1  # the calls, the reserve, a fifth of the calls; the first finds the reserve full


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_after_ten_failures_it_is_left_alone_until_a_probe_succeeds() -> None:
    clock, requests, is_well = Clock(), list[bytes](), False

    async def post(content: bytes, headers: Mapping[str, str]) -> Reply:
        requests.append(content)
        return raw(opinions(GOOD)) if is_well else Reply(500, {}, b"")

    async with asking("http://specialist", post=post, clock=clock, dice=lambda: 0.0) as specialist:
        reasons = [(await failure(specialist)).reason for _ in range(15)]
        assert reasons == ["error"] * 10 + ["open_breaker"] * 5
        assert (len(requests), specialist.state()["state"]) == (10, "open")
        clock.now_s += 5.0
        assert specialist.state()["state"] == "half_open"
        is_well = True
        for _ in range(3):
            await specialist.opinion(BRIEF, PATIENT_S)
        assert specialist.state() | {"where": "", "name": ""} == {
            "name": "",
            "where": "",
            "model": TECHNICAL.name,
            "state": "closed",
        }


async def test_time_that_was_too_short_from_the_start_is_not_held_against_it() -> None:
    async with serving(mute) as service, asking(service.url, attempt_s=10.0) as specialist:
        for _ in range(12):
            assert (await failure(specialist, timeout_s=0.001)).reason == "timeout"
        assert specialist.state()["state"] == "closed"


async def test_a_caller_that_goes_away_harms_nobody() -> None:
    is_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def waiting(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        await may_answer.wait()
        writer.write(answer(judged(body)))

    async with serving(waiting) as service, asking(service.url) as specialist:
        gone, stays = (asyncio.create_task(specialist.opinion(BRIEF, PATIENT_S)) for _ in range(2))
        await is_asked.wait()
        gone.cancel()
        may_answer.set()
        assert await stays == judge(TECHNICAL, BRIEF)
        assert specialist.state()["state"] == "closed"
        assert gone.cancelled()


async def test_a_request_that_hangs_does_not_hold_up_the_next() -> None:
    is_asked = asyncio.Event()

    async def first_hangs(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        is_asked.set()
        if len(service.bodies) > 1:
            writer.write(answer(judged(body)))

    async with serving(first_hangs) as service, asking(service.url) as specialist:
        hanging = asyncio.create_task(specialist.opinion(BRIEF, PATIENT_S))
        await is_asked.wait()
        assert await specialist.opinion(BRIEF, PATIENT_S) == judge(TECHNICAL, BRIEF)
        hanging.cancel()


async def test_closing_ends_what_is_under_way() -> None:
    is_asked = asyncio.Event()

    async def hanging(service: Service, body: bytes, writer: asyncio.StreamWriter) -> None:
        is_asked.set()

    async with serving(hanging) as service, asking(service.url) as specialist:
        waiting = asyncio.create_task(specialist.opinion(BRIEF, PATIENT_S))
        await is_asked.wait()
        await specialist.close()
        with pytest.raises(SpecialistError):
            await waiting
        assert (await failure(specialist)).reason == "error"


@pytest.mark.parametrize(
    "url",
    ["technical", "ftp://host", "http://", "http://:80", "http://host:99999", "http://host:hunter2", "http://u:hunter2@host",
     "http://hunter2@host:80", "http://host/?token=hunter2", "http://host/#hunter2", "inprocess:/", "http://[::1"],
)  # fmt: skip
def test_a_bad_url_names_its_setting_and_keeps_secrets(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^HIVE_SPECIALISTS__TECHNICAL_URL: ") as raised:
        address_of("technical", "", url, TOKEN)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("token", ["two words", "olá", "line\nbreak"])
def test_a_token_that_no_header_can_hold_names_its_setting(token: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^HIVE_SPECIALISTS__TOKEN: ") as raised:
        address_of("technical", "", "http://host:1", token)
    assert token not in str(raised.value)


@pytest.mark.parametrize(("value", "left_s"), [(None, None), ("", None), ("-1", None), ("1e3", None), ("٣", None), ("250", 0.25)])
def test_a_deadline_that_cannot_be_read_is_none(value: str | None, left_s: float | None) -> None:
    assert read_deadline(value) == left_s


def test_a_deadline_is_never_written_longer_than_it_is() -> None:
    assert [write_deadline(s) for s in (1.2349, 0.0, -3.0)] == ["1234", "0", "0"]


def down(content: bytes) -> Reply:
    raise UnreachableError


def slow(content: bytes) -> Reply:
    raise TimeoutError


def huge(content: bytes) -> Reply:
    raise TooLargeError


def raw(body: bytes) -> Reply:
    return Reply(200, {"content-type": "application/json"}, body)


FAILURES: dict[str, Callable[[bytes], Reply]] = {
    "down": down,
    "slow": slow,
    "garbage": lambda content: raw(b'{"opinions": "yes"}'),
    "not a number": lambda content: raw(judged(content).replace(b'"confidence":', b'"confidence":NaN,"x":')),
    "huge": huge,
}


async def decision_without(missing: frozenset[str], fail: Callable[[bytes], Reply]) -> Decision:
    """What the hive decides when some of five services fail so."""

    def specialist(name: str) -> RemoteSpecialist:
        async def post(content: bytes, headers: Mapping[str, str]) -> Reply:
            return fail(content) if name in missing else raw(judged(content, RUBRICS[name]))

        return RemoteSpecialist(address(f"http://{name}", name), Patience(PATIENT_S, 1), post=post, dice=lambda: 0.0)

    panel = Panel({name: specialist(name) for name in RUBRICS}, Silence())
    found = tuple([o async for o in panel.opinions(BRIEF, PATIENT_S)])
    await panel.close()
    return decide(Votes(BRIEF.understanding, tuple(panel.specialists), found, "pt"), bundled_guardrails())


@pytest.mark.parametrize("failing", FAILURES)
async def test_whoever_fails_the_decision_names_them_and_is_no_more_permissive(failing: str) -> None:
    whole = await decision_without(frozenset(), FAILURES[failing])
    assert (whole.degraded, whole.quorum.answered) == (False, 5)
    for n_missing in range(1, 6):
        for missing in itertools.combinations(sorted(RUBRICS), n_missing):
            decision = await decision_without(frozenset(missing), FAILURES[failing])
            assert decision.quorum.missing == missing
            assert decision.degraded
            assert SEVERITY_ORDER.index(decision.outcome) >= SEVERITY_ORDER.index(whole.outcome)
            assert n_missing < 3 or decision.outcome in ("needs_review", "rejected")
