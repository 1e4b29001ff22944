"""Sums of floats in NumPy's own order, so that they have NumPy's bits.

NumPy adds in pairs (`pairwise_sum`): up to 128 terms with eight accumulators, more as the sum of the two halves. A loop
that runs until a norm is small then takes as many iterations as in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyarr.backends import native_partials
from lazyarr.backends.native_emit import Code, Element, Index, literal, part, register
from lazyarr.backends.native_storage import Along, Storage, Strided, view

#: Numbers that are added with eight accumulators; a complex number is two.
BLOCK = 128
#: Numbers of an array that is not contiguous that NumPy's iterator hands to a sum at a time.
BUFFER = 8192
#: Halvings that a sum of any length takes at most.
_DEPTH = 64


def block_sum(c: Code, t: np.dtype[Any], lanes: int) -> str:
    """The function that adds neighbours in memory with `lanes` accumulators."""
    type, name = register(t), f"sum_block_{t.itemsize}_{lanes}"
    size = t.itemsize
    vector = f"<{lanes} x {type}>"
    steps, sums, n = [], "%sums", lanes
    while n > 1:
        half = n // 2
        picks = [", ".join(f"i32 {2 * k + odd}" for k in range(half)) for odd in (0, 1)]
        for word, pick in zip(("even", "odd"), picks, strict=True):
            steps.append(f"  %{word}{half} = shufflevector <{n} x {type}> {sums}, <{n} x {type}> poison, "
                         f"<{half} x i32> <{pick}>")  # fmt: skip
        steps.append(f"  %pairs{half} = fadd <{half} x {type}> %even{half}, %odd{half}")
        sums, n = f"%pairs{half}", half
    tree = "\n".join(steps)
    c.module.declare(name, f"""define internal {type} @{name}(ptr %x, i64 %n) nounwind {{
entry:
  %few = icmp slt i64 %n, {lanes}
  br i1 %few, label %rest, label %many
many:
  %whole = and i64 %n, -{lanes}
  %start = load {vector}, ptr %x, align {size}
  br label %head
head:
  %i = phi i64 [ {lanes}, %many ], [ %next, %body ]
  %sums = phi {vector} [ %start, %many ], [ %added, %body ]
  %more = icmp slt i64 %i, %whole
  br i1 %more, label %body, label %join
body:
  %p = getelementptr inbounds {type}, ptr %x, i64 %i
  %v = load {vector}, ptr %p, align {size}
  %added = fadd {vector} %sums, %v
  %next = add nsw i64 %i, {lanes}
  br label %head
join:
{tree}
  %all = extractelement <1 x {type}> %pairs1, i64 0
  br label %rest
rest:
  %k = phi i64 [ 0, %entry ], [ %whole, %join ], [ %k1, %one ]
  %sum = phi {type} [ -0.0, %entry ], [ %all, %join ], [ %sum1, %one ]
  %left = icmp slt i64 %k, %n
  br i1 %left, label %one, label %end
one:
  %q = getelementptr inbounds {type}, ptr %x, i64 %k
  %y = load {type}, ptr %q, align {size}
  %sum1 = fadd {type} %sum, %y
  %k1 = add nsw i64 %k, 1
  br label %rest
end:
  ret {type} %sum
}}""")
    return name


#: Adds terms number `first` to ``first + count - 1``: one sum for each of what is added side by side.
Leaf = Callable[[Index, Index], Element]


class Column(NamedTuple):
    """One of the numbers that are made by halves."""

    #: LLVM's type.
    type: str
    #: What the halves' numbers become.
    combine: Callable[[Code, str, str], str]


def added(dtype: np.dtype[Any]) -> Column:
    """A sum."""
    return Column(register(dtype), lambda c, x, y: c.emit(f"fadd {register(dtype)} {x}, {y}"))


def tree(c: Code, dtype: np.dtype[Any], n: Index, bound: int, leaf: Leaf, several: int = 1, each: float = 0.0
         ) -> Element:  # fmt: skip
    """Sums of `n` terms by halves: those of the parts of a number, or `several` of real numbers side by side.

    Threads share the halves' halves if that is worth it: `each` is the nanoseconds that a term takes.
    """
    parts = 1 + (dtype.kind == "c")
    return halves(c, [added(dtype)] * (parts * several), parts, n, bound, leaf, each)


def halves(c: Code, columns: Sequence[Column], parts: int, n: Index, bound: int, leaf: Leaf, each: float) -> Element:
    """As `tree`, of numbers of any kind side by side; each term of them is `parts` of those that NumPy counts."""
    block = BLOCK // parts
    if bound <= block:
        return leaf(0, n)
    if isinstance(n, int) and native_partials.shared(c, n, each):
        return _shared_halves(c, columns, parts, n, leaf)
    sizes = c.scratch("sizes", "i64", _DEPTH)
    values = [c.scratch(f"values {k}", column.type, _DEPTH) for k, column in enumerate(columns)]
    count, place, depth = (c.alloca("i64") for _ in range(3))
    found = [c.alloca(column.type) for column in columns]
    for slot, value in ((count, n), (place, 0), (depth, 0)):
        c.do(f"store i64 {value}, ptr {slot}")
    descend, halve, add, ascend, waiting, right, combine, end = (c.new_label() for _ in range(8))

    def load(slot: str) -> str:
        return c.emit(f"load i64, ptr {slot}")

    def element(array: str, of: str, index: str) -> str:
        return c.emit(f"getelementptr inbounds {of}, ptr {array}, i64 {index}")

    c.go(descend)
    c.start(descend)
    with c.scope():
        size = load(count)
        c.branch(c.emit(f"icmp sgt i64 {size}, {block}"), halve, add)
        c.start(halve)
        if parts == 1:
            half = c.emit(f"and i64 {c.emit(f'lshr i64 {size}, 1')}, -8")
        else:
            half = c.emit(f"lshr i64 {c.emit(f'and i64 {size}, -8')}, 1")
        level = load(depth)
        c.do(f"store i64 {c.emit(f'sub i64 {size}, {half}')}, ptr {element(sizes, 'i64', level)}")
        c.do(f"store i64 {c.emit(f'add i64 {level}, 1')}, ptr {depth}")
        c.do(f"store i64 {half}, ptr {count}")
        c.go(descend)
        c.start(add)
        first = load(place)
        ends = leaf(first, size)
        for (type, _), slot, value in zip(columns, found, ends, strict=True):
            c.do(f"store {type} {value}, ptr {slot}")
        c.do(f"store i64 {c.emit(f'add i64 {first}, {size}')}, ptr {place}")
    c.go(ascend)
    c.start(ascend)
    with c.scope():
        level = load(depth)
        c.branch(c.emit(f"icmp sgt i64 {level}, 0"), waiting, end)
        c.start(waiting)
        above = c.emit(f"sub i64 {level}, 1")
        slot = element(sizes, "i64", above)
        other = load(slot)
        c.branch(c.emit(f"icmp sgt i64 {other}, 0"), right, combine)
        c.start(right)
        for (type, _), array, own in zip(columns, values, found, strict=True):
            c.do(f"store {type} {c.emit(f'load {type}, ptr {own}')}, ptr {element(array, type, above)}")
        c.do(f"store i64 0, ptr {slot}")
        c.do(f"store i64 {other}, ptr {count}")
        c.go(descend)
        c.start(combine)
        for (type, together), array, own in zip(columns, values, found, strict=True):
            left = c.emit(f"load {type}, ptr {element(array, type, above)}")
            c.do(f"store {type} {together(c, left, c.emit(f'load {type}, ptr {own}'))}, ptr {own}")
        c.do(f"store i64 {above}, ptr {depth}")
        c.go(ascend)
    c.start(end)
    return tuple(c.emit(f"load {column.type}, ptr {own}") for column, own in zip(columns, found, strict=True))


def _half(n: int, parts: int) -> int:
    """The terms in the first half of `n`."""
    return n >> 1 & -8 if parts == 1 else (n & -8) >> 1


def _shared_halves(c: Code, columns: Sequence[Column], parts: int, n: int, leaf: Leaf) -> Element:
    """`halves`, the upper ones put together here and what is below them by threads."""
    counts = [n]
    while len(counts) < native_partials.PARTS:
        counts = [part for k in counts for part in (_half(k, parts), k - _half(k, parts))]
    firsts = [sum(counts[:k]) for k in range(len(counts))]

    def part(number: Index) -> Element:
        first, count = (native_partials.constant(c, numbers, number) for numbers in (firsts, counts))

        def below(at: Index, many: Index) -> Element:
            return leaf(c.add(first, at), many)

        return halves(c, columns, parts, count, max(counts), below, 0.0)

    found = native_partials.parts(c, [column.type for column in columns], part)
    while len(found) > 1:
        pairs = zip(found[::2], found[1::2], strict=True)
        found = [
            tuple(column.combine(c, a, b) for column, a, b in zip(columns, x, y, strict=True)) for x, y in pairs
        ]
    return found[0]


def _block(c: Code, dtype: np.dtype[Any], fill: Callable[[list[str]], None], count: Index) -> Element:
    """The sums of up to `BLOCK` terms that `fill` puts into stack memory, an array a part."""
    t = part(dtype)
    parts = 1 + (dtype.kind == "c")
    name = block_sum(c, t, 8 // parts)
    blocks = [c.scratch(f"block {k}", register(t), BLOCK // parts) for k in range(parts)]
    fill(blocks)
    return tuple(c.emit(f"call {register(t)} @{name}(ptr {block}, i64 {count})") for block in blocks)


def put(c: Code, t: np.dtype[Any], blocks: list[str], k: Index, value: Element) -> None:
    for block, x in zip(blocks, value, strict=True):
        place = c.emit(f"getelementptr inbounds {register(t)}, ptr {block}, i64 {k}")
        c.do(f"store {register(t)} {x}, ptr {place}, align {t.itemsize}")


def sum_row(c: Code, x: Storage, n: Index, bound: int, place: Callable[[Index], tuple[Index, ...]]) -> Element:
    """The sum of ``x[place(k)]`` for k below `n`."""
    from lazyarr.backends.native_nests import work

    t = part(x.dtype)
    ends = [place(0), place(1)] if isinstance(x, Strided) and x.dtype.kind == "f" else []
    if ends and isinstance(x, Strided):
        # Neighbours in memory are added where they are.
        moving = [a for a, (p, q) in enumerate(zip(*ends, strict=True)) if p != q]
        if len(moving) == 1 and x.strides[moving[0]] == 1:
            source = x
            name = block_sum(c, t, 8)

            def direct(first: Index, count: Index) -> Element:
                pointer = c.address(c.pointer(source.buffer), t, source.place(c, place(first)))
                return (c.emit(f"call {register(t)} @{name}(ptr {pointer}, i64 {count})"),)

            return tree(c, x.dtype, n, bound, direct, each=work(x))

    def through_stack(first: Index, count: Index) -> Element:
        def fill(blocks: list[str]) -> None:
            with c.loop(0, count) as k:
                put(c, t, blocks, k, x.element(c, place(c.add(first, k)), {}))

        return _block(c, x.dtype, fill, count)

    return tree(c, x.dtype, n, bound, through_stack, each=work(x))


def sum_all(c: Code, x: Storage) -> Element:
    """The sum of all elements: of a computed or contiguous array at once, of another by what fits NumPy's buffer."""
    t, zero = part(x.dtype), literal(0, x.dtype)
    x = _in_memory_order(c, x)
    shape, bounds = x.shape, x.bounds
    if len(shape) == 1 or _contiguous(x):
        rank = len(shape)
        total: Index = 1
        for n in shape:
            total = c.mul(total, n)
        size = int(np.prod([int(b) for b in bounds], dtype=object))
        return _plus(c, t, zero, sum_row(c, x, total, size, lambda k: (*(0,) * (rank - 1), k)))
    if not isinstance(x, Strided):
        return _plus(c, t, zero, _sum_box(c, x))
    axis, rows = _buffered(c, x)
    from lazyarr.backends.native_nests import assign, nest, read, variable

    slots = variable(c, x.dtype, zero)
    with nest(c, shape[:axis]) as outer:
        first = c.alloca("i64")
        c.do(f"store i64 0, ptr {first}")
        head, body, end = (c.new_label() for _ in range(3))
        c.go(head)
        c.start(head)
        with c.scope():
            at = c.emit(f"load i64, ptr {first}")
            c.branch(c.emit(f"icmp slt i64 {at}, {shape[axis]}"), body, end)
            c.start(body)
            many = c.minimum(rows, c.sub(shape[axis], at))
            rank = len(shape) - axis
            map = (*(Along(i, -1, 0) for i in outer), Along(at, 0, 1), *(Along(0, k, 1) for k in range(1, rank)))
            box = view(c, x, map, (many, *shape[axis + 1 :]), bounds[axis:])
            assign(c, x.dtype, slots, _plus(c, t, read(c, x.dtype, slots), _sum_box(c, box)))
            c.do(f"store i64 {c.add(at, many)}, ptr {first}")
        c.go(head)
        c.start(end)
    return read(c, x.dtype, slots)


