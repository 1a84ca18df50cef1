"""Where the gateway may listen, and which names it answers to."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from neural_hive.errors import ConfigurationError
from neural_hive.gateway.hosts import check_bind, is_loopback
from neural_hive.settings import Settings


@pytest.mark.parametrize("name", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"])
def test_a_name_of_this_machine_is_loopback(name: str) -> None:
    assert is_loopback(name)


@pytest.mark.parametrize(
    "name", ["", "0.0.0.0", "::", "10.0.0.1", "example.org", "localhost.evil.org", "127.0.0.1.nip.io", "evil-localhost"]
)
def test_any_other_name_is_not(name: str) -> None:
    assert not is_loopback(name)


def test_an_ipv4_address_in_ipv6_clothes_is_what_it_is() -> None:
    assert is_loopback("::ffff:127.0.0.1")
    assert not is_loopback("::ffff:10.0.0.1")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.5", "example.org"])
def test_a_public_address_without_authentication_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"HIVE_HOST.*HIVE_AUTH_TOKENS.*--insecure"):
        check_bind(Settings(host=host))


@pytest.mark.parametrize("chosen", [{"auth_tokens": SecretStr("a=b")}, {"auth_jwks_file": Path("keys.json")}, {"insecure": True}])
def test_a_public_address_is_fine_with_authentication_or_on_own_risk(chosen: dict[str, Any]) -> None:
    check_bind(Settings(host="0.0.0.0", **chosen))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "hive.localhost"])
async def test_without_authentication_local_names_are_answered(client: Any, host: str) -> None:
    assert (await client.get("/api/v1/intents", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("host", ["evil.org", "evil.org:8000", "127.0.0.1.evil.org", "10.0.0.1:8000", "[::1", "a b", ""])
async def test_without_authentication_no_other_name_is_answered(client: Any, host: str) -> None:
    response = await client.get("/api/v1/intents", headers={"Host": host})
    assert response.status_code == 421
    assert (await client.get("/health", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.org", "http://127.0.0.1:3000", "null", "http://127.0.0.1:8000.evil.org"])
async def test_without_authentication_other_sites_cannot_ask(client: Any, hive: Any, origin: str) -> None:
    headers = {"Origin": origin, "Host": "127.0.0.1:8000"}
    response = await client.post("/api/v1/intents", json={"text": "a"}, headers=headers)
    assert (response.status_code, hive.asks) == (403, [])


async def test_its_own_pages_can_ask(client: Any) -> None:
    headers = {"Origin": "http://127.0.0.1:8000", "Host": "127.0.0.1:8000"}
    assert (await client.post("/api/v1/intents", json={"text": "a"}, headers=headers)).status_code == 201


async def test_with_a_token_any_name_is_answered(gateway: Any) -> None:
    _, client = gateway(auth_tokens="alpha=acme")
    headers = {"Host": "hive.example.org", "Origin": "https://console.example.org", "Authorization": "Bearer alpha"}
    assert (await client.get("/api/v1/intents", headers=headers)).status_code == 200


def test_a_list_without_a_token_is_no_authentication() -> None:
    with pytest.raises(ConfigurationError):
        check_bind(Settings(host="0.0.0.0", auth_tokens=SecretStr(" , ,")))
