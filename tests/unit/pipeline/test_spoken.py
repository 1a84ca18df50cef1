"""What was heard becomes an intent only if somebody said something that can be understood."""

from typing import Any

import pytest

from neural_hive.contracts import Language, Transcript
from neural_hive.errors import NoSpeechError, UnsupportedSpeechError
from neural_hive.pipeline.spoken import ask_of, joined


def heard(text: str, language: str = "pt", **chosen: Any) -> Transcript:
    known = {"has_speech": True, "language_probability": 0.9, "duration_s": 2.0, "compute_s": 0.1, "confidence": 0.9}
    return Transcript(**({"text": text, "raw_text": text, "language": language, "avg_logprob": -0.2} | known | chosen))


def test_the_intent_is_in_the_language_that_was_heard() -> None:
    ask = ask_of(heard("Apaga as contas", "pt"))
    assert (ask.text, ask.language) == ("Apaga as contas", Language.PT)


def test_silence_another_language_and_mumbling_are_three_things() -> None:
    with pytest.raises(NoSpeechError, match="Nobody speaks"):
        ask_of(heard("", "", has_speech=False))
    with pytest.raises(UnsupportedSpeechError, match="'fr'"):
        ask_of(heard("", "fr"))
    with pytest.raises(NoSpeechError, match="no word"):
        ask_of(heard("", "pt"))


def test_parts_are_as_trustworthy_as_the_worst_of_them() -> None:
    whole = joined([heard("Apaga as contas"), heard("", confidence=0.3), heard("mas não em produção", "es", duration_s=3.0)])
    assert (whole.text, whole.language) == ("Apaga as contas mas não em produção", "pt")
    assert (whole.duration_s, whole.confidence) == (7.0, 0.3)
