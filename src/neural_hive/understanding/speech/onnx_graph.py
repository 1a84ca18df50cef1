"""Writes an ONNX model as bytes, so that building a graph needs no more than numpy."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: ONNX element types (onnx.proto3, TensorProto.DataType).
FLOAT, UINT8, INT8, INT32, INT64 = 1, 2, 3, 6, 7
_TYPE_OF = {"float32": FLOAT, "uint8": UINT8, "int8": INT8, "int32": INT32, "int64": INT64}
#: Operators that onnxruntime defines itself.
MICROSOFT = "com.microsoft"
_MICROSOFT_OPS = frozenset({"Gelu", "BiasGelu", "FusedMatMul", "MultiHeadAttention", "DynamicQuantizeMatMul"})
_IR_VERSION, _OPSET = 9, 18

Attribute = int | float | str | Sequence[int]
Dimension = int | str


def _varint(value: int) -> bytes:
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _chunk(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _attribute(name: str, value: Attribute) -> bytes:
    head = _chunk(1, name)
    if isinstance(value, int):
        return head + _number(3, value) + _number(20, 2)
    if isinstance(value, float):
        return head + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, 1)
    if isinstance(value, str):
        return head + _chunk(4, value) + _number(20, 3)
    return head + b"".join(_number(8, item) for item in value) + _number(20, 7)


def _value_info(name: str, element: int, shape: Sequence[Dimension]) -> bytes:
    dims = b"".join(_chunk(1, _number(1, d) if isinstance(d, int) else _chunk(2, d)) for d in shape)
    return _chunk(1, name) + _chunk(2, _chunk(1, _number(1, element) + _chunk(2, dims)))


class Graph:
    """A graph under construction: constants, nodes, inputs and outputs, in the order they are added.

    Source: onnx/onnx.proto3 (field numbers), IR version 9, opset 18 and onnxruntime's own operators.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []
        self._names = self._fresh_names()

    @staticmethod
    def _fresh_names() -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield f"t{number}"

    def input(self, name: str, shape: Sequence[Dimension], element: int = FLOAT) -> str:
        """Declare an input; a dimension given by name is free."""
        self._inputs.append(_value_info(name, element, shape))
        return name

    def output(self, source: str, name: str, shape: Sequence[Dimension], element: int = FLOAT) -> None:
        """Give the tensor `source` a public name."""
        self._nodes.append(_chunk(1, source) + _chunk(2, name) + _chunk(4, "Identity"))
        self.declare(name, shape, element)

    def declare(self, name: str, shape: Sequence[Dimension], element: int = FLOAT) -> None:
        """Make a tensor that was named when it was added an output."""
        self._outputs.append(_value_info(name, element, shape))

    def constant(self, array: NDArray[Any]) -> str:
        """Store `array` (float32, uint8, int8, int32 or int64, any shape) in the graph."""
        name = next(self._names)
        head = b"".join(_number(1, d) for d in array.shape) + _number(2, _TYPE_OF[array.dtype.name])
        self._constants.append(head + _chunk(8, name) + _chunk(9, np.ascontiguousarray(array).tobytes()))
        return name

    def add(self, op: str, *inputs: str, n_outputs: int = 1, name: str | None = None, **attributes: Attribute) -> str:
        """Add one operator and return the name of its first output; the others append `_1`, `_2`, ….

        Args:
            op: Operator type, e.g. `MatMul`.
            inputs: Names of tensors, an empty string for an optional one left out.
            n_outputs: How many outputs it has.
            name: Name of the first output; made up by default.
            attributes: Its attributes.
        """
        name = name or next(self._names)
        outputs = [name, *(f"{name}_{i}" for i in range(1, n_outputs))]
        domain = _chunk(7, MICROSOFT) if op in _MICROSOFT_OPS else b""
        body = b"".join(_chunk(1, i) for i in inputs) + b"".join(_chunk(2, o) for o in outputs) + _chunk(4, op)
        self._nodes.append(body + b"".join(_chunk(5, _attribute(k, v)) for k, v in attributes.items()) + domain)
        return name

    def model(self) -> bytes:
        """The whole model, ready for an inference session."""
        fields = ((1, self._nodes), (5, self._constants), (11, self._inputs), (12, self._outputs))
        graph = b"".join(_chunk(number, item) for number, items in fields for item in items) + _chunk(2, self._name)
        opsets = _chunk(8, _number(2, _OPSET)) + _chunk(8, _chunk(1, MICROSOFT) + _number(2, 1))
        return _number(1, _IR_VERSION) + opsets + _chunk(7, graph)
