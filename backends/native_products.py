"""Products of arrays: loops where they are small, BLAS through NumPy where they are large."""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_scalar
from lazyarr.backends.native_emit import Code, Element, Index, literal
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Computed, Pointwise, Storage, Strided
from lazyarr.ir.node import Node

#: Multiplications from which on a product goes to BLAS (the call costs two to three microseconds).
LARGE_MATRIX = 12**3 * 4
LARGE_VECTOR = 100 * 100


def matmul(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """``a @ b`` of at most two axes each."""
    a, b = given
    dtype = a.dtype
    if dtype == np.float16 or len(a.shape) > 2 or len(b.shape) > 2:
        return _by_numpy(frame, node, given)
    if len(a.shape) == 1 and len(b.shape) == 1:
        return [nests.reduce_scalar(frame.code, _product(dtype, a, b), "add")]
    work = float(np.prod([float(n) for n in a.bounds])) * (b.bounds[1] if len(b.bounds) == 2 else 1)
    square = len(a.shape) == len(b.shape)
    # Run-time lengths are smaller than their bounds as a rule.
    static = all(isinstance(n, int) for n in (*a.shape, *b.shape))
    if dtype.kind in "fc" and work * (1.0 if static else 0.1) > (LARGE_MATRIX if square else LARGE_VECTOR):
        return _by_numpy(frame, node, given)
    if len(b.shape) == 1 and not _unit(a, 1):
        return matvec_columns(frame, node, a, b)
    code = frame.code
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(dtype, shape, bounds)
    zero = literal(0, dtype)
    multiply, add = native_scalar.combine("multiply", dtype), nests.accumulation("add", dtype)
    assert multiply is not None
    if len(b.shape) == 1:
        # Rows of a times b: one sum a row.
        def row(c: Code, at: tuple[Index, ...], k: Index) -> Element:
            return multiply(c, a.element(c, (*at, k), {}), b.element(c, (k,), {}))

        with code.statement(), nests.nest(code, shape) as at:
            slots = nests.variable(code, dtype, zero)
            with code.loop(0, a.shape[-1]) as k:
                new = add(code, nests.read(code, dtype, slots), row(code, at, k))
                nests.assign(code, dtype, slots, new)
            target.put(code, at, nests.read(code, dtype, slots))
        return [target]
    nests.fill(code, target, Computed(dtype, shape, bounds, lambda c, at, seen: zero))
    inner, lead = a.shape[-1], len(a.shape) - 1
    plain = native_scalar.combine("add", dtype)
    assert plain is not None
    with code.statement(), nests.nest(code, shape[:lead]) as rows, code.loop(0, inner) as k:
        factor = a.element(code, (*rows, k), {})
        with code.loop(0, b.shape[1]) as j:
            where = (*rows, j)
            term = multiply(code, factor, b.element(code, (k, j), {}))
            target.put(code, where, plain(code, target.element(code, where, {}), term))
    return [target]


def matvec_columns(frame: Frame, node: Node, a: Storage, b: Storage) -> list[Storage]:
    """``a @ b`` where the columns of `a` are contiguous: their sum with the elements of `b` as factors."""
    code, dtype = frame.code, a.dtype
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(dtype, shape, bounds)
    zero = literal(0, dtype)
    multiply, plain = native_scalar.combine("multiply", dtype), native_scalar.combine("add", dtype)
    assert multiply is not None and plain is not None
    nests.fill(code, target, Computed(dtype, shape, bounds, lambda c, at, seen: zero))
    with code.statement(), code.loop(0, a.shape[1]) as k:
        factor = b.element(code, (k,), {})
        with code.loop(0, a.shape[0]) as i:
            term = multiply(code, a.element(code, (i, k), {}), factor)
            target.put(code, (i,), plain(code, target.element(code, (i,), {}), term))
    return [target]


def _unit(x: Storage, axis: int) -> bool:
    """Whether neighbours on an axis are neighbours in memory, as far as is known."""
    return not isinstance(x, Strided) or x.strides[axis] == 1


def _product(dtype: np.dtype[Any], a: Storage, b: Storage) -> Pointwise:
    multiply = native_scalar.combine("multiply", dtype)
    assert multiply is not None
    return Pointwise(dtype, a.shape, a.bounds, [a, b], lambda c, xs: (multiply(c, *xs),), 1.0)


def _by_numpy(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    if not node.types[0].shape:
        return frame.host(node, given)
    return frame.host_call(np.matmul, given, node.types, into=True)
