"""One stretch of speech → language and reading: short window first, a second look where the first is doubtful."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.speech import language
from neural_hive.understanding.speech.decode import (
    MAX_COMPRESSION_RATIO,
    MIN_AVG_LOGPROB,
    Decoding,
    Reading,
    compression_ratio,
    is_doubtful,
    max_tokens,
    repeats_from,
)
from neural_hive.understanding.speech.model import MAX_WINDOW_S, Memory, WhisperModel
from neural_hive.understanding.speech.numbers import counts_small, differ_only_in_numbers
from neural_hive.understanding.speech.rarity import Rarity
from neural_hive.understanding.vad import SAMPLE_RATE_HZ

#: Below 8 s of window Whisper reads a sentence twice; with 2 s of silence after the speech it stops by itself. Source:
#: measured on 138 human clips (docs/explanation/speech.md).
MIN_WINDOW_S, TAIL_S, WINDOW_STEP_S = 8.0, 2.0, 0.5

#: A reading less sure than this per token (6 of 65 development clips) is read again from two encodings at once, the second
#: with this much silence before it, so that every sound falls on other positions. It more than doubles the time, so it is for
#: the worst: 49 wrong words without it, 47 so, 46 if 25 clips are read again. Source: measured, docs/explanation/speech.md.
SURE_LOGPROB, SHIFT_S = -0.35, 0.3


@dataclass(frozen=True)
class Wishes:
    """What the caller said beforehand. language: pt, en or es, if known. vocabulary: terms that are no misprints."""

    language: str | None = None
    vocabulary: tuple[str, ...] = ()


def window_s(duration_s: float) -> float:
    """Seconds to encode for `duration_s` seconds of speech: at least 8, 2 more than the speech, at most 30."""
    wanted = max(MIN_WINDOW_S, duration_s + TAIL_S)
    return min(MAX_WINDOW_S, float(np.ceil(wanted / WINDOW_STEP_S)) * WINDOW_STEP_S)


class Reader:
    """Reads one stretch of speech, once or, where that is doubtful, again."""

    def __init__(self, model: WhisperModel, rarity: Rarity, sound: NDArray[np.float32], wishes: Wishes) -> None:
        """Args: sound: float32 (n_samples,), mono, 16 kHz, in [-1, 1], at most 30 s."""
        self._model, self._rarity, self._sound, self._wishes = model, rarity, sound, wishes
        self._duration_s = len(sound) / SAMPLE_RATE_HZ

    def read(self) -> tuple[language.Heard, Reading | None]:
        """The language, and what was said; nothing in a language that is not ours."""
        memory = self._model.encode(self._sound, window_s(self._duration_s))
        heard, first = self._first(memory, self._wishes.language)
        return heard, first and self._without_loop(self._settled(memory, heard, first))

    def _first(self, memory: Memory, hint: str | None) -> tuple[language.Heard, Reading | None]:
        tokens = self._model.tokens
        decoding = Decoding(self._model, [memory])
        first = decoding.feed([tokens.sot])
        found = language.probabilities(first.log_probs[0], tokens)
        heard = language.choose(found, self._duration_s, hint)
        if not heard.is_supported:
            return heard, None
        no_speech = float(np.exp(first.log_probs[0, np.searchsorted(tokens.sayable, tokens.no_speech)]))
        return heard, self._finish(decoding, (), heard.language, min(1.0, no_speech))

    def _again(
        self, memories: Sequence[Memory], first: Reading, code: str, forbidden: NDArray[np.bool_] | None = None
    ) -> Reading:
        """A reading in a language that is known, without the tokens that are forbidden."""
        decoding = Decoding(self._model, memories, forbidden=forbidden)
        return self._finish(decoding, (self._model.tokens.sot,), code, first.no_speech)

    def _finish(self, decoding: Decoding, before: tuple[int, ...], code: str, no_speech: float) -> Reading:
        tokens = self._model.tokens
        step = decoding.begin([*before, tokens.languages[code], tokens.transcribe, tokens.no_timestamps])
        word_cost = self._rarity.of(code, self._wishes.vocabulary)
        return decoding.run(step, max_tokens(self._duration_s), no_speech, word_cost)

    def _settled(self, memory: Memory, heard: language.Heard, first: Reading) -> Reading:
        """The first reading, or a better one: of the full window, with small counts in words, of two encodings."""
        if self._is_doubtful(first):
            return first if window_s(self._duration_s) == MAX_WINDOW_S else self._in_full(heard, first)
        reading = self._in_words(memory, heard, first)
        if reading.avg_logprob >= SURE_LOGPROB:
            return reading
        later = np.pad(self._sound, (round(SHIFT_S * SAMPLE_RATE_HZ), 0))
        memories = [memory, self._model.encode(later, window_s(self._duration_s + SHIFT_S))]
        second = self._again(memories, reading, heard.language, None if reading is first else self._model.numerals)
        return reading if self._is_doubtful(second) else second

    def _in_full(self, heard: language.Heard, first: Reading) -> Reading:
        """The reading of the full window, or the first one where that is no better."""
        _, second = self._first(self._model.encode(self._sound, MAX_WINDOW_S), heard.language)
        if second is None:
            return first
        is_better = {False: second.avg_logprob > first.avg_logprob, True: self._is_doubtful(first)}
        return second if is_better[self._is_doubtful(first) != self._is_doubtful(second)] else first

    def _in_words(self, memory: Memory, heard: language.Heard, reading: Reading) -> Reading:
        """The reading with small counts in words ("five years"), chosen by the model itself; else as it was.

        Dates, names ("version 3"), amounts and codes keep their digits, and so does what would read differently otherwise.
        """
        written = self._text(reading).split()
        if not counts_small(written):
            return reading
        spelled = self._again([memory], reading, heard.language, self._model.numerals)
        return spelled if differ_only_in_numbers(written, self._text(spelled).split()) else reading

    def _is_doubtful(self, reading: Reading) -> bool:
        return is_doubtful(self._text(reading), reading)

    def _text(self, reading: Reading) -> str:
        return self._model.tokens.decode(reading.tokens).strip()

    def _without_loop(self, reading: Reading) -> Reading:
        """The reading up to where it starts to repeat itself; its log-probability is made to say that it failed."""
        words = self._model.tokens.words(reading.tokens)
        at = repeats_from([text for text, _ in words])
        if at is None and compression_ratio(self._text(reading)) <= MAX_COMPRESSION_RATIO:
            return reading
        keep = words[at][1].start if at is not None else 0
        return replace(
            reading,
            tokens=reading.tokens[:keep],
            logprobs=reading.logprobs[:keep],
            attention=reading.attention[:, :keep],
            avg_logprob=min(reading.avg_logprob, MIN_AVG_LOGPROB),
        )
