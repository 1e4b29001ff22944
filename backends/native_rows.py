"""One pass over the rows of a matrix: its elements are stored, multiplied with vectors from either side, or both.

Some rows advance together. What they have in common, the vector of a product or a row that is broadcast, is read once
for all of them, and is not driven out of the first cache by each; and memory is read faster in several places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from typing import Any

import numpy as np

from lazyarr.backends import native_nests as nests
from lazyarr.backends import native_scalar, native_threads
from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_storage import Along, Buffer, Pointwise, Scalar, Storage, Strided, View, view

#: Rows that advance together.
TOGETHER = 4
#: Columns of a product from the left of which a thread does a multiple.
_COLUMNS = 512
#: Bytes in one row of what all rows have in common from which on they advance together, and the most arithmetic.
_COMMON, _FLOPS = 8192, 24.0
#: Bytes of a matrix from which on the rows of a product from the right advance together: caches give one row as fast.
_LARGE = 1 << 25

Combine = Callable[[Code, Element, Element], Element]
#: A vector that a matrix is multiplied with, and the product.
Product = tuple[Storage, Strided]


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


def apply(c: Code, matrix: Storage, target: Strided | None, left: Sequence[Product], right: Sequence[Product],
          parts: Sequence[Strided] = ()) -> None:  # fmt: skip
    """``target[...] = matrix``, ``y = x @ matrix`` for each (x, y) of `left`, ``y = matrix @ x`` for those of `right`.

    Products are summed in any order, which does not depend on threads. With `parts`, memory for several times each y of
    `left`, threads share the rows where there are products from both sides.
    """
    if parts:
        _by_parts(c, matrix, target, left, right, parts)
        return
    for _, y in left:
        nests.fill(c, y, _zeros(y))
    size = matrix.bounds[0] * matrix.bounds[1] * matrix.dtype.itemsize
    together = TOGETHER if left or target is not None or size >= _LARGE else 1
    given = [matrix, *(s for product in (*left, *right) for s in product), *([] if target is None else [target])]
    buffers = [b for s in given for b in s.buffers]
    with c.statement(), _part(c, matrix, buffers, bool(left), bool(right)) as (first, last, begin, end):
        for low, high, many in by(c, first, last, together):
            with c.loop(low, high, many) as row:
                _several(c, matrix, target, left, right, (row, many), (begin, end))


def _by_parts(c: Code, matrix: Storage, target: Strided | None, left: Sequence[Product], right: Sequence[Product],
              parts: Sequence[Strided]) -> None:  # fmt: skip
    """`apply`, products from the left summed up for some rows at a time."""
    (rows, columns), count = matrix.shape, parts[0].bounds[0]
    share = -(-matrix.bounds[0] // count)
    for part in parts:
        nests.fill(c, part, _zeros(part))
    given = [matrix, *parts, *(s for product in (*left, *right) for s in product)]
    buffers = [b for s in (*given, *([] if target is None else [target])) for b in s.buffers]
    for buffer in dict.fromkeys(buffers):
        c.pointer(buffer)
    with c.statement(), c.alike(count, native_threads.threads() > 1) as ends, c.loop(*ends) as k:
        first = c.minimum(c.mul(k, share), rows)
        last = c.minimum(c.add(first, share), rows)
        own = [(x, _row(c, part, k)) for (x, _), part in zip(left, parts, strict=True)]
        for low, high, many in by(c, first, last, TOGETHER):
            with c.loop(low, high, many) as row:
                _several(c, matrix, target, own, right, (row, many), (0, columns))
    for (_, y), part in zip(left, parts, strict=True):
        terms = [_row(c, part, k) for k in range(count)]
        nests.fill(c, y, Pointwise(y.dtype, y.shape, y.bounds, terms, _total(y.dtype), float(count)))


def _total(dtype: np.dtype[Any]) -> Callable[[Code, list[Element]], tuple[Element, ...]]:
    _, add = arithmetic(dtype)
    return lambda c, xs: (reduce(lambda x, y: add(c, x, y), xs),)


def _row(c: Code, x: Strided, k: Index) -> Strided:
    found = view(c, x, (Along(k, -1, 0), Along(0, 0, 1)), x.shape[1:], x.bounds[1:])
    assert isinstance(found, Strided)
    return found


def _zeros(y: Strided) -> View:
    return View(Scalar(y.dtype, literal(0, y.dtype)), (), y.shape, y.bounds)


@contextmanager
def _part(c: Code, matrix: Storage, buffers: Sequence[Buffer], left: bool, right: bool
          ) -> Iterator[tuple[Index, Index, Index, Index]]:  # fmt: skip
    """The rows and columns that a thread does: some rows, or some columns of all of them."""
    (rows, columns), (most_rows, most_columns) = matrix.shape, matrix.bounds
    elements, size = float(most_rows) * most_columns, nests.total(c, matrix.shape)
    if left and right:
        # Threads would add to the same sums.
        yield 0, rows, 0, columns
        return
    length, unit = (columns, _COLUMNS) if left else (rows, TOGETHER)
    most = most_columns if left else most_rows
    blocks = -(-length // unit) if isinstance(length, int) else c.emit(f"sdiv i64 {c.add(length, unit - 1)}, {unit}")
    if left and -(-most // unit) < 2:
        yield 0, rows, 0, columns
        return
    with nests.span(c, blocks, elements, matrix, buffers, size, few=2 if left else nests.FEW) as (low, high):
        begin, end = c.mul(low, unit), c.minimum(c.mul(high, unit), length)
        yield (0, rows, begin, end) if left else (begin, end, 0, columns)


def by(c: Code, first: Index, last: Index, step: int) -> list[tuple[Index, Index, int]]:
    """A range in steps of `step`, and what is left of it one by one."""
    count = c.sub(last, first)
    rest = count % step if isinstance(count, int) else c.emit(f"and i64 {count}, {step - 1}")
    whole = c.sub(last, rest)
    return [(low, high, by) for low, high, by in ((first, whole, step), (whole, last, 1)) if low != high]


def _several(c: Code, matrix: Storage, target: Strided | None, left: Sequence[Product], right: Sequence[Product],
             rows: tuple[Index, int], columns: tuple[Index, Index]) -> None:  # fmt: skip
    """Rows that advance together, between two columns."""
    first, many = rows
    at = [c.add(first, k) for k in range(many)]
    factors = [[x.element(c, (i,), {}) for i in at] for x, _ in left]
    sums = [[nests.variable(c, y.dtype, literal(0, y.dtype)) for _ in at] for _, y in right]
    # (As `nests.fill` has it.)
    free = target is not None and target.buffer in matrix.buffers
    with c.loop(*columns, free=free) as j:
        seen: dict[Any, Any] = {}
        elements = [matrix.element(c, (i, j), seen) for i in at]
        if target is not None:
            for i, x in zip(at, elements, strict=True):
                target.put(c, (i, j), x)
        for (_, y), own in zip(left, factors, strict=True):
            multiply, add = arithmetic(y.dtype)
            total = y.element(c, (j,), {})
            for factor, x in zip(own, elements, strict=True):
                total = add(c, total, multiply(c, factor, x))
            y.put(c, (j,), total)
        for (v, y), slots in zip(right, sums, strict=True):
            multiply, add = arithmetic(y.dtype)
            factor = v.element(c, (j,), {})
            for slot, x in zip(slots, elements, strict=True):
                nests.assign(c, y.dtype, slot, add(c, nests.read(c, y.dtype, slot), multiply(c, x, factor)))
    for (_, y), slots in zip(right, sums, strict=True):
        for i, slot in zip(at, slots, strict=True):
            y.put(c, (i,), nests.read(c, y.dtype, slot))


def have_much_in_common(source: Storage) -> bool:
    """Whether the rows of an element-wise formula of two axes are made of the same long rows."""
    if not isinstance(source, Pointwise) or len(source.shape) != 2 or source.flops > _FLOPS:
        return False
    if isinstance(source.shape[0], int) and source.shape[0] < TOGETHER:
        return False
    common: dict[int, int] = {}
    return _common(source, common) and sum(common.values()) >= _COMMON


def _common(x: Storage, found: dict[int, int]) -> bool:
    """Note the bytes of rows that are the same for all rows; False where what is read is not known."""
    if not x.shape or isinstance(x, Strided | View):
        rank = len(x.shape)
        map = x.map if isinstance(x, Strided | View) else ()
        down = rank > 1 and x.shape[-2] != 1 and any(m.axis == rank - 2 and m.step != 0 for m in map)
        along = rank > 0 and x.shape[-1] != 1 and any(m.axis == rank - 1 and m.step != 0 for m in map)
        if along and not down:
            found[id(x)] = x.bounds[-1] * x.dtype.itemsize
        return not isinstance(x, View) or isinstance(x.inner, Strided) or not x.inner.shape
    return isinstance(x, Pointwise) and all(_common(y, found) for y in x.operands)
