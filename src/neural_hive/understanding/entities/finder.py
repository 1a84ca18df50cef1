"""Everything a text names, with exact offsets and without overlaps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from neural_hive.contracts import Entity
from neural_hive.understanding.entities.amounts import NUMBER_WORDS, Amount, amounts
from neural_hive.understanding.entities.dates import dates
from neural_hive.understanding.entities.gazetteer import Gazetteer, systems_by_context, tokens_of
from neural_hive.understanding.entities.groups import environments, user_groups
from neural_hive.understanding.entities.plain import plain_of

_PERSON = re.compile(r"‹(person-\d{1,6})›")
_PLACEHOLDER = re.compile(r"‹[^›\n]{1,40}›")
_DIGIT = re.compile(r"\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_MAX_CHARS = 20_000
#: Of overlapping entities the longest stays; of equally long ones the type that comes first here.
_ORDER = (
    "date",
    "money",
    "percentage",
    "duration",
    "quantity",
    "person",
    "system",
    "technology",
    "organisation",
    "place",
    "environment",
    "user_group",
)
_RANKS = {name: rank for rank, name in enumerate(_ORDER)}


class EntityFinder:
    """Finds entities; holds the gazetteers. Safe to share between threads.

    Args:
        extra_names: name → type for names of the caller's own, e.g. the systems of the knowledge graph.
        proper_names: what such a name stands for, where that is another one; it becomes the entity's value.
    """

    def __init__(self, extra_names: Mapping[str, str] | None = None, proper_names: Mapping[str, str] | None = None) -> None:
        self._gazetteer = Gazetteer(extra_names, proper_names)

    def find(self, text: str, language: str, received_at: datetime) -> tuple[Entity, ...]:
        """What `text` names, in order.

        Args:
            text: masked text; only its first 20,000 characters are read.
            language: `pt`, `es` or `en`; tells 1.234 from 1,234 and 3/4 from 4/3.
            received_at: aware time against which relative dates are resolved; the future is preferred.
        """
        head = text[:_MAX_CHARS]
        plain = plain_of(head)
        found = [item for item in self._found(head, plain, language, received_at) if item.start < item.end]
        return tuple(
            Entity(type=item.type, value=item.value, start=item.start, end=item.end, confidence=item.confidence)
            for item in chosen(found)
        )

    def _found(self, text: str, plain: str, language: str, received_at: datetime) -> Iterator[Amount]:
        for match in _PERSON.finditer(text):
            yield Amount("person", match[1], match.start(), match.end(), 0.9)
        if "‹" in plain:
            plain = _PLACEHOLDER.sub(lambda match: "\ue000" * len(match.group()), plain)
            text = _PLACEHOLDER.sub(lambda match: "\ue000" * len(match.group()), text)
        tokens = tokens_of(plain)
        words = set(_LETTERS.findall(plain))
        if _DIGIT.search(plain) or not words.isdisjoint(NUMBER_WORDS):
            yield from amounts(plain, words, language)
        yield from dates(plain, words, language, received_at)
        yield from environments(plain, words)
        yield from user_groups(tokens)
        yield from self._gazetteer.find(text, plain, tokens)
        yield from systems_by_context(text, plain, words)


def chosen(found: Iterable[Amount]) -> list[Amount]:
    """Entities without overlaps: the longest first, then the most specific type, then the surest."""
    ranked = sorted(found, key=lambda one: (one.start - one.end, _RANKS.get(one.type, _RANKS["system"]), -one.confidence))
    taken = bytearray(max((one.end for one in ranked), default=0))
    kept: list[Amount] = []
    for item in ranked:
        if not any(taken[item.start : item.end]):
            taken[item.start : item.end] = b"\x01" * (item.end - item.start)
            kept.append(item)
    return sorted(kept, key=lambda one: one.start)


@lru_cache(maxsize=8)
def _finder(extra: tuple[tuple[str, str], ...]) -> EntityFinder:
    return EntityFinder(dict(extra))


def find_entities(
    text: str, language: str, received_at: datetime, extra_names: Mapping[str, str] | None = None
) -> tuple[Entity, ...]:
    """`EntityFinder.find` with a finder kept between calls; build an `EntityFinder` of your own for a large
    catalogue."""
    return _finder(tuple(sorted((extra_names or {}).items()))).find(text, language, received_at)
