"""Where the speech tests find a model and recordings; without them they skip and say why."""

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from neural_hive.errors import ModelError
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.recognise import Recogniser
from neural_hive.understanding.speech.weights import resolve
from neural_hive.understanding.vad import VoiceActivityDetector

_ROOT = Path(__file__).resolve().parents[4]

D, HEADS, MELS, LAYERS, POSITIONS, CONTEXT = 32, 2, 80, 2, 1500, 64


def _missing(what: str) -> None:
    if "speech" in os.environ.get("HIVE_TEST_REQUIRE", "").split(","):
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def recordings() -> Path:
    folder = Path(os.environ.get("HIVE_SPEECH_DATA", _ROOT.parent / "shared" / "data" / "speech"))
    if not (folder / "clips.jsonl").exists():
        _missing("no recordings: set HIVE_SPEECH_DATA to a folder with clips.jsonl")
    return folder


@pytest.fixture(scope="session")
def clips(recordings: Path) -> list[dict]:
    return [json.loads(line) for line in (recordings / "clips.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def whisper() -> Path:
    try:
        return resolve(os.environ.get("HIVE_SPEECH_MODEL", "whisper-base"))
    except ModelError as error:
        _missing(str(error))
        raise


@pytest.fixture(scope="session")
def recogniser(whisper: Path) -> Recogniser:
    return Recogniser(WhisperModel(whisper), VoiceActivityDetector())


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Whisper of two layers with random weights: right in shape, wrong in everything it says."""
    folder = tmp_path_factory.mktemp("tiny-whisper")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    text = [*alphabet, "Ġa", "Ġc", "ç", "Ðŀ"]
    steering = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|es|>", "<|pt|>", "<|fr|>", "<|transcribe|>"]
    vocabulary = [*text, *steering, "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, []))
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "vocabulary.txt").write_text("".join(f"{token}\n" for token in vocabulary), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps({"suppress_ids": [0, 1], "suppress_ids_begin": [220]}))
    write_checkpoint(folder, n_vocabulary=len(vocabulary), rng=np.random.default_rng(7))
    return folder


def _linear(name, n_out, n_in):
    return {f"{name}/weight": (n_out, n_in), f"{name}/bias": (n_out,)}


def _norm(name):
    return {f"{name}/gamma": (D,), f"{name}/beta": (D,)}


def _layer(name, has_memory):
    shapes = _norm(f"{name}/self_attention/layer_norm") | _norm(f"{name}/ffn/layer_norm")
    shapes |= _linear(f"{name}/self_attention/linear_0", 3 * D, D) | _linear(f"{name}/self_attention/linear_1", D, D)
    shapes |= _linear(f"{name}/ffn/linear_0", 4 * D, D) | _linear(f"{name}/ffn/linear_1", D, 4 * D)
    if has_memory:
        shapes |= _norm(f"{name}/attention/layer_norm") | _linear(f"{name}/attention/linear_0", D, D)
        shapes |= _linear(f"{name}/attention/linear_1", 2 * D, D) | _linear(f"{name}/attention/linear_2", D, D)
    return shapes


def _shapes(n_vocabulary):
    shapes = {"encoder/conv1/weight": (D, MELS, 3), "encoder/conv1/bias": (D,)}
    shapes |= {"encoder/conv2/weight": (D, D, 3), "encoder/conv2/bias": (D,)}
    shapes |= {"encoder/position_encodings/encodings": (POSITIONS, D)}
    shapes |= {"decoder/position_encodings/encodings": (CONTEXT, D), "decoder/embeddings/weight": (n_vocabulary, D)}
    shapes |= _norm("encoder/layer_norm") | _norm("decoder/layer_norm")
    for i in range(LAYERS):
        shapes |= _layer(f"encoder/layer_{i}", has_memory=False) | _layer(f"decoder/layer_{i}", has_memory=True)
    return shapes


def _text(value):
    raw = value.encode() + b"\0"
    return struct.pack("<H", len(raw)) + raw


def _tensor(name, array):
    kind = {"float32": 0, "int8": 1, "int16": 2, "float16": 4}[array.dtype.name]
    raw = array.tobytes()
    shape = struct.pack(f"<{array.ndim}I", *array.shape)
    return _text(name) + struct.pack("<B", array.ndim) + shape + struct.pack("<BI", kind, len(raw)) + raw


def write_checkpoint(folder: Path, *, n_vocabulary: int, rng: np.random.Generator) -> None:
    tensors = {name: (rng.normal(0, 0.2, shape)).astype(np.float16) for name, shape in _shapes(n_vocabulary).items()}
    for name in tensors:
        if name.endswith("gamma"):
            tensors[name] += np.float16(1)
    tensors |= {"encoder/num_heads": np.array(HEADS, np.int16), "decoder/activation": np.array(3, np.int8)}
    body = b"".join(_tensor(name, array) for name, array in tensors.items())
    alias = struct.pack("<I", 1) + _text("decoder/projection/weight") + _text("decoder/embeddings/weight")
    head = struct.pack("<I", 6) + _text("WhisperSpec") + struct.pack("<II", 3, len(tensors))
    (folder / "model.bin").write_bytes(head + body + alias)
