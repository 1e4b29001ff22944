"""Products of arrays: loops where they are small, BLAS through NumPy where they are large.

Products may be contracted (fused multiply-add) and their terms reordered, as in BLAS.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr.backends import native_blas, native_complex_products, native_scalar
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Along, Computed, Pointwise, Storage, Strided, View, view
from lazyarr.ir.node import Node

#: Multiplications from which on a product of matrices goes to BLAS: the call costs three microseconds.
LARGE = 24**3
#: Rows that are added to the result at a time.
UNROLL = 4
#: Rows of a result that they are added to at a time.
SIDE_BY_SIDE = 2

Combine = Callable[[Code, Element, Element], Element]


def arithmetic(dtype: np.dtype[Any]) -> tuple[Combine, Combine]:
    """Multiplication and addition as terms of a product need them."""
    if dtype.kind == "f":
        type = register(dtype)
        return (
            lambda c, x, y: (c.emit(f"fmul contract {type} {x[0]}, {y[0]}"),),
            lambda c, x, y: (c.emit(f"fadd reassoc contract {type} {x[0]}, {y[0]}"),),
        )
    multiply = native_scalar.combine("multiply", dtype)
    assert multiply is not None
    add = nests.accumulation("add", dtype)
    assert add is not None
    return multiply, add


def matmul(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """``a @ b`` of at most two axes each."""
    a, b = given
    dtype = a.dtype
    if dtype == np.float16 or len(a.shape) > 2 or len(b.shape) > 2:
        return _by_numpy(frame, node, given)
    multiply, add = arithmetic(dtype)
    if len(a.shape) == 1 and len(b.shape) == 1:
        if frame.lowering.exact and dtype.kind == "f":
            return [_exact_dot(frame, a, b)]
        product = Pointwise(dtype, a.shape, a.bounds, [a, b], lambda c, xs: (multiply(c, *xs),), 1.0)
        return [nests.dot(frame.code, product)]
    if len(a.shape) == len(b.shape) and dtype.kind in "fc":
        work = float(np.prod([float(n) for n in a.bounds])) * b.bounds[1]
        # Run-time lengths are smaller than their bounds as a rule.
        if (work > LARGE or frame.lowering.exact) and all(isinstance(n, int) for n in (*a.shape, *b.shape)):
            return _by_numpy(frame, node, given)
    code = frame.code
    shape, bounds = frame.shape(node.types[0])
    target = frame.lowering.allocate(dtype, shape, bounds)
    if len(a.shape) != len(b.shape):
        _vector(frame, a, b, target)
        return [target]
    if dtype.kind == "c":
        frame.working.append(target)
        a = frame.stored(a)
        frame.working.append(a)
        b = b if isinstance(b, Strided) and b.strides[1] == 1 else frame.materialize(b)
        native_complex_products.matmul(code, a, b, target)
        return [target]
    _loops(code, a, b, target)
    return [target]


def _vector(frame: Frame, a: Storage, b: Storage, target: Strided) -> None:
    """A matrix times a vector, or a vector times a matrix: by BLAS where its bits count.

    It is no faster: both wait for memory, and its threads wait for each other where cores are busy. (Where it has one,
    our threads share the rows.)
    """
    code = frame.code
    if a.dtype.kind != "f" or not frame.lowering.exact:
        _loops(code, a, b, target)
        return
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    matrix, vector = (a, b) if len(a.shape) == 2 else (b, a)
    if len(a.shape) == 1:
        map = (Along(0, 1, 1), Along(0, 0, 1))
        turned = view(code, matrix, map, matrix.shape[::-1], matrix.bounds[::-1])
        assert isinstance(turned, Strided)
        matrix = turned
    call = native_blas.matvec(matrix, vector)
    if call is None:
        _loops(code, a, b, target)
        return
    m, n = matrix.shape
    if isinstance(m, int) and isinstance(n, int):
        if m > 1 and n > 1:
            call(code, matrix, target)
        else:
            _loops(code, a, b, target)
        return
    size = _all(code, f"icmp sgt i64 {m}, 1", f"icmp sgt i64 {n}, 1")
    yes, no, end = (code.new_label() for _ in range(3))
    code.branch(size, yes, no)
    for label in (yes, no):
        code.start(label)
        with code.scope():
            if label == yes:
                call(code, matrix, target)
            else:
                _loops(code, a, b, target)
        code.go(end)
    code.start(end)


def _all(c: Code, *conditions: str) -> str:
    """Whether all conditions hold."""
    found = c.emit(conditions[0])
    for condition in conditions[1:]:
        found = c.emit(f"and i1 {found}, {c.emit(condition)}")
    return found


def _loops(code: Code, a: Storage, b: Storage, target: Strided) -> None:
    """``target = a @ b`` as loops."""
    dtype, shape, bounds = target.dtype, target.shape, target.bounds
    multiply, add = arithmetic(dtype)
    zero = literal(0, dtype)
    if len(b.shape) == 1 and _unit(a, 1):
        buffers = [target.buffer, *a.buffers, *b.buffers]
        inner = float(a.bounds[1])
        with code.statement(), nests.spread(code, shape, bounds, a, buffers, inner) as at:
            row = View(a, nests.row_map(at), a.shape[1:], a.bounds[1:])
            terms = Pointwise(dtype, row.shape, row.bounds, [row, b], lambda c, xs: (multiply(c, *xs),), 1.0)
            target.put(code, at, nests.accumulate_rows(code, terms, "add", dtype, terms.shape, tuple))
        return
    nests.fill(code, target, Computed(dtype, shape, bounds, lambda c, at, seen: zero))
    if len(b.shape) == 1:
        # Columns of `a`, each times an element of `b`.
        with code.statement():
            _add_rows(code, target, a.shape[1], a.shape[0], lambda k: b.element(code, (k,), {}),
                      lambda k, i: a.element(code, (i, k), {}), multiply, add)  # fmt: skip
        return
    with code.statement():
        if len(a.shape) == 1:
            _add_rows(code, target, b.shape[0], b.shape[1], lambda k: a.element(code, (k,), {}),
                      lambda k, j: b.element(code, (k, j), {}), multiply, add)  # fmt: skip
        else:
            _matrices(code, a, b, target)


def _matrices(c: Code, a: Storage, b: Storage, target: Strided) -> None:
    """``target += a @ b``: a few rows of `b` are added to all rows of the result while they are in the cache."""
    multiply, add = arithmetic(target.dtype)
    rows, inner = target.shape[0], a.shape[1]

    def several(row: Index, many: int, first: Index, terms: int) -> None:
        factors = [[a.element(c, (c.add(row, i), c.add(first, k)), {}) for k in range(terms)] for i in range(many)]
        with c.loop(0, target.shape[1]) as j:
            given = [b.element(c, (c.add(first, k), j), {}) for k in range(terms)]
            for i in range(many):
                found = target.element(c, (c.add(row, i), j), {})
                for factor, x in zip(factors[i], given, strict=True):
                    found = add(c, found, multiply(c, factor, x))
                target.put(c, (c.add(row, i), j), found)

    for begin, end, terms in _by(c, inner, UNROLL):
        with c.loop(begin, end, terms) as first:
            for low, high, many in _by(c, rows, SIDE_BY_SIDE):
                with c.loop(low, high, many) as row:
                    several(row, many, first, terms)


def _by(c: Code, count: Index, step: int) -> list[tuple[Index, Index, int]]:
    """The range up to `count` in steps of `step`, and what is left of it one by one."""
    whole = count - count % step if isinstance(count, int) else c.sub(count, c.emit(f"and i64 {count}, {step - 1}"))
    return [(low, high, by) for low, high, by in ((0, whole, step), (whole, count, 1)) if low != high]


def _add_rows(c: Code, target: Strided, count: Index, length: Index, factor: Callable[[Index], Element],
              row: Callable[[Index, Index], Element], multiply: Combine, add: Combine) -> None:  # fmt: skip
    """``target[j] += factor(k) * row(k, j)`` for all k and j, several k at a time."""

    def several(first: Index, many: int) -> None:
        factors = [factor(c.add(first, k)) for k in range(many)]
        with c.loop(0, length) as j:
            found = target.element(c, (j,), {})
            for k, f in enumerate(factors):
                found = add(c, found, multiply(c, f, row(c.add(first, k), j)))
            target.put(c, (j,), found)

    for begin, end, many in _by(c, count, UNROLL):
        with c.loop(begin, end, many) as first:
            several(first, many)


def _exact_dot(frame: Frame, a: Storage, b: Storage) -> Storage:
    """An inner product with NumPy's bits."""
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    found = native_blas.dot(frame, a, b)
    if found is not None:
        return found
    multiply = native_scalar.combine("multiply", a.dtype)
    assert multiply is not None
    product = Pointwise(a.dtype, a.shape, a.bounds, [a, b], lambda c, xs: (multiply(c, *xs),), 1.0)
    return native_blas.plain_dot(frame.code, product)


def _unit(x: Storage, axis: int) -> bool:
    """Whether neighbours on an axis are neighbours in memory, as far as is known."""
    return not isinstance(x, Strided) or x.strides[axis] == 1


def _by_numpy(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    if not node.types[0].shape:
        return frame.host(node, given)
    return frame.host_call("matmul", (), given, node.types, into=True)
