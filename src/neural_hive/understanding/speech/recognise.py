"""Waveform → transcript, in the order in which it happens; runs inside the worker."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from neural_hive.contracts import Segment, Transcript, Word
from neural_hive.understanding.speech import alignment, confidence, language
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
from neural_hive.understanding.speech.jargon import HeardWord, Vocabulary, replaced
from neural_hive.understanding.speech.model import MAX_WINDOW_S, Memory, WhisperModel
from neural_hive.understanding.speech.numbers import counts_small, differ_only_in_numbers
from neural_hive.understanding.vad import SAMPLE_RATE_HZ, Span, VoiceActivityDetector, group

#: Below 8 s of window Whisper reads a sentence twice; with 2 s of silence after the speech it stops by itself. Source:
#: measured on 138 human clips (docs/explanation/speech.md).
MIN_WINDOW_S, TAIL_S, WINDOW_STEP_S = 8.0, 2.0, 0.5
#: Long recordings are read in pieces; a longer pause separates two, since it may separate two speakers or languages.
MAX_PIECE_S, MAX_PAUSE_S = 24.0, 1.0
#: Source: openai/whisper `transcribe`, no_speech_threshold, which counts only together with a low log-probability.
MAX_NO_SPEECH = 0.6

#: A reading less sure than this per token (25 of 65 development clips) is read again from two encodings at once, the second
#: with this much silence before it, so that every sound falls on other positions: 60 wrong words in place of 63. Source:
#: measured, docs/explanation/speech.md.
SURE_LOGPROB, SHIFT_S = -0.2, 0.3

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


def window_s(duration_s: float) -> float:
    """Seconds to encode for `duration_s` seconds of speech: at least 8, 2 more than the speech, at most 30."""
    wanted = max(MIN_WINDOW_S, duration_s + TAIL_S)
    return min(MAX_WINDOW_S, float(np.ceil(wanted / WINDOW_STEP_S)) * WINDOW_STEP_S)


class Recogniser:
    """A model, a voice detector, and how they work together."""

    def __init__(self, model: WhisperModel, detector: VoiceActivityDetector) -> None:
        self._model, self._detector = model, detector

    def transcribe(self, waveform: NDArray[np.float32], options: Options, progress: Progress | None = None) -> Transcript:
        """What was said.

        Args:
            waveform: float32 (n_samples,), mono, 16 kHz, in [-1, 1].
            options: What the caller wants.
            progress: Called with the share in [0, 1] that is done, after each piece.
        """
        started = time.perf_counter()
        spans = group(self._detector.spans(waveform), max_s=MAX_PIECE_S, max_pause_s=MAX_PAUSE_S)
        vocabulary = Vocabulary(options.vocabulary)
        pieces: list[Piece] = []
        for span in spans:
            piece = self._piece(waveform, span, options, vocabulary)
            if piece is not None:
                pieces.append(piece)
            if progress:
                progress(span.end / len(waveform))
        return self._transcript(pieces, len(waveform) / SAMPLE_RATE_HZ, time.perf_counter() - started, options)

    def speech(self, waveform: NDArray[np.float32]) -> list[Span]:
        """Where somebody speaks, padded by the detector."""
        return self._detector.spans(waveform)

    def _piece(self, waveform: NDArray[np.float32], span: Span, options: Options, vocabulary: Vocabulary) -> Piece | None:
        sound = waveform[span.start : span.end]
        duration_s = len(sound) / SAMPLE_RATE_HZ
        memory = self._model.encode(sound, window_s(duration_s))
        heard, reading = self._read(memory, duration_s, options.language)
        if reading is None:
            return Piece(span, heard, "", "", 0.0, ())
        reading = self._without_loop(self._settled(sound, memory, heard, reading))
        if not reading.tokens or (reading.no_speech > MAX_NO_SPEECH and reading.avg_logprob < MIN_AVG_LOGPROB):
            return None
        return self._correct(span, heard, reading, vocabulary)

    def _read(self, memory: Memory, duration_s: float, hint: str | None) -> tuple[language.Heard, Reading | None]:
        tokens = self._model.tokens
        decoding = Decoding(self._model, [memory])
        first = decoding.feed([tokens.sot])
        found = language.probabilities(first.log_probs[0], tokens)
        heard = language.choose(found, duration_s, hint)
        if not heard.is_supported:
            return heard, None
        no_speech = float(np.exp(first.log_probs[0, np.searchsorted(tokens.sayable, tokens.no_speech)]))
        step = decoding.begin([tokens.languages[heard.language], tokens.transcribe, tokens.no_timestamps])
        return heard, decoding.run(step, max_tokens(duration_s), min(1.0, no_speech))

    def _settled(self, sound: NDArray[np.float32], memory: Memory, heard: language.Heard, first: Reading) -> Reading:
        """The first reading, or a better one: of the full window, with small counts in words, of two encodings."""
        duration_s = len(sound) / SAMPLE_RATE_HZ
        if is_doubtful(self._text(first), first):
            return first if window_s(duration_s) == MAX_WINDOW_S else self._read_again(sound, duration_s, heard, first)
        reading = self._in_words(memory, duration_s, heard, first)
        if reading.avg_logprob >= SURE_LOGPROB:
            return reading
        later = np.pad(sound, (round(SHIFT_S * SAMPLE_RATE_HZ), 0))
        memories = [memory, self._model.encode(later, window_s(duration_s + SHIFT_S))]
        forbidden = None if reading is first else self._model.numerals
        second = self._read_in(heard.language, memories, duration_s, reading.no_speech, forbidden)
        return reading if is_doubtful(self._text(second), second) else second

    def _read_in(
        self, code: str, memories: Sequence[Memory], duration_s: float, no_speech: float, forbidden: NDArray[np.bool_] | None
    ) -> Reading:
        """A reading in a language that is known, without the tokens that are forbidden."""
        tokens = self._model.tokens
        decoding = Decoding(self._model, memories, forbidden=forbidden)
        step = decoding.begin([tokens.sot, tokens.languages[code], tokens.transcribe, tokens.no_timestamps])
        return decoding.run(step, max_tokens(duration_s), no_speech)

    def _read_again(self, sound: NDArray[np.float32], duration_s: float, heard: language.Heard, first: Reading) -> Reading:
        """The reading of the full window, or the first one where that is no better."""
        _, second = self._read(self._model.encode(sound, MAX_WINDOW_S), duration_s, heard.language)
        if second is None:
            return first
        doubts = [is_doubtful(self._text(reading), reading) for reading in (first, second)]
        if doubts[0] == doubts[1]:
            return max(first, second, key=lambda r: r.avg_logprob)
        return first if doubts[1] else second

    def _in_words(self, memory: Memory, duration_s: float, heard: language.Heard, reading: Reading) -> Reading:
        """The reading with small counts in words ("five years"), chosen by the model itself; else as it was.

        Dates, names ("version 3"), amounts and codes keep their digits, and so does what would read differently otherwise.
        """
        written = self._text(reading).split()
        if not counts_small(written):
            return reading
        spelled = self._read_in(heard.language, [memory], duration_s, reading.no_speech, self._model.numerals)
        return spelled if differ_only_in_numbers(written, self._text(spelled).split()) else reading

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

    def _correct(self, span: Span, heard: language.Heard, reading: Reading, vocabulary: Vocabulary) -> Piece:
        words, texts = self._words(span, reading), [text for text, _ in self._model.tokens.words(reading.tokens)]
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

    def _words(self, span: Span, reading: Reading) -> list[Word]:
        offset_s = span.start / SAMPLE_RATE_HZ
        times = alignment.token_times(reading.attention, span.n_samples / SAMPLE_RATE_HZ) + offset_s
        return [
            Word(
                text=text.strip(),
                start_s=round(float(times[at.start]), 2),
                end_s=round(float(max(times[at.start], times[at.stop])), 2),
                confidence=confidence.word_confidence(reading.logprobs[at], reading.avg_logprob),
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
    return confidence.utterance_confidence(piece.avg_logprob, [word.confidence for word in piece.words])


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
