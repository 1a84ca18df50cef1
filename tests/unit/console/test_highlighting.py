"""Marked text says what the text says, whatever is in it and however the marks overlap."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from sample_cases import DELETE_PT, delete_case, span

from neural_hive.console.highlighting import Annotation, annotations_of, evidence_ref, highlight, quotes_of, segments
from neural_hive.console.wording import Wording

TEXTS = st.text(st.one_of(st.sampled_from("<>&\"'/= ‹›áç🐝\n"), st.characters(exclude_categories=("Cs",))), max_size=60)
WORDS = st.text(st.sampled_from("<>&\"' abc-"), max_size=8)
ANNOTATIONS = st.lists(
    st.builds(
        Annotation,
        start=st.integers(-3, 70),
        end=st.integers(-3, 70),
        kind=st.sampled_from(["entity", "pii", "evidence"]),
        label=WORDS,
        ref=WORDS,
    ),
    max_size=8,
)


class _Reader(HTMLParser):
    """What a browser would make of it: the text, and every element with its attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))


def read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(str(html))
    reader.close()
    return reader


@given(TEXTS, ANNOTATIONS)
def test_the_pieces_together_are_the_text(text: str, annotations: list[Annotation]) -> None:
    assert "".join(piece.text for piece in segments(text, annotations)) == text


@given(TEXTS, ANNOTATIONS)
def test_a_browser_reads_the_text_and_nothing_but_our_spans(text: str, annotations: list[Annotation]) -> None:
    reader = read(highlight(text, annotations))
    assert reader.text == text
    assert {tag for tag, _ in reader.elements} <= {"span"}
    assert all(set(attributes) == {"class", "data-refs", "title"} for _, attributes in reader.elements)


@given(TEXTS, ANNOTATIONS)
def test_every_annotation_covers_exactly_its_characters(text: str, annotations: list[Annotation]) -> None:
    at = 0
    for piece in segments(text, annotations):
        for annotation in piece.covering:
            assert annotation.start <= at
            assert at + len(piece.text) <= annotation.end
        at += len(piece.text)


def test_a_script_in_a_text_is_only_text() -> None:
    html = highlight("<script>alert(1)</script>", [Annotation(0, 8, "evidence", '"><img onerror=x>', "a-0")])
    assert "<script" not in html
    assert "<img" not in html


def test_code_points_are_counted_not_bytes_or_utf16_units() -> None:
    pieces = segments("🐝🐝 abc", [Annotation(3, 6, "entity")])
    assert [piece.text for piece in pieces] == ["🐝🐝 ", "abc"]


def test_overlapping_evidence_carries_both_findings(t: Wording) -> None:
    case = delete_case()
    both = next(p for p in segments(DELETE_PT, annotations_of(case, t)) if p.text == "contas")
    refs = {a.ref for a in both.covering}
    assert {evidence_ref("business", 1), evidence_ref("architecture", 0), evidence_ref("technical", 0)} <= refs


def test_masked_personal_data_says_what_it_was(t: Wording) -> None:
    html = highlight(DELETE_PT, annotations_of(delete_case(), t))
    assert 'title="E-mail masked"' in html


def test_a_quote_inside_another_is_not_shown_again() -> None:
    seen = delete_case().opinions[0].findings[0]
    spans = tuple(span(DELETE_PT, quote) for quote in ("contas inativas", "contas", "Apagar", "contas inativas"))
    assert quotes_of(seen.model_copy(update={"evidence": spans})) == ["contas inativas", "Apagar"]