def _in_memory_order(c: Code, x: Storage) -> Storage:
    """Axes by the size of their strides, those of length 1 left out, where all that is known."""
    keep = [k for k, n in enumerate(x.shape) if n != 1]
    if isinstance(x, Strided) and all(isinstance(s, int) for s in x.strides):
        keep.sort(key=lambda k: -abs(int(x.strides[k])))
    if keep == list(range(len(x.shape))) or not keep:
        return x if keep else view(c, x, tuple(Along(0, -1, 0) for _ in x.shape), (1,), (1,))
    map = tuple(Along(0, keep.index(k), 1) if k in keep else Along(0, -1, 0) for k in range(len(x.shape)))
    return view(c, x, map, tuple(x.shape[k] for k in keep), tuple(x.bounds[k] for k in keep))


def _contiguous(x: Storage) -> bool:
    """Whether an array lies in memory in C order without gaps, as far as is known."""
    if not isinstance(x, Strided):
        return False
    stride = 1
    for n, s in zip(reversed(x.shape), reversed(x.strides), strict=True):
        if s != stride or not isinstance(n, int):
            return x.is_whole
        stride *= n
    return True


def _buffered(c: Code, x: Storage) -> tuple[int, Index]:
    """The axis that is cut so that what is left and the axes after it fit the buffer, and the length it is cut to."""
    size: Index = 1
    bound = 1
    if x.bounds[-1] > BUFFER:
        return len(x.shape) - 1, x.shape[-1]  # rows that do not fit are added where they are
    for axis in range(len(x.shape) - 1, 0, -1):
        if bound * x.bounds[axis] > BUFFER:
            return axis, (BUFFER // bound if isinstance(size, int) else c.emit(f"udiv i64 {BUFFER}, {size}"))
        bound *= x.bounds[axis]
        size = c.maximum(c.mul(size, x.shape[axis]), 1)
    return 0, (BUFFER // max(1, size) if isinstance(size, int) else c.emit(f"udiv i64 {BUFFER}, {size}"))


def _sum_box(c: Code, x: Storage) -> Element:
    """The sum of all elements in C order, however they lie in memory."""
    from lazyarr.backends.native_nests import work

    t, shape = part(x.dtype), x.shape
    count: Index = 1
    for n in shape:
        count = c.mul(count, n)
    size = int(np.prod([int(b) for b in x.bounds], dtype=object))

    def by_rows(first: Index, many: Index) -> Element:
        def fill(blocks: list[str]) -> None:
            done = c.alloca("i64")
            c.do(f"store i64 0, ptr {done}")
            head, body, end = (c.new_label() for _ in range(3))
            c.go(head)
            c.start(head)
            with c.scope():
                at = c.emit(f"load i64, ptr {done}")
                c.branch(c.emit(f"icmp slt i64 {at}, {many}"), body, end)
                c.start(body)
                rest: Index = c.add(first, at)
                index: list[Index] = []
                for n in reversed(shape[1:]):
                    quotient = c.emit(f"udiv i64 {rest}, {n}")
                    index.insert(0, c.sub(rest, c.mul(quotient, n)))
                    rest = quotient
                index.insert(0, rest)
                room = c.minimum(c.sub(many, at), c.sub(shape[-1], index[-1]))
                with c.loop(0, room) as j:
                    value = x.element(c, (*index[:-1], c.add(index[-1], j)), {})
                    put(c, t, blocks, c.add(at, j), value)
                c.do(f"store i64 {c.add(at, room)}, ptr {done}")
            c.go(head)
            c.start(end)

        return _block(c, x.dtype, fill, many)

    return tree(c, x.dtype, count, size, by_rows, each=work(x))


def _plus(c: Code, t: np.dtype[Any], x: Element, y: Element) -> Element:
    return tuple(c.emit(f"fadd {register(t)} {a}, {b}") for a, b in zip(x, y, strict=True))
