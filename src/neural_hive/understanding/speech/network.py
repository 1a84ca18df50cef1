"""Whisper's two networks as ONNX graphs in int8, built from a checkpoint's tensors.

Activations are quantised per row and weights per output channel, as CTranslate2 does, but onnxruntime packs the weights
once, where oneDNN under CTranslate2 packs them at every call: that alone is most of the speed
    (docs/explanation/speech.md).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neural_hive.understanding.speech.checkpoint import Checkpoint
from neural_hive.understanding.speech.onnx_graph import INT64, Graph

Weights = NDArray[np.float32]


class _Builder:
    """A graph and the few blocks that Whisper is made of."""

    def __init__(self, name: str, checkpoint: Checkpoint, n_heads: int, *, per_row: bool) -> None:
        self.graph, self.weights, self.n_heads, self._per_row = Graph(name), checkpoint, n_heads, per_row
        if not per_row:
            return
        self._inverse_127 = self.graph.constant(np.array(1 / 127, np.float32))
        self._tiny = self.graph.constant(np.array(1e-12, np.float32))
        self._zero_point = self.graph.constant(np.array(128, np.uint8))
        self._zero_point_f = self.graph.constant(np.array(128, np.float32))
        self._last_axis = self.graph.constant(np.array([-1], np.int64))

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation over the last axis."""
        gamma, beta = (self.graph.constant(self.weights.float32(f"{name}/{part}")) for part in ("gamma", "beta"))
        return self.graph.add("LayerNormalization", x, gamma, beta, axis=-1, epsilon=1e-5)

    def linear(self, x: str, name: str, *, rows: NDArray[np.int64] | None = None, with_bias: bool = True) -> str:
        """`x @ W.T + b` in int8: W per output channel to [-127, 127], x per row or as a whole to [0, 255].

        Source: Jacob et al. 2018, "Quantization and Training of Neural Networks", per channel.
        """
        packed, scale = quantise(self.weights.float32(f"{name}/weight", rows))
        bias = self.weights.float32(f"{name}/bias") if with_bias else None
        if not self._per_row:
            constants = [self.graph.constant(packed), self.graph.constant(scale), ""]
            return self.graph.add("DynamicQuantizeMatMul", x, *constants, *self._constants(bias))
        product = self._row_wise(x, packed, scale)
        return self.graph.add("Add", product, *self._constants(bias)) if with_bias else product

    def _constants(self, *arrays: Weights | None) -> list[str]:
        return [self.graph.constant(array) for array in arrays if array is not None]

    def _row_wise(self, x: str, packed: NDArray[np.int8], scale: Weights) -> str:
        g = self.graph
        largest = g.add("Max", g.add("ReduceMax", g.add("Abs", x), self._last_axis, keepdims=1), self._tiny)
        step = g.add("Mul", largest, self._inverse_127)
        shifted = g.add("Add", g.add("Div", x, step), self._zero_point_f)
        quantised = g.add("Cast", g.add("Round", shifted), to=2)
        whole = g.add("MatMulInteger", quantised, g.constant(packed), self._zero_point)
        # Two products on purpose: onnxruntime fuses cast × (row scale × column scale) into an operator that takes the
        # row scale for a single number (MatMulIntegerToFloat, seen in 1.32), and the network then hears nothing.
        by_column = g.add("Mul", g.add("Cast", whole, to=1), g.constant(scale))
        return g.add("Mul", by_column, step)

    def feed_forward(self, x: str, name: str) -> str:
        """LN → linear → GELU → linear, with the residual."""
        hidden = self.linear(self.norm(x, f"{name}/layer_norm"), f"{name}/linear_0", with_bias=False)
        bias = self.graph.constant(self.weights.float32(f"{name}/linear_0/bias"))
        return self.graph.add("Add", x, self.linear(self.graph.add("BiasGelu", hidden, bias), f"{name}/linear_1"))

    def shape(self, *dims: int) -> str:
        """A constant shape for Reshape; 0 keeps a dimension and -1 infers it."""
        return self.graph.constant(np.array(dims, np.int64))


def quantise(weight: Weights) -> tuple[NDArray[np.int8], Weights]:
    """Weights (n_out, n_in) → int8 (n_in, n_out) in [-127, 127] and the float32 (n_out,) steps that undo it."""
    scale = np.maximum(np.maximum(weight.max(axis=1), -weight.min(axis=1)), 1e-12) / np.float32(127)
    return np.ascontiguousarray(np.rint(weight / scale[:, None]).astype(np.int8).T), scale


