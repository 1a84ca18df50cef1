"""Who may ask for what: tokens, signed tokens, roles, tenants."""

import hmac
import json
import time
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from neural_hive.errors import ConfigurationError
from neural_hive.gateway.auth import Role, parse_tokens

TOKENS = "alpha=acme:ana, beta==globex:bo:reviewer,gamma=acme:chief:admin"
TEXT = {"text": "Apagar as contas"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "alpha"}, {"Authorization": "Basic YTpi"}, bearer(""), bearer("nope"), bearer("ALPHA")],
)
@pytest.mark.parametrize("path", ["/api/v1/intents", "/api/v1/ledger/verify", "/anything"])
async def test_without_a_known_token_nothing_is_answered(gateway: Any, headers: dict[str, str], path: str) -> None:
    _, client = gateway(auth_tokens=TOKENS)
    response = await client.get(path, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/api/v1/openapi.json", "/api/v1/docs"])
async def test_probes_and_the_reference_need_no_token(gateway: Any, path: str) -> None:
    _, client = gateway(auth_tokens=TOKENS)
    assert (await client.get(path)).status_code == 200


async def test_a_token_names_tenant_and_actor(gateway: Any) -> None:
    hive, client = gateway(auth_tokens=TOKENS)
    await client.post("/api/v1/intents", json=TEXT, headers=bearer("alpha"))
    await client.post("/api/v1/intents", json=TEXT, headers=bearer("beta="))
    assert [(c.tenant, c.actor) for c in hive.callers] == [("acme", "ana"), ("globex", "bo")]


async def test_one_tenant_does_not_see_the_cases_of_another(gateway: Any) -> None:
    _, client = gateway(auth_tokens=TOKENS)
    created = (await client.post("/api/v1/intents", json=TEXT, headers=bearer("alpha"))).json()
    mine = await client.get(f"/api/v1/intents/{created['id']}", headers=bearer("gamma"))
    theirs = await client.get(f"/api/v1/intents/{created['id']}", headers=bearer("beta="))
    assert (mine.status_code, theirs.status_code) == (200, 404)


async def test_a_verdict_needs_a_reviewer(gateway: Any) -> None:
    _, client = gateway(auth_tokens=TOKENS)
    created = (await client.post("/api/v1/intents", json=TEXT, headers=bearer("alpha"))).json()
    path = f"/api/v1/intents/{created['id']}/reviews"
    refused = await client.post(path, json={"verdict": "approved"}, headers=bearer("alpha"))
    taken = await client.post(path, json={"verdict": "approved"}, headers=bearer("gamma"))
    assert (refused.status_code, taken.status_code) == (403, 201)
    assert taken.json()["reviews"][0]["reviewer"] == "chief"


@pytest.mark.parametrize("text", ["alpha", "=acme", "alpha=", "alpha=acme:ana:owner", "a=b:c:user:more", "ok=acme,bad"])
def test_tokens_that_are_not_written_as_they_should_be_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_tokens(text)
    assert "HIVE_AUTH_TOKENS" in str(caught.value)
    assert "alpha" not in str(caught.value)


def test_roles_include_the_ones_before() -> None:
    roles = {identity.actor: identity.role for _, identity in parse_tokens(TOKENS)}
    assert roles == {"ana": Role.USER, "bo": Role.REVIEWER, "chief": Role.ADMIN}


RSA = RSAKey.generate_key(2048, {"kid": "rsa"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa"})


@pytest.fixture
def jwks(tmp_path: Path) -> Path:
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KeySet([RSA, EC]).as_dict(private=False)))
    return path


def write(path: Path, text: str) -> None:
    path.write_text(text)


def signed(key: Any = RSA, algorithm: str = "RS256", **changes: Any) -> str:
    claims = {
        "sub": "ana",
        "tenant": "acme",
        "role": "reviewer",
        "aud": "neural-hive",
        "iss": "https://id.example",
        "exp": int(time.time()) + 300,
    }
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": key.kid}, kept, key, algorithms=[algorithm])


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (RSA, "PS384"), (EC, "ES256")])
async def test_a_signed_token_names_tenant_actor_and_role(gateway: Any, jwks: Path, key: Any, algorithm: str) -> None:
    hive, client = gateway(auth_jwks_file=jwks, auth_issuer="https://id.example")
    for _ in range(2):
        response = await client.post("/api/v1/intents", json=TEXT, headers=bearer(signed(key, algorithm)))
        assert response.status_code == 201
    path = f"{response.headers['location']}/reviews"
    review = await client.post(path, json={"verdict": "rejected"}, headers=bearer(signed(key, algorithm)))
    assert (hive.callers[0].tenant, hive.callers[0].actor, review.status_code) == ("acme", "ana", 201)


BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": int(time.time()) - 120},
    "no expiry": {"exp": None},
    "not yet valid": {"nbf": int(time.time()) + 86_400},
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://evil.example"},
    "no tenant": {"tenant": None},
    "an empty tenant": {"tenant": ""},
    "a tenant of another type": {"tenant": ["acme"]},
    "an unknown role": {"role": "root"},
    "a role of another type": {"role": ["admin"]},
    "an actor of another type": {"sub": 7},
}


@pytest.mark.parametrize("kind", BAD_CLAIMS)
async def test_a_signed_token_with_wrong_claims_is_refused(gateway: Any, jwks: Path, kind: str) -> None:
    _, client = gateway(auth_jwks_file=jwks, auth_issuer="https://id.example")
    response = await client.post("/api/v1/intents", json=TEXT, headers=bearer(signed(**BAD_CLAIMS[kind])))
    assert response.status_code == 401


async def test_a_token_signed_by_another_key_is_refused(gateway: Any, jwks: Path) -> None:
    _, client = gateway(auth_jwks_file=jwks)
    response = await client.get("/api/v1/intents", headers=bearer(signed(OTHER)))
    assert response.status_code == 401


def base64url(value: dict[str, Any]) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


async def test_a_public_key_is_never_taken_for_a_shared_secret(gateway: Any, jwks: Path) -> None:
    claims = base64url({"tenant": "acme", "exp": 2**33})
    unsigned = f"{base64url({'alg': 'none'})}.{claims}."
    confused = f"{base64url({'alg': 'HS256', 'kid': 'rsa'})}.{claims}"
    mac = hmac.digest(RSA.as_pem(private=False), confused.encode(), "sha256")
    _, client = gateway(auth_jwks_file=jwks, auth_audience="")
    for token in (f"{confused}.{urlsafe_b64encode(mac).decode().rstrip('=')}", unsigned):
        assert (await client.get("/api/v1/intents", headers=bearer(token))).status_code == 401


async def test_a_shared_secret_works_where_the_key_set_holds_one(gateway: Any, tmp_path: Path) -> None:
    key = OctKey.generate_key(256, {"kid": "shared"})
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(KeySet([key]).as_dict(private=True)))
    _, client = gateway(auth_jwks_file=path)
    assert (await client.get("/api/v1/intents", headers=bearer(signed(key, "HS256")))).status_code == 200


async def test_keys_can_be_changed_while_the_hive_runs(gateway: Any, jwks: Path) -> None:
    _, client = gateway(auth_jwks_file=jwks)
    token = signed()
    assert (await client.get("/api/v1/intents", headers=bearer(token))).status_code == 200
    write(jwks, json.dumps(KeySet([EC]).as_dict(private=False)))
    assert (await client.get("/api/v1/intents", headers=bearer(token))).status_code == 401
    assert (await client.get("/api/v1/intents", headers=bearer(signed(EC, "ES256")))).status_code == 200


async def test_a_key_file_that_is_being_replaced_locks_nobody_out(gateway: Any, jwks: Path) -> None:
    _, client = gateway(auth_jwks_file=jwks)
    write(jwks, '{"keys": [')
    assert (await client.get("/api/v1/intents", headers=bearer(signed()))).status_code == 200


@pytest.mark.parametrize("text", ["", "{}", '{"keys": []}', "[]", '{"keys": [{"kty": "x"}]}'])
def test_a_file_without_keys_is_a_wrong_setting(gateway: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "jwks.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="HIVE_AUTH_JWKS_FILE"):
        gateway(auth_jwks_file=path)
