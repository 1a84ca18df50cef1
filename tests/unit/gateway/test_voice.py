"""Recordings over HTTP: a form or the sound itself; 501 as long as there is no ear."""

from typing import Any

import pytest

from neural_hive.errors import NoSpeechModelError, UnavailableError

WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
FILE = {"file": ("intent.wav", WAV, "audio/wav")}
VOICE = "/api/v1/intents/voice"
SPEECH = "/v1/audio/transcriptions"


@pytest.mark.parametrize("path", [VOICE, SPEECH])
async def test_without_an_ear_the_answer_is_501(client: Any, path: str) -> None:
    response = await client.post(path, files=FILE)
    assert (response.status_code, response.json()["type"]) == (501, "urn:neural-hive:problem:no-speech-model")


@pytest.mark.parametrize("path", [VOICE, SPEECH])
async def test_without_a_model_the_answer_is_501_and_says_why(hearing_client: Any, hearing_hive: Any, path: str) -> None:
    async def transcribe(*_: Any, **__: Any) -> None:
        raise NoSpeechModelError("No speech model is installed; run `hive doctor`.")

    hearing_hive.transcribe = transcribe
    response = await hearing_client.post(path, files=FILE)
    assert (response.status_code, response.json()["detail"]) == (
        501,
        "No speech model is installed; run `hive doctor`.",
    )


async def test_a_form_is_heard_and_judged(hearing_client: Any, hearing_hive: Any) -> None:
    fields = {"language": "pt", "vocabulary": "Kubernetes, LGPD"}
    response = await hearing_client.post(VOICE, files=FILE, data=fields)
    intent = response.json()["intent"]
    assert response.status_code == 201
    assert (intent["channel"], intent["transcript"]["text"]) == ("voice", "Apagar as contas inativas")
    assert hearing_hive.heard == (WAV, "pt", ("Kubernetes", "LGPD"), False)


@pytest.mark.parametrize("content_type", ["audio/wav", "audio/webm;codecs=opus", "application/octet-stream"])
async def test_the_sound_itself_is_heard_and_judged(hearing_client: Any, hearing_hive: Any, content_type: str) -> None:
    response = await hearing_client.post(VOICE, content=WAV, headers={"content-type": content_type}, params={"language": "es"})
    assert response.status_code == 201
    assert hearing_hive.heard[:2] == (WAV, "es")


async def test_a_spoken_intent_may_be_judged_later(hearing_client: Any) -> None:
    response = await hearing_client.post(VOICE, files=FILE, headers={"Prefer": "respond-async"})
    assert (response.status_code, response.json()["status"]) == (202, "accepted")


async def test_the_same_recording_under_one_key_is_one_case(hearing_client: Any) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await hearing_client.post(VOICE, files=FILE, headers=headers)
    again = await hearing_client.post(VOICE, files=FILE, headers=headers)
    other = await hearing_client.post(VOICE, files={"file": ("b.wav", WAV + b"!", "audio/wav")}, headers=headers)
    assert first.json()["id"] == again.json()["id"]
    assert other.status_code == 409


async def test_a_recording_without_speech_is_refused(hearing_client: Any, hearing_hive: Any) -> None:
    hearing_hive.has_speech = False
    response = await hearing_client.post(VOICE, files=FILE)
    assert (response.status_code, response.json()["type"]) == (422, "urn:neural-hive:problem:no-speech")


@pytest.mark.parametrize("path", [VOICE, SPEECH])
async def test_an_ear_that_fails_may_be_asked_again(hearing_client: Any, hearing_hive: Any, path: str) -> None:
    async def transcribe(*_: Any, **__: Any) -> None:
        raise UnavailableError

    hearing_hive.transcribe = transcribe
    response = await hearing_client.post(path, files=FILE)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize("path", [VOICE, SPEECH])
async def test_another_language_is_named_and_refused(hearing_client: Any, hearing_hive: Any, path: str) -> None:
    hearing_hive.said = {"text": "", "language": "fr"}
    response = await hearing_client.post(path, files=FILE)
    assert (response.status_code, response.json()["type"]) == (422, "urn:neural-hive:problem:unsupported-language")
    assert "'fr'" in response.json()["detail"]


@pytest.mark.parametrize("path", [VOICE, SPEECH])
async def test_what_holds_no_recording_is_refused(hearing_client: Any, path: str) -> None:
    form = "multipart/form-data; boundary=x"
    cases: list[tuple[int, dict[str, Any]]] = [
        (415, {"json": {"audio": "…"}}),
        (422, {"files": {"file": ("a.wav", b"", "audio/wav")}}),
        (422, {"files": {"other": (None, "text")}}),
        (400, {"content": b"nothing of the kind", "headers": {"content-type": form}}),
        (400, {"content": b"--x\r\n", "headers": {"content-type": "multipart/form-data"}}),
        (422, {"files": FILE, "data": {"language": "fr"}}),
        (422, {"content": b"", "headers": {"content-type": "audio/wav"}}),
    ]
    for status, sent in cases:
        response = await hearing_client.post(path, **sent)
        assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")


async def test_openai_clients_get_what_they_know(hearing_client: Any, hearing_hive: Any) -> None:
    fields = {
        "model": "whisper-1",
        "response_format": "verbose_json",
        "prompt": "LGPD",
        "timestamp_granularities[]": "word",
    }
    verbose = (await hearing_client.post(SPEECH, files=FILE, data=fields)).json()
    plain = await hearing_client.post(SPEECH, files=FILE, data={"model": "whisper-1"})
    assert (verbose["task"], verbose["duration"], verbose["words"]) == ("transcribe", 2.5, [])
    assert plain.json() == {"text": "Apagar as contas inativas"}
    assert hearing_hive.heard[3] is False


@pytest.mark.parametrize(
    ("chosen", "content_type"), [("text", "text/plain"), ("srt", "application/x-subrip"), ("vtt", "text/vtt")]
)
async def test_a_transcript_comes_in_the_chosen_format(hearing_client: Any, chosen: str, content_type: str) -> None:
    response = await hearing_client.post(SPEECH, files=FILE, data={"response_format": chosen})
    assert response.headers["content-type"].startswith(content_type)
    assert (await hearing_client.post(SPEECH, files=FILE, data={"response_format": "x"})).status_code == 422
