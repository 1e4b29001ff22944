"""What several passes ask of values and build from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Shape
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ops.create import CONST, FULL
from lazyarr.ops.elementwise import CAST, ELEMENTWISE

#: Operations that repeat elements, and nothing else.
REPEATING = frozenset({"full", "broadcast"})
_POINTWISE = frozenset(ELEMENTWISE) | {"cast", "select", "real", "imag", "complex", "bitcast"}


def is_pointwise(node: Node) -> bool:
    """Whether every result element is one function of the operands' elements at its (broadcast) position."""
    return node.op.name in _POINTWISE


def strides_matter(node: Node) -> bool:
    """Whether NumPy's loop would give other bits on operands of other strides.

    ``numpy.power`` computes ``x * x`` for a scalar exponent 2, and calls a library for an array of them.
    """
    return node.op.name in ("power", "float_power") and node.operands[1].type.shape != ()


def op_name(value: Value) -> str:
    """Name of the operation that makes `value`."""
    return value.node.op.name


def constant(value: Value) -> Any:
    """The NumPy scalar that fills `value`, or None if it is not known to be one constant everywhere."""
    node = value.node
    while node.op is not CONST:
        if node.op is not FULL and node.op.name not in ("broadcast", "reshape"):
            return None
        node = node.operands[0].node
    return node.kw["value"].value


def static(*values: Value) -> bool:
    """Whether every extent of the values' shapes is a number."""
    return all(extents.is_static(value.type.shape) for value in values)


def size(shape: Shape) -> int:
    """Number of elements of a static shape."""
    return math.prod(shape)


def broadcast_to(value: Value, shape: Shape) -> Value:
    """`value` repeated to `shape`; itself if it has that shape."""
    if value.type.shape == shape:
        return value
    if value.type.shape == ():
        return apply(FULL, value, shape=shape)
    return apply(lookup("broadcast"), value, shape=shape)


def reshape(value: Value, shape: Shape) -> Value:
    """`value` in another shape; itself if it has that shape."""
    return value if value.type.shape == shape else apply(lookup("reshape"), value, shape=shape)


def cast(value: Value, dtype: np.dtype[Any]) -> Value:
    """`value` in another dtype; itself if it has that dtype."""
    return value if value.type.dtype == dtype and not value.type.weak else apply(CAST, value, dtype=dtype)


def repeated(value: Value) -> Value:
    """What `value` repeats: itself, with repeating operations taken off."""
    while value.node.op.name in REPEATING:
        value = value.node.operands[0]
    return value
