"""Where the gateway may listen, and which names it answers to while anybody may ask."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from neural_hive.errors import ConfigurationError
from neural_hive.gateway.refusals import CrossOriginError, MisdirectedError
from neural_hive.settings import Settings


def has_authentication(settings: Settings) -> bool:
    """Whether callers must show who they are."""
    has_tokens = settings.auth_tokens.get_secret_value().strip(", \t\n") != ""
    return has_tokens or settings.auth_jwks_file is not None


def check_bind(settings: Settings, *, has_token: bool = False) -> None:
    """Refuse to listen where strangers can reach a service that does not ask who they are.

    has_token: callers must show a token that is not one of a user, as between the hive's own services.

    Raises:
        ConfigurationError: HIVE_HOST is not a loopback address, there is no authentication, and HIVE_INSECURE is off.
    """
    if is_loopback(settings.host) or has_token or has_authentication(settings) or settings.insecure:
        return
    raise ConfigurationError(
        f"HIVE_HOST: {settings.host or '(all addresses)'} can be reached by others and nobody is asked for a token; "
        "set HIVE_AUTH_TOKENS or HIVE_AUTH_JWKS_FILE, listen on 127.0.0.1, or accept the risk with --insecure "
        "(HIVE_INSECURE=true)."
    )


def is_loopback(name: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = name.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def check_host(host: bytes | None) -> None:
    """Refuse a name that a foreign web site may have pointed at this machine (DNS rebinding).

    Raises:
        MisdirectedError: the Host header names another host.
    """
    if host is not None and not _is_local_authority(host):
        raise MisdirectedError


def check_origin(origin: bytes | None, host: bytes | None) -> None:
    """Refuse a request that a page of another site made a browser send. Only browsers send Origin.

    Raises:
        CrossOriginError: the page's origin is not this host and port.
    """
    if origin is not None and urlsplit(origin).netloc != (host or b""):
        raise CrossOriginError


@lru_cache(maxsize=256)
def _is_local_authority(authority: bytes) -> bool:
    try:
        return is_loopback(urlsplit(f"//{authority.decode('ascii')}").hostname or "")
    except ValueError:
        return False
