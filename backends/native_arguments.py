"""Where the largest or the smallest element is: the first such, or the first NaN.

Neighbours in memory are looked at by vectors, whose lanes keep their best element and the turn in which they met it;
other arrays, and what is computed, a block at a time on the stack. Along other axes than the last the columns of a tile
advance together, along memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lazyarr.backends.native_emit import Code, Index, register, stored
from lazyarr.backends.native_nests import assign, read, spread, variable
from lazyarr.backends.native_storage import Scalar, Storage, Strided

_INDEX, _BIT = np.dtype("i8"), np.dtype(bool)
#: Bytes that are looked at in a turn: two vectors of the widest kind.
_TURN = 128
#: Elements of a block in memory: where turns begin stands in integers as wide as the elements.
_MEMORY = 8192
#: Elements of a block on the stack.
_STACK = 512
#: Elements that are compared one by one.
_FEW = 16
#: Columns that advance together.
_TILE = 256


def argument(c: Code, x: Storage, name: str, axis: int, target: Strided | None) -> Scalar | None:
    """What argmax or argmin gives along an axis, in `target`, or as a number where there is no other axis."""
    rank = len(x.shape)
    if target is None:
        with c.statement():
            found = _along(c, x, name, x.shape[axis], x.bounds[axis], lambda k: _put_in((0,) * (rank - 1), axis, k))
            return Scalar(_INDEX, (found,))
    inner = float(x.bounds[axis])
    buffers = [target.buffer, *x.buffers]
    with c.statement():
        if axis == rank - 1 or x.shape[-1] == 1:
            with spread(c, target.shape, target.bounds, x, buffers, inner) as at:
                target.put(c, at, (argument_at(c, x, name, axis, at),))
        else:
            _down(c, x, name, axis, target)
    return None


def argument_at(c: Code, x: Storage, name: str, axis: int, at: Sequence[Index]) -> str:
    """The register of what argmax or argmin gives along an axis, for indices `at` on the others."""
    return _along(c, x, name, x.shape[axis], x.bounds[axis], lambda k: _put_in(at, axis, k))


def _put_in(at: Sequence[Index], axis: int, k: Index) -> tuple[Index, ...]:
    return (*at[:axis], k, *at[axis:])


def _along(c: Code, x: Storage, name: str, n: Index, bound: int, place: Callable[[Index], tuple[Index, ...]]) -> str:
    """The first place of the extremum of ``x[place(k)]`` for k below `n`; 0 where there is none."""
    if isinstance(n, int) and 0 < n <= _FEW:
        return _few(c, x, name, n, place)
    dtype = x.dtype
    start = _start_in_memory(c, x, place)
    size = _MEMORY if start is not None else min(_STACK, bound)
    block = c.scratch(f"{name} block", stored(dtype), size) if start is None else ""

    def part(first: Index, count: Index) -> tuple[str, str]:
        if start is not None:
            pointer = start(first)
        else:
            pointer = block
            with c.loop(0, count) as k:
                _store(c, dtype, block, k, x.element(c, place(c.add(first, k)), {})[0])
        return _leaf(c, dtype, name, pointer, count)

    if bound <= size:
        if isinstance(n, int):
            return part(0, n)[1] if n else "0"
        where = variable(c, _INDEX, ("0",))
        with c.when(c.emit(f"icmp sgt i64 {n}, 0")):
            assign(c, _INDEX, where, (part(0, n)[1],))
        return read(c, _INDEX, where)[0]
    in_memory = np.dtype("u1") if dtype.kind == "b" else dtype
    where, best = variable(c, _INDEX, ("-1",)), [c.alloca(stored(dtype))]
    c.do(f"store {stored(dtype)} {_zero(dtype)}, ptr {best[0]}")
    with c.loop(0, n, size) as first:
        value, found = part(first, c.minimum(size, c.sub(n, first)))
        old, at = read(c, in_memory, best)[0], read(c, _INDEX, where)[0]
        none = c.emit(f"icmp slt i64 {at}, 0")
        better = c.emit(f"or i1 {none}, {_beyond(c, name, in_memory, value, old)}")
        assign(c, in_memory, best, c.select(better, in_memory, (value,), (old,)))
        assign(c, _INDEX, where, c.select(better, _INDEX, (str(c.add(first, found)),), (at,)))
    return str(c.maximum(read(c, _INDEX, where)[0], 0))


def _few(c: Code, x: Storage, name: str, n: int, place: Callable[[Index], tuple[Index, ...]]) -> str:
    """`_along` without loops: rows may then be done several at once."""
    best, where = x.element(c, place(0), {}), "0"
    for k in range(1, n):
        value = x.element(c, place(k), {})
        better = _beyond(c, name, x.dtype, value[0], best[0])
        best, (where,) = c.select(better, x.dtype, value, best), c.select(better, _INDEX, (str(k),), (where,))
    return where


def _zero(dtype: np.dtype[Any]) -> str:
    return "0.0" if dtype.kind == "f" else "0"


def _start_in_memory(c: Code, x: Storage, place: Callable[[Index], tuple[Index, ...]]) -> Callable[[Index], str] | None:
    """Gives the address of an element, where those with following numbers are neighbours in memory; else None."""
    if not isinstance(x, Strided):
        return None
    moving = [a for a, (p, q) in enumerate(zip(place(0), place(1), strict=True)) if p != q]
    if [x.strides[a] for a in moving] != [1]:
        return None
    source = x
    return lambda first: c.address(c.pointer(source.buffer), source.dtype, source.place(c, place(first)))


def _store(c: Code, dtype: np.dtype[Any], block: str, k: Index, value: str) -> None:
    if dtype.kind == "b":
        value = c.emit(f"zext i1 {value} to i8")
    pointer = c.emit(f"getelementptr inbounds {stored(dtype)}, ptr {block}, i64 {k}")
    c.do(f"store {stored(dtype)} {value}, ptr {pointer}")


def _down(c: Code, x: Storage, name: str, axis: int, target: Strided) -> None:
    """Along an axis that is not the last: the columns of a tile advance together."""
    dtype, columns, rows = x.dtype, x.shape[-1], x.shape[axis]
    outer = [n for a, n in enumerate(x.shape[:-1]) if a != axis]
    bounds = [b for a, b in enumerate(x.bounds[:-1]) if a != axis]
    whole = c.add(columns, _TILE - 1)
    tiles = whole // _TILE if isinstance(whole, int) else c.emit(f"sdiv i64 {whole}, {_TILE}")
    many = -(-x.bounds[-1] // _TILE)
    inner = float(x.bounds[axis] * min(_TILE, x.bounds[-1]))
    buffers = [target.buffer, *x.buffers]
    with spread(c, (*outer, tiles), (*bounds, many), x, buffers, inner) as at:
        begin = c.mul(at[-1], _TILE)
        width = c.minimum(_TILE, c.sub(columns, begin))
        best, where = c.scratch(f"{name} best", stored(dtype), _TILE), c.scratch(f"{name} where", "i64", _TILE)

        def value(k: Index, j: Index) -> str:
            return x.element(c, _put_in((*at[:-1], c.add(begin, j)), axis, k), {})[0]

        def slot(array: str, type: str, j: Index) -> str:
            return c.emit(f"getelementptr inbounds {type}, ptr {array}, i64 {j}")

        with c.when(c.emit(f"icmp sgt i64 {rows}, 0")), c.loop(0, width) as j:
            _store(c, dtype, best, j, value(0, j))
            c.do(f"store i64 0, ptr {slot(where, 'i64', j)}")
        with c.loop(1, rows) as k, c.loop(0, width) as j:
            own, place = slot(best, stored(dtype), j), slot(where, "i64", j)
            new, old = value(k, j), c.emit(f"load {stored(dtype)}, ptr {own}")
            if dtype.kind == "b":
                new = c.emit(f"zext i1 {new} to i8")
            in_memory = np.dtype("u1") if dtype.kind == "b" else dtype
            better = _beyond(c, name, in_memory, new, old)
            before = c.emit(f"load i64, ptr {place}")
            # Frozen, lest LLVM make masked stores of it, which are slow.
            both = c.select(better, in_memory, (new,), (old,)) + c.select(better, _INDEX, (k,), (before,))
            for chosen, type, at_slot in zip(both, (stored(dtype), "i64"), (own, place), strict=True):
                c.do(f"store {type} {c.emit(f'freeze {type} {chosen}')}, ptr {at_slot}")
        with c.when(c.emit(f"icmp sgt i64 {rows}, 0")), c.loop(0, width) as j:
            target.put(c, (*at[:-1], c.add(begin, j)), (c.emit(f"load i64, ptr {slot(where, 'i64', j)}"),))


def _beyond(c: Code, name: str, dtype: np.dtype[Any], x: str, best: str) -> str:
    """Whether an element takes the place of the best of those before it."""
    type = register(dtype)
    if dtype.kind == "f":
        beyond = c.emit(f"fcmp {_predicate(name, dtype)} {type} {x}, {best}")
        nan = c.emit(f"fcmp uno {type} {x}, {x}")
        first = c.emit(f"and i1 {nan}, {c.emit(f'fcmp ord {type} {best}, {best}')}")
        return c.emit(f"or i1 {beyond}, {first}")
    return c.emit(f"icmp {_predicate(name, dtype)} {type} {x}, {best}")


def _predicate(name: str, dtype: np.dtype[Any]) -> str:
    sign = {"f": "o", "i": "s"}.get(dtype.kind, "u")
    return f"{sign}{'gt' if name == 'argmax' else 'lt'}"


def _leaf(c: Code, dtype: np.dtype[Any], name: str, pointer: str, count: Index) -> tuple[str, str]:
    """The extremum of at least one and at most `_MEMORY` neighbours in memory, and the first place where it is."""
    function = _leaf_function(c, np.dtype("u1") if dtype.kind == "b" else dtype, name)
    both = c.emit(f"call {{ {stored(dtype)}, i64 }} @{function}(ptr {pointer}, i64 {count})")
    value, place = (c.emit(f"extractvalue {{ {stored(dtype)}, i64 }} {both}, {k}") for k in (0, 1))
    return value, place


def _leaf_function(c: Code, dtype: np.dtype[Any], name: str) -> str:
    type, size = register(dtype), dtype.itemsize
    lanes, turn = _TURN // size, f"i{8 * size}"
    vector, turns, mask, wide = f"<{lanes} x {type}>", f"<{lanes} x {turn}>", f"<{lanes} x i1>", f"<{lanes} x i64>"
    quarter = f"<{lanes // 4} x {turn}>"
    function = f"{name}_{dtype.kind}{size}"
    # The last turn overlaps the one before it; not of bytes, which have room for no more than the number of a turn.
    shift = lanes.bit_length() - 1 if size == 1 else 0
    compare = f"{'f' if dtype.kind == 'f' else 'i'}cmp"
    beyond, equal = f"{compare} {_predicate(name, dtype)}", f"{compare} {'oeq' if dtype.kind == 'f' else 'eq'}"
    sign = {"f": "f", "i": "s"}.get(dtype.kind, "u")
    suffix = f"v{lanes}{'f' if dtype.kind == 'f' else 'i'}{8 * size}"
    best = f"llvm.vector.reduce.{sign}{'max' if name == 'argmax' else 'min'}.{suffix}"
    least, any_of = f"llvm.vector.reduce.umin.v{lanes}i64", f"llvm.vector.reduce.or.v{lanes // 4}{turn}"
    for called, text in (
        (best, f"declare {type} @{best}({vector})"),
        (least, f"declare i64 @{least}({wide})"),
        (any_of, f"declare {turn} @{any_of}({quarter})"),
    ):
        c.module.declare(called, text)
    numbers = ", ".join(f"i64 {k}" for k in range(lanes))
    unknown_one = f"fcmp uno {type} %y, 0.0" if dtype.kind == "f" else "or i1 false, false"

    def part(of: str, value: str, first: int, count: int) -> str:
        picks = ", ".join(f"i32 {k}" for k in range(first, first + count))
        return f"shufflevector {of} {value}, {of} poison, <{count} x i32> <{picks}>"

    def unknown(value: str, found: str) -> str:
        """Whether there is NaN in a turn: integers that are 0 or -1, in one register: more would spill."""
        if dtype.kind != "f":
            return f"%{found} = add {quarter} zeroinitializer, zeroinitializer"
        half, all = lanes // 2, f"<{lanes // 2} x {turn}>"
        return f"""%{found}low = {part(vector, value, 0, half)}
  %{found}high = {part(vector, value, half, half)}
  %{found}bits = fcmp uno <{half} x {type}> %{found}low, %{found}high
  %{found}all = sext <{half} x i1> %{found}bits to {all}
  %{found}one = {part(all, f"%{found}all", 0, half // 2)}
  %{found}two = {part(all, f"%{found}all", half // 2, half // 2)}
  %{found} = or {quarter} %{found}one, %{found}two"""

    c.module.declare(function, f"""define internal {{ {type}, i64 }} @{function}(ptr %x, i64 %n) noinline nounwind {{
entry:
  %few = icmp slt i64 %n, {lanes}
  br i1 %few, label %one, label %many
many:
  {"%whole = and i64 %n, -" + str(lanes) if size == 1 else "%whole = add i64 %n, 0"}
  %last = sub i64 %whole, {lanes}
  %start = load {vector}, ptr %x, align {size}
  {unknown("%start", "nan0")}
  br label %head
head:
  %i = phi i64 [ {lanes}, %many ], [ %next, %body ]
  %best = phi {vector} [ %start, %many ], [ %best1, %body ]
  %when = phi {turns} [ zeroinitializer, %many ], [ %when1, %body ]
  %nan = phi {quarter} [ %nan0, %many ], [ %nan1, %body ]
  %more = icmp slt i64 %i, %whole
  br i1 %more, label %body, label %join
body:
  %early = icmp slt i64 %i, %last
  %from = select i1 %early, i64 %i, i64 %last
  %p = getelementptr inbounds {type}, ptr %x, i64 %from
  %v = load {vector}, ptr %p, align {size}
  %better = {beyond} {vector} %v, %best
  {unknown("%v", "unknown")}
  %nan1 = or {quarter} %nan, %unknown
  %best1 = select {mask} %better, {vector} %v, {vector} %best
  %passed = lshr i64 %from, {shift}
  %t = {"trunc i64 %passed to " + turn if size < 8 else "add i64 %passed, 0"}
  %now0 = insertelement {turns} poison, {turn} %t, i64 0
  %now = shufflevector {turns} %now0, {turns} poison, <{lanes} x i32> zeroinitializer
  %when1 = select {mask} %better, {turns} %now, {turns} %when
  %next = add nsw i64 %i, {lanes}
  br label %head
join:
  %some = call {turn} @{any_of}({quarter} %nan)
  %any = icmp ne {turn} %some, 0
  br i1 %any, label %one, label %lanes
lanes:
  %top = call {type} @{best}({vector} %best)
  %top0 = insertelement {vector} poison, {type} %top, i64 0
  %tops = shufflevector {vector} %top0, {vector} poison, <{lanes} x i32> zeroinitializer
  %tie = {equal} {vector} %best, %tops
  %turn = {"zext" if size < 8 else "add"} {turns} %when{f" to {wide}" if size < 8 else ", zeroinitializer"}
  %scaled = shl {wide} %turn, splat (i64 {shift})
  %places = add {wide} %scaled, <{numbers}>
  %tied = select {mask} %tie, {wide} %places, {wide} splat (i64 -1)
  %least = call i64 @{least}({wide} %tied)
  br label %rest
one:
  %first = load {type}, ptr %x, align {size}
  br label %rest
rest:
  %k = phi i64 [ 0, %one ], [ %whole, %lanes ], [ %k1, %on ]
  %m = phi {type} [ %first, %one ], [ %top, %lanes ], [ %m1, %on ]
  %at = phi i64 [ 0, %one ], [ %least, %lanes ], [ %at1, %on ]
  %left = icmp slt i64 %k, %n
  br i1 %left, label %look, label %end
look:
  %q = getelementptr inbounds {type}, ptr %x, i64 %k
  %y = load {type}, ptr %q, align {size}
  %stop = {unknown_one}
  br i1 %stop, label %end, label %on
on:
  %beyond = {beyond} {type} %y, %m
  %m1 = select i1 %beyond, {type} %y, {type} %m
  %at1 = select i1 %beyond, i64 %k, i64 %at
  %k1 = add nsw i64 %k, 1
  br label %rest
end:
  %value = phi {type} [ %m, %rest ], [ %y, %look ]
  %place = phi i64 [ %at, %rest ], [ %k, %look ]
  %r = insertvalue {{ {type}, i64 }} poison, {type} %value, 0
  %result = insertvalue {{ {type}, i64 }} %r, i64 %place, 1
  ret {{ {type}, i64 }} %result
}}""")  # fmt: skip
    return function
