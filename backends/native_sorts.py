"""Sorting by NumPy's own functions for elements side by side, called from native code, and searching in what is sorted.

Neither has a step in Python.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from lazyarr.backends import native_linked
from lazyarr.backends import native_nests as nests
from lazyarr.backends.native_emit import Code, Element, Index, register
from lazyarr.backends.native_frame import Frame
from lazyarr.backends.native_storage import Along, Pointwise, Scalar, Storage, Strided, view
from lazyarr.ir.node import Node

#: Positions in NumPy's tables: quicksort, heapsort, stable.
_QUICK, _STABLE = 0, 2
#: Elements that are copied in the time in which one is sorted.
_WORK = 20.0
#: How far from the place of the key before one is looked for without halving.
_NEAR = 4


def sort(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``sort``."""
    found = _rows(frame, node, given[0])
    if found is None:
        return None
    name, x = found
    c, target = frame.code, frame.materialize(x)
    c.module.declare(name, f"declare i32 @{name}(ptr, i64, ptr) nounwind")
    n = target.shape[-1]
    with c.statement(), nests.spread(c, target.shape[:-1], target.bounds[:-1], x, [target.buffer], _inner(x)) as at:
        c.do(f"call i32 @{name}(ptr {_row(c, target, at)}, i64 {n}, ptr null)")
    return [_moved(c, target, -1, node.kw["axis"])]


def argsort(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``argsort``."""
    found = _rows(frame, node, given[0])
    if found is None:
        return None
    name, x = found
    c = frame.code
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
    return [_moved(c, target, -1, node.kw["axis"])]


def searchsorted(frame: Frame, node: Node, given: list[Storage]) -> list[Storage] | None:
    """The rule of ``searchsorted``: each place near the one before, or by halving without branches."""
    a, v = given
    if len(a.shape) != 1 or a.dtype.kind not in "fiu" or a.dtype == np.float16:
        return None
    table = a if isinstance(a, Strided) and a.strides == (1,) else frame.materialize(a)
    frame.working.append(table)
    c, dtype, n = frame.code, node.types[0].dtype, table.shape[0]
    name, type = _search(c, a.dtype, node.kw["side"]), register(a.dtype)
    begin = c.address(c.pointer(table.buffer), a.dtype, table.offset)

    def place(c: Code, key: list[Element]) -> tuple[Element, ...]:
        last = c.alloca("i64")
        c.allocas.append(f"  store i64 0, ptr {last}")
        return ((c.emit(f"call i64 @{name}(ptr {begin}, i64 {n}, {type} {key[0][0]}, ptr {last})"),),)

    if not v.shape:
        return [Scalar(dtype, place(c, [v.element(c, (), {})])[0])]
    target = frame.lowering.allocate(dtype, v.shape, v.bounds)
    frame.working.append(target)
    nests.fill(c, target, Pointwise(dtype, v.shape, v.bounds, [v], place, 4.0 * np.log2(max(2, a.bounds[0]))))
    return [target]


def _search(c: Code, dtype: np.dtype[Any], side: str) -> str:
    """The function that counts the elements which come before a key: those below it, or not above it. NaN is last.

    It begins where the search before it has ended, and looks at `_NEAR` elements on either side of that: keys often
    come in order, and then halving would take twenty times as long. Keys in disorder cost one branch that is not
    foreseen; halving has none.
    """
    type, name = register(dtype), f"search_{side}_{dtype.kind}{dtype.itemsize}"
    before = f"{name}_before"
    first, second = ("%x", "%key") if side == "left" else ("%key", "%x")
    if dtype.kind == "f":
        is_less = f"""  %below = fcmp olt {type} {first}, {second}
  %none1 = fcmp uno {type} {first}, {first}
  %none2 = fcmp uno {type} {second}, {second}
  %some1 = xor i1 %none1, true
  %last = and i1 %none2, %some1
  %less = or i1 %below, %last"""
    else:
        is_less = f"  %less = icmp {'slt' if dtype.kind == 'i' else 'ult'} {type} {first}, {second}"
    c.module.declare(before, f"""define internal i1 @{before}(ptr %a, i64 %k, {type} %key) nounwind alwaysinline {{
  %p = getelementptr inbounds {type}, ptr %a, i64 %k
  %x = load {type}, ptr %p, align {dtype.itemsize}
{is_less}
  %is = xor i1 %less, {"false" if side == "left" else "true"}
  ret i1 %is
}}""")
    c.module.declare(name, f"""define internal i64 @{name}(ptr %a, i64 %n, {type} %key, ptr %last) nounwind {{
entry:
  %said = load i64, ptr %last
  %within = icmp ule i64 %said, %n
  %from = select i1 %within, i64 %said, i64 0
  %one = sub i64 %from, 1
  %begins = icmp eq i64 %from, 0
  br i1 %begins, label %up, label %behind
behind:
  %after = call i1 @{before}(ptr %a, i64 %one, {type} %key)
  br i1 %after, label %up, label %down
up:
  %far = add i64 %from, {_NEAR}
  %fits = icmp slt i64 %far, %n
  br i1 %fits, label %ahead, label %above
ahead:
  %beyond = call i1 @{before}(ptr %a, i64 %far, {type} %key)
  br i1 %beyond, label %above, label %rise
rise:
  %up0 = phi i64 [ %from, %ahead ], [ %up1, %rise ]
  %is1 = call i1 @{before}(ptr %a, i64 %up0, {type} %key)
  %up1 = add i64 %up0, 1
  br i1 %is1, label %rise, label %risen
risen:
  br label %end
above:
  %all = sub i64 %n, %from
  br label %head
down:
  %near = sub i64 %one, {_NEAR}
  %room = icmp sge i64 %near, 0
  br i1 %room, label %back, label %under
back:
  %not = call i1 @{before}(ptr %a, i64 %near, {type} %key)
  br i1 %not, label %fall, label %under
fall:
  %down0 = phi i64 [ %one, %back ], [ %down1, %fall ]
  %down1 = sub i64 %down0, 1
  %is2 = call i1 @{before}(ptr %a, i64 %down1, {type} %key)
  br i1 %is2, label %fallen, label %fall
fallen:
  br label %end
under:
  br label %head
head:
  %low = phi i64 [ %from, %above ], [ 0, %under ], [ %low1, %body ]
  %left = phi i64 [ %all, %above ], [ %one, %under ], [ %left1, %body ]
  %more = icmp sgt i64 %left, 0
  br i1 %more, label %body, label %end
body:
  %half = lshr i64 %left, 1
  %middle = add i64 %low, %half
  %is = call i1 @{before}(ptr %a, i64 %middle, {type} %key)
  %next = add i64 %middle, 1
  %low1 = select i1 %is, i64 %next, i64 %low
  %rest = sub i64 %left, %half
  %rest1 = sub i64 %rest, 1
  %left1 = select i1 %is, i64 %rest1, i64 %half
  br label %head
end:
  %found = phi i64 [ %up0, %risen ], [ %down0, %fallen ], [ %low, %head ]
  store i64 %found, ptr %last
  ret i64 %found
}}""")
    return name


def _rows(frame: Frame, node: Node, x: Storage) -> tuple[str, Storage] | None:
    """The name of NumPy's function for rows, and `x` with its rows last; None where NumPy is to be called."""
    if x.dtype == np.float16:
        return None
    name = native_linked.array_function(node.op.name, x.dtype, _STABLE if node.kw["stable"] else _QUICK)
    return None if name is None else (name, _moved(frame.code, x, node.kw["axis"], -1))


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
