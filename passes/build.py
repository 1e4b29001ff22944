"""What several passes ask of values and build from them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from lazyarr.ir import extents
from lazyarr.ir.extents import Shape
from lazyarr.ir.node import Node, Value, apply
from lazyarr.ir.op import lookup
from lazyarr.ops.control import REGION
from lazyarr.ops.create import CONST, FULL, const
from lazyarr.ops.elementwise import CAST
from lazyarr.ops.shape import BROADCAST, RESHAPE
from lazyarr.ops.window import SPREAD

#: The two operations of `broadcast_to`, which repeat elements and do nothing else.
REPEATING = (FULL, BROADCAST)


def moves_freely(node: Node) -> bool:
    """Whether element-wise work may be done on parts of its operands, or before they are repeated, bit for bit."""
    return node.op.pointwise and all(node.operands[k].type.shape == () for k in node.op.scalar_loops)


def is_free(node: Node) -> bool:
    """Whether making `node` again anywhere costs nothing: constants, ramps, and what repeats a constant."""
    while node.op.memory == "free" and len(node.operands) == 1:
        node = node.operands[0].node
    return node.op.memory == "free" and not node.operands


def has_lowering(node: Node) -> bool:
    """Whether XLA can run `node`, with the run-time lengths of its operands; what its regions hold is not asked."""
    if "xla" not in node.op.backends:
        return False
    return node.op.pointwise or node.op.padded is not None or static(*node.operands, *node.values)


def runs_on(node: Node) -> tuple[str, ...]:
    """Back ends that can run `node` and everything in its regions, the best first.

    Raises
    ------
    ValueError
        If there is none.
    """
    if node.op is REGION:
        return (node.kw["backend"],)
    # Native code calls NumPy for what it has no instructions for: it runs everything.
    found = node.op.backends if "native" in node.op.backends else (*node.op.backends, "native")
    if not has_lowering(node):
        found = tuple(b for b in found if b != "xla")
    for region in node.regions:
        for inner in region.nodes:
            can = runs_on(inner)
            found = tuple(b for b in found if b in can)
    if not found:
        raise ValueError(f"no back end runs {node.op.name}")
    return found


def backend_of(node: Node) -> str:
    """The back end of a node as it stands: what `place` has put into no region is XLA's, if XLA can run it."""
    can = runs_on(node)
    return "xla" if "xla" in can else can[0]


def is_repeating(value: Value) -> bool:
    """Whether `value` repeats elements of another one."""
    return value.node.op in REPEATING


def op_name(value: Value) -> str:
    """Name of the operation that makes `value`."""
    return value.node.op.name


def constant(value: Value) -> Any:
    """The NumPy scalar that fills `value`, or None if it is not known to be one constant everywhere."""
    node = value.node
    while node.op is not CONST:
        if node.op is not FULL and node.op not in (BROADCAST, RESHAPE):
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
    if not extents.is_static(shape):
        # Attributes hold no lengths of the program's own: those are operands.
        lengths = [n for n in shape if isinstance(n, extents.Length)]
        return apply(SPREAD, value, *[n.scalar for n in lengths], bounds=tuple(n.bound for n in lengths),
                     shape=tuple("n" if isinstance(n, extents.Length) else n for n in shape))  # fmt: skip
    if value.type.shape == ():
        return apply(FULL, value, shape=shape)
    return apply(BROADCAST, value, shape=shape)


def reshape(value: Value, shape: Shape) -> Value:
    """`value` in another shape; itself if it has that shape."""
    return value if value.type.shape == shape else apply(RESHAPE, value, shape=shape)


def cast(value: Value, dtype: np.dtype[Any]) -> Value:
    """`value` in another dtype; itself if it has that dtype."""
    return value if value.type.dtype == dtype and not value.type.weak else apply(CAST, value, dtype=dtype)


def repeated(value: Value) -> Value:
    """What `value` repeats: itself, with repeating operations taken off."""
    while is_repeating(value):
        value = value.node.operands[0]
    return value


def counted(name: str, *operands: Value) -> Value:
    """An operation on whole numbers that count iterations; of constants, a constant."""
    known = [v.node.kw["value"].value for v in operands if v.node.op.name == "const"]
    if len(known) == len(operands):
        return const(getattr(np, name)(*known), operands[0].type.dtype)
    return apply(lookup(name), *operands)
