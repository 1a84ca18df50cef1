"""The graphs compute what Whisper computes, however tokens are fed to them."""

import numpy as np
import pytest

from neural_hive.errors import ModelError
from neural_hive.understanding.speech.checkpoint import Checkpoint
from neural_hive.understanding.speech.model import WhisperModel
from neural_hive.understanding.speech.network import quantise


@pytest.fixture(scope="module")
def model(tiny):
    return WhisperModel(tiny, n_threads=1)


@pytest.fixture
def memory(model):
    sound = np.random.default_rng(1).normal(0, 0.1, 16_000).astype(np.float32)
    return model.encode(sound, 2.0)


def _mask(n, n_past=0):
    return np.triu(np.full((n, n_past + n), -np.inf, np.float32), n_past + 1)


def _free(model):
    return np.zeros(len(model.tokens.sayable), np.float32)


def test_tokens_fed_together_and_one_by_one_give_the_same_prediction(model, memory):
    tokens = np.array([model.tokens.sot, 10, 11, 12])
    whole = model.step(memory, model.start(), tokens, np.arange(4), _mask(4), _free(model), rows=np.array([3]))
    past = model.start()
    for i, token in enumerate(tokens):
        one = model.step(memory, past, np.array([token]), np.array([i]), _mask(1, i), _free(model))
    # Activations are quantised together or apart, so the last digits differ.
    np.testing.assert_allclose(one.log_probs, whole.log_probs, atol=0.15)


def test_hypotheses_in_one_pool_do_not_see_each_other(model, memory):
    past = model.start()
    model.step(memory, past, np.array([model.tokens.sot]), np.array([0]), _mask(1), _free(model))
    mask = np.full((2, 3), -np.inf, np.float32)
    mask[:, 0] = mask[0, 1] = mask[1, 2] = 0
    both = model.step(memory, past, np.array([20, 30]), np.array([1, 1]), mask, _free(model))
    for row, token in enumerate((20, 30)):
        alone = model.start()
        model.step(memory, alone, np.array([model.tokens.sot]), np.array([0]), _mask(1), _free(model))
        step = model.step(memory, alone, np.array([token]), np.array([1]), _mask(1, 1), _free(model))
        # One quantisation step is shared by the rows of a decoder call, so the last digits differ.
        np.testing.assert_allclose(both.log_probs[row], step.log_probs[0], atol=0.15)


def test_each_row_of_the_encoder_has_its_own_step_of_quantisation(tiny):
    """A fused operator of the runtime once took the rows' steps for one number."""
    model = WhisperModel(tiny, n_threads=1)
    rng = np.random.default_rng(2)
    sound = np.concatenate([rng.normal(0, 0.3, 16_000), rng.normal(0, 0.0003, 16_000)]).astype(np.float32)
    memory = model.encode(sound, 2.0)
    reference = _reference_memory(Checkpoint(tiny), model.mel(sound, 2.0)[0])
    for name, expected in reference.items():
        got = memory.feeds[name].numpy()
        error = np.abs(got - expected).max() / np.abs(expected).max()
        assert error < 0.05, f"{name} is off by {error:.3f}"


def _reference_memory(c, mel):
    """The encoder in float32, written down from the paper: what the graph must approximate."""
    x = _gelu(_convolve(mel, c, "conv1", 1))
    x = _gelu(_convolve(x, c, "conv2", 2)).T
    x = x + c.float32("encoder/position_encodings/encodings")[: len(x)]
    for i in range(2):
        name = f"encoder/layer_{i}"
        x = x + _attend(_norm(x, c, f"{name}/self_attention/layer_norm"), c, f"{name}/self_attention")
        hidden = _linear(_norm(x, c, f"{name}/ffn/layer_norm"), c, f"{name}/ffn/linear_0")
        x = x + _linear(_gelu(hidden), c, f"{name}/ffn/linear_1")
    x = _norm(x, c, "encoder/layer_norm")
    out = {}
    for i in range(2):
        key, value = np.split(_linear(x, c, f"decoder/layer_{i}/attention/linear_1"), 2, axis=1)
        out[f"cross_key_{i}"] = key.reshape(-1, 2, 16).transpose(1, 2, 0) / 4
        out[f"cross_value_{i}"] = value.reshape(-1, 2, 16).transpose(1, 0, 2)
    return out


def _gelu(x):
    from math import erf

    return 0.5 * x * (1 + np.vectorize(erf)(x / np.sqrt(2)))


def _convolve(x, c, name, stride):
    kernel, bias = c.float32(f"encoder/{name}/weight"), c.float32(f"encoder/{name}/bias")
    padded = np.pad(x, ((0, 0), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 3, axis=1)[:, ::stride]
    return np.einsum("itk,oik->ot", windows, kernel) + bias[:, None]


def _norm(x, c, name):
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-5)
    return scaled * c.float32(f"{name}/gamma") + c.float32(f"{name}/beta")


def _linear(x, c, name):
    return x @ c.float32(f"{name}/weight").T + c.float32(f"{name}/bias")


def _attend(x, c, name):
    parts = np.split(_linear(x, c, f"{name}/linear_0"), 3, 1)
    q, k, v = (part.reshape(-1, 2, 16).transpose(1, 0, 2) for part in parts)
    scores = q @ k.transpose(0, 2, 1) / 4
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    heads = (weights / weights.sum(axis=-1, keepdims=True)) @ v
    return _linear(heads.transpose(1, 0, 2).reshape(len(x), -1), c, f"{name}/linear_1")


def test_quantised_weights_differ_by_at_most_half_a_step():
    weight = np.random.default_rng(3).normal(size=(5, 9)).astype(np.float32)
    packed, scale = quantise(weight)
    assert packed.shape == (9, 5)
    assert np.all(np.abs(packed.T * scale[:, None] - weight) <= scale[:, None] / 2 + 1e-6)


def test_graphs_are_kept_beside_the_checkpoint_and_used_again(tiny, model):
    kept = sorted(tiny.glob("hive-*.onnx"))
    assert [path.name.split("-")[1] for path in kept] == ["decoder", "encoder"]
    before = [path.stat().st_mtime_ns for path in kept]
    WhisperModel(tiny, n_threads=1)
    assert [path.stat().st_mtime_ns for path in kept] == before


@pytest.mark.parametrize("damage", [b"", b"\x06\0\0\0", b"\xff" * 200])
def test_a_damaged_checkpoint_is_a_model_error(tiny, tmp_path, damage):
    for name in ("config.json", "vocabulary.txt", "tokenizer.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    (tmp_path / "model.bin").write_bytes(damage)
    with pytest.raises(ModelError):
        WhisperModel(tmp_path)


def test_a_truncated_checkpoint_is_a_model_error(tiny, tmp_path):
    for name in ("config.json", "vocabulary.txt", "tokenizer.json"):
        (tmp_path / name).write_bytes((tiny / name).read_bytes())
    (tmp_path / "model.bin").write_bytes((tiny / "model.bin").read_bytes()[:5_000])
    with pytest.raises(ModelError):
        WhisperModel(tmp_path)


def test_only_text_of_our_languages_and_steering_tokens_may_be_said(model):
    said = {model.tokens._tokenizer.id_to_token(int(i)) for i in model.tokens.sayable}
    assert {"Ġa", "ç", "<|endoftext|>", "<|pt|>", "<|nospeech|>"} <= said
    assert not {"Ðŀ", "<|notimestamps|>", "<|startoftranscript|>"} & said
    assert not {0, 1} & set(model.tokens.sayable.tolist()), "suppressed by the checkpoint's config"
