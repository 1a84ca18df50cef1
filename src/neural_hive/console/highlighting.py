"""Recorded text with its entities, masked personal data and quoted evidence marked. Pure; everything is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from markupsafe import Markup, escape

from neural_hive.console.wording import Wording
from neural_hive.contracts import Case, Entity, Finding


@dataclass(frozen=True, slots=True)
class Annotation:
    """Something to say of `text[start:end]` (code points). label: for people. ref: what an evidence belongs to."""

    start: int
    end: int
    kind: Literal["entity", "pii", "evidence"]
    label: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text that the same annotations cover."""

    text: str
    covering: tuple[Annotation, ...]


def segments(text: str, annotations: Iterable[Annotation]) -> list[Segment]:
    """The text cut wherever an annotation starts or ends. The pieces together are the text; spans are clipped to it."""
    inside = [a for a in (_clipped(a, len(text)) for a in annotations) if a.start < a.end]
    cuts = sorted({0, len(text), *(a.start for a in inside), *(a.end for a in inside)})
    return [
        Segment(text[start:end], tuple(a for a in inside if a.start <= start and end <= a.end)) for start, end in pairwise(cuts)
    ]


def _clipped(annotation: Annotation, length: int) -> Annotation:
    start, end = (min(max(at, 0), length) for at in (annotation.start, annotation.end))
    return Annotation(start, end, annotation.kind, annotation.label, annotation.ref)


def highlight(text: str, annotations: Iterable[Annotation]) -> Markup:
    """The text as HTML, one `span` for each annotated piece."""
    return Markup("").join(_marked(segment) for segment in segments(text, annotations))


def _marked(segment: Segment) -> Markup:
    if not segment.covering:
        return escape(segment.text)
    kinds = [kind for kind in ("pii", "entity", "evidence") if any(a.kind == kind for a in segment.covering)]
    refs = " ".join(dict.fromkeys(a.ref for a in segment.covering if a.ref))
    labels = ", ".join(dict.fromkeys(a.label for a in segment.covering if a.label))
    return Markup('<span class="{}" data-refs="{}" title="{}">{}</span>').format(
        " ".join(f"is-{kind}" for kind in kinds), refs, labels, segment.text
    )


def highlighted_text(case: Case, t: Wording) -> Markup:
    """The recorded text of a case with all that is known of it so far."""
    return highlight(case.intent.text, annotations_of(case, t))


def annotations_of(case: Case, t: Wording) -> list[Annotation]:
    """Entities, masked personal data and every finding's evidence."""
    found: list[Annotation] = []
    if case.understanding is not None:
        for mention in case.understanding.pii:
            masked = t("asked.masked", kind=t.name("pii", mention.kind))
            found.append(Annotation(mention.start, mention.end, "pii", masked))
        found += [Annotation(e.start, e.end, "entity", t.name("entity", e.type)) for e in entities_of(case)]
    for opinion in case.opinions:
        for n, finding in enumerate(opinion.findings):
            ref = evidence_ref(opinion.specialist, n)
            found += [Annotation(s.start, s.end, "evidence", ref=ref) for s in finding.evidence]
    return found


def entities_of(case: Case) -> list[Entity]:
    """The entities that are no masked personal data; those are shown as masked."""
    if case.understanding is None:
        return []
    masked = {(mention.start, mention.end) for mention in case.understanding.pii}
    return [entity for entity in case.understanding.entities if (entity.start, entity.end) not in masked]


def quotes_of(finding: Finding) -> list[str]:
    """What a finding quotes, in order, without a quote that another one contains."""
    quotes = list(dict.fromkeys(span.quote for span in finding.evidence))
    return [quote for quote in quotes if not any(quote != other and quote in other for other in quotes)]


def evidence_ref(specialist: str, n: int) -> str:
    """What ties finding number `n` of a specialist to the words it quotes; safe inside a space-separated list."""
    return f"{'-'.join(specialist.split())}-{n}"
