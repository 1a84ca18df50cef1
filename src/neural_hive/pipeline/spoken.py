"""What was heard → what is asked: nothing is judged that nobody said."""

from __future__ import annotations

from collections.abc import Sequence

from neural_hive.contracts import Ask, Language, Transcript
from neural_hive.errors import NoSpeechError, UnsupportedSpeechError


def ask_of(transcript: Transcript) -> Ask:
    """The intent in a transcript, in the language that was heard.

    Raises:
        UnsupportedSpeechError: somebody speaks another language than pt, en and es.
        NoSpeechError: nobody speaks, or nothing that could be made out.
    """
    check_spoken(transcript)
    return Ask(text=transcript.text, language=_known(transcript.language))


def check_spoken(transcript: Transcript) -> None:
    """Refuse speech in another language, and words that could not be made out; silence only if there is nothing else.

    Raises:
        UnsupportedSpeechError: somebody speaks another language than pt, en and es.
        NoSpeechError: nobody speaks, or nothing that could be made out.
    """
    if transcript.text:
        return
    if not transcript.has_speech:
        raise NoSpeechError
    if _known(transcript.language) is None:
        raise UnsupportedSpeechError(
            f"This sounds like the language {transcript.language!r}; say it in Portuguese, English or Spanish, "
            "or name the language if it is one of them."
        )
    raise NoSpeechError("Somebody speaks, but no word could be made out; say it again, closer to the microphone.")


def _known(language: str) -> Language | None:
    return next((known for known in Language if known == language), None)


def joined(parts: Sequence[Transcript]) -> Transcript:
    """One transcript of several that follow each other: as trustworthy as its worst part, in the first one's language.

    Times of segments are kept as they are, each from the beginning of its part.
    """
    if len(parts) == 1:
        return parts[0]
    return parts[0].model_copy(
        update={
            "text": " ".join(part.text for part in parts if part.text),
            "raw_text": " ".join(part.raw_text for part in parts if part.raw_text),
            "duration_s": sum(part.duration_s for part in parts),
            "compute_s": sum(part.compute_s for part in parts),
            "confidence": min(part.confidence for part in parts),
            "avg_logprob": min(part.avg_logprob for part in parts),
            "segments": tuple(segment for part in parts for segment in part.segments),
        }
    )
