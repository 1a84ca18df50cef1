"""The console as people use it: ask, watch, review, search, in three languages, with the keyboard, in the dark."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from chromium import axe_violations, expect
from sample_cases import DELETE_PT
from serving import Served, served

from conftest import NewPage
from neural_hive.contracts import Outcome, Verification
from neural_hive.errors import OverloadedError

CASE_URL = re.compile(r"/cases/[0-9a-f-]{36}$")
#: Source: issue 6, "Must hold".
MAX_TRANSFERRED_BYTES = 300_000
PAGES = ("/", "/cases", "/reviews", "/trends", "/ledger", "/hive", "/sign-in", "/nowhere", "case")


def ask(page: Any, console: Served, text: str = DELETE_PT) -> None:
    page.goto(console.address)
    page.get_by_label("Your request").fill(text)
    page.get_by_role("button", name="Ask the hive").click()
    page.wait_for_url(CASE_URL)


def open_page(page: Any, console: Served, path: str) -> None:
    page.goto(console.address + (f"/cases/{max(console.hive.known)}" if path == "case" else path))


def expect_lit(page: Any, quote: str) -> None:
    """Waits until these words of the request are lit, and no others."""
    lit = "[...document.querySelectorAll('#asked .lit')].map((part) => part.innerText).join('')"
    page.wait_for_function(f"(quote) => {lit} === quote", arg=quote)


def test_a_case_builds_itself_while_one_watches(console: Served, new_page: NewPage) -> None:
    console.hive.is_paced = True
    page = new_page()
    ask(page, console)
    expect(page.locator("#asked")).to_contain_text("Apagar as contas")
    expect(page.locator("#verdict")).to_contain_text("Being judged")
    expect(page.locator(".cell.pending")).to_have_count(7)

    console.release()
    expect(page.locator("#understanding")).to_contain_text("Compliance")
    expect(page.locator("#asked .is-pii")).to_have_count(2)
    expect(page.locator("#news")).to_contain_text("Understood")
    for n, name in enumerate(("architecture", "behavior", "business", "evolution", "technical"), 1):
        expect(page.locator(f"#opinion-{name} .scores")).to_have_count(0)
        console.release()
        expect(page.locator(f"#opinion-{name} .scores")).to_have_count(1)
        expect(page.locator("#chart circle")).to_have_count(n)
        expect(page.locator("#news")).to_contain_text(f"{n} of 5")
    expect(page.locator("#verdict")).to_contain_text("Being judged")

    console.release()
    expect(page.locator("#verdict")).to_contain_text("A person should decide")
    expect(page.locator("#verdict input[type=checkbox]")).to_have_count(4)
    expect(page.locator("#verdict .dissent")).to_contain_text("Comportamento")
    expect(page.locator("#similar")).to_contain_text("alike")
    expect(page.locator("#systems svg")).to_have_count(1)
    expect(page.locator("#record")).to_contain_text("Hash")
    expect(page.locator("#case")).not_to_have_attribute("aria-busy", "true")


def test_a_permalink_shows_the_same_case_again(console: Served, new_page: NewPage) -> None:
    page = new_page()
    ask(page, console)
    expect(page.locator("#record")).to_contain_text("Hash")
    live = page.locator("#opinions, #verdict, #understanding").all_inner_texts()
    page.reload()
    assert page.locator("#opinions, #verdict, #understanding").all_inner_texts() == live
    page.get_by_role("link", name="As JSON").click()
    assert DELETE_PT in page.locator("body").inner_text()


def test_pressing_twice_asks_once(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(console.address)
    n_before = len(console.hive.known)
    page.get_by_label("Your request").fill(DELETE_PT)
    page.get_by_role("button", name="Ask the hive").dblclick()
    page.wait_for_url(CASE_URL)
    page.go_back()
    page.wait_for_load_state()
    assert len(console.hive.known) == n_before + 1


def test_evidence_lights_up_on_hover_focus_and_touch(console: Served, new_page: NewPage) -> None:
    page = new_page()
    open_page(page, console, "case")
    finding = page.locator("#opinion-business summary").first
    finding.hover()
    expect_lit(page, "há mais de cinco anos")
    page.locator("h2").first.hover()
    expect_lit(page, "")
    quote = page.locator("#opinion-technical .quote").first
    quote.focus()
    expect_lit(page, "Apagar as contas inativas")
    quote.click()
    page.locator("h2").first.hover()
    expect_lit(page, "Apagar as contas inativas")
    page.keyboard.press("Escape")
    expect_lit(page, "")


def test_ticks_are_remembered_in_this_browser(console: Served, new_page: NewPage) -> None:
    page = new_page()
    open_page(page, console, "case")
    page.get_by_label("Nomear um responsável pela mudança").check()
    page.reload()
    expect(page.get_by_label("Nomear um responsável pela mudança")).to_be_checked()
    expect(page.get_by_label("Fazer e testar uma cópia de segurança antes")).not_to_be_checked()


def test_reviewing_by_keyboard_needs_a_confirmation(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{console.address}/reviews")
    waiting = page.locator(".queue > .reviewable")
    n_waiting = waiting.count()
    first = waiting.first.get_attribute("data-case")
    page.keyboard.press("j")
    expect(waiting.first).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("r")
    page.keyboard.type("Not before the audit. j a")
    page.keyboard.press("Escape")
    expect(waiting.first).to_be_focused()
    assert console.hive.known[first].reviews == ()

    page.keyboard.press("r")
    page.keyboard.type("Not before the audit.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".reviewable.done")).to_contain_text("Rejected")
    expect(waiting.nth(1)).to_be_focused()
    expect(page.locator("#done-n")).to_have_text(f"1 / {n_waiting}")
    review = console.hive.known[first].reviews[0]
    assert (review.verdict, review.comment) == (Outcome.REJECTED, "Not before the audit.")
    page.keyboard.press("a")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#done-n")).to_have_text(f"2 / {n_waiting}")


def test_a_verdict_on_the_case_page_shows_both_sides(console: Served, new_page: NewPage) -> None:
    page = new_page()
    open_page(page, console, "case")
    page.get_by_text("With conditions", exact=True).last.click()
    page.get_by_label("Why (optional)").fill("Only with the backup.")
    page.get_by_role("button", name="Record verdict").click()
    expect(page.locator("#reviews .versus")).to_contain_text("With conditions")
    expect(page.locator("#reviews .versus")).to_contain_text("For a person")


def test_cases_are_searched_filtered_and_paged(console: Served, new_page: NewPage) -> None:
    console.hive.fill()
    page = new_page()
    page.goto(f"{console.address}/cases")
    expect(page.locator("table.cases tbody tr")).to_have_count(25)
    page.get_by_role("link", name="Older").click()
    expect(page.locator("table.cases tbody tr")).to_have_count(5)
    page.get_by_role("link", name="Newest").click()
    page.get_by_label("Search").press_sequentially("pagos")
    expect(page.locator("table.cases tbody tr")).to_have_count(2)
    expect(page).to_have_url(re.compile("q=pagos"))
    expect(page.get_by_label("Search")).to_be_focused()
    page.get_by_label("Outcome").select_option("rejected")
    expect(page.get_by_text("No case fits")).to_be_visible()
    page.get_by_role("link", name="Show all").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    assert download.value.suggested_filename == "cases.csv"


@pytest.mark.parametrize(
    ("locale", "title"),
    [("pt-BR", "O que deve mudar?"), ("es-MX", "¿Qué debe cambiar?"), ("de", "What should change?")],
)
def test_the_browser_chooses_the_language(console: Served, new_page: NewPage, locale: str, title: str) -> None:
    page = new_page(locale=locale)
    page.goto(console.address)
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def test_a_person_chooses_another_language_and_stays_on_the_page(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{console.address}/cases?q=pagos")
    page.get_by_role("button", name="Português").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Casos")
    expect(page).to_have_url(f"{console.address}/cases?q=pagos")
    assert page.locator("html").get_attribute("lang") == "pt"


def test_dark_follows_the_system_until_someone_chooses(console: Served, new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    page.goto(console.address)
    background = "() => getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(background)
    assert light != dark
    page.goto(f"{console.address}/cases")
    assert page.evaluate(background) == light


def test_everything_works_by_keyboard_alone(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(console.address)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Your request")).to_be_focused()
    page.keyboard.type(DELETE_PT)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(CASE_URL)
    expect(page.locator("#main")).to_be_focused()
    expect(page.locator("#record")).to_contain_text("Hash")
    page.keyboard.press("Tab")
    expect(page.locator(".comb a").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("#opinion-business$"))
    page.keyboard.press("Tab")
    expect(page.locator("#opinion-business :focus")).to_have_count(1)
    expect_lit(page, "há mais de cinco anos")


def test_talking_instead_of_typing(console: Served, new_page: NewPage) -> None:
    page = new_page(permissions=["microphone"])
    page.goto(console.address)
    button = page.locator("#talk")
    expect(button).to_be_visible()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    button.click()
    page.wait_for_url(CASE_URL)
    expect(page.locator("#asked")).to_contain_text("Heard in Portuguese")


def test_without_an_ear_there_is_no_button(console: Served, new_page: NewPage) -> None:
    async def deaf() -> dict[str, Any]:
        return {"ready": True, "dependencies": {}}

    console.hive.readiness = deaf  # type: ignore[method-assign]
    page = new_page(permissions=["microphone"])
    with page.expect_response("**/ask/talk") as answer:
        page.goto(console.address)
    assert answer.value.status == 204
    expect(page.locator("#talk")).to_have_count(0)


def test_the_ledger_shows_where_it_breaks(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{console.address}/ledger")
    page.get_by_role("button", name="Check the whole ledger").click()
    expect(page.locator("#verification")).to_contain_text("Intact. 1,284 entries")
    number = len(console.hive.known) - 1
    console.hive.changed_entry = number
    console.hive.verification = Verification(ok=False, checked=number - 1, first_broken=str(number), reason="hash")
    page.get_by_role("button", name="Check the whole ledger").click()
    expect(page.locator("#verification")).to_contain_text("The chain is broken")
    expect(page.locator("#break .number")).to_have_text(str(number))
    expect(page.locator("#break")).to_contain_text("What it holds is not what was written")
    expect(page.locator(".around > li.intact")).to_have_count(2)
    expect(page.locator(".chain .is-broken")).to_have_attribute("data-case", sorted(console.hive.known)[number - 1])
    assert axe_violations(page) == []


def test_trends_of_the_time_that_one_chooses(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(f"{console.address}/trends")
    expect(page.get_by_role("link", name="30 days")).to_have_attribute("aria-current", "true")
    page.get_by_role("link", name="All").click()
    page.wait_for_url("**/trends?period=all")
    n_decided = sum(case.decision is not None for case in console.hive.known.values())
    expect(page.locator(".lead").first).to_contain_text(f"{n_decided} decided cases")


def test_a_lost_connection_is_said(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(console.address)
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()


def test_a_refusal_is_shown_kindly_and_the_text_stays(console: Served, new_page: NewPage) -> None:
    page = new_page()
    page.goto(console.address)

    async def full(*_given: Any) -> None:
        raise OverloadedError

    console.hive.submit = full  # type: ignore[method-assign]
    page.get_by_label("Your request").fill(DELETE_PT)
    page.get_by_role("button", name="Ask the hive").click()
    expect(page.locator("#problem")).to_contain_text("The hive is at its limit")
    expect(page.get_by_label("Your request")).to_have_value(DELETE_PT)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("?!", "Aquí no hay nada que la colmena pueda leer"),
        ("x" * 10_001, "El texto tiene 10\u202f001 caracteres; el máximo es 10\u202f000"),
    ],
)
def test_what_is_wrong_with_a_text_is_said_in_the_visitors_language(
    console: Served, new_page: NewPage, text: str, answer: str
) -> None:
    page = new_page(locale="es")
    page.goto(console.address)
    field = page.get_by_label("Su petición")
    field.evaluate("field => field.removeAttribute('maxlength')")
    field.fill(text)
    page.get_by_role("button", name="Consultar a la colmena").click()
    expect(page.locator("#ask-error")).to_contain_text(answer)
    expect(page.get_by_label("Su petición")).to_have_value(text)


def test_times_follow_the_readers_clock_and_what_is_on_record_stays_utc(console: Served, new_page: NewPage) -> None:
    page = new_page(locale="pt", timezone_id="America/Sao_Paulo")
    case = console.hive.known[max(console.hive.known)]
    page.goto(f"{console.address}/cases")
    when = page.locator("table.cases time").first
    here = case.intent.received_at - timedelta(hours=3)
    expect(when).to_have_text(f"{here:%d/%m/%Y %H:%M}")
    assert when.get_attribute("title") == f"{case.intent.received_at:%d/%m/%Y %H:%M} UTC"
    page.get_by_label("Procurar").fill("contas")
    expect(page.locator("table.cases time", has_text="UTC")).to_have_count(0)
    page.goto(f"{console.address}/cases/{case.id}")
    expect(page.locator("#record time")).to_have_text(f"{case.decided_at:%d/%m/%Y %H:%M} UTC")


def test_signing_in_and_out(new_page: NewPage) -> None:
    with served(auth_tokens="sesame=acme:ana:reviewer") as guarded:
        guarded.hive.fill("acme")
        page = new_page()
        page.goto(f"{guarded.address}/cases")
        page.get_by_label("Token").fill("sesame")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{guarded.address}/cases")
        expect(page.locator("table.cases tbody tr")).to_have_count(15)
        assert page.evaluate("document.cookie") == ""
        ask(page, guarded)
        expect(page.locator("#verdict")).to_contain_text("A person should decide")
        page.get_by_role("button", name="Sign out").click()
        page.goto(f"{guarded.address}/cases")
        expect(page.get_by_label("Token")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_no_serious_accessibility_violation(console: Served, new_page: NewPage, path: str, scheme: str) -> None:
    page = new_page(color_scheme=scheme, reduced_motion="reduce", locale="pt")
    open_page(page, console, path if path != "/nowhere" else "/cases?q=nowhere")
    assert axe_violations(page) == []


def test_a_review_being_written_on_a_phone_is_accessible(console: Served, new_page: NewPage) -> None:
    page = new_page(390, 844, reduced_motion="reduce")
    page.goto(f"{console.address}/reviews")
    page.get_by_text("Reject", exact=True).first.click()
    assert axe_violations(page) == []


def test_the_first_page_is_small(console: Served, new_page: NewPage) -> None:
    page = new_page()
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(console.address)
    page.wait_for_load_state("networkidle")
    assert 0 < sum(sizes) <= MAX_TRANSFERRED_BYTES
