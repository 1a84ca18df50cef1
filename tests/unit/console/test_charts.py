"""Charts are well-formed, named, escaped, and say what the numbers say."""

from __future__ import annotations

import itertools
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_cases import SYSTEMS, accepted_intent, delete_case

from neural_hive.console import charts
from neural_hive.console.charts.scatter import spread
from neural_hive.console.tallies import BEGINNING, SPANS, tallies
from neural_hive.console.wording import Wording, wording
from neural_hive.contracts import Case, CaseStatus, Outcome, SystemContext
from neural_hive.ports import CaseCount

SCORES = st.floats(0, 1)


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [node.text or "" for node in parse(svg).iter("text")]


@pytest.mark.parametrize("language", ["pt", "en", "es"])
def test_every_chart_is_well_formed_and_has_a_name(language: str) -> None:
    t, case = wording(language), delete_case()
    counts = [CaseCount(n, outcome, 3, 0.4 * n, 1, 1) for n, outcome in enumerate(Outcome)]
    counted = tallies(counts, BEGINNING, SPANS["week"])
    drawn = [
        charts.comb(case, t, "/icons.svg"),
        charts.risk_dial(0.5, t),
        charts.meter(0.5, "Risk"),
        charts.risk_and_confidence(case.opinions, t),
        charts.blast_radius(SYSTEMS, t),
        charts.outcomes_over_time(counted, t),
        charts.risk_over_time(counted, t),
    ]
    assert all(parse(svg).get("aria-label") for svg in drawn)
    assert all("style=" not in svg for svg in drawn)


def test_the_comb_of_a_new_case_waits_for_everyone(t: Wording) -> None:
    intent = accepted_intent("Change it")
    svg = charts.comb(Case(id=intent.id, status=CaseStatus.ACCEPTED, intent=intent), t, "/icons.svg")
    assert svg.count("pending") == 7


def test_the_comb_shows_who_did_not_answer(t: Wording) -> None:
    case = delete_case()
    svg = charts.comb(case.model_copy(update={"opinions": case.opinions[:4]}), t, "/icons.svg")
    assert svg.count("missing") == 1


def test_every_cell_of_the_comb_leads_to_its_part_of_the_page(t: Wording) -> None:
    cells = list(parse(charts.comb(delete_case(), t, "/icons.svg")).iter("a"))
    assert len(cells) == 7
    assert all((cell.get("href") or "").startswith("#") and cell.get("aria-label") for cell in cells)


@given(st.lists(st.floats(20, 240), max_size=5).map(sorted))
def test_names_beside_points_never_overlap(wanted: list[float]) -> None:
    placed = spread(wanted, 15, 20, 250)
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(placed))
    assert all(20 - 1e-9 <= y <= 250 + 1e-9 for y in placed)


@given(SCORES)
def test_the_dial_stays_inside_its_picture(risk: float) -> None:
    hand = parse(charts.risk_dial(risk, wording("en"))).find("polygon")
    assert hand is not None
    numbers = [float(n) for pair in hand.get("points", "").split() for n in pair.split(",")]
    assert all(0 <= n <= 180 for n in numbers)


def test_names_of_systems_are_escaped(t: Wording) -> None:
    svg = charts.blast_radius([SystemContext(name="<b>&", dependents=('"x"',), blast_radius=1)], t)
    assert "<b>&" in texts(svg)
    assert '"x"' in texts(svg)


def test_many_dependents_are_counted_not_drawn(t: Wording) -> None:
    names = tuple(f"system-{n}" for n in range(40))
    svg = charts.blast_radius([SystemContext(name="core", dependents=names, blast_radius=40)], t)
    assert "and 28 more" in texts(svg)


def test_systems_without_dependents_are_drawn_alone(t: Wording) -> None:
    assert texts(charts.blast_radius([SystemContext(name="lonely")], t)) == ["Mentioned", "lonely"]


@pytest.mark.parametrize("n_dependents", [0, 1, 2, 5, 30])
def test_no_word_of_the_blast_radius_lies_outside_the_drawing(n_dependents: int) -> None:
    names = tuple(f"system-{n}" for n in range(n_dependents))
    drawn = parse(charts.blast_radius([SystemContext(name="db", dependents=names, blast_radius=n_dependents + 3)], wording("en")))
    height = float(str(drawn.get("viewBox")).split()[3])
    assert all(8 <= float(str(text.get("y"))) <= height - 4 for text in drawn.iter("text"))


def test_the_newest_period_is_named_and_the_middle_of_the_scale_is_a_count(t: Wording) -> None:
    drawn = charts.outcomes_over_time(tallies([CaseCount(29, Outcome.APPROVED, 31, 9.3, 0, 0)], BEGINNING, SPANS["month"]), t)
    assert texts(drawn)[:3] == ["0", "16", "32"]
    assert texts(drawn)[-1] == f"{BEGINNING + timedelta(days=29):%m-%d}"


def test_a_bar_tells_its_counts_when_it_is_pointed_at() -> None:
    counts = [CaseCount(6, Outcome.REJECTED, 1, 0.9, 0, 0), CaseCount(6, Outcome.APPROVED, 2, 0.4, 0, 0)]
    drawn = charts.outcomes_over_time(tallies(counts, BEGINNING, SPANS["week"]), wording("pt"))
    told = [title.text for title in parse(drawn).iter("title")]
    assert told == [f"{BEGINNING + timedelta(days=6):%d/%m}: Aprovado 2, Rejeitado 1"]
