"""Encoded sound → tokens: beam search over a shared pool of keys, and the signs that a result cannot be trusted."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.speech.model import Memory, Past, Step, WhisperModel
from neural_hive.understanding.speech.rarity import WordCost, free

#: Source: openai/whisper `DecodingOptions` (beam size) and `transcribe` (the two thresholds).
BEAM_SIZE = 5
MIN_AVG_LOGPROB = -1.0
MAX_COMPRESSION_RATIO = 2.4
#: Fast speech has some 8 tokens a second; twice that, and a few for short clips, is a loop (measured on our clips: ≤
#: 7.5).
_TOKENS_PER_S, _MIN_LIMIT = 15.0, 24


@dataclass(frozen=True)
class Hypothesis:
    """One way to read the sound.

    Attributes:
        tokens: Vocabulary ids without the prompt and the end.
        logprobs: Natural log-probability of each token, and of the end where it was reached.
        columns: Place of each token in the pool of keys.
        is_complete: Whether it ended by itself.
        cost: What its words cost for being rare, natural log-probability ≥ 0; the last word counts once it has ended.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    columns: tuple[int, ...]
    is_complete: bool = False
    cost: float = 0.0

    @property
    def total(self) -> float:
        """Sum of log-probabilities."""
        return sum(self.logprobs)

    @property
    def score(self) -> float:
        """Log-probability less the cost of rare words, per token.

        Source: openai/whisper `MaximumLikelihoodRanker` without length penalty.
        """
        return (self.total - self.cost) / max(1, len(self.logprobs))


@dataclass(frozen=True)
class Reading:
    """The chosen hypothesis and what is needed to judge and align it.

    Attributes:
        tokens: Vocabulary ids.
        logprobs: float, natural, per token (the end of text excluded).
        avg_logprob: Per token, the end included, the cost of rare words not.
        attention: float32 (n_alignment_heads, n_tokens, n_positions): where each token was heard.
        is_complete: False when a limit cut it.
        no_speech: Probability in [0, 1] that nobody speaks, as the model says.
    """

    tokens: tuple[int, ...]
    logprobs: tuple[float, ...]
    avg_logprob: float
    attention: NDArray[np.float32]
    is_complete: bool
    no_speech: float


class Decoding:
    """Beam search on one sound, encoded once or several times."""

    def __init__(
        self,
        model: WhisperModel,
        memories: Sequence[Memory],
        beam_size: int = BEAM_SIZE,
        *,
        forbidden: NDArray[np.bool_] | None = None,
    ) -> None:
        """Begin.

        Args:
            model: The network.
            memories: The sound, encoded in one way or more; what they make of each token is agreed on (`agreed`), and the
                first says where it was heard.
            beam_size: Hypotheses kept.
            forbidden: bool (n_sayable,), True for what must not be said; nothing by default.
        """
        self._model, self._memories, self._beam_size = model, memories, beam_size
        self._pasts: list[Past] = [model.start() for _ in memories]
        self._attention: list[NDArray[np.float32]] = []
        self._prompt: tuple[int, ...] = ()
        self._word_cost: WordCost = free
        self._free = np.zeros(len(model.tokens.sayable), np.float32)
        self._text_only = self._free.copy()
        steering = [*model.tokens.languages.values(), model.tokens.no_speech]
        self._text_only[np.isin(model.tokens.sayable, steering)] = -np.inf
        if forbidden is not None:
            self._text_only[forbidden] = -np.inf
        self._begin = np.where(model.begin_suppressed, np.float32(-np.inf), self._text_only)

    def feed(self, tokens: Sequence[int], bias: NDArray[np.float32] | None = None) -> Step:
        """Feed prompt tokens one after the other and return the prediction after the last."""
        start, n = len(self._prompt), len(tokens)
        mask = np.triu(np.full((n, start + n), -np.inf, np.float32), start + 1)
        positions = np.arange(start, start + n)
        self._prompt += tuple(tokens)
        return self._step(np.array(tokens, np.int64), positions, mask, self._free if bias is None else bias, np.array([n - 1]))

    def _step(
        self,
        tokens: NDArray[np.int64],
        positions: NDArray[np.int64],
        mask: NDArray[np.float32],
        bias: NDArray[np.float32],
        rows: NDArray[np.int64] | None = None,
    ) -> Step:

        def one(memory: Memory, past: Past) -> Step:
            return self._model.step(memory, past, tokens, positions, mask, bias, rows=rows)

        steps = self._model.at_once(one, self._memories, self._pasts)
        self._attention.append(steps[0].attention)
        return steps[0] if len(steps) == 1 else agreed(steps)

    def begin(self, prompt: Sequence[int]) -> Step:
        """Feed the rest of the prompt; the prediction forbids what must not come first."""
        return self.feed(prompt, self._begin)

    def run(self, first: Step, max_tokens: int, no_speech: float, word_cost: WordCost = free) -> Reading:
        """Search from the prediction after the prompt until enough hypotheses ended or `max_tokens` were said.

        Args:
            first: The prediction.
            max_tokens: Most tokens said.
            no_speech: Probability in [0, 1], handed on.
            word_cost: What a word loses for being rare; nothing by default.
        """
        self._word_cost = word_cost
        ended: list[Hypothesis] = []
        live = self._advance([Hypothesis((), (), ())], first, ended)
        limit = min(max_tokens, self._model.n_context - len(self._prompt) - 1)
        for _ in range(limit):
            if not live or len(ended) >= self._beam_size or self._cannot_improve(live, ended):
                break
            live = self._advance(*self._extend(live), ended)
        best = max(ended or live, key=lambda h: h.score)
        return self._reading(best, no_speech)

    @staticmethod
    def _cannot_improve(live: Sequence[Hypothesis], ended: Sequence[Hypothesis]) -> bool:
        """Whether an ended hypothesis already beats what every live one would score if it said the rest for certain.

        A live one can only lose log-probability, so at twice its length it scores at most half of its sum's mean;
        beyond that the sound would have been read twice.
        """
        if not ended:
            return False
        best = max(h.score for h in ended)
        return all((h.total - h.cost) / (2 * len(h.logprobs) + 1) < best for h in live)

    def _extend(self, live: list[Hypothesis]) -> tuple[list[Hypothesis], Step]:
        n_prompt, n_past, n = len(self._prompt), self._pasts[0].n_past, len(live)
        mask = np.full((n, n_past + n), -np.inf, np.float32)
        mask[:, :n_prompt] = 0
        for row, hypothesis in enumerate(live):
            mask[row, list(hypothesis.columns)] = 0
            mask[row, n_past + row] = 0
        tokens = np.array([h.tokens[-1] for h in live], np.int64)
        positions = np.full(n, n_prompt + len(live[0].tokens) - 1)
        step = self._step(tokens, positions, mask, self._text_only)
        grown = [replace(h, columns=(*h.columns, n_past + row)) for row, h in enumerate(live)]
        return grown, step

    def _advance(self, parents: list[Hypothesis], step: Step, ended: list[Hypothesis]) -> list[Hypothesis]:
        """The best continuations, ended ones moved to `ended`.

        Source: openai/whisper `BeamSearchDecoder.update`; that a word is paid for when it ends: shallow fusion, Gulcehre et
        al. 2015, "On Using Monolingual Corpora in Neural Machine Translation".
        """
        cost = np.array([self._word_cost(self._last_word(h.tokens)) for h in parents])[:, None]
        costs = np.array([h.cost for h in parents])[:, None] + cost * self._model.ends_word[step.best_index]
        totals = np.array([h.total for h in parents])[:, None] + step.best - costs
        live: list[Hypothesis] = []
        for flat in np.argsort(-totals, axis=None, kind="stable").tolist():
            row, column = divmod(flat, step.best.shape[1])
            logprob = float(step.best[row, column])
            if len(live) == self._beam_size or logprob == -np.inf:
                break
            token = int(self._model.tokens.sayable[step.best_index[row, column]])
            logprobs = (*parents[row].logprobs, logprob)
            grown = replace(parents[row], logprobs=logprobs, cost=float(costs[row, column]))
            if token == self._model.tokens.eot:
                ended.append(replace(grown, is_complete=True))
            else:
                live.append(replace(grown, tokens=(*grown.tokens, token)))
        return live

    def _last_word(self, tokens: tuple[int, ...]) -> str:
        """What was said since the last space."""
        start = len(tokens)
        while start:
            start -= 1
            if tokens[start] in self._model.opening:
                break
        return self._model.tokens.decode(tokens[start:])

    def _reading(self, best: Hypothesis, no_speech: float) -> Reading:
        tokens = best.tokens[: len(best.columns)]
        attention = np.concatenate(self._attention, axis=1)[:, list(best.columns)]
        mean = best.total / max(1, len(best.logprobs))
        return Reading(tokens, best.logprobs[: len(tokens)], mean, attention, best.is_complete, no_speech)


