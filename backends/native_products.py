"""Products of arrays: loops where they are small, BLAS through NumPy where they are large.

Products may be contracted (fused multiply-add) and their terms reordered, as in BLAS.
"""

from __future__ import annotations

from functools import partial, reduce
from typing import Any

import numpy as np

from lazyarr.backends import (
    native_blas,
    native_complex_products,
    native_gemm,
    native_joins,
    native_rows,
    native_scalar,
)
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Element, Index, literal
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Computed, Pointwise, Storage, Strided
from lazyarr.ir.node import Node

#: Multiplications from which on a product of matrices goes to BLAS: the call costs three microseconds.
LARGE = 24**3
#: Rows and columns of little matrices, of which there are many: BLAS is called for each. Of complex numbers, fewer.
LITTLE, LITTLE_COMPLEX = 16, 4
#: Rows that are added to the result at a time.
UNROLL = 4
#: Rows of a result that they are added to at a time.
SIDE_BY_SIDE = 2


def matmul(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """``a @ b`` of at most two axes each."""
    a, b = given
    dtype = a.dtype
    may_reorder = not frame.lowering.exact
    if may_reorder and _are_little(a, b):
        return [_stacks(frame, node, a, b)]
    if may_reorder and native_gemm.multiplies(a, b):
        result = frame.lowering.allocate(dtype, *frame.shape(node.types[0]))
        native_gemm.matmul(frame, a, b, result)
        return [result]
    if dtype == np.float16 or len(a.shape) > 2 or len(b.shape) > 2:
        return _by_numpy(frame, node, given)
    multiply, add = native_rows.arithmetic(dtype)
    if len(a.shape) == 1 and len(b.shape) == 1:
        if frame.lowering.exact and dtype.kind == "f":
            return [_exact_dot(frame, a, b)]
        product = Pointwise(dtype, a.shape, a.bounds, [a, b], lambda c, xs: (multiply(c, *xs),), 1.0)
        return [nests.dot(frame.code, product)]
    join = frame.plan.joins.get(node)
    if join is not None:
        return [_joined(frame, node, join, given)]
    if len(a.shape) == len(b.shape) and dtype.kind in "fc":
        work = float(np.prod([float(n) for n in a.bounds])) * b.bounds[1]
        # Run-time lengths are smaller than their bounds as a rule.
        if (work > LARGE or frame.lowering.exact) and all(isinstance(n, int) for n in (*a.shape, *b.shape)):
            if not native_blas.multiplies(a, b):
                return _by_numpy(frame, node, given)
            result = frame.lowering.allocate(dtype, *frame.shape(node.types[0]))
            native_blas.matmul(frame, a, b, result)
            return [result]
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


def _are_little(a: Storage, b: Storage) -> bool:
    """Whether a product is one of many little matrices, or of many rows and a little one."""
    if a.dtype.kind not in "fc" or a.dtype == np.float16:
        return False
    if min(len(a.shape), len(b.shape)) < 2 or not all(isinstance(n, int) for n in (*a.shape, *b.shape)):
        return False
    most = LITTLE if a.dtype.kind == "f" else LITTLE_COMPLEX
    if 0 in (*a.bounds, *b.bounds) or max(b.bounds[-2:]) > most:
        return False
    if len(b.shape) == 2:
        return int(np.prod(a.bounds[:-1], dtype=object)) > most**2
    return a.bounds[-2] <= most


def _stacks(frame: Frame, node: Node, a: Storage, b: Storage) -> Storage:
    """Products of little matrices: the sum for each element, written out."""
    target = frame.lowering.allocate(a.dtype, *frame.shape(node.types[0]))
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    multiply, add = native_rows.arithmetic(a.dtype)

    def of_stack(c: Code, x: Storage, at: tuple[Index, ...], row: Index, column: Index) -> Element:
        before = at[len(at) - (len(x.shape) - 2) :]
        place = tuple(0 if n == 1 else i for i, n in zip(before, x.bounds[:-2], strict=True))
        return x.element(c, (*place, row, column), {})

    def element(c: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        *stack, i, j = at
        terms = [multiply(c, of_stack(c, a, tuple(stack), i, k), of_stack(c, b, tuple(stack), k, j))
                 for k in range(a.bounds[-1])]  # fmt: skip
        return reduce(partial(add, c), terms)

    work = 2.0 * a.bounds[-1]
    nests.fill(frame.code, target, Computed(target.dtype, target.shape, target.bounds, element, (a, b), work))
    return target


def _joined(frame: Frame, node: Node, join: native_joins.Join, given: list[Storage]) -> Storage:
    """A product with a vector, and others of the same matrix in the same pass."""
    known = dict(zip(node.operands, given, strict=True))
    operand = next(v for v in node.operands if v.type.ndim == 2)
    matrix = frame.stored(known[operand])
    frame.working.append(matrix)
    if operand != join.matrix:
        matrix = native_joins.turned(frame.code, matrix)
    native_joins.make(frame, join, matrix, None, known)
    return frame.selected.pop(node.values[0])


def _vector(frame: Frame, a: Storage, b: Storage, target: Strided) -> None:
    """A matrix times a vector, or a vector times a matrix: by BLAS where its bits count.

    It is no faster: both wait for memory, and its threads wait for each other where cores are busy. (Where it has one,
    our threads share the rows.)
    """
    code = frame.code
    if a.dtype.kind != "f" or not frame.lowering.exact:
        if not native_joins.smooth(a if len(a.shape) == 2 else b):
            frame.working.append(target)
            a, b = frame.stored(a), frame.stored(b)
        _loops(code, a, b, target)
        return
    frame.working.append(target)
    a, b = frame.stored(a), frame.stored(b)
    frame.working += [a, b]
    matrix, vector = (a, b) if len(a.shape) == 2 else (b, a)
    if len(a.shape) == 1:
        matrix = native_joins.turned(code, matrix)
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
    if len(a.shape) == len(b.shape):
        zero = literal(0, target.dtype)
        nests.fill(code, target, Computed(target.dtype, target.shape, target.bounds, lambda c, at, seen: zero))
        with code.statement():
            _matrices(code, a, b, target)
        return
    matrix, vector = (a, b) if len(a.shape) == 2 else (b, a)
    # From the right: a sum for each row.
    right = matrix is a
    if isinstance(matrix, Strided) and matrix.strides[1] != 1:
        # By columns in memory, or it does not matter.
        matrix, right = native_joins.turned(code, matrix), not right
    product = [(vector, target)]
    native_rows.apply(code, matrix, None, () if right else product, product if right else ())


def _matrices(c: Code, a: Storage, b: Storage, target: Strided) -> None:
    """``target += a @ b``: a few rows of `b` are added to all rows of the result while they are in the cache."""
    multiply, add = native_rows.arithmetic(target.dtype)
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

    for begin, end, terms in native_rows.by(c, 0, inner, UNROLL):
        with c.loop(begin, end, terms) as first:
            for low, high, many in native_rows.by(c, 0, rows, SIDE_BY_SIDE):
                with c.loop(low, high, many) as row:
                    several(row, many, first, terms)


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


def _by_numpy(frame: Frame, node: Node, given: list[Storage]) -> list[Storage]:
    if not node.types[0].shape:
        return frame.host(node, given)
    return frame.host_call("matmul", (), given, node.types, into=True)
