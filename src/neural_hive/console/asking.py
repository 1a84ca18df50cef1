"""The first page: say what should change. And the answer to it: a case that builds itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from unicodedata import normalize

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from uuid_utils import uuid7

from neural_hive.canonical import digest
from neural_hive.console.live import RECORDED, Draw, pieces
from neural_hive.console.rendering import may, page, render
from neural_hive.console.visitors import Visitor, check_own_form, visitor_of
from neural_hive.console.wording import Wording
from neural_hive.contracts import Ask, Case, CaseStatus, Channel
from neural_hive.errors import NotFoundError, TextRejectedError
from neural_hive.gateway.auth import Role
from neural_hive.gateway.intents import caller_of, checked_id
from neural_hive.gateway.ports import JudgingHive
from neural_hive.gateway.routing import hive_of
from neural_hive.ports import CaseQuery, IdempotencyKey, Related
from neural_hive.understanding.intake import clean_text

#: Cases listed under the question.
_N_RECENT = 5
_NONCE = re.compile(r"[0-9a-f-]{1,64}")
_NOTHING = Related((), ())
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}


async def get_ask(request: Request) -> Response:
    """The question, and what was asked last."""
    return await _ask_page(request, request.query_params.get("text", ""))


async def post_ask(request: Request) -> Response:
    """Record the intent and show its case, which goes on by itself."""
    check_own_form(request)
    form = await request.form()
    text = str(form.get("text", "")).replace("\r\n", "\n")  # a browser counts a line break as one
    try:
        ask = Ask(text=clean_text(text, hive_of(request).settings.max_text_chars))
    except TextRejectedError:
        return await _ask_page(request, text, refused=True)
    key = _key(str(form.get("nonce", "")), ask.text)
    case = await hive_of(request).submit(ask, caller_of(request, Channel.CONSOLE), key)
    if "hx-request" not in request.headers:
        return RedirectResponse(f"/cases/{case.id}", 303)
    response = await case_page(request, case)
    response.headers["HX-Push-Url"] = f"/cases/{case.id}"
    return response


def _key(nonce: str, text: str) -> IdempotencyKey | None:
    """One form sent twice with the same text is one intent; with another text it is another."""
    if not _NONCE.fullmatch(nonce):
        return None
    body = digest(text.encode())
    return IdempotencyKey(f"console-{nonce}-{body[:32]}", body)


async def _ask_page(request: Request, text: str, *, refused: bool = False) -> Response:
    hive, visitor = hive_of(request), visitor_of(request)
    recent = await hive.cases(CaseQuery(visitor.identity.tenant, limit=_N_RECENT))
    most = hive.settings.max_text_chars
    return page(
        request,
        visitor,
        "ask.html",
        status=422 if refused else 200,
        text=text,
        error=_refusal(visitor.t, text, most) if refused else "",
        nonce=str(uuid7()),
        recent=recent.items,
        max_chars=most,
    )


def _refusal(t: Wording, text: str, most: int) -> str:
    """Why the text was refused, in the visitor's language."""
    n = max(len(text), len(normalize("NFC", text)))
    return t("ask.too_long", n=t.number(n), most=t.number(most)) if n > most else t("ask.unreadable")


async def get_talk(request: Request) -> Response:
    """The button to talk with, if this hive can hear; asked for apart, so that the page waits for no dependency."""
    speech = (await hive_of(request).readiness())["dependencies"].get("speech", {})
    if speech.get("status") != "ok":
        return Response(status_code=204)
    return HTMLResponse(render("talk.html", visitor_of(request)))


async def get_case(request: Request) -> Response:
    """One case, replayed from the ledger, or live while it is being judged."""
    case_id = checked_id(request.path_params["case_id"])
    case = await hive_of(request).case(visitor_of(request).identity.tenant, case_id)
    return await case_page(request, case)


async def case_page(request: Request, case: Case) -> Response:
    """The page of a case as far as it is known; the rest comes by events."""
    visitor = visitor_of(request)
    near = await related_to(hive_of(request), visitor, case)
    alike = await _alike(hive_of(request), visitor, near)
    return page(request, visitor, "case.html", case=case, near=near, alike=alike)


async def related_to(hive: JudgingHive, visitor: Visitor, case: Case) -> Related:
    """What is near the case in the graph; nothing while it is not decided."""
    if case.status is not CaseStatus.DECIDED:
        return _NOTHING
    return await hive.related(visitor.identity.tenant, case.id)


async def _alike(hive: JudgingHive, visitor: Visitor, near: Related) -> dict[str, Case]:
    """The similar cases by id; one that is gone is left out."""
    read = partial(_read, hive, visitor.identity.tenant)
    found = await asyncio.gather(*(read(similar.id) for similar in near.similar))
    return {case.id: case for case in found if case is not None}


async def _read(hive: JudgingHive, tenant: str, case_id: str) -> Case | None:
    try:
        return await hive.case(tenant, case_id)
    except NotFoundError:
        return None


async def get_live(request: Request) -> Response:
    """The rest of a case as it happens: sections of its page, by server-sent events."""
    hive, visitor = hive_of(request), visitor_of(request)
    case = await hive.case(visitor.identity.tenant, checked_id(request.path_params["case_id"]))
    if case.status is CaseStatus.DECIDED:
        case = Case(id=case.id, status=CaseStatus.ACCEPTED, intent=case.intent)
    events = hive.events(visitor.identity.tenant, case.id)

    def draw(section: str, case: Case) -> str:
        return render(f"case/{_template(section)}.html", visitor, case=case, specialist=section.partition("-")[2])

    stream = pieces(case, events, request.app.state.closing, draw, partial(_finish, hive, visitor, draw))
    return StreamingResponse(stream, media_type="text/event-stream", headers=_STREAM_HEADERS)


def _template(section: str) -> str:
    return section.partition("-")[0]


async def _finish(hive: JudgingHive, visitor: Visitor, draw: Draw, case: Case) -> AsyncIterator[tuple[str, str]]:
    """Every section from the recorded case, those that need more than the case last."""
    recorded = await hive.case(visitor.identity.tenant, case.id)
    for section in RECORDED:
        yield section, draw(section, recorded)
    near = await related_to(hive, visitor, recorded)
    values = {"case": recorded, "near": near, "alike": await _alike(hive, visitor, near)}
    for section in ("systems", "similar", "reviews", "record"):
        yield section, render(f"case/{section}.html", visitor, may_review=may(visitor, Role.REVIEWER), **values)
