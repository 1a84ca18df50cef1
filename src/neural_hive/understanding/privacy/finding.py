"""One piece of personal data seen in a text, and how overlapping ones become one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

# What wins where two overlap. Higher is surer.
CERTAIN, STRONG, LIKELY, WEAK = 4, 3, 2, 1


class Found(NamedTuple):
    """`text[start:end]` is personal data of this kind; `key` is equal for equal values."""

    kind: str
    start: int
    end: int
    rank: int
    key: str


def merged(finds: Iterable[Found]) -> list[Found]:
    """Finds in order without overlaps; what overlaps is joined under the surest kind, so that no remainder is left
    bare."""
    result: list[Found] = []
    for find in sorted(finds, key=lambda found: (found.start, -found.end)):
        if not result or find.start >= result[-1].end:
            result.append(find)
            continue
        last = result[-1]
        best = max(last, find, key=lambda found: (found.rank, found.end - found.start))
        result[-1] = Found(best.kind, last.start, max(last.end, find.end), best.rank, best.key)
    return result
