"""One specialist over HTTP."""

from typing import Any

import pytest

from neural_hive.contracts import Brief
from neural_hive.gateway.specialist_app import Pace

BRIEF: dict[str, Any] = {
    "id": "1",
    "text": "Apagar as contas",
    "answer_language": "pt",
    "understanding": {
        "language": "pt",
        "domain": "business",
        "classification": "business.delete",
        "confidence": 0.9,
        "status": "understood",
        "frame": {},
    },
}


async def test_one_brief_or_many_get_their_opinions(specialist: Any) -> None:
    _, client = specialist()
    one = await client.post("/api/v1/opinions", json=BRIEF)
    many = await client.post("/api/v1/opinions", json={"briefs": [BRIEF] * 20})
    assert [o["specialist"] for o in one.json()["opinions"]] == ["technical"]
    assert len(many.json()["opinions"]) == 20


async def test_a_brief_as_the_hive_writes_it_is_read(specialist: Any) -> None:
    _, client = specialist()
    body = Brief.model_validate(BRIEF).model_dump_json()
    response = await client.post("/api/v1/opinions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("nope", 400),
        ("5", 400),
        ("{}", 422),
        ('{"briefs": []}', 422),
        ('{"briefs": [{}]}', 422),
        ("[]", 422),
    ],
)
async def test_what_is_no_brief_is_refused(specialist: Any, body: str, status: int) -> None:
    _, client = specialist()
    response = await client.post("/api/v1/opinions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status


async def test_it_answers_only_to_its_token(specialist: Any) -> None:
    _, client = specialist(specialists={"token": "s3cret"})
    refused = await client.post("/api/v1/opinions", json=BRIEF)
    taken = await client.post("/api/v1/opinions", json=BRIEF, headers={"Authorization": "Bearer s3cret"})
    assert (refused.status_code, taken.status_code) == (401, 200)


async def test_it_has_the_same_probes_as_every_service(specialist: Any) -> None:
    _, client = specialist(specialists={"token": "s3cret"})
    await client.post("/api/v1/opinions", json=BRIEF, headers={"Authorization": "Bearer s3cret"})
    assert (await client.get("/health")).json()["service"] == "specialist-technical"
    assert (await client.get("/ready")).json()["ready"] is True
    assert 'hive_specialist_opinion_seconds_count{specialist="technical"} 1.0' in (await client.get("/metrics")).text


@pytest.mark.parametrize(("left_ms", "status"), [("60000", 200), ("0", 504), ("nonsense", 200)])
async def test_it_refuses_what_it_cannot_finish_in_time(specialist: Any, left_ms: str, status: int) -> None:
    _, client = specialist()
    answer = await client.post("/api/v1/opinions", json=BRIEF, headers={"X-Hive-Deadline-Ms": left_ms})
    assert answer.status_code == status
    assert status == 200 or answer.json()["type"] == "urn:neural-hive:problem:deadline"


def test_the_pace_follows_what_was_measured() -> None:
    pace = Pace()
    for _ in range(200):
        pace.measured(0.25)
    assert pace.mean_s == pytest.approx(0.25)