def agreed(steps: Sequence[Step]) -> Step:
    """One prediction from several of the same token: the mean of their log-probabilities, normalised again.

    Source: Hinton 2002, "Training Products of Experts by Minimizing Contrastive Divergence": what one expert finds
    impossible stays so.
    """
    log_probs = np.mean([step.log_probs for step in steps], axis=0)
    log_probs -= np.log(np.exp(log_probs).sum(axis=-1, keepdims=True))
    n_best = steps[0].best.shape[1]
    found = np.argpartition(log_probs, -n_best, axis=-1)[:, -n_best:]
    order = np.argsort(-np.take_along_axis(log_probs, found, axis=-1), axis=-1, kind="stable")
    best_index = np.take_along_axis(found, order, axis=-1)
    return Step(np.take_along_axis(log_probs, best_index, axis=-1), best_index, steps[0].attention, log_probs)


def max_tokens(duration_s: float) -> int:
    """More tokens than anybody says in `duration_s` seconds of sound."""
    return _MIN_LIMIT + int(_TOKENS_PER_S * duration_s)


def compression_ratio(text: str) -> float:
    """Bytes of `text` over its deflated bytes; loops compress well. Source.

    Openai/whisper `utils.compression_ratio`.
    """
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def repeats_from(words: Sequence[str]) -> int | None:
    """Where a phrase is said again at once: index of the first word of the repetition, or None.

    A phrase of four words or more said twice, or of one to three words said four times: people do not, decoders do.
    Windows below 8 s make Whisper say the sentence again with a high log-probability, which no other sign catches.
    """
    said = ["".join(c for c in word.casefold() if c.isalnum()) for word in words]
    for start in range(len(said)):
        for size in range(1, (len(said) - start) // 2 + 1):
            times = 2 if size >= 4 else 4
            phrase = said[start : start + size]
            if said[start : start + size * times] == phrase * times:
                return start + size
    return None


def is_doubtful(text: str, reading: Reading) -> bool:
    """Whether the window should be read again in full."""
    return (
        reading.avg_logprob < MIN_AVG_LOGPROB
        or not reading.is_complete
        or compression_ratio(text) > MAX_COMPRESSION_RATIO
        or repeats_from(text.split()) is not None
    )
