"""Loop nests over arrays: storing what is computed where it is used, and reductions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import product
from typing import Any

import numpy as np

from lazyarr.backends import native_modulus, native_partials, native_peaks, native_scalar, native_sums, native_threads
from lazyarr.backends.native_cast import cast
from lazyarr.backends.native_emit import Code, Element, Index, literal, register
from lazyarr.backends.native_patched import Span, boxes, spans_within, unchanged
from lazyarr.backends.native_storage import (
    Along,
    Buffer,
    Computed,
    Map,
    Pointwise,
    Scalar,
    Storage,
    Strided,
    View,
    copy_bytes,
    flat,
    view,
)


@contextmanager
def nest(c: Code, shape: Sequence[Index], free: bool = False) -> Iterator[tuple[Index, ...]]:
    """Loops over all indices of a shape, the last axis innermost; `free` as `Code.loop` has it."""
    with ExitStack() as loops:
        yield tuple(0 if n == 1 and isinstance(n, int) else loops.enter_context(c.loop(0, n, free=free)) for n in shape)


#: Nanoseconds of work from which on a nest is shared among threads: what that costs, several times.
WORTH = 20_000.0
#: Elements from which on a nest of a large program is a function of its own; for fewer the call would be felt.
APART = 100
#: Bytes of a vector; elements in one from which on those that do not fill one cost as much as the others.
_VECTOR, _MANY = 32, 16
#: Bytes of rows from which on threads take parts of them: shorter parts would be read slowly.
_LONG_ROW = 1 << 17
#: Iterations of the outermost loop that are too few to be shared.
FEW = 8


def _reads(storage: Storage, seen: set[int]) -> float:
    """How much memory an element is made of, in units of eight bytes."""
    if id(storage) in seen:
        return 0
    seen.add(id(storage))
    if isinstance(storage, Strided):
        return storage.dtype.itemsize / 8
    if isinstance(storage, View):
        return _reads(storage.inner, seen)
    return sum(_reads(x, seen) for x in getattr(storage, "operands", ()))


def work(source: Storage) -> float:
    """Nanoseconds for an element, estimated."""
    width = source.dtype.itemsize / 8
    return 0.1 * (_reads(source, set()) + width) + 0.06 * source.flops * min(1.0, width)


@contextmanager
def span(c: Code, outer: Index, elements: float, source: Storage, buffers: Sequence[Buffer], size: Index,
         inner: float = 1.0, few: int = FEW) -> Iterator[tuple[Index, Index]]:  # fmt: skip
    """The range from 0 to `outer`, or the part of it that a thread does where sharing is worth it.

    `elements` is the number of elements at most, `size` their number; `inner` is how many elements of `source` are used
    for each; fewer iterations than `few` are not shared.
    """
    each = inner * work(source)
    alone = (isinstance(outer, int) and outer < few) or elements * each < WORTH or native_threads.threads() < 2
    if alone and not (c.large and elements >= APART):
        yield 0, outer
        return
    for buffer in buffers:
        c.pointer(buffer)
    if alone:
        with c.apart(outer) as ends:
            yield ends
        return
    worth = None if isinstance(size, int) else c.emit(f"icmp sgt i64 {size}, {int(WORTH / each)}")
    with c.span(outer, worth) as ends:
        yield ends


@contextmanager
def spread(c: Code, shape: tuple[Index, ...], bounds: Sequence[int], source: Storage, buffers: Sequence[Buffer],
           inner: float = 1.0, free: bool = False) -> Iterator[tuple[Index, ...]]:  # fmt: skip
    """Loops over all indices of a shape, shared among threads where that is worth it.

    `inner` is how many elements of `source` are used at each index; `free` as `Code.loop` has it.
    """
    axis = next((k for k, n in enumerate(shape) if n != 1), None)
    if axis is None:
        yield (0,) * len(shape)
        return
    outer, elements = shape[axis], float(np.prod([float(b) for b in bounds]))
    with span(c, outer, elements, source, buffers, total(c, shape), inner) as (first, last):
        within = (0, outer) if isinstance(outer, int) else None
        with c.loop(first, last, within=within, free=free) as i, nest(c, shape[axis + 1 :], free) as rest:
            yield (*(0 for _ in shape[:axis]), i, *rest)


def total(c: Code, shape: Sequence[Index]) -> Index:
    """Number of elements."""
    found: Index = 1
    for n in shape:
        found = c.mul(found, n)
    return found


def loops_for(c: Code, storages: Sequence[Storage], shape: tuple[Index, ...]) -> tuple[Index, ...]:
    """The shape to loop over: one long last axis where memory allows."""
    # (An index on an axis of length 1 is taken for 0 where arrays broadcast.)
    if len(shape) > 1 and shape[-1] != 1 and all(flat(s, shape) for s in storages):
        return (*(1 for _ in shape[1:]), total(c, shape))
    return shape


def fill(c: Code, target: Strided, source: Storage) -> None:
    """``target[...] = source``; elements read where they are written only."""
    from lazyarr.backends import native_periodic, native_rows, native_streams

    if c.recording is not None:
        c.recording.append((target, source))
        return
    if isinstance(source, Strided) and source.is_whole and target.is_whole and source.shape == target.shape:
        size = c.mul(total(c, target.shape), target.dtype.itemsize)
        copy_bytes(c, c.pointer(target.buffer), c.pointer(source.buffer), size)
        return
    if not target.shape:
        target.put(c, (), source.element(c, (), {}))
        return
    shape = loops_for(c, (target, source), target.shape)
    buffers = [target.buffer, *source.buffers]
    cuts = boxes(source, shape)
    if cuts is not None:
        _fill_boxes(c, target, source, cuts, buffers)
        return
    if native_modulus.has_comparison(source):
        _fill_blocks(c, target, source, shape, buffers)
        return
    periodic = native_periodic.repeated(source, target)
    if periodic is not None:
        native_periodic.fill(c, target, source, periodic, buffers)
        return
    if native_streams.worth_it(target, source):
        native_streams.fill(c, target, source, shape, buffers)
        return
    if native_rows.have_much_in_common(source):
        native_rows.apply(c, source, target, (), ())
        return
    # (LLVM knows what is in different buffers. In one it would compare addresses, for all rows of a loop at once.)
    within = target.buffer in source.buffers
    with c.statement(), spread(c, shape, target.bounds, source, buffers, free=within) as at:
        target.put(c, at, source.element(c, at, {}))


def _fill_blocks(c: Code, target: Strided, source: Storage, shape: tuple[Index, ...], buffers: Sequence[Buffer]
                 ) -> None:  # fmt: skip
    """``target[...] = source`` by blocks of the last axis."""
    n, size = shape[-1], native_modulus.BLOCK
    blocks = -(-n // size) if isinstance(n, int) else c.emit(f"sdiv i64 {c.add(n, size - 1)}, {size}")
    bound = -(-int(np.prod([int(b) for b in target.bounds], dtype=object)) // size)
    with c.statement(), spread(c, (*shape[:-1], blocks), (bound,), source, buffers, size) as at:
        first = c.mul(at[-1], size)
        last = c.minimum(c.add(first, size), n)

        def elements() -> None:
            with c.loop(first, last) as k:
                target.put(c, (*at[:-1], k), source.element(c, (*at[:-1], k), {}))

        again = target.buffer not in source.buffers
        native_modulus.blockwise(c, [source], at[:-1], first, last, elements, again)


def _fill_boxes(c: Code, target: Strided, source: Storage, cuts: list[list[Span]], buffers: Sequence[Buffer]) -> None:
    """``target[...] = source``, where what is read jumps between boxes."""
    axis = next((k for k, spans in enumerate(cuts) if spans != [(0, 1)]), 0)
    elements = float(np.prod([float(b) for b in target.bounds]))
    with c.statement(), span(c, cuts[axis][-1][1], elements, source, buffers, 1) as (first, last):
        _boxes_between(c, target, source, cuts, axis, first, last)


def fill_rows(c: Code, target: Strided, source: Storage, first: Index, last: Index,
              columns: tuple[Index, Index] | None = None) -> None:  # fmt: skip
    """The rows from `first` to before `last` of ``target[...] = source``, of static shape; of them these `columns`."""
    cuts = boxes(source, target.shape) or [[(0, int(n))] for n in target.shape]
    _boxes_between(c, target, source, cuts, 0, first, last, columns)


def _boxes_between(c: Code, target: Strided, source: Storage, cuts: list[list[Span]], axis: int, first: Index,
                   last: Index, columns: tuple[Index, Index] | None = None) -> None:  # fmt: skip
    rank = len(cuts)

    def rest(box: tuple[Span, ...], at: tuple[Index, ...]) -> None:
        if len(at) == rank:
            target.put(c, at, source.element(c, at, {}))
            return
        for low, high in spans_within(source, box) if source.shape == target.shape else cuts[len(at)]:
            inner = (*box, (low, high))
            if not new(inner):
                continue
            if columns is not None and len(at) == 1:
                with c.loop(c.maximum(columns[0], low), c.minimum(columns[1], high), within=(low, high)) as i:
                    rest(inner, (*at, i))
                continue
            if high == low + 1:
                rest(inner, (*at, low))
                continue
            for first, end in parts(low, high) if len(inner) == rank else [(low, high)]:
                with c.loop(first, end) as i:
                    rest(inner, (*at, i))

    def parts(low: int, high: int) -> list[Span]:
        """A row as ranges that are made of whole vectors: the last one does some elements again."""
        lanes = _VECTOR // target.dtype.itemsize
        if lanes < _MANY or high - low <= lanes or (high - low) % lanes == 0 or target.buffer in source.buffers:
            return [(low, high)]
        return [(low, high - (high - low) % lanes), (high - lanes, high)]

    def new(box: tuple[Span, ...]) -> bool:
        """Whether there is something to be written in boxes that begin so."""
        return any(not unchanged(source, target, (*box, *more)) for more in product(*cuts[len(box) :]))

    lead = ((0, 1),) * axis
    for low, high in cuts[axis]:
        if new((*lead, (low, high))):
            with c.loop(c.maximum(first, low), c.minimum(last, high), within=(low, high)) as i:
                rest((*lead, (low, high)), (*(0 for _ in lead), i))


# --- reductions ------------------------------------------------------------------------------------------


def identity(kind: str, dtype: np.dtype[Any]) -> Element:
    """The value that leaves every other unchanged."""
    if kind in ("maximum", "minimum", "fmax", "fmin"):
        least = kind in ("maximum", "fmax")
        if dtype.kind == "b":
            return literal(not least, dtype)
        if dtype.kind in "iu":
            return literal(np.iinfo(dtype).min if least else np.iinfo(dtype).max, dtype)
        return literal(np.nan if kind[0] == "f" else -np.inf if least else np.inf, dtype)
    if kind in ("multiply", "logical_and"):
        return literal(1, dtype)
    if kind == "bitwise_and":
        return literal(np.asarray(-1).astype(dtype), dtype)
    return literal(0, dtype)


def accumulation(kind: str, dtype: np.dtype[Any]) -> Any:
    """``combine(code, accumulator, element)`` for a reduction; None where NumPy has to run it."""
    if dtype.kind == "f" and dtype.itemsize > 2 or dtype.kind == "c" and kind == "add":
        # Products of arrays: BLAS orders the terms as it likes, too.
        op = {"add": "fadd reassoc contract", "multiply": "fmul reassoc"}.get(kind)
        if op is not None:
            return lambda c, x, y: tuple(c.emit(f"{op} {register(dtype)} {a}, {b}") for a, b in zip(x, y, strict=True))
        if kind in ("maximum", "minimum"):
            return lambda c, x, y: (native_scalar.call(c, kind, dtype, x[0], y[0]),)
    return native_scalar.combine(kind, dtype)


def variable(c: Code, dtype: np.dtype[Any], value: Element) -> list[str]:
    """Stack slots that hold an element, set to `value`."""
    slots = [c.alloca(register(dtype)) for _ in value]
    assign(c, dtype, slots, value)
    return slots


def assign(c: Code, dtype: np.dtype[Any], slots: Sequence[str], value: Element) -> None:
    for slot, x in zip(slots, value, strict=True):
        c.do(f"store {register(dtype)} {x}, ptr {slot}")


def read(c: Code, dtype: np.dtype[Any], slots: Sequence[str]) -> Element:
    return tuple(c.emit(f"load {register(dtype)}, ptr {slot}") for slot in slots)


def accumulate_rows(c: Code, x: Storage, kind: str, dtype: np.dtype[Any], shape: Sequence[Index], place: Any
                    ) -> Element:  # fmt: skip
    """Reduce over all indices of `shape`: ``place(indices)`` gives those of `x`."""
    found = native_peaks.peak(c, x, kind, shape, place)
    if found is not None:
        return found
    combine = accumulation(kind, dtype)
    slots = variable(c, dtype, identity(kind, dtype))
    with nest(c, shape) as at:
        assign(c, dtype, slots, combine(c, read(c, dtype, slots), x.element(c, place(at), {})))
    return read(c, dtype, slots)


def row_map(at: Sequence[Index]) -> Map:
    """The map of what is left of an array at fixed leading indices."""
    return (*(Along(i, -1, 0) for i in at), Along(0, 0, 1))


def truths(x: Storage) -> Storage:
    """Whether each element is not zero."""
    if x.dtype.kind == "b":
        return x
    t = x.dtype
    return Pointwise(np.dtype(bool), x.shape, x.bounds, [x], lambda c, xs: ((native_scalar.truth(c, t, xs[0]),),), 0.5)


def reduces(kind: str, dtype: np.dtype[Any]) -> bool:
    """Whether a reduction is generated."""
    if kind.startswith("logical"):
        return True
    return dtype != np.float16 and accumulation(kind, dtype) is not None


def dot(c: Code, terms: Storage) -> Scalar:
    """The sum of the terms of an inner product, in any order."""
    with c.statement():
        return Scalar(terms.dtype, accumulate_rows(c, terms, "add", terms.dtype, terms.shape, lambda at: at))


def reduce_scalar(c: Code, x: Storage, kind: str) -> Scalar:
    """Reduce all axes."""
    if kind.startswith("logical"):
        x = truths(x)
    with c.statement():
        if kind == "add" and x.dtype.kind in "fc":
            found = native_sums.sum_all(c, x)
        else:
            found = _reduced(c, x, kind, loops_for(c, (x,), x.shape))
    return Scalar(x.dtype, found)


def _reduced(c: Code, x: Storage, kind: str, shape: tuple[Index, ...]) -> Element:
    """Reduce over all indices of `shape`, by threads if that is worth it."""
    axis = next((k for k, n in enumerate(shape) if n != 1), 0)
    n = shape[axis] if shape else 1
    count = native_partials.PARTS
    if not isinstance(n, int) or n < count or not native_partials.shared(c, total(c, shape), work(x)):
        return accumulate_rows(c, x, kind, x.dtype, shape, lambda at: at)
    firsts = [k * n // count for k in range(count + 1)]

    def part(number: Index) -> Element:
        first, end = (native_partials.constant(c, numbers, number) for numbers in (firsts[:-1], firsts[1:]))
        own = (*shape[:axis], c.sub(end, first), *shape[axis + 1 :])
        return accumulate_rows(c, x, kind, x.dtype, own,
                               lambda at: (*at[:axis], c.add(first, at[axis]), *at[axis + 1 :]))  # fmt: skip

    combine = accumulation(kind, x.dtype)
    found = native_partials.parts(c, [register(x.dtype)] * (1 + (x.dtype.kind == "c")), part)
    result = found[0]
    for other in found[1:]:
        result = combine(c, result, other)
    return result


def reduced_at(c: Code, x: Storage, kind: str, axes: tuple[int, ...], at: Sequence[Index]) -> Element:
    """What the elements with indices `at` on the other axes are reduced to; of truth values where `kind` is logical."""
    rank = len(x.shape)
    kept = [a for a in range(rank) if a not in axes]
    inner = [x.shape[a] for a in axes]

    def place(reduced: Sequence[Index]) -> tuple[Index, ...]:
        found: list[Index] = [0] * rank
        for a, i in (*zip(kept, at, strict=True), *zip(axes, reduced, strict=True)):
            found[a] = i
        return tuple(found)

    if kind == "add" and x.dtype.kind in "fc" and axes:
        fixed = dict(zip(kept, at, strict=True))
        map = tuple(Along(fixed[a], -1, 0) if a in fixed else Along(0, axes.index(a), 1) for a in range(rank))
        return native_sums.sum_all(c, view(c, x, map, tuple(inner), tuple(x.bounds[a] for a in axes)))
    return accumulate_rows(c, x, kind, x.dtype, inner, place)


def reduce_axes(c: Code, x: Storage, kind: str, axes: tuple[int, ...], target: Strided) -> None:
    """Reduce some axes into `target`, which is not read."""
    if kind.startswith("logical"):
        x = truths(x)
    rank = len(x.shape)
    kept = [a for a in range(rank) if a not in axes]
    dtype = x.dtype
    if rank - 1 in axes or not axes or all(x.shape[a] == 1 for a in kept):
        count = float(np.prod([float(x.bounds[a]) for a in axes]))
        buffers = [target.buffer, *x.buffers]
        with c.statement(), spread(c, target.shape, target.bounds, x, buffers, count) as at:
            target.put(c, at, reduced_at(c, x, kind, axes, at))
        return
    # Sums in order, as NumPy adds rows.
    combine = native_scalar.combine(kind, dtype) if kind in ("add", "multiply") else accumulation(kind, dtype)
    assert combine is not None
    start = identity(kind, dtype)
    fill(c, target, Computed(dtype, target.shape, target.bounds, lambda c, at, seen: start))

    def one(at: tuple[Index, ...]) -> None:
        where = tuple(at[a] for a in kept)
        old = target.element(c, where, {})
        target.put(c, where, combine(c, old, x.element(c, at, {})))

    # Threads take some of the first axis, or of the last one if that is long: of what they do not add up.
    axis = 0 if 0 in kept and x.bounds[0] >= FEW else rank - 1
    if axis and x.bounds[axis] * dtype.itemsize < _LONG_ROW:
        with c.statement(), nest(c, x.shape) as at:
            one(at)
        return
    elements, buffers = float(np.prod([float(b) for b in x.bounds])), [target.buffer, *x.buffers]
    with c.statement(), span(c, x.shape[axis], elements, x, buffers, total(c, x.shape)) as (low, high):
        within = (0, int(x.shape[axis])) if isinstance(x.shape[axis], int) else None
        with nest(c, x.shape[:axis]) as first, c.loop(low, high, within=within) as k:
            with nest(c, x.shape[axis + 1 :]) as last:
                one((*first, k, *last))


#: Elements of a mask that are looked at together, as the bits of one integer.
_WORD = 64


def _bits(c: Code, mask: Strided, first: Index) -> str:
    """Which of the next `_WORD` elements of a mask in memory are True, the first one in the lowest bit."""
    pointer = c.address(c.pointer(mask.buffer), mask.dtype, mask.place(c, (first,)))
    extra = c.aliases.of(mask.buffer) if c.aliases is not None else ""
    word = c.emit(f"load <{_WORD} x i8>, ptr {pointer}, align 1{extra}")
    true = c.emit(f"icmp ne <{_WORD} x i8> {word}, zeroinitializer")
    return c.emit(f"bitcast <{_WORD} x i1> {true} to i64")


def _words(c: Code, mask: Storage) -> Index:
    """How many elements of a mask can be looked at by words: none where they are not neighbours in memory."""
    if not isinstance(mask, Strided) or mask.strides != (1,):
        return 0
    n = mask.shape[0]
    return n - n % _WORD if isinstance(n, int) else c.emit(f"and i64 {n}, {-_WORD}")


def positions(c: Code, mask: Storage, target: Strided) -> None:
    """The indices of the True elements of a mask of one axis; `target` has room for one more than there are."""
    index = np.dtype("i8")
    with c.statement():
        slots = variable(c, index, ("0",))
        whole = _words(c, mask)
        if whole != 0 and isinstance(mask, Strided):
            c.module.declare("cttz", "declare i64 @llvm.cttz.i64(i64, i1)")
            left = c.alloca("i64")
            with c.loop(0, whole, _WORD) as first:
                c.do(f"store i64 {_bits(c, mask, first)}, ptr {left}")
                head, body, end = (c.new_label() for _ in range(3))
                c.go(head)
                c.start(head)
                with c.scope():
                    bits = c.emit(f"load i64, ptr {left}")
                    c.branch(c.emit(f"icmp ne i64 {bits}, 0"), body, end)
                    c.start(body)
                    at = read(c, index, slots)[0]
                    low = c.emit(f"call i64 @llvm.cttz.i64(i64 {bits}, i1 true)")
                    target.put(c, (at,), (str(c.add(first, low)),))
                    assign(c, index, slots, (c.emit(f"add i64 {at}, 1"),))
                    less = c.emit(f"sub i64 {bits}, 1")
                    c.do(f"store i64 {c.emit(f'and i64 {bits}, {less}')}, ptr {left}")
                c.go(head)
                c.start(end)
        with c.loop(whole, mask.shape[0]) as i:
            at = read(c, index, slots)[0]
            # Written anyway: the next one overwrites it.
            target.put(c, (at,), (i,))
            found = c.emit(f"zext i1 {mask.element(c, (i,), {})[0]} to i64")
            assign(c, index, slots, (c.emit(f"add i64 {at}, {found}"),))


def count(c: Code, mask: Storage, dtype: np.dtype[Any]) -> Scalar:
    """The number of True elements of a mask of one axis in memory, as an integer of `dtype`."""
    index = np.dtype("i8")
    with c.statement():
        slots = variable(c, index, ("0",))
        whole = _words(c, mask)
        if whole != 0 and isinstance(mask, Strided):
            c.module.declare("ctpop", "declare i64 @llvm.ctpop.i64(i64)")
            with c.loop(0, whole, _WORD) as first:
                many = c.emit(f"call i64 @llvm.ctpop.i64(i64 {_bits(c, mask, first)})")
                assign(c, index, slots, (c.emit(f"add i64 {read(c, index, slots)[0]}, {many}"),))
        with c.loop(whole, mask.shape[0]) as i:
            found = c.emit(f"zext i1 {mask.element(c, (i,), {})[0]} to i64")
            assign(c, index, slots, (c.emit(f"add i64 {read(c, index, slots)[0]}, {found}"),))
        return Scalar(dtype, cast(c, index, dtype, read(c, index, slots)))


def accumulate(c: Code, x: Storage, kind: str, axis: int, target: Strided) -> None:
    """A running reduction along an axis."""
    if kind.startswith("logical"):
        x = truths(x)
    dtype = target.dtype
    combine = native_scalar.combine(kind, dtype)
    assert combine is not None
    order = [a for a in range(len(x.shape)) if a != axis]
    last = axis == len(x.shape) - 1
    with c.statement():
        # The running axis innermost where it is the last one, else outside of the others.
        shape = [x.shape[a] for a in order]
        if last:
            with nest(c, shape) as at, c.when(_positive(c, x.shape[axis])):
                first = x.element(c, (*at, 0), {})
                target.put(c, (*at, 0), first)
                slots = variable(c, dtype, first)
                with c.loop(1, x.shape[axis]) as k:
                    value = combine(c, read(c, dtype, slots), x.element(c, (*at, k), {}))
                    assign(c, dtype, slots, value)
                    target.put(c, (*at, k), value)
            return
        with c.loop(0, x.shape[axis]) as k:

            def place(at: Sequence[Index], k: Index) -> tuple[Index, ...]:
                return (*at[:axis], k, *at[axis:])

            begins = c.emit(f"icmp eq i64 {k}, 0")
            with c.when(begins), nest(c, shape) as at:
                target.put(c, place(at, k), x.element(c, place(at, k), {}))
            with c.when(c.emit(f"xor i1 {begins}, true")), nest(c, shape) as at:
                before = target.element(c, place(at, c.sub(k, 1)), {})
                target.put(c, place(at, k), combine(c, before, x.element(c, place(at, k), {})))


def _positive(c: Code, n: Index) -> str:
    return ("true" if n > 0 else "false") if isinstance(n, int) else c.emit(f"icmp sgt i64 {n}, 0")
