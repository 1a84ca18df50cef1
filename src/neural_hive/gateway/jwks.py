"""The JSON Web Key Set that signs callers' tokens; read again when its file changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import structlog
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from neural_hive.errors import ConfigurationError
from neural_hive.settings import Settings

logger = structlog.get_logger(__name__)

#: Algorithms by key type. `none` and everything else is refused; a key never verifies another type's algorithm.
#: Source: RFC 8725 (JSON Web Token Best Current Practices), section 3.1.
ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("Ed25519", "EdDSA"),
    "oct": ("HS256",),
}
#: Clocks may differ by this much, in seconds.
LEEWAY_S = 30


class Jwks:
    """Verifies tokens against HIVE_AUTH_JWKS_FILE."""

    def __init__(self, settings: Settings) -> None:
        """Raises ConfigurationError if the file cannot be read or holds no usable key."""
        assert settings.auth_jwks_file is not None
        self._path: Path = settings.auth_jwks_file
        expected = {"iss": settings.auth_issuer, "aud": settings.auth_audience}
        claims: dict[str, Any] = {name: {"essential": True, "value": v} for name, v in expected.items() if v}
        self._registry = jwt.JWTClaimsRegistry(leeway=LEEWAY_S, exp={"essential": True}, **claims)
        self._load()

    def has_changed(self) -> bool:
        """Whether the file is another one than was read."""
        return self._stamp() != self._loaded_stamp

    def claims(self, token: bytes) -> dict[str, Any]:
        """The claims of a token whose signature, expiry, issuer and audience are right.

        Raises:
            ValueError: it is no such token; the message says what is wrong with it.
        """
        if self.has_changed():
            self._reload()
        try:
            verified = jwt.decode(token, self._keys, algorithms=self._algorithms)
            self._registry.validate(verified.claims)
        except JoseError as error:
            raise ValueError(error.error) from error
        return verified.claims

    def _stamp(self) -> tuple[int, int]:
        try:
            stat = self._path.stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def _reload(self) -> None:
        """A file that is being replaced must not lock everybody out: the keys that were good stay until it is whole."""
        try:
            self._load()
        except ConfigurationError as error:
            logger.error("jwks_not_reloaded", reason=str(error))

    def _load(self) -> None:
        self._loaded_stamp = self._stamp()
        try:
            keys = KeySet.import_key_set(json.loads(self._path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError, JoseError) as error:
            raise ConfigurationError(f"HIVE_AUTH_JWKS_FILE: {self._path} is no JSON Web Key Set ({error}).") from error
        algorithms = [name for kind in {key.key_type for key in keys} for name in ALGORITHMS.get(kind, ())]
        if not algorithms:
            raise ConfigurationError(f"HIVE_AUTH_JWKS_FILE: {self._path} holds no RSA, EC, OKP or oct key.")
        self._keys, self._algorithms = keys, algorithms
