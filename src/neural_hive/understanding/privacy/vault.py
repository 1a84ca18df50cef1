"""The way back from a placeholder to its value: optional, keyed, off unless somebody passes a key."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from neural_hive.errors import ConfigurationError, NotFoundError

_NONCE_BYTES = 12


class Vault:
    """Keeps placeholder → ciphertext of the value for one case; only who holds the key can read it back.

    AES-256-GCM with a random 96-bit nonce for each value; case id and placeholder are authenticated with it, so an
    entry
    cannot be moved to another case or placeholder. Source: NIST SP 800-38D.

    Args:
        key: 32 random bytes, from a secret store; never from the same place as the ledger.
        case_id: the case that the values belong to.
        entries: what `entries` returned earlier, to open a stored vault.

    Raises:
        ConfigurationError: the key is not 32 bytes.
    """

    def __init__(self, key: bytes, case_id: str, entries: Mapping[str, bytes] | None = None) -> None:
        if len(key) != 32:
            raise ConfigurationError("the vault key must be 32 bytes")
        self._cipher = AESGCM(key)
        self._case_id = case_id
        self._entries = dict(entries or {})

    @property
    def entries(self) -> dict[str, bytes]:
        """Placeholder → nonce and ciphertext; safe to store."""
        return dict(self._entries)

    def keep(self, placeholder: str, value: str) -> None:
        """Encrypt the value behind a placeholder."""
        nonce = os.urandom(_NONCE_BYTES)
        self._entries[placeholder] = nonce + self._cipher.encrypt(nonce, value.encode(), self._bound_to(placeholder))

    def reveal(self, placeholder: str) -> str:
        """The value behind a placeholder.

        Raises:
            NotFoundError: this vault does not hold the placeholder.
            ConfigurationError: the key is another one, or the entry was changed.
        """
        entry = self._entries.get(placeholder)
        if entry is None:
            raise NotFoundError(f"the vault of this case holds no {placeholder}")
        try:
            return self._cipher.decrypt(entry[:_NONCE_BYTES], entry[_NONCE_BYTES:], self._bound_to(placeholder)).decode()
        except InvalidTag as error:
            raise ConfigurationError("the vault key is another one, or the entry was changed") from error

    def _bound_to(self, placeholder: str) -> bytes:
        return f"{self._case_id}\n{placeholder}".encode()
