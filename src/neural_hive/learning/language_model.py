"""Trains the language identifier: `python -m neural_hive.learning.language_model [--massive DIR]`.

Data: data/languages/sentences.tsv and data/phrases/*.jsonl of the repository, and MASSIVE 1.1 train (FitzGerald et
al. 2022,
CC BY 4.0) where its folder is given. Writes the model beside `understanding/language.py` and prints its metrics as
JSON.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from neural_hive.understanding.language import LanguageIdentifier, borrowed_words, word_features, words_of

SEED = 20261123
N_FEATURES = 26_000
HELD_OUT_PERCENT = 12
_REPOSITORY = Path(__file__).parents[3]
_OUTPUT = Path(__file__).parents[1] / "understanding" / "language.npz"
_LOCALES = {"pt": "pt-PT", "es": "es-ES", "en": "en-US"}


class Sample(NamedTuple):
    """One text and its language; `group` keeps translations of the same thing on one side of the split."""

    text: str
    language: str
    group: str
    source: str


def sentences(path: Path) -> Iterator[Sample]:
    """Rows `language TAB source TAB text`."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            language, source, text = line.split("\t")
            yield Sample(text, language[:2], text, source)


def phrases(folder: Path) -> Iterator[Sample]:
    """The repository's own phrasings in pt, es and en."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["kind"] not in ("other_language", "gibberish") and row["language"][:2] in _LOCALES:
                yield Sample(row["text"], row["language"][:2], row["group"], "phrases")


def massive(folder: Path, part: str) -> Iterator[Sample]:
    """MASSIVE utterances of one part (`train`, `dev`)."""
    for language, locale in _LOCALES.items():
        with gzip.open(folder / f"{locale}.{part}.jsonl.gz", "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                yield Sample(row["utt"], language, row["id"], f"massive-{part}")


def gibberish(n_samples: int, rng: random.Random) -> Iterator[Sample]:
    """Keys struck at random, strings of consonants, repeated letters."""
    alphabets = (
        "qwertasdfgzxcv",
        "yuiophjklnmb",
        "asdfghjkl",
        "bcdfghjklmnpqrstvwxz",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiop",
        "zxcvbnm",
    )
    for _ in range(n_samples):
        words = []
        for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
            alphabet = rng.choice(alphabets)
            length = rng.randint(3, 12)
            words.append(
                "".join(rng.choice(alphabet) for _ in range(length)) if rng.random() < 0.85 else rng.choice(alphabet) * length
            )
        yield Sample(" ".join(words), "und", "-", "made")
    for laugh in ("ha", "he", "ja", "je", "rs", "k", "hua", "lol", "la", "xa"):
        for times in (2, 3, 5, 8):
            yield Sample(laugh * times, "und", "-", "made")


def without_accents(text: str) -> str:
    """The text as typed without accents."""
    return "".join(character for character in unicodedata.normalize("NFD", text) if not unicodedata.combining(character))


def varied(sample: Sample, rng: random.Random, borrowed: list[str]) -> Iterator[Sample]:
    """The sample, a short piece of it, and often one without accents, with borrowed words, or misspelt."""
    yield sample
    words = sample.text.split()
    for _ in range(3 if sample.source == "phrases" else 1):
        length = rng.randint(1, max(1, min(5, len(words) - 1)))
        first = rng.randint(0, len(words) - length)
        yield sample._replace(text=" ".join(words[first : first + length]))
    if rng.random() < 0.4 and not sample.text.isascii():
        yield sample._replace(text=without_accents(sample.text))
    if sample.language in _LOCALES and rng.random() < 0.35:
        mixed = list(words)
        for _ in range(rng.randint(1, 2)):
            mixed.insert(rng.randint(0, len(mixed)), rng.choice(borrowed))
        yield sample._replace(text=" ".join(mixed))
    if rng.random() < 0.15:
        yield sample._replace(text=_misspelt(sample.text, rng))


def _misspelt(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text))
    return rng.choice(
        (
            text[:at] + text[at + 1 :],
            text[:at] + text[at : at + 1] + text[at:],
            text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :],
        )
    )


def is_held_out(sample: Sample) -> bool:
    """A fixed eighth of the groups, chosen by hash, is only for measuring."""
    return int(hashlib.sha256(sample.group.encode()).hexdigest()[:8], 16) % 100 < HELD_OUT_PERCENT


def vocabulary(texts: Iterable[list[str]]) -> list[str]:
    """The features that most texts have."""
    counts: Counter[str] = Counter()
    for words in texts:
        counts.update({feature for word in words for feature in word_features(word)})
    return sorted(feature for feature, _ in counts.most_common(N_FEATURES))


def matrix(texts: list[list[str]], columns: dict[str, int]) -> Any:
    """Feature counts over the square root of the number of words: csr float32 (n_texts, n_features)."""
    indexes: list[int] = []
    values: list[float] = []
    ends = [0]
    for words in texts:
        counts = Counter(columns[feature] for word in words for feature in word_features(word) if feature in columns)
        indexes += counts.keys()
        values += [count / len(words) ** 0.5 for count in counts.values()]
        ends.append(len(indexes))
    return csr_matrix((np.asarray(values, np.float32), indexes, ends), shape=(len(texts), len(columns)))


def train(samples: list[Sample], output: Path) -> None:
    """Fit and write the model."""
    rng = random.Random(SEED)  # noqa: S311 - variety, not secrets
    borrowed = sorted(borrowed_words())
    grown = [one for sample in samples for one in varied(sample, rng, borrowed)] + list(gibberish(4_000, rng))
    pairs = [(words, sample.language) for sample in grown if (words := words_of(sample.text))]
    texts, labels = [words for words, _ in pairs], [label for _, label in pairs]
    features = vocabulary(texts)
    model = LogisticRegression(C=20.0, max_iter=60, tol=1e-3)
    model.fit(matrix(texts, {feature: column for column, feature in enumerate(features)}), labels)
    write(output, features, model)


def write(output: Path, features: list[str], model: Any) -> None:
    """Weights as int8 with one scale for each language; byte-same for the same model."""
    weights = model.coef_.T.astype(np.float32)  # (n_features, n_languages)
    scales = np.abs(weights).max(axis=0) / 127.0
    np.savez_compressed(
        output,
        grams=np.frombuffer("\n".join(features).encode(), np.uint8),
        weights=np.round(weights / scales).astype(np.int8),
        scales=scales.astype(np.float32),
        bias=model.intercept_.astype(np.float32),
        languages=np.frombuffer(" ".join(model.classes_).encode(), np.uint8),
    )


def measured(samples: Iterable[Sample], identifier: LanguageIdentifier) -> dict[str, float]:
    """Accuracy by language, and expected calibration error over ten bins."""
    right: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    bins: dict[int, list[tuple[float, bool]]] = {}
    for sample in samples:
        heard = identifier.identify(sample.text)
        seen[sample.language] += 1
        right[sample.language] += heard.language == sample.language
        bins.setdefault(min(9, int(heard.probability * 10)), []).append((heard.probability, heard.language == sample.language))
    n_samples = sum(seen.values())
    gaps = (abs(sum(probability for probability, _ in pairs) - sum(is_right for _, is_right in pairs)) for pairs in bins.values())
    return {
        **{language: round(right[language] / seen[language], 4) for language in sorted(seen)},
        "ece": round(sum(gaps) / max(1, n_samples), 4),
    }


def report(held_out: list[Sample], folder: Path | None, identifier: LanguageIdentifier) -> dict[str, dict[str, float]]:
    """Metrics on the held-out eighth by source, and on MASSIVE dev: whole, without accents, and its first words."""
    results = {
        source: measured([sample for sample in held_out if sample.source == source], identifier)
        for source in sorted({sample.source for sample in held_out})
    }
    if folder:
        dev = list(massive(folder, "dev"))
        results["massive dev"] = measured(dev, identifier)
        results["massive dev, no accents"] = measured([one._replace(text=without_accents(one.text)) for one in dev], identifier)
        for n_words in (1, 2, 3):
            short = [one._replace(text=" ".join(one.text.split()[:n_words])) for one in dev]
            results[f"massive dev, first {n_words}"] = measured(short, identifier)
    return results


def main() -> None:
    """Train, write, measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--massive", type=Path, default=_REPOSITORY.parent / "shared" / "data" / "massive")
    parser.add_argument("--output", type=Path, default=_OUTPUT)
    parser.add_argument("--measure-only", action="store_true")
    options = parser.parse_args()
    folder = options.massive if options.massive.is_dir() else None
    samples = [
        *sentences(_REPOSITORY / "data" / "languages" / "sentences.tsv"),
        *phrases(_REPOSITORY / "data" / "phrases"),
    ]
    held_out = [sample for sample in samples if is_held_out(sample)]
    training = [sample for sample in samples if not is_held_out(sample)]
    if not options.measure_only:
        train(training + (list(massive(folder, "train")) if folder else []), options.output)
    sys.stdout.write(json.dumps(report(held_out, folder, LanguageIdentifier(options.output)), indent=2) + "\n")


if __name__ == "__main__":
    main()
