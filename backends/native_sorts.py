"""Sorting by NumPy's own functions for elements side by side, called from native code: no step in Python."""

from __future__ import annotations

import numpy as np

from lazyarr.backends import native_linked
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Index
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Along, Storage, Strided, view
from lazyarr.ir.node import Node

#: Positions in NumPy's tables: quicksort, heapsort, stable.
_QUICK, _STABLE = 0, 2
#: Elements that are copied in the time in which one is sorted.
_WORK = 20.0


def sort(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``sort``."""
    name = _function(node, given[0])
    if name is None:
        return None
    c, axis = frame.code, node.kw["axis"]
    x = _moved(c, given[0], axis, -1)
    target = frame.materialize(x)
    c.module.declare(name, f"declare i32 @{name}(ptr, i64, ptr) nounwind")
    n = target.shape[-1]
    with c.statement(), nests.spread(c, target.shape[:-1], target.bounds[:-1], x, [target.buffer], _inner(x)) as at:
        c.do(f"call i32 @{name}(ptr {_row(c, target, at)}, i64 {n}, ptr null)")
    return [_moved(c, target, -1, axis)]


def argsort(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``argsort``."""
    name = _function(node, given[0])
    if name is None:
        return None
    c, axis = frame.code, node.kw["axis"]
    x = _moved(c, given[0], axis, -1)
    rows = x if isinstance(x, Strided) and x.strides[-1] == 1 else frame.materialize(x)
    frame.working.append(rows)
    dtype = node.types[0].dtype
    target = frame.lowering.allocate(dtype, x.shape, x.bounds)
    c.module.declare(name, f"declare i32 @{name}(ptr, ptr, i64, ptr) nounwind")
    n, buffers = x.shape[-1], [target.buffer, rows.buffer]
    with c.statement(), nests.spread(c, x.shape[:-1], x.bounds[:-1], x, buffers, _inner(x)) as at:
        with c.loop(0, n) as k:
            target.put(c, (*at, k), (k,))
        c.do(f"call i32 @{name}(ptr {_row(c, rows, at)}, ptr {_row(c, target, at)}, i64 {n}, ptr null)")
    return [_moved(c, target, -1, axis)]


def _function(node: Node, x: Storage) -> str | None:
    """The name of NumPy's function for rows; None where NumPy is to be called as a whole."""
    if x.dtype == np.float16:
        return None
    return native_linked.array_function(node.op.name, x.dtype, _STABLE if node.kw["stable"] else _QUICK)


def _moved(c: Code, x: Storage, axis: int, to: int) -> Storage:
    """An array with one axis at another place; the others stay in order."""
    rank = len(x.shape)
    axis, to = axis % rank, to % rank
    if axis == to:
        return x
    order = [k for k in range(rank) if k != axis]
    order.insert(to, axis)
    map = tuple(Along(0, order.index(k), 1) for k in range(rank))
    return view(c, x, map, tuple(x.shape[k] for k in order), tuple(x.bounds[k] for k in order))


def _inner(x: Storage) -> float:
    return _WORK * max(1, x.bounds[-1])


def _row(c: Code, x: Strided, at: tuple[Index, ...]) -> str:
    """Where a row begins."""
    return c.address(c.pointer(x.buffer), x.dtype, x.place(c, (*at, 0)))
