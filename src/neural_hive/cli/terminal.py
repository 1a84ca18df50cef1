"""How a case looks to a person: the decision, its reasons and conditions, who said what, and about which words."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from neural_hive.cli.labels import Labels
from neural_hive.consensus.guardrails import reasons_of
from neural_hive.contracts import Case, Decision, Finding, Opinion, Review

#: Colours by outcome and by risk band; the words say the same, so nothing is lost without colour.
OUTCOME_STYLES = {"approved": "green", "conditional": "yellow", "needs_review": "magenta", "rejected": "red"}
BAND_STYLES = {"low": "green", "medium": "yellow", "high": "red", "critical": "bold red"}
#: Widest that text is still pleasant to read; below the other the table of specialists goes without bars. In columns.
_WIDEST, _NARROW = 100, 76
#: Findings shown; `--json` has them all.
_N_FINDINGS = 5


def open_console(*, to_stderr: bool = False) -> Console:
    """A console that follows NO_COLOR and the terminal's width, at most 100 columns."""
    console = Console(stderr=to_stderr, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, _WIDEST)
    return console


def clean(text: str) -> str:
    """Text from outside, safe on a terminal: control and direction-changing characters become visible as ?."""
    return "".join("?" if unicodedata.category(c) in ("Cc", "Cf", "Cs") and c not in "\n\u200d" else c for c in text)


@dataclass(frozen=True, slots=True)
class Marks:
    """Signs that a terminal without Unicode writes in ASCII."""

    full: str = "━"
    empty: str = "╌"
    box: str = "☐"
    dot: str = "·"
    dash: str = "–"
    opening: str = "“"
    closing: str = "”"
    is_plain: bool = False

    @staticmethod
    def of(console: Console) -> Marks:
        """What `console` can show."""
        if console.encoding.lower().startswith("utf"):
            return Marks()
        return Marks("#", ".", "[ ]", "-", "-", '"', '"', is_plain=True)

    def bar(self, value: float, n_cells: int, style: str) -> Text:
        """A score in [0, 1] as a bar."""
        n_full = round(value * n_cells)
        return Text(self.full * n_full, style=style).append(self.empty * (n_cells - n_full), style="dim")

    def quote(self, text: str) -> str:
        """`text` in quotation marks."""
        return f"{self.opening}{clean(text)}{self.closing}"


def print_case(console: Console, case: Case, labels: Labels) -> None:
    """The whole case in one frame, coloured by its outcome."""
    console.print(_CaseView(labels, Marks.of(console), console.width).panel(case))


def risk_style(risk: float) -> str:
    """The colour of a risk. Source: the bands of DESIGN §2."""
    return BAND_STYLES["low" if risk < 0.4 else "medium" if risk < 0.7 else "high" if risk < 0.9 else "critical"]


