"""Who is calling: static bearer tokens, JWTs signed by a key of a JWKS file, or anybody on this machine."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from neural_hive.errors import ConfigurationError, ForbiddenError, UnauthenticatedError
from neural_hive.settings import Settings

if TYPE_CHECKING:
    from neural_hive.gateway.jwks import Jwks

#: Verified JWTs remembered, so that a signature is checked once and not on every request.
_MAX_REMEMBERED = 4096


class Role(StrEnum):
    """What a caller may do, each including the ones before it."""

    USER = "user"
    REVIEWER = "reviewer"
    ADMIN = "admin"


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller.

    key: what its requests are counted by, a digest of its token. expires_at: Unix seconds.
    """

    tenant: str
    actor: str
    role: Role
    key: str = ""
    expires_at: float = float("inf")

    def require(self, role: Role) -> None:
        """Raises ForbiddenError unless the caller has this role or a higher one."""
        if _RANKS[self.role] < _RANKS[role]:
            raise ForbiddenError(f"This needs the role {role}; your token has the role {self.role}.")


#: Whoever asks on the loopback interface of a hive without authentication.
LOCAL = Identity("default", "", Role.ADMIN)


class Authenticator:
    """Knows the tokens and keys of the settings."""

    def __init__(self, settings: Settings, *, service_token: str | None = None) -> None:
        """service_token: the one token of a service that only services call, instead of the settings' own callers.

        Raises:
            ConfigurationError: HIVE_AUTH_TOKENS or the JWKS file is not valid.
        """
        if service_token is None:
            self._static = parse_tokens(settings.auth_tokens.get_secret_value())
            self._jwks = _open_jwks(settings)
        else:
            self._static, self._jwks = _single_token(service_token), None
        self._remembered: OrderedDict[bytes, Identity] = OrderedDict()

    @property
    def is_on(self) -> bool:
        """Whether callers must show who they are."""
        return bool(self._static) or self._jwks is not None

    def identify(self, authorization: bytes | None) -> Identity:
        """The caller behind an Authorization header.

        Raises:
            UnauthenticatedError: no token, or one that is unknown, expired or not valid.
        """
        if not self.is_on:
            return LOCAL
        token = _bearer(authorization)
        digest = sha256(token).digest()
        found = self._find_static(digest) or self._find_remembered(digest)
        return found or self._verify(token, digest)

    def _find_static(self, digest: bytes) -> Identity | None:
        found = None
        for known, identity in self._static:
            if compare_digest(known, digest):
                found = identity
        return found

    def _find_remembered(self, digest: bytes) -> Identity | None:
        found = self._remembered.get(digest)
        if found is None or self._jwks is None:
            return None
        if found.expires_at <= time.time() or self._jwks.has_changed():
            self._remembered.clear()
            return None
        return found

    def _verify(self, token: bytes, digest: bytes) -> Identity:
        if self._jwks is None:
            raise UnauthenticatedError("This token is not known here; check it, or ask the operator for one.")
        try:
            identity = identity_from(self._jwks.claims(token), digest)
        except ValueError as error:
            raise UnauthenticatedError(f"This token is not valid ({error}); get a new one.") from error
        self._remembered[digest] = identity
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.popitem(last=False)
        return identity


def _single_token(token: str) -> list[tuple[bytes, Identity]]:
    digest = sha256(token.encode()).digest()
    return [(digest, Identity("hive", "", Role.USER, digest.hex()[:32]))] if token else []


def _open_jwks(settings: Settings) -> Jwks | None:
    """The key set, if there is one; only then is the library for it loaded, which takes a seventh of the start."""
    if settings.auth_jwks_file is None:
        return None
    from neural_hive.gateway.jwks import Jwks

    return Jwks(settings)


def _bearer(authorization: bytes | None) -> bytes:
    scheme, _, token = (authorization or b"").partition(b" ")
    if scheme.lower() != b"bearer" or not token.strip():
        raise UnauthenticatedError
    return token.strip()


def identity_from(claims: dict[str, Any], digest: bytes) -> Identity:
    """The caller that verified claims name: `tenant` (required), `sub`, `role` (default user), `exp`.

    Raises:
        ValueError: a claim is missing or not what it should be.
    """
    tenant, actor = claims.get("tenant"), claims.get("sub", "")
    if not isinstance(tenant, str) or not 1 <= len(tenant) <= 80:
        raise ValueError("claim tenant is missing or not valid")
    if not isinstance(actor, str) or len(actor) > 120:
        raise ValueError("claim sub is not valid")
    role = claims.get("role", Role.USER)
    if role not in list(Role):
        raise ValueError("claim role is not user, reviewer or admin")
    return Identity(tenant, actor, Role(role), digest.hex()[:32], float(claims["exp"]))


def parse_tokens(text: str) -> list[tuple[bytes, Identity]]:
    """`token=tenant[:actor[:role]]`, separated by commas, as (SHA-256 of the token, caller).

    Raises:
        ConfigurationError: an entry is not written so. The message counts entries; it never shows one.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return [_parse_token(entry, n) for n, entry in enumerate(entries, 1) if entry]


def _parse_token(entry: str, number: int) -> tuple[bytes, Identity]:
    token, _, who = entry.rpartition("=")
    parts = who.split(":")
    tenant, actor, role = [*parts, "", ""][:3]
    is_valid = token and len(parts) <= 3 and 1 <= len(tenant) <= 80 and len(actor) <= 120 and role in ("", *Role)
    if not is_valid:
        raise ConfigurationError(
            f"HIVE_AUTH_TOKENS: entry {number} is not token=tenant[:actor[:role]] with role user, reviewer or admin."
        )
    digest = sha256(token.encode()).digest()
    return digest, Identity(tenant, actor, Role(role or Role.USER), digest.hex()[:32])
