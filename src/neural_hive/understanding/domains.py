"""The trained heads: domain, leading specialist, kind of text, concerns and caution, from the sentence vector, the frame and the wording."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neural_hive.canonical import digest
from neural_hive.contracts import Environment, Mood, Scope
from neural_hive.errors import ModelError
from neural_hive.understanding.frames import Reading
from neural_hive.understanding.lexicon import vocabulary
from neural_hive.understanding.wording import Wording, WordVotes

Floats = NDArray[np.float32]

#: Names of the heads in the order of the weight matrix.
HEADS = ("domain", "specialist", "kind", "concern", "caution", "register", "tender")
#: How much the frame counts beside the sentence vector; chosen by cross-validation in learning/domain_model.py.
VECTOR_SCALE, FRAME_SCALE = 4.0, 0.6
#: Heads that read the wording too, in the order of its weight matrix, and how much it counts beside the sentence vector. Concerns and
#: caution do without: what is risky must not hang on single words.
WORDED, WORDING_SCALE = ("domain", "specialist", "register", "tender"), 3.0
#: How a text is worded as a requirement of a public tender, the label of `register` beside `other`. Those who write tenders share out
#: requirements by customs of their own; what the head `tender` knows of them counts as far as a text is in that register: a mixture of
#: experts (Jacobs et al. 1991, "Adaptive mixtures of local experts").
TENDER = "tender"
FORMAT = 3


class FrameFeatures:
    """Frame → numbers that mean the same in every language. Columns are named, so a model knows what it was trained on."""

    def __init__(self) -> None:
        words = vocabulary()
        columns = [f"asked:{a}" for a in sorted(words["action"])]
        columns += [f"mentioned:{a}" for a in sorted(words["action"])]
        columns += [f"object:{o}" for o in sorted(words["object"])]
        columns += [f"head:{o}" for o in sorted(words["object"])]
        columns += [f"stated:{s}" for s in sorted(words["safeguard"])]
        columns += [f"waived:{s}" for s in sorted(words["safeguard"])]
        columns += [f"scope:{s.value}" for s in Scope] + [f"environment:{e.value}" for e in Environment]
        columns += [f"mood:{m.value}" for m in Mood]
        columns += ["no_action", "urgent", "instruction", "negation", "protective", "length", "known_share"]
        self.columns = tuple(columns)
        self._index = {name: i for i, name in enumerate(columns)}

    def of(self, reading: Reading) -> Floats:
        """float32 (n_columns,): 0 or 1, except length (words / 40, at most 1) and known_share in [0, 1]."""
        row = np.zeros(len(self.columns), dtype=np.float32)
        for name in self._names(reading):
            row[self._index[name]] = 1.0
        n_words = len(reading.words)
        row[self._index["length"]] = min(n_words, 40) / 40
        row[self._index["known_share"]] = len(reading.cue_words) / max(1, n_words)
        return row

    def _names(self, reading: Reading) -> list[str]:
        frame = reading.frame
        names = [f"{'mentioned' if m.described or m.negated else 'asked'}:{m.action}" for m in frame.actions]
        names += [f"object:{o}" for m in frame.actions for o in m.objects] + [f"head:{o}" for o in frame.objects[:1]]
        names += [f"stated:{s}" for s in frame.safeguards] + [f"waived:{s}" for s in frame.waived]
        names += [f"scope:{frame.scope.value}", f"environment:{frame.environment.value}", f"mood:{frame.mood.value}"]
        flags = {
            "no_action": not frame.actions,
            "urgent": frame.urgent,
            "instruction": reading.is_instruction,
            "negation": frame.negation,
            "protective": frame.protective,
        }
        return names + [name for name, is_set in flags.items() if is_set]


@dataclass(frozen=True, slots=True)
class Beliefs:
    """Calibrated probabilities of one text, by head and label; each head sums to 1."""

    domain: dict[str, float]
    specialist: dict[str, float]
    kind: dict[str, float]
    concern: dict[str, float]
    caution: dict[str, float]


class DomainModel:
    """The heads: linear, temperature-scaled (Guo et al. 2017)."""

    def __init__(self, weights: Floats, bias: Floats, words: WordVotes, manifest: dict[str, Any]) -> None:
        """weights: float32 (n_features, n_labels), temperatures already divided in. bias: float32 (n_labels,). words: votes for the
        labels of the heads in `WORDED`."""
        self._weights, self._bias, self._words, self._labels = weights, bias, words, manifest["labels"]
        self._worded = _columns_of(WORDED, self._labels)
        self.manifest = manifest
        self.digest: str = manifest["digest"]
        self.features = FrameFeatures()
        if manifest["frame_columns"] != list(self.features.columns):
            raise ModelError("the domain model was trained on another frame vocabulary; run `make models`")

    @classmethod
    def load(cls, folder: Path) -> DomainModel:
        """Read and check an artefact.

        Raises:
            ModelError: it is missing, damaged, of another format or trained on another vocabulary.
        """
        try:
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            content = (folder / "weights.npz").read_bytes()
            if manifest["format"] != FORMAT or manifest["files"]["weights.npz"] != digest(content):
                raise ModelError(f"{folder} is not the artefact its manifest describes; run `make models`")
            with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
                weights, bias = arrays["weights"].astype(np.float32), arrays["bias"].astype(np.float32)
                wording = Wording(bytes(arrays["vocabulary"]).decode("utf-8").split("\n"), arrays["idf"].astype(np.float32))
                words = WordVotes(wording, arrays["words"].astype(np.float32))
        except (OSError, KeyError, ValueError) as error:
            raise ModelError(f"cannot read the domain model in {folder}: {error}; run `make models`") from error
        return cls(weights, bias, words, manifest)

    def believe(self, vectors: Floats, readings: Sequence[Reading]) -> list[Beliefs]:
        """Probabilities for texts. vectors: float32 (n_texts, 512), L2-normalised."""
        frames = np.stack([self.features.of(r) for r in readings])
        features = np.concatenate([vectors * VECTOR_SCALE, frames * FRAME_SCALE], axis=1)
        logits = np.stack([row @ self._weights for row in features]) + self._bias
        for row, reading in zip(logits, readings, strict=True):
            row[self._worded] += self._words.logits(reading.words.folded)
        return [self._split(row) for row in logits]

    def _split(self, logits: Floats) -> Beliefs:
        parts: dict[str, NDArray[np.float64]] = {}
        start = 0
        for head in HEADS:
            parts[head] = logits[start : start + len(self._labels[head])].astype(np.float64)
            start += len(self._labels[head])
        register = softmax(parts.pop("register"))[self._labels["register"].index(TENDER)]
        parts["specialist"] += register * parts.pop("tender")
        return Beliefs(**{h: dict(zip(self._labels[h], softmax(p).round(4).tolist(), strict=True)) for h, p in parts.items()})


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities along the last axis, of the same shape."""
    odds = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def _columns_of(heads: Sequence[str], labels: dict[str, list[str]]) -> NDArray[np.int64]:
    """The columns of some heads in the matrix of all."""
    starts = np.cumsum([0, *(len(labels[head]) for head in HEADS)])
    return np.concatenate([np.arange(len(labels[head])) + starts[HEADS.index(head)] for head in heads])
