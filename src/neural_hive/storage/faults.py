"""A driver's errors in the hive's words: one table per adapter, one line per error, and never a credential in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from neural_hive.errors import StorageError
from neural_hive.storage.urls import mask

#: Kinds of a driver's error, and what to do about each (empty if unknown); the first kind that fits counts.
FaultTable = Sequence[tuple[type[BaseException], str]]


@dataclass(frozen=True, slots=True)
class Faults:
    """Translates the errors of one product at one address.

    setting: the setting that the URL came from. codes: what to do about errors whose `code` says more than their type.
    """

    setting: str
    url: str
    table: FaultTable
    codes: Mapping[int, str] = field(default_factory=dict)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise StorageError for what the table knows; everything else goes through as it is."""
        try:
            yield
        except tuple(kind for kind, _ in self.table) as error:
            raise self.error(error) from self._cause(error)

    def error(self, error: BaseException) -> StorageError:
        """The hive's error for one of the driver's."""
        by_type = next((words for kind, words in self.table if isinstance(error, kind)), "")
        found = self.codes.get(getattr(error, "code", None) or 0, by_type)
        advice = found or f"it failed ({type(error).__name__})"
        return StorageError(f"{self.setting}: {mask(self.url)}: {advice}.")

    def _cause(self, error: BaseException) -> BaseException | None:
        """The driver's error, unless a password of the URL is in it or in what caused it."""
        secrets = _secrets(self.url)
        following: BaseException | None = error
        while following is not None:
            if any(secret in str(following) for secret in secrets):
                return None
            following = following.__cause__ or following.__context__
        return error


def _secrets(url: str) -> tuple[str, ...]:
    """The password of a URL, as it is written and as it is meant."""
    user_info = urlsplit(url).netloc.rpartition("@")[0]
    password = user_info.partition(":")[2]
    return (password, unquote(password)) if password else ()
