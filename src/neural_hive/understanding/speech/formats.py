"""A transcript as other tools read it: plain text, SubRip, WebVTT, and the JSON of OpenAI's transcription interface."""

from __future__ import annotations

from typing import Any

from neural_hive.contracts import Segment, Transcript, Word

#: Widest line and longest time of one subtitle. Source: BBC Subtitle Guidelines (two lines of 37 to 42 characters);
#: Netflix Timed Text Style Guide (at most 7 s).
_MAX_CHARS, _MAX_S = 84, 7.0
#: Names that OpenAI's interface gives languages in `verbose_json`.
_NAMES = {"pt": "portuguese", "en": "english", "es": "spanish"}


def text(transcript: Transcript) -> str:
    """The text and a line end, as `response_format=text` answers."""
    return transcript.text + "\n"


def json(transcript: Transcript) -> dict[str, Any]:
    """`response_format=json`: the text alone."""
    return {"text": transcript.text}


def verbose_json(transcript: Transcript, *, with_words: bool = False, with_segments: bool = True) -> dict[str, Any]:
    """`response_format=verbose_json`: what OpenAI's clients read, and our `confidence` beside it.

    Args:
        transcript: What was heard; with words, if `with_words`.
        with_words: `timestamp_granularities[]=word` was asked for.
        with_segments: `timestamp_granularities[]=segment` was asked for, or nothing was.
    """
    answer: dict[str, Any] = {
        "task": "transcribe",
        "language": _NAMES.get(transcript.language, transcript.language),
        "duration": round(transcript.duration_s, 2),
        "text": transcript.text,
        "confidence": round(transcript.confidence, 4),
    }
    if with_words:
        answer["words"] = [_word(word) for segment in transcript.segments for word in segment.words]
    if with_segments:
        answer["segments"] = [_segment(i, segment) for i, segment in enumerate(transcript.segments)]
    return answer


def _word(word: Word) -> dict[str, Any]:
    return {"word": word.text, "start": word.start_s, "end": word.end_s, "confidence": round(word.confidence, 4)}


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """Every field that OpenAI's client models require; ours is one deterministic reading without tokens to show."""
    return {
        "id": number,
        "seek": 0,
        "start": segment.start_s,
        "end": segment.end_s,
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }


def srt(transcript: Transcript) -> str:
    """SubRip subtitles, numbered from 1; empty without speech."""
    cues = enumerate(_cues(transcript), 1)
    return "".join(f"{i}\n{_clock(a, ',')} --> {_clock(b, ',')}\n{said}\n\n" for i, (a, b, said) in cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT subtitles. Source: W3C WebVTT, sections 4.1 (file) and 4.2.2 (escapes in cue text)."""
    cues = (f"{_clock(a, '.')} --> {_clock(b, '.')}\n{_escape(said)}\n\n" for a, b, said in _cues(transcript))
    return "WEBVTT\n\n" + "".join(cues)


def _escape(said: str) -> str:
    return said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cues(transcript: Transcript) -> list[tuple[float, float, str]]:
    """Start, end and text of each subtitle: segments, cut at words where there are words."""
    cues: list[tuple[float, float, str]] = []
    for segment in transcript.segments:
        cues += _cut(segment) if segment.words else [(segment.start_s, segment.end_s, segment.text)]
    return cues


def _cut(segment: Segment) -> list[tuple[float, float, str]]:
    cues: list[tuple[float, float, str]] = []
    for word in segment.words:
        start, _, said = cues[-1] if cues else (word.start_s, word.end_s, "")
        if cues and len(said) + len(word.text) < _MAX_CHARS and word.end_s - start <= _MAX_S:
            cues[-1] = (start, word.end_s, f"{said} {word.text}")
        else:
            cues.append((word.start_s, word.end_s, word.text))
    return cues


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, rest = divmod(milliseconds, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02}:{minutes:02}:{rest // 1000:02}{mark}{rest % 1000:03}"