@dataclass(frozen=True, slots=True)
class _CaseView:
    labels: Labels
    marks: Marks
    width: int

    def panel(self, case: Case) -> Panel:
        """Everything about the case."""
        outcome = case.decision.outcome.value if case.decision else "accepted"
        style = OUTCOME_STYLES.get(outcome, "cyan")
        return Panel(
            Group(*_spaced(list(self._parts(case)))),
            title=Text(f" {self.labels[outcome].upper()} ", style=f"bold reverse {style}"),
            title_align="left",
            subtitle=Text(case.id, style="default"),
            subtitle_align="right",
            border_style=style,
            box=box.ASCII if self.marks.is_plain else box.ROUNDED,
            padding=(1, 2),
            width=self.width,
        )

    def _parts(self, case: Case) -> Iterator[RenderableType]:
        yield Text(self.marks.quote(case.intent.text), style="italic")
        if case.decision is not None:
            yield Text(clean(case.decision.explanation))
            yield self._scores(case.decision)
            yield from self._list("conditions", self.marks.box, case.decision.conditions)
        if case.opinions:
            yield self._specialists(case.opinions, case.decision.primary if case.decision else "")
            yield from self._findings(case.opinions)
        if case.decision is not None:
            yield from self._list("dissent", self.marks.dot, case.decision.dissent)
        if case.decision is not None:
            yield from self._list("guardrails", self.marks.dot, reasons_of(case.decision.guardrails, self.labels.language))
        yield from self._list("reviews", self.marks.dot, [self._review(review) for review in case.reviews])

    def _scores(self, decision: Decision) -> RenderableType:
        style = BAND_STYLES[decision.risk_band]
        line = Text.assemble(f"{self.labels['risk']}  ", self.marks.bar(decision.risk, 10, style), "  ")
        line.append(f"{self.labels.score(decision.risk)} {self.labels[decision.risk_band]}", style=style)
        line.append("\n" if self.width < _NARROW else "   ")
        rest = [("confidence", decision.confidence), ("agreement", decision.agreement)]
        return line.append("   ".join(f"{self.labels[name]} {self.labels.score(v)}" for name, v in rest), style="dim")

    def _list(self, heading: str, mark: str, items: Sequence[str]) -> Iterator[RenderableType]:
        if items:
            yield Group(self._heading(heading), *(_bullet(mark, Text(clean(item))) for item in items))

    def _heading(self, name: str) -> Text:
        return Text(self.labels[name], style="bold")

    def _specialists(self, opinions: Sequence[Opinion], primary: str) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        table.add_column(self.labels["specialist"], no_wrap=True)
        table.add_column(self.labels["relevance"], justify="right")
        table.add_column(self.labels["risk"], no_wrap=True)
        table.add_column(self.labels["recommends"], no_wrap=True)
        for opinion in opinions:
            table.add_row(*self._specialist(opinion), style="bold" if opinion.specialist == primary else "")
        return table

    def _specialist(self, opinion: Opinion) -> tuple[RenderableType, ...]:
        style = risk_style(opinion.risk)
        score = Text(self.labels.score(opinion.risk), style=style)
        risk = score if self.width < _NARROW else self.marks.bar(opinion.risk, 6, style).append(" ").append(score)
        recommended = opinion.recommendation.value
        return (
            Text(self.labels[clean(opinion.specialist)]),
            Text(self.labels.score(opinion.relevance)),
            risk,
            Text(self.labels[recommended], style=OUTCOME_STYLES[recommended]),
        )

    def _findings(self, opinions: Sequence[Opinion]) -> Iterator[RenderableType]:
        found = [(opinion.specialist, finding) for opinion in opinions for finding in opinion.findings]
        found.sort(key=lambda pair: -pair[1].severity * pair[1].likelihood)
        if found:
            lines = [self._finding(specialist, finding) for specialist, finding in found[:_N_FINDINGS]]
            yield Group(self._heading("findings"), *(_bullet(self.marks.dot, line) for line in lines))

    def _finding(self, specialist: str, finding: Finding) -> Text:
        line = Text.assemble((f"{self.labels[specialist]}: ", "dim"), clean(finding.title))
        quotes = ", ".join(map(self.marks.quote, _widest(span.quote for span in finding.evidence)))
        line.append(f" {self.marks.dash} {quotes}", style="italic")
        if finding.reference:
            line.append(f" ({clean(finding.reference.split(';')[0])})", style="dim")
        return line

    def _review(self, review: Review) -> str:
        said = f": {review.comment}" if review.comment else ""
        verdict = self.labels[review.verdict.value]
        return f"{review.created_at:%Y-%m-%d %H:%M}Z {review.reviewer} {self.marks.dash} {verdict}{said}"


def _widest(quotes: Iterable[str]) -> list[str]:
    """The quotes that no other quote contains, in order, at most two."""
    distinct = list(dict.fromkeys(quotes))
    return [q for q in distinct if not any(q != other and q in other for other in distinct)][:2]


def _bullet(mark: str, text: Text) -> Table:
    """A line of a list whose further lines are indented."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    return grid


def _spaced(parts: Sequence[RenderableType]) -> Iterator[RenderableType]:
    """The parts with an empty line between two."""
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part
