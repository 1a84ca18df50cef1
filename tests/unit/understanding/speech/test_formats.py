"""Transcripts as other tools read them."""

from neural_hive.contracts import Segment, Transcript, Word
from neural_hive.understanding.speech import formats


def _transcript(**changes) -> Transcript:
    words = tuple(Word(text=f"w{i}", start_s=i * 1.0, end_s=i + 0.9, confidence=0.5) for i in range(10))
    first = Segment(text=" ".join(w.text for w in words), start_s=0, end_s=9.9, avg_logprob=-0.2, words=words)
    second = Segment(text="a < b & c", start_s=3661.5, end_s=3662.25, avg_logprob=-0.3)
    fields = {
        "text": f"{first.text} {second.text}",
        "has_speech": True,
        "language": "pt",
        "language_probability": 0.9,
        "duration_s": 3700.0,
        "compute_s": 1.0,
        "confidence": 0.8,
        "avg_logprob": -0.2,
        "segments": (first, second),
    }
    return Transcript(**(fields | changes))


def test_srt_numbers_its_cues_and_uses_commas():
    cues = formats.srt(_transcript()).split("\n\n")
    assert cues[0] == "1\n00:00:00,000 --> 00:00:06,900\nw0 w1 w2 w3 w4 w5 w6"
    assert cues[2] == "3\n01:01:01,500 --> 01:01:02,250\na < b & c"


def test_vtt_starts_with_its_name_and_escapes():
    subtitles = formats.vtt(_transcript())
    assert subtitles.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:06.900\n")
    assert "a &lt; b &amp; c" in subtitles


def test_verbose_json_has_what_clients_require():
    answer = formats.verbose_json(_transcript(), with_words=True)
    assert answer["language"] == "portuguese"
    assert answer["duration"] == 3700.0
    assert len(answer["words"]) == 10
    assert answer["words"][0]["word"] == "w0"
    required = {"id", "seek", "start", "end", "text", "tokens", "temperature", "avg_logprob"}
    assert required | {"compression_ratio", "no_speech_prob"} <= set(answer["segments"][0])


def test_no_speech_gives_empty_answers_that_are_still_valid():
    silence = _transcript(text="", has_speech=False, segments=())
    assert formats.text(silence) == "\n"
    assert formats.srt(silence) == ""
    assert formats.vtt(silence) == "WEBVTT\n\n"
    assert formats.json(silence) == {"text": ""}
    assert formats.verbose_json(silence)["segments"] == []
