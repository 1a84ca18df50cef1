"""How a case looks on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from cli_fakes import CASE_ID, SAMPLES, case
from rich.console import Console

from neural_hive.cli.labels import labels_of, load_labels
from neural_hive.cli.terminal import clean, open_console, print_case
from neural_hive.contracts import Case, Outcome, Review
from neural_hive.contracts.base import Language

WIDTHS = (60, 80, 120)


def shown(case: Case, width: int = 80, *, colours: bool = False) -> str:
    """What a terminal of this width gets."""
    stream = io.StringIO()
    console = Console(file=stream, width=min(width, 100), highlight=False, markup=False, emoji=False, force_terminal=colours)
    print_case(console, case, labels_of(case))
    return stream.getvalue()


def words(text: str) -> str:
    """Text without frame and line breaks."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", text).split())


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("language", list(Language))
def test_everything_is_there_in_the_askers_language_at_any_width(language: str, width: int) -> None:
    text, sample = shown(case(language), width), SAMPLES[language]
    labels = load_labels(language)
    assert max(len(line) for line in text.splitlines()) <= width
    for part in (sample["text"], sample["explanation"], *sample["conditions"], *sample["dissent"], *sample["titles"]):
        assert part in words(text)
    for label in ("needs_review", "conditions", "dissent", "findings", "recommends", "risk", "architecture"):
        assert labels[label].lower() in words(text).lower()
    assert CASE_ID in text


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("pt", "Destrói dados de forma que não se pode desfazer, e nenhuma salvaguarda é indicada."),
        ("en", "Destroys data in a way that cannot be undone, and no safeguard is stated."),
        ("es", "Destruye datos de forma que no se puede deshacer, y no se indica ninguna salvaguarda."),
    ],
)
def test_a_guardrail_says_why_in_the_askers_language(language: str, said: str) -> None:
    assert said in words(shown(case(language)))
    assert "irreversible-destruction" not in shown(case(language))


def test_every_language_has_the_same_labels() -> None:
    catalogue = {language: load_labels(language).words.keys() for language in Language}
    assert catalogue["pt"] == catalogue["en"] == catalogue["es"]


def test_another_language_gets_english_and_an_unknown_word_itself() -> None:
    labels = load_labels("fr")
    assert labels["risk"] == "Risk"
    assert labels["sustainability"] == "sustainability"


def test_a_decimal_is_written_as_the_language_does() -> None:
    assert [load_labels(language).score(0.5) for language in ("en", "pt", "es")] == ["0.50", "0,50", "0,50"]


@pytest.mark.parametrize(
    ("outcome", "colour"), [("approved", "32"), ("conditional", "33"), ("needs_review", "35"), ("rejected", "31")]
)
def test_the_outcome_has_its_colour(outcome: str, colour: str) -> None:
    first = shown(case(outcome=Outcome(outcome)), colours=True).splitlines()[0]
    assert f"\x1b[{colour}m╭" in first


def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown(case(), colours=True))


def test_a_text_cannot_take_over_the_terminal() -> None:
    text = shown(case(text="harmless\x1b[2J\x1b]0;title\x07\u202egnp.exe\rover"))
    assert not any(sign in text for sign in ("\x1b", "\x07", "\u202e", "\r"))
    assert "harmless?[2J" in text


def test_ordinary_text_is_left_as_it_is() -> None:
    assert clean("Ação «ñ» 👩‍👩‍👧\nnova linha") == "Ação «ñ» 👩‍👩‍👧\nnova linha"


def test_markup_in_a_text_is_text() -> None:
    assert "[red]stop[/red] :boom:" in shown(case(text="[red]stop[/red] :boom:"))


def test_a_terminal_without_unicode_gets_plain_signs() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    print_case(Console(file=stream, width=80, markup=False), case(), load_labels("en"))
    stream.flush()
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert "[ ] Make a backup" in text
    assert "########.." in text
    assert text.startswith("+-")


def test_a_case_without_a_decision_says_so() -> None:
    waiting = case().model_copy(update={"decision": None, "opinions": (), "status": "accepted"})
    assert "ACCEPTED, BEING JUDGED" in shown(waiting)


def test_reviews_are_shown() -> None:
    review = Review(id="r", reviewer="ana", verdict=Outcome.REJECTED, comment="not now", created_at=case().intent.received_at)
    assert "2026-01-31 12:00Z ana – rejected: not now" in words(shown(case(reviews=(review,))))


def test_text_is_never_wider_than_is_pleasant_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")
    assert open_console().width == 100
