"""The way back from a placeholder to its value: optional, keyed, off unless somebody passes a key."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from neural_hive.errors import ConfigurationError, NotFoundError

_NONCE_BYTES = 12
_KEY_BYTES = 32


def vault_key(written: str) -> bytes | None:
    """The key that HIVE_VAULT_KEY holds; None where it is empty.

    Raises:
        ConfigurationError: it is not 32 bytes in base64.
    """
    if not written.strip():
        return None
    try:
        key = base64.b64decode(written.strip(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError("HIVE_VAULT_KEY is not 32 bytes in base64; make one with `openssl rand -base64 32`.")
    return key


class Vault:
    """Keeps placeholder → ciphertext of the value for one case; only who holds the key can read it back.

    AES-256-GCM with a random 96-bit nonce for each value; case id and placeholder are authenticated with it, so an
    entry cannot be moved to another case or placeholder. Source: NIST SP 800-38D.

    Args:
        key: 32 random bytes, from a secret store; never from the same place as the ledger.
        case_id: the case that the values belong to.
        entries: what `entries` returned earlier, to open a stored vault.
    """

    def __init__(self, key: bytes, case_id: str, entries: Mapping[str, str] | None = None) -> None:
        self._cipher = AESGCM(key)
        self._case_id = case_id
        self._entries = dict(entries or {})

    @property
    def entries(self) -> dict[str, str]:
        """Placeholder → nonce and ciphertext in base64; safe to store."""
        return dict(self._entries)

    def keep(self, placeholder: str, value: str) -> None:
        """Encrypt the value behind a placeholder."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, value.encode(), self._bound_to(placeholder))
        self._entries[placeholder] = base64.b64encode(sealed).decode()

    def reveal(self, placeholder: str) -> str:
        """The value behind a placeholder.

        Raises:
            NotFoundError: this vault does not hold the placeholder.
            ConfigurationError: the key is another one, or the entry was changed.
        """
        entry = self._entries.get(placeholder)
        if entry is None:
            raise NotFoundError(f"The vault of this case holds no {placeholder}.")
        sealed = base64.b64decode(entry)
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound_to(placeholder)).decode()
        except InvalidTag as error:
            raise ConfigurationError("HIVE_VAULT_KEY is not the key of this case, or the case was changed.") from error

    def reveal_all(self) -> dict[str, str]:
        """Placeholder → value, of everything it holds; raises as `reveal`."""
        return {placeholder: self.reveal(placeholder) for placeholder in self._entries}

    def _bound_to(self, placeholder: str) -> bytes:
        return f"{self._case_id}\n{placeholder}".encode()
