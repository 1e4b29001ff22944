"""Counts and sums by bins, element by element in NumPy's order."""

from __future__ import annotations

from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import literal, register
from lazyarr.backends.native_frame import Frame, constant_view
from lazyarr.backends.native_storage import Scalar, Storage
from lazyarr.ir.node import Node

#: Operations on an element that are done where it is counted.
_CHEAP = 2.0


def bincount(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    """How many elements are each number below `length`, or the sum of their weights; other elements count nowhere."""
    code = frame.code
    # Steps of the loop below wait for each other; arithmetic is done before, with vectors.
    x, *weights = (frame.materialize(s) if s.flops > _CHEAP else s for s in given)
    dtype = node.types[0].dtype
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(dtype, shape, bounds)
    frame.working.append(target)
    nests.fill(code, target, constant_view(Scalar(dtype, literal(0, dtype)), shape, bounds))
    weighted = dtype.kind == "f"  # counts of no elements are integers, whatever the weights
    add = f"{'fadd' if weighted else 'add'} {register(dtype)}"
    with code.statement(), nests.nest(code, x.shape) as at:
        (where,) = x.element(code, at, {})
        with code.when(code.emit(f"icmp ult i64 {where}, {shape[0]}")):
            (weight,) = weights[0].element(code, at, {}) if weighted else literal(1, dtype)
            (old,) = target.element(code, (where,), {})
            target.put(code, (where,), (code.emit(f"{add} {old}, {weight}"),))
    return [target]
