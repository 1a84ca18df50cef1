"""Every page in every language, for those who may and those who may not, with and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx2
import pytest
from fake_hive import FakeHive
from pydantic import SecretStr

from neural_hive.contracts import Verification
from neural_hive.settings import Settings

PAGES = ("/", "/cases", "/reviews", "/trends", "/ledger", "/ledger/verification", "/hive", "/sign-in", "/ask/talk")
TOKENS = "t-user=acme:ulla:user,t-reviewer=acme:rui:reviewer,t-admin=acme:ada:admin,t-other=zeta:zoe:admin"
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|\sstyle=|javascript:|<style", re.IGNORECASE)
Visit = Callable[[FakeHive], httpx2.AsyncClient]


def a_case(hive: FakeHive) -> str:
    return max(hive.known)


@pytest.fixture
def guarded() -> FakeHive:
    hive = FakeHive(Settings(auth_tokens=SecretStr(TOKENS)))
    hive.fill("acme")
    return hive


def signed_in(client: httpx2.AsyncClient, token: str) -> httpx2.AsyncClient:
    client.cookies.set("hive_token", token)
    return client


@pytest.mark.parametrize("language", ["pt", "en", "es"])
@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_in_every_language(browser: httpx2.AsyncClient, path: str, language: str) -> None:
    answer = await browser.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert path == "/ask/talk" or f'<html lang="{language}"' in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_is_there_for_an_empty_hive(visit: Visit, path: str) -> None:
    async with visit(FakeHive(Settings())) as browser:
        assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "case"])
async def test_no_page_needs_an_exception_from_the_content_policy(browser: httpx2.AsyncClient, hive: FakeHive, path: str) -> None:
    answer = await browser.get(f"/cases/{a_case(hive)}" if path == "case" else path)
    assert INLINE.search(answer.text) is None
    assert "unsafe-inline" not in answer.headers["content-security-policy"]


async def test_a_decided_case_is_complete_without_scripts(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    text = (await browser.get(f"/cases/{a_case(hive)}")).text
    assert "sse-connect" not in text
    assert "Indicar a política de retenção" in text
    assert hive.known[a_case(hive)].decision.hash in text  # type: ignore[union-attr]


async def test_a_form_without_scripts_leads_to_its_case(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    answer = await browser.post("/ask", data={"text": "Move the database", "nonce": "0190-a"})
    again = await browser.post("/ask", data={"text": "Move the database", "nonce": "0190-a"})
    other = await browser.post("/ask", data={"text": "Move the queue", "nonce": "0190-a"})
    assert answer.status_code == 303
    assert answer.headers["location"] == again.headers["location"] != other.headers["location"]
    live = await browser.get(answer.headers["location"])
    assert "sse-connect" in live.text
    assert '<noscript><meta http-equiv="refresh"' in live.text


async def test_a_text_that_cannot_be_read_stays_in_the_field(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/ask", data={"text": " <b>!? ", "nonce": "1"})
    answer_2 = await browser.post("/ask", data={"text": "?!", "nonce": "1"})
    assert answer.status_code == 303
    assert answer_2.status_code == 422
    assert 'aria-invalid="true"' in answer_2.text
    assert ">?!</textarea>" in answer_2.text


async def test_a_form_of_another_site_is_refused(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    n_before = len(hive.known)
    for path in ("/ask", f"/cases/{a_case(hive)}/reviews", "/preferences", "/sign-in", "/sign-out"):
        answer = await browser.post(path, data={"text": "x"}, headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 403
        assert "did not come from this page" in answer.text
    assert len(hive.known) == n_before


async def test_a_problem_is_a_page_for_people_and_json_for_programs(browser: httpx2.AsyncClient) -> None:
    page = await browser.get("/cases/nothing", headers={"Accept-Language": "pt"})
    api = await browser.get("/api/v1/intents/nothing")
    program = await browser.get("/nowhere", headers={"Accept": "application/json"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Não existe este caso aqui" in page.text
    assert page.headers["x-content-type-options"] == "nosniff"
    assert api.headers["content-type"] == program.headers["content-type"] == "application/problem+json"


async def test_htmx_gets_the_main_part_only(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/cases", headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<title>")
    assert "<h1>" in answer.text
    assert "<body" not in answer.text


async def test_preferences_are_kept(browser: httpx2.AsyncClient) -> None:
    answer = await browser.post("/preferences", data={"language": "es", "theme": "dark", "back": "/cases?q=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases?q=a")
    page = await browser.get("/")
    assert '<html lang="es" data-theme="dark">' in page.text


async def test_strangers_are_shown_the_way_in(visit: Visit, guarded: FakeHive) -> None:
    async with visit(guarded) as browser:
        page = await browser.get("/cases?q=a")
        assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/cases%3Fq%3Da")
        part = await browser.get("/cases", headers={"HX-Request": "true"})
        assert part.headers["hx-redirect"].startswith("/sign-in")
        assert (await browser.get("/sign-in")).status_code == 200
        assert (await browser.get("/static/css/console.css")).status_code == 200


async def test_a_token_lets_its_tenant_in_by_a_cookie_that_scripts_cannot_read(visit: Visit, guarded: FakeHive) -> None:
    async with visit(guarded) as browser:
        refused = await browser.post("/sign-in", data={"token": "guess", "next": "/cases"})
        assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
        answer = await browser.post("/sign-in", data={"token": "t-user", "next": "/cases"})
        assert answer.headers["location"] == "/cases"
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "Apagar as contas" in (await browser.get("/cases")).text
        assert (await browser.get("/api/v1/intents")).status_code == 200


async def test_a_cookie_is_worth_nothing_to_another_site(visit: Visit, guarded: FakeHive) -> None:
    async with visit(guarded) as browser:
        signed_in(browser, "t-admin")
        answer = await browser.post(
            "/api/v1/intents", json={"text": "Delete it"}, headers={"Sec-Fetch-Site": "cross-site", "Accept": "*/*"}
        )
        assert answer.status_code == 401


async def test_a_tenant_does_not_see_the_cases_of_another(visit: Visit, guarded: FakeHive) -> None:
    async with visit(guarded) as browser:
        signed_in(browser, "t-other")
        assert (await browser.get(f"/cases/{a_case(guarded)}")).status_code == 404
        assert "Apagar as contas" not in (await browser.get("/cases")).text


async def test_only_reviewers_decide_and_only_admins_see_settings(visit: Visit, guarded: FakeHive) -> None:
    path, verdict = f"/cases/{a_case(guarded)}/reviews", {"verdict": "rejected", "comment": "no", "back": "/reviews"}
    async with visit(guarded) as browser:
        signed_in(browser, "t-user")
        assert 'name="verdict"' not in (await browser.get("/reviews")).text
        assert (await browser.post(path, data=verdict)).status_code == 403
        assert "HIVE_LEDGER_URL" not in (await browser.get("/hive")).text
    async with visit(guarded) as browser:
        signed_in(browser, "t-reviewer")
        assert (await browser.post(path, data=verdict)).status_code == 303
        assert guarded.known[a_case(guarded)].reviews[-1].reviewer == "rui"
    async with visit(guarded) as browser:
        signed_in(browser, "t-admin")
        assert "HIVE_LEDGER_URL" in (await browser.get("/hive")).text


async def test_a_verdict_must_be_one(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    answer = await browser.post(f"/cases/{a_case(hive)}/reviews", data={"verdict": "maybe"})
    assert answer.status_code == 422
    assert hive.known[a_case(hive)].reviews == ()


async def test_a_broken_chain_says_where(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    hive.verification = Verification(ok=False, checked=7, first_broken="8", reason="entry 8 does not have the hash it was given")
    hive.changed_entry = 8
    text = (await browser.get("/ledger/verification")).text
    assert f'data-broken="{sorted(hive.known)[7]}"' in text
    assert "What it holds is not what was written" in text
    assert "7 entries before it are as they were written" in text
    assert "its content gives" in text


async def test_a_broken_chain_tells_nobody_of_another_tenants_cases(visit: Visit, guarded: FakeHive) -> None:
    guarded.verification, guarded.changed_entry = Verification(ok=False, checked=7, first_broken="8", reason="hash"), 8
    async with visit(guarded) as browser:
        text = (await signed_in(browser, "t-other").get("/ledger/verification")).text
        assert 'id="break"' in text
        assert "/cases/" not in text


async def test_trends_count_every_case_of_the_time_that_was_chosen(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    n_decided = sum(case.decision is not None for case in hive.known.values())
    assert f"{n_decided} decided cases" in (await browser.get("/trends?period=all")).text
    assert (await browser.get("/trends?period=ever")).status_code == 200


@pytest.mark.parametrize(("language", "said"), [("pt", "Destrói dados"), ("en", "Destroys data"), ("es", "Destruye datos")])
async def test_a_guardrail_is_told_in_the_askers_language(
    browser: httpx2.AsyncClient, hive: FakeHive, language: str, said: str
) -> None:
    case = hive.known[a_case(hive)]
    assert case.decision is not None
    assert case.understanding is not None
    decision = case.decision.model_copy(update={"guardrails": ("irreversible-destruction", "of-an-older-release")})
    known = case.understanding.model_copy(update={"language": language})
    hive.known[case.id] = case.model_copy(update={"decision": decision, "understanding": known})
    text = (await browser.get(f"/cases/{case.id}")).text
    assert said in text
    assert "of-an-older-release" in text
    assert ">irreversible-destruction<" not in text


async def test_another_language_is_named_and_nothing_is_said_of_undoing_nothing(
    browser: httpx2.AsyncClient, hive: FakeHive
) -> None:
    case = hive.known[a_case(hive)]
    assert case.understanding is not None
    assert "Can be undone" in (await browser.get(f"/cases/{case.id}")).text
    frame = case.understanding.frame.model_copy(update={"action": "none"})
    known = case.understanding.model_copy(update={"language": "fr", "variant": "", "frame": frame})
    hive.known[case.id] = case.model_copy(update={"understanding": known})
    text = (await browser.get(f"/cases/{case.id}")).text
    assert "another (fr)" in text
    assert "Can be undone" not in text


async def test_models_are_shown_with_hashes_and_how_good_they_are(browser: httpx2.AsyncClient, hive: FakeHive) -> None:
    text = (await browser.get("/hive")).text
    assert hive.models()["understanding"] in text
    assert re.search(r"Domain</span><strong class=\"figure\">\d\d%</strong>", text)
    hive.models = lambda: {"understanding": "f" * 16}  # type: ignore[method-assign]
    assert 'class="qualities"' not in (await browser.get("/hive")).text


async def test_secrets_are_never_shown(visit: Visit, guarded: FakeHive) -> None:
    guarded.settings = guarded.settings.model_copy(update={"cache_url": "redis://user:hunter2@cache.example/0?password=hunter2"})
    async with visit(guarded) as browser:
        text = (await signed_in(browser, "t-admin").get("/hive")).text
        assert "hunter2" not in text
        assert "t-admin" not in text
        assert "cache.example" in text


async def test_versioned_files_are_kept_by_browsers_others_are_asked_for_again(browser: httpx2.AsyncClient) -> None:
    page = (await browser.get("/")).text
    versioned = re.search(r'href="(/static/css/console\.css\?v=[0-9a-f]{12})"', page)
    assert versioned is not None
    assert "immutable" in (await browser.get(versioned[1])).headers["cache-control"]
    assert (await browser.get("/static/css/console.css")).headers["cache-control"] == "no-cache"
    assert (await browser.get("/static/../rendering.py")).status_code == 404
