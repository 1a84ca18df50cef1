"""What labels have in common: 'alarm_set' and 'calendar_set' share 'set', and rows of one teach something of the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from neural_hive.understanding.features import Floats

_PART = re.compile(r"[A-ZÀ-Ý]?[^\W\d_A-ZÀ-Ý]+|[A-ZÀ-Ý]+|\d+")


def parts_of(label: str) -> set[str]:
    """The words of a label, lower case: 'card_PaymentFee-2' → card, payment, fee, 2."""
    return {part.lower() for part in _PART.findall(label)}


def membership(labels: Sequence[str]) -> Floats:
    """Which labels have which shared part: 0 or 1, float32 (n_labels, n_parts), parts in alphabetical order.

    Only parts of at least two labels, and not of all, say something.
    """
    split = [parts_of(label) for label in labels]
    sizes = Counter(part for parts in split for part in parts)
    shared = sorted(part for part, n in sizes.items() if 2 <= n < len(labels))
    found = np.zeros((len(labels), len(shared)), dtype=np.float32)
    for at, parts in enumerate(split):
        found[at] = [part in parts for part in shared]
    return found


def code(members: Floats) -> Floats:
    """What each output should say for a text of each label: +1 or −1, float32 (n_labels, n_labels + n_parts).

    The first outputs are the labels themselves. Source: Dietterich & Bakiri 1995, "Solving multiclass learning problems
    via error-correcting output codes"; the codewords here come from the labels' own words.
    """
    own = np.eye(len(members), dtype=np.float32)
    signs: Floats = 2 * np.hstack([own, members]) - 1
    return signs
