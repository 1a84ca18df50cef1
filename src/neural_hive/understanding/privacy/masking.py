"""Masks personal data: text in, text with typed, numbered placeholders out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from neural_hive.contracts import PiiMention
from neural_hive.understanding.privacy.codes import codes
from neural_hive.understanding.privacy.contacts import emails, network_addresses, places_and_births
from neural_hive.understanding.privacy.credentials import credentials
from neural_hive.understanding.privacy.finding import Found, merged
from neural_hive.understanding.privacy.names import NameFinder
from neural_hive.understanding.privacy.numbers import numbers, runs, spoken_kind, windows
from neural_hive.understanding.privacy.phones import is_spoken_phone, phones
from neural_hive.understanding.privacy.shadow import FILLER, PLACEHOLDER, shadow_of
from neural_hive.understanding.privacy.spoken import spoken_numbers

_HAS_DIGIT = re.compile(r"\d")
#: Masking changes what stands beside a word, so what is left is looked at again until nothing more is found.
_MAX_ROUNDS = 5
_MAX_DEPTH = 64

#: Every kind that can be masked, with what it is. docs/reference/privacy.md explains each.
KINDS: Mapping[str, str] = {
    "address": "street address with a number",
    "bank_account": "bank branch and account",
    "card": "payment card number",
    "cc_pt": "Portuguese citizen card document number",
    "cif_es": "Spanish entity tax number",
    "cnh": "Brazilian driving licence",
    "cnpj": "Brazilian company number, numeric or alphanumeric",
    "cns": "Brazilian health card",
    "cpf": "Brazilian individual taxpayer number",
    "cuit_ar": "Argentine tax number",
    "curp_mx": "Mexican population register key",
    "date_of_birth": "date announced as a date of birth",
    "dni": "national identity number that a context word announces",
    "email": "e-mail address, also spelled out",
    "iban": "international bank account number",
    "ip": "IPv4 or IPv6 address",
    "mac": "hardware address",
    "nhs_uk": "NHS number",
    "nie_es": "Spanish foreigner number",
    "nif": "tax number that a context word announces",
    "nif_es": "Spanish DNI or NIF",
    "nif_pt": "Portuguese taxpayer number",
    "nino_uk": "UK national insurance number",
    "niss_pt": "Portuguese social security number",
    "nuss_es": "Spanish social security number",
    "passport": "passport number",
    "person": "name of a person",
    "phone": "telephone number",
    "pis": "Brazilian PIS, PASEP, NIS or NIT",
    "pix_key": "random Pix key",
    "plate": "vehicle plate",
    "postcode": "postal code that a context word announces",
    "rfc_mx": "Mexican tax number",
    "rg": "Brazilian identity card",
    "rut_cl": "Chilean tax number",
    "secret": "password, token or key",
    "ssn": "US social security number",
    "voter_id": "Brazilian voter card",
}


class Masked(NamedTuple):
    """`text` with placeholders, and where they are in it, in order."""

    text: str
    pii: tuple[PiiMention, ...]


class Keeper(Protocol):
    """Something that keeps the value behind a placeholder, e.g. a `Vault`."""

    def keep(self, placeholder: str, value: str) -> None:
        """Called once for each placeholder of a session, with the value as it was written first."""


class MaskingSession:
    """Masks the pieces of one intent, so that the same value gets the same placeholder in all of them. Not
    thread-safe."""

    def __init__(self, names: NameFinder, keeper: Keeper | None = None) -> None:
        self._names = names
        self._keeper = keeper
        self._placeholders: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def mask(self, text: str, *, language: str | None = None) -> Masked:
        """Every piece of personal data in `text` as a placeholder such as ‹cpf-1›. `language` is not needed: every
        rule of every language is tried."""
        self._reserve(text)
        is_changed = False
        for _ in range(_MAX_ROUNDS):
            finds = find_personal_data(text, self._names)
            if not finds:
                break
            text, is_changed = self._replaced(text, finds), True
        if not is_changed and "‹" not in text:
            return Masked(text, ())
        return Masked(text, mentions(text))

    def mask_tree(self, value: Any) -> Any:
        """The same value with every string masked, keys too, through dicts, lists and tuples; numbers that are
        identifiers become placeholders.

        Raises:
            ValueError: nested deeper than 64 levels.
        """
        return self._tree(value, 0, "")

    def _tree(self, value: Any, depth: int, label: str) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("nested deeper than 64 levels")
        if isinstance(value, str):
            return self._labelled(value, label)
        if isinstance(value, Mapping):
            return {self.mask(str(key)).text: self._tree(item, depth + 1, str(key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._tree(item, depth + 1, label) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            return self._number(value, label)
        return value

    def _labelled(self, text: str, label: str) -> str:
        """A string under a key: the key is context ("cpf": "…", "password": "…")."""
        masked = self.mask(text).text
        if label and masked == text and text:
            cue = re.sub(r"[_\-]+|(?<=[a-z])(?=[A-Z])", " ", label)[:60] + ": "
            whole = self.mask(cue + text).text
            if whole.startswith(cue):
                return whole[len(cue) :]
        return masked

    def _number(self, value: int, label: str) -> Any:
        if abs(value) < 1_000_000:
            return value
        masked = self._labelled(str(value), label)
        return value if masked == str(value) else masked

    def _reserve(self, text: str) -> None:
        """Placeholders that are there already keep their numbers; new ones count on from them."""
        if "‹" in text:
            for match in PLACEHOLDER.finditer(text):
                self._counts[match[1]] = max(self._counts.get(match[1], 0), int(match[2]))

    def _replaced(self, text: str, finds: list[Found]) -> str:
        parts: list[str] = []
        position = 0
        for found in finds:
            parts += [text[position : found.start], self._placeholder(found, text[found.start : found.end])]
            position = found.end
        return "".join([*parts, text[position:]])

    def _placeholder(self, found: Found, written: str) -> str:
        known = self._placeholders.get((found.kind, found.key))
        if known is None:
            number = self._counts[found.kind] = self._counts.get(found.kind, 0) + 1
            known = self._placeholders[found.kind, found.key] = f"‹{found.kind}-{number}›"
            if self._keeper is not None:
                self._keeper.keep(known, written)
        return known


class Masker:
    """Masks personal data in texts and in nested values; holds the word lists. Safe to share between threads."""

    def __init__(self) -> None:
        self._names = NameFinder()

    def mask(self, text: str, *, language: str | None = None) -> Masked:
        """Mask one text; within it the same value gets the same number."""
        return self.session().mask(text, language=language)

    def mask_tree(self, value: Any) -> Any:
        """Mask every string of a nested value; within it the same value gets the same number."""
        return self.session().mask_tree(value)

    def session(self, keeper: Keeper | None = None) -> MaskingSession:
        """For several pieces that belong together: text, context, plan, transcript."""
        return MaskingSession(self._names, keeper)


def find_personal_data(text: str, names: NameFinder) -> list[Found]:
    """Personal data in `text` in order, without overlaps, offsets in code points of `text`."""
    shadow = shadow_of(text)
    plain = shadow.text
    finds = list(_found_in(plain, names))
    if not finds:
        return []
    spans = (found._replace(start=span[0], end=span[1]) for found in finds if (span := shadow.span(found.start, found.end)))
    return [found for found in merged(spans) if FILLER not in text[found.start : found.end]]


def _found_in(plain: str, names: NameFinder) -> Iterable[Found]:
    if _HAS_DIGIT.search(plain):
        for run in runs(plain):
            row = windows(plain, run)
            yield from numbers(plain, row)
            yield from phones(plain, row)
        yield from codes(plain)
        yield from places_and_births(plain)
    if ":" in plain or "." in plain:
        yield from network_addresses(plain)
    yield from emails(plain)
    yield from credentials(plain)
    for said in spoken_numbers(plain):
        kind = spoken_kind(plain, said) or ("phone" if is_spoken_phone(plain, said) else "")
        if kind:
            yield said._replace(kind=kind)
    yield from names.find(plain)


def mentions(text: str) -> tuple[PiiMention, ...]:
    """The placeholders in a masked text, in order."""
    return tuple(PiiMention(kind=match[1], start=match.start(), end=match.end()) for match in PLACEHOLDER.finditer(text))