def encoder_graph(checkpoint: Checkpoint, n_heads: int) -> bytes:
    """Log-mel → keys and values for every cross-attention of the decoder.

    Inputs: `mel` float32 (1, n_mels, 2·n_positions); `positions` float32 (n_positions, d_model).
    Outputs per decoder layer i: `cross_key_i` float32 (n_heads, d_head, n_positions), divided by sqrt(d_head) already;
    `cross_value_i` float32 (n_heads, n_positions, d_head).
    """
    b = _Builder("encoder", checkpoint, n_heads, per_row=True)
    g = b.graph
    n_mels, d_model = checkpoint.raw("encoder/conv1/weight").shape[1], checkpoint.raw("encoder/conv1/weight").shape[0]
    x = g.input("mel", (1, n_mels, "n_frames"))
    g.input("positions", ("n_positions", d_model))
    for name, stride in (("conv1", 1), ("conv2", 2)):
        kernel, bias = (g.constant(checkpoint.float32(f"encoder/{name}/{part}")) for part in ("weight", "bias"))
        x = g.add("Gelu", g.add("Conv", x, kernel, bias, kernel_shape=[3], pads=[1, 1], strides=[stride]))
    x = g.add("Add", g.add("Transpose", x, perm=[0, 2, 1]), "positions")
    for i in range(checkpoint.n_layers("encoder")):
        x = _encoder_layer(b, x, f"encoder/layer_{i}")
    memory = b.norm(x, "encoder/layer_norm")
    for i in range(checkpoint.n_layers("decoder")):
        _cross_memory(b, memory, i)
    return g.model()


def _encoder_layer(b: _Builder, x: str, name: str) -> str:
    g = b.graph
    fused = b.linear(b.norm(x, f"{name}/self_attention/layer_norm"), f"{name}/self_attention/linear_0")
    q = g.add("Split", fused, n_outputs=3, axis=-1, num_outputs=3)
    attended = g.add("MultiHeadAttention", q, f"{q}_1", f"{q}_2", num_heads=b.n_heads)
    x = g.add("Add", x, b.linear(attended, f"{name}/self_attention/linear_1"))
    return b.feed_forward(x, f"{name}/ffn")


def _cross_memory(b: _Builder, memory: str, layer: int) -> None:
    g = b.graph
    fused = b.linear(memory, f"decoder/layer_{layer}/attention/linear_1")
    key = g.add("Split", fused, n_outputs=2, axis=-1, num_outputs=2)
    key_scale = g.constant(np.array(_d_head(b) ** -0.5, np.float32))
    for source, name, perm in ((g.add("Mul", key, key_scale), "key", (1, 2, 0)), (f"{key}_1", "value", (1, 0, 2))):
        heads = g.add("Transpose", g.add("Reshape", source, b.shape(-1, b.n_heads, _d_head(b))), perm=perm)
        g.output(heads, f"cross_{name}_{layer}", _memory_shape(b, name))


def _memory_shape(b: _Builder, name: str) -> tuple[int | str, ...]:
    return (b.n_heads, _d_head(b), "n_positions") if name == "key" else (b.n_heads, "n_positions", _d_head(b))


def _d_head(b: _Builder) -> int:
    return int(b.weights.raw("encoder/conv1/weight").shape[0]) // b.n_heads


def decoder_graph(checkpoint: Checkpoint, n_heads: int, tokens: NDArray[np.int64], n_best: int) -> bytes:
    """One decoder step for any number of hypotheses that hear the same sound.

    All hypotheses share one pool of past keys and values; `mask` says which past each row descends from, so that a
    beam is reordered by changing a mask and no key is ever copied for it.

    Args:
        checkpoint: The tensors.
        n_heads: Attention heads.
        tokens: int64 (n_out,), the vocabulary ids that may be said; other rows of the output matrix are left out.
        n_best: How many of the likeliest tokens to return per row.

    Inputs: `x` float32 (n, d_model) token + position embedding; `mask` float32 (n, n_past + n), 0 or -inf; `rows` int64
    (r,) rows whose next token is wanted; `bias` float32 (n_out,); `past_key_i`, `past_value_i` float32
    (n_heads, n_past, d_head) and `cross_key_i`, `cross_value_i` per layer i.
    Outputs: `log_probs` float32 (r, n_out); `best` float32 and `best_index` int64 (r, n_best); `attention` float32
    (n_alignment_heads, n, n_positions); `key_i`, `value_i` float32 (n_heads, n_past + n, d_head).
    """
    b = _Builder("decoder", checkpoint, n_heads, per_row=False)
    g, d_head = b.graph, _d_head(b)
    x = g.input("x", ("n", d_head * n_heads))
    g.input("mask", ("n", "n_all"))
    g.input("rows", ("r",), INT64)
    g.input("bias", (len(tokens),))
    attention: list[str] = []
    for i in range(checkpoint.n_layers("decoder")):
        x = _decoder_layer(b, x, i, attention)
    g.output(g.add("Concat", *attention, axis=0), "attention", ("n_alignment_heads", "n", "n_positions"))
    last = b.norm(g.add("Gather", x, "rows", axis=0), "decoder/layer_norm")
    logits = b.linear(last, "decoder/projection", rows=tokens, with_bias=False)
    log_probs = g.add("LogSoftmax", g.add("Add", logits, "bias"), axis=-1)
    best = g.add("TopK", log_probs, g.constant(np.array([n_best], np.int64)), n_outputs=2, axis=-1)
    g.output(log_probs, "log_probs", ("r", len(tokens)))
    g.output(best, "best", ("r", n_best))
    g.output(f"{best}_1", "best_index", ("r", n_best), INT64)
    return g.model()


