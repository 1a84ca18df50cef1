"""Makes the table of word frequencies beside `understanding/speech/rarity.py`: `python -m neural_hive.learning.rare_words`.

Needs the package wordfreq 3.1.1 (its data CC BY-SA 4.0), which nothing else here does: `pip install wordfreq==3.1.1`. Words of
the repository's own phrases, names of technologies and words that Portuguese and Spanish borrow count as common in each language.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding import language
from neural_hive.understanding.speech.rarity import COMMON, LISTED, TABLE, code, plain_words

_REPOSITORY = Path(__file__).parents[3]
_TECHNOLOGIES = Path(language.__file__).parent / "entities" / "technologies.txt"


def zipf(frequencies: Mapping[str, float]) -> dict[str, float]:
    """Zipf frequency of every word that is listed, from its share in (0, 1] of all words."""
    found = {word: math.log10(share) + 9 for word, share in frequencies.items()}
    return {word: z for word, z in found.items() if z >= LISTED}


def own_words() -> Iterator[tuple[str, str]]:
    """Language and word, from the repository: its phrases, and what every language borrows."""
    for path in sorted((_REPOSITORY / "data" / "phrases").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["kind"] not in ("other_language", "gibberish"):
                yield from ((row["language"][:2], word) for word in plain_words(row["text"]))
    lines = [line.partition("#")[0] for line in _TECHNOLOGIES.read_text(encoding="utf-8").splitlines()]
    terms = [*language.borrowed_words(), *(line for line in lines if not line.startswith("["))]
    for term in terms:
        yield from ((spoken, word) for spoken in ("pt", "es", "en") for word in plain_words(term))


def table(words: Mapping[str, float]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Codes, sorted, each as the step from the one before: uint32 (n,); tenths of Zipf below `COMMON`: uint8 (n,)."""
    below: dict[int, int] = {}
    for word, z in words.items():
        tenths = round(10 * max(0.0, COMMON - z))
        below[code(word)] = min(tenths, below.get(code(word), tenths))
    codes = np.array(sorted(below), np.uint32)
    return np.diff(codes, prepend=np.uint32(0)), np.array([below[int(c)] for c in codes], np.uint8)


def main() -> None:
    """Write the table."""
    wordfreq = importlib.import_module("wordfreq")
    stored: dict[str, NDArray[np.uint32] | NDArray[np.uint8]] = {}
    for spoken in ("pt", "es", "en"):
        words = zipf(wordfreq.get_frequency_dict(spoken, "large"))
        words |= {word: COMMON for at, word in own_words() if at == spoken and words.get(word, 0.0) < COMMON}
        stored[spoken], stored[f"{spoken}_tenths"] = table(words)
    np.savez_compressed(TABLE, **stored)  # type: ignore[arg-type]  # numpy's stub takes the arrays for its flag


if __name__ == "__main__":
    main()
