"""An intent → understanding, opinions, decision. Records nothing; the same code for one intent, a batch, recovery and replay."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from neural_hive.canonical import canonical_json, digest
from neural_hive.consensus.decide import Panel as Votes
from neural_hive.consensus.decide import decide
from neural_hive.consensus.guardrails import Guardrails
from neural_hive.contracts import Brief, Decision, Intent, Opinion, PiiMention, Understanding
from neural_hive.pipeline.context import Context, ContextReader
from neural_hive.pipeline.intake import facts_of
from neural_hive.pipeline.listening import Listener
from neural_hive.pipeline.minds import Mind
from neural_hive.pipeline.panel import Panel
from neural_hive.understanding.language import SUPPORTED
from neural_hive.understanding.understand import Heading, Understood

#: Share of the deadline that understanding may use up; the specialists get the rest.
_SPECIALISTS_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Judgement:
    """All that was thought about one intent. vector: the text's sentence vector, for the graph."""

    understanding: Understanding
    opinions: tuple[Opinion, ...]
    decision: Decision
    vector: bytes = b""


@dataclass(frozen=True, slots=True)
class Thought:
    """A text on its way through understanding. digests: of everything that it is judged with from then on."""

    understood: asyncio.Task[Understood]
    digests: Mapping[str, str]

    def drop(self) -> None:
        """Nobody needs it any more, nor whatever went wrong with it."""
        if not self.understood.cancel() and not self.understood.cancelled():
            self.understood.exception()


class Judge:
    """Understands, asks the panel, decides."""

    def __init__(
        self,
        mind: Mind,
        panel: Panel,
        guardrails: Guardrails,
        context: ContextReader,
        listener: Listener,
        *,
        answer_language: str = "",
        rubric_digests: Mapping[str, str],
    ) -> None:
        self._panel, self._guardrails, self._context, self._listener = panel, guardrails, context, listener
        self._mind = mind
        self._answer_language = answer_language
        self.trust: Mapping[str, float] = {}
        self._fixed_digests = {"guardrails": guardrails.digest[:16], **rubric_digests}

    @property
    def digests(self) -> Mapping[str, str]:
        """Content hashes of everything that the next text is judged with."""
        return {**self._mind.models, **self._fixed_digests}

    @property
    def queue_depth(self) -> int:
        """Texts that wait to be understood."""
        return self._mind.depth

    async def understand(self, intent: Intent, pii: Sequence[PiiMention]) -> Understood:
        """Understand one intent, together with whatever else waits."""
        started = time.perf_counter()
        heading = Heading(intent.text, intent.received_at, tuple(pii), intent.language)
        understood = await self._mind.understand(heading)
        self._listener.on_understood(intent.id, understood.understanding, time.perf_counter() - started)
        return understood

    def begin(self, intent: Intent, pii: Sequence[PiiMention]) -> Thought:
        """Begin to understand an intent, for `judge`. Whoever begins must judge or drop it."""
        digests = self.digests  # before the text goes to the model: another may serve when it comes back
        return Thought(asyncio.ensure_future(self.understand(intent, pii)), digests)

    async def judge(
        self,
        intent: Intent,
        pii: Sequence[PiiMention],
        deadline_s: float,
        on_understood: Callable[[Understanding], None] | None = None,
        on_opinion: Callable[[Opinion], None] | None = None,
        *,
        thought: Thought | None = None,
    ) -> Judgement:
        """Judge one intent within `deadline_s` seconds; whoever is silent by then is missing from the decision.

        thought: what `begin` gave, if understanding has begun.
        """
        started = time.perf_counter()
        thought = thought or self.begin(intent, pii)
        digests = thought.digests
        understood = await thought.understood
        if on_understood:
            on_understood(understood.understanding)
        context = await self._context.of(intent, understood)
        brief = self._brief(intent, understood, context)
        left_s = max(0.01, (deadline_s - (time.perf_counter() - started)) * _SPECIALISTS_SHARE)
        opinions: list[Opinion] = []
        async for opinion in self._panel.opinions(brief, left_s):
            opinions.append(opinion)
            if on_opinion:
                on_opinion(opinion)
        decision = self._decide(understood.understanding, opinions, brief.answer_language, context, digests, _heard(intent))
        ordered = tuple(sorted(opinions, key=lambda o: o.specialist))
        return Judgement(understood.understanding, ordered, decision, understood.vector)

    def _decide(
        self,
        understanding: Understanding,
        opinions: Sequence[Opinion],
        language: str,
        context: Context,
        digests: Mapping[str, str],
        heard: float,
    ) -> Decision:
        votes = Votes(
            understanding=understanding,
            asked=tuple(self._panel.specialists),
            opinions=tuple(opinions),
            answer_language=language,
            trust=self.trust,
            digests={**digests} | ({"trust": digest(canonical_json(dict(self.trust)))[:16]} if self.trust else {}),
            has_fallback=context.is_degraded,
            heard=heard,
        )
        return decide(votes, self._guardrails)

    def _brief(self, intent: Intent, understood: Understood, context: Context) -> Brief:
        return Brief(
            id=intent.id,
            text=intent.text,
            answer_language=self._language_of(intent, understood.understanding),
            understanding=understood.understanding,
            plan=facts_of(intent),
            systems=context.systems,
            similar=context.similar,
        )

    def _language_of(self, intent: Intent, understanding: Understanding) -> str:
        """The asker's language; their own word when the text is in none of the three; English when they gave none."""
        if self._answer_language:
            return self._answer_language
        if understanding.language in SUPPORTED:
            return understanding.language
        return intent.language.value if intent.language else "en"


def _heard(intent: Intent) -> float:
    """The ear's confidence; 1 for what was written."""
    return intent.transcript.confidence if intent.transcript else 1.0


def decision_digest(decision: Decision) -> str:
    """SHA-256 of a decision without its place in the ledger: equal for equal input, rubrics and models."""
    return digest(canonical_json(decision.model_dump(mode="json", exclude={"hash", "previous_hash"})))