def _decoder_layer(b: _Builder, x: str, layer: int, attention: list[str]) -> str:
    name = f"decoder/layer_{layer}"
    x = _self_attention(b, x, layer)
    return b.feed_forward(_cross_attention(b, x, layer, attention), f"{name}/ffn")


def _self_attention(b: _Builder, x: str, layer: int) -> str:
    g, d_head, name = b.graph, _d_head(b), f"decoder/layer_{layer}/self_attention"
    fused = b.linear(b.norm(x, f"{name}/layer_norm"), f"{name}/linear_0")
    heads = g.add("Transpose", g.add("Reshape", fused, b.shape(-1, 3 * b.n_heads, d_head)), perm=[1, 0, 2])
    q = g.add("Split", heads, n_outputs=3, axis=0, num_outputs=3)
    for part, index in (("key", 1), ("value", 2)):
        g.input(f"past_{part}_{layer}", (b.n_heads, "n_past", d_head))
        g.add("Concat", f"past_{part}_{layer}", f"{q}_{index}", axis=1, name=f"{part}_{layer}")
        g.declare(f"{part}_{layer}", (b.n_heads, "n_all", d_head))
    scores = g.add("FusedMatMul", q, f"key_{layer}", transB=1, alpha=float(d_head**-0.5))
    weights = g.add("Softmax", g.add("Add", scores, "mask"), axis=-1)
    return g.add("Add", x, b.linear(_merge(b, g.add("MatMul", weights, f"value_{layer}")), f"{name}/linear_1"))


def _cross_attention(b: _Builder, x: str, layer: int, attention: list[str]) -> str:
    g, d_head, name = b.graph, _d_head(b), f"decoder/layer_{layer}/attention"
    flat = b.linear(b.norm(x, f"{name}/layer_norm"), f"{name}/linear_0")
    q = g.add("Transpose", g.add("Reshape", flat, b.shape(-1, b.n_heads, d_head)), perm=[1, 0, 2])
    for part in ("key", "value"):
        g.input(f"cross_{part}_{layer}", _memory_shape(b, part))
    weights = g.add("Softmax", g.add("MatMul", q, f"cross_key_{layer}"), axis=-1)
    chosen = [head for at, head in alignment_heads(b.weights, b.n_heads) if at == layer]
    if chosen:
        attention.append(g.add("Gather", weights, g.constant(np.array(chosen, np.int64)), axis=0))
    return g.add("Add", x, b.linear(_merge(b, g.add("MatMul", weights, f"cross_value_{layer}")), f"{name}/linear_2"))


def alignment_heads(checkpoint: Checkpoint, n_heads: int) -> list[tuple[int, int]]:
    """(layer, head) pairs whose attention follows the sound: the checkpoint's own, else every head of the upper half.

    Source: openai/whisper, `Whisper.__init__` (the default) and `_ALIGNMENT_HEADS`.
    """
    stated = checkpoint.config.get("alignment_heads")
    if stated:
        return [(int(layer), int(head)) for layer, head in stated]
    n_layers = checkpoint.n_layers("decoder")
    return [(layer, head) for layer in range(n_layers // 2, n_layers) for head in range(n_heads)]


def _merge(b: _Builder, heads: str) -> str:
    return b.graph.add("Reshape", b.graph.add("Transpose", heads, perm=[1, 0, 2]), b.shape(-1, b.n_heads * _d_head(b)))
