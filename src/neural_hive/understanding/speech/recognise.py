"""Waveform → transcript, in the order in which it happens; runs inside the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neural_hive.contracts import Segment, Transcript, Word
from neural_hive.understanding.speech import alignment, confidence, language
from neural_hive.understanding.speech.decode import MIN_AVG_LOGPROB, Reading
from neural_hive.understanding.speech.jargon import HeardWord, Vocabulary, replaced
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.rarity import Rarity, WordCost
from neural_hive.understanding.speech.reading import Reader, Wishes
from neural_hive.understanding.vad import SAMPLE_RATE_HZ, Span, VoiceActivityDetector, group

#: Long recordings are read in pieces; a longer pause separates two, since it may separate two speakers or languages.
MAX_PIECE_S, MAX_PAUSE_S = 24.0, 1.0
#: Source: openai/whisper `transcribe`, no_speech_threshold, which counts only together with a low log-probability.
MAX_NO_SPEECH = 0.6

Progress = Callable[[float], None]


@dataclass(frozen=True)
class Options:
    """What the caller wants.

    Attributes:
        language: pt, en or es when the caller knows it.
        vocabulary: Terms of the domain, as they should be written.
        word_times: Whether segments list their words.
    """

    language: str | None = None
    vocabulary: tuple[str, ...] = ()
    word_times: bool = False


@dataclass(frozen=True)
class Piece:
    """One stretch of speech, read: its place in the recording, the language, and what was said."""

    span: Span
    heard: language.Heard
    text: str
    raw_text: str
    avg_logprob: float
    words: tuple[Word, ...]


class Recogniser:
    """A model, a voice detector, and how they work together."""

    def __init__(self, model: WhisperModel, detector: VoiceActivityDetector, rarity: Rarity | None = None) -> None:
        self._model, self._detector, self._rarity = model, detector, rarity or Rarity()

    def transcribe(self, waveform: NDArray[np.float32], options: Options, progress: Progress | None = None) -> Transcript:
        """What was said. The pieces of a long recording are read several at once, each as if it were alone.

        Args:
            waveform: float32 (n_samples,), mono, 16 kHz, in [-1, 1].
            options: What the caller wants.
            progress: Called with the share in [0, 1] that is done, after each piece, in order and on this thread.
        """
        started = time.perf_counter()
        spans = group(self._detector.spans(waveform), max_s=MAX_PIECE_S, max_pause_s=MAX_PAUSE_S)
        vocabulary = Vocabulary(options.vocabulary)
        pieces: list[Piece] = []
        for span, (heard, reading) in zip(spans, self._read(waveform, spans, options), strict=True):
            piece = self._piece(span, heard, reading, vocabulary)
            if piece is not None:
                pieces.append(piece)
            if progress:
                progress(span.end / len(waveform))
        return self._transcript(pieces, len(waveform) / SAMPLE_RATE_HZ, time.perf_counter() - started, options)

    def speech(self, waveform: NDArray[np.float32]) -> list[Span]:
        """Where somebody speaks, padded by the detector."""
        return self._detector.spans(waveform)

    def _read(
        self, waveform: NDArray[np.float32], spans: Sequence[Span], options: Options
    ) -> Iterator[tuple[language.Heard, Reading | None]]:
        """Every span read, in order: as many at once as there are threads, since a step for one sentence fills one core.

        Not as one batch: that saves less, and changes the words (docs/explanation/decisions/0016-pieces-at-once.md).
        """
        wishes = Wishes(options.language, options.vocabulary)

        def read(span: Span) -> tuple[language.Heard, Reading | None]:
            return Reader(self._model, self._rarity, waveform[span.start : span.end], wishes).read()

        if len(spans) == 1:
            yield read(spans[0])
            return
        with ThreadPoolExecutor(self._model.n_threads, thread_name_prefix="piece") as threads:
            yield from threads.map(read, spans)

    def _piece(self, span: Span, heard: language.Heard, reading: Reading | None, vocabulary: Vocabulary) -> Piece | None:
        if reading is None:
            return Piece(span, heard, "", "", 0.0, ())
        if not reading.tokens or (reading.no_speech > MAX_NO_SPEECH and reading.avg_logprob < MIN_AVG_LOGPROB):
            return None
        return self._correct(span, heard, reading, vocabulary)

    def _correct(self, span: Span, heard: language.Heard, reading: Reading, vocabulary: Vocabulary) -> Piece:
        word_cost = self._rarity.of(heard.language, vocabulary.terms)
        words, texts = self._words(span, reading, word_cost), [text for text, _ in self._model.tokens.words(reading.tokens)]
        raw = "".join(texts).strip()
        spoken = [HeardWord(text, word.confidence) for text, word in zip(texts, words, strict=True)]
        for fix in reversed(vocabulary.corrections(spoken)):
            texts[fix.start : fix.end] = [replaced("".join(texts[fix.start : fix.end]), fix.text)]
            words[fix.start : fix.end] = [
                Word(
                    text=texts[fix.start].strip(),
                    start_s=words[fix.start].start_s,
                    end_s=words[fix.end - 1].end_s,
                    confidence=min(word.confidence for word in words[fix.start : fix.end]),
                )
            ]
        return Piece(span, heard, "".join(texts).strip(), raw, min(0.0, reading.avg_logprob), tuple(words))

    def _words(self, span: Span, reading: Reading, word_cost: WordCost) -> list[Word]:
        offset_s = span.start / SAMPLE_RATE_HZ
        times = alignment.token_times(reading.attention, span.n_samples / SAMPLE_RATE_HZ) + offset_s
        return [
            Word(
                text=text.strip(),
                start_s=round(float(times[at.start]), 2),
                end_s=round(float(max(times[at.start], times[at.stop])), 2),
                confidence=confidence.word_confidence(reading.logprobs[at], reading.avg_logprob, word_cost(text)),
            )
            for text, at in self._model.tokens.words(reading.tokens)
        ]

    def _transcript(self, pieces: Sequence[Piece], duration_s: float, compute_s: float, options: Options) -> Transcript:
        spoken = [piece for piece in pieces if piece.text]
        main = _main_language(pieces)
        n_words = sum(len(p.words) for p in spoken)
        return Transcript(
            text=" ".join(p.text for p in spoken),
            raw_text=" ".join(p.raw_text for p in spoken),
            has_speech=bool(pieces),
            language=main.language if main else (options.language or ""),
            language_probability=main.probability if main else 0.0,
            duration_s=duration_s,
            compute_s=compute_s,
            confidence=_joint([(_confidence(p), len(p.words)) for p in spoken], n_words),
            avg_logprob=sum(p.avg_logprob * len(p.words) for p in spoken) / n_words if n_words else 0.0,
            segments=tuple(_segment(p, with_words=options.word_times) for p in spoken),
            model=self._model.name,
        )


def _confidence(piece: Piece) -> float:
    return confidence.utterance_confidence([word.confidence for word in piece.words])


def _joint(parts: Sequence[tuple[float, int]], n_words: int) -> float:
    """Mean confidence of the pieces, weighted by their words: a long recording is not doubted for its length."""
    return min(1.0, sum(score * n for score, n in parts) / n_words) if n_words else 0.0


def _main_language(pieces: Sequence[Piece]) -> language.Heard | None:
    """The language spoken longest; its probability is that of the longest piece in it."""
    lengths: dict[str, int] = {}
    for piece in pieces:
        lengths[piece.heard.language] = lengths.get(piece.heard.language, 0) + piece.span.n_samples
    if not lengths:
        return None
    main = max(lengths, key=lambda code: lengths[code])
    return max((p for p in pieces if p.heard.language == main), key=lambda p: p.span.n_samples).heard


def _segment(piece: Piece, *, with_words: bool) -> Segment:
    return Segment(
        text=piece.text,
        start_s=round(piece.span.start / SAMPLE_RATE_HZ, 2),
        end_s=round(piece.span.end / SAMPLE_RATE_HZ, 2),
        avg_logprob=piece.avg_logprob,
        words=piece.words if with_words else (),
    )
