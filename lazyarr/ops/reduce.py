"""Reductions and running reductions of NumPy's ufuncs, and the position of an extremum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, Along, OperandAccess, Reduced
from lazyarr.ir.op import OPS, Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import xla_lengths, xla_math
from lazyarr.ops.across import ACROSS
from lazyarr.ops.order import ORDERED
from lazyarr.ops.shape import require_arrays, require_axis

#: Kinds of `reduce`: associative ufuncs. The logical ones take any dtype and give bool.
KINDS = ("add", "multiply", "maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "logical_xor",
         "bitwise_and", "bitwise_or", "bitwise_xor")  # fmt: skip

#: Of these, those that ranks without elements may take part in: what they give leaves the others' results unchanged.
WITH_IDENTITY = frozenset(("add", "multiply", "logical_or", "logical_and", "bitwise_or", "bitwise_xor"))


def result_dtype(kind: str, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Dtype a reduction of `kind` gives for operands of its loop dtype.

    Raises
    ------
    ValueError
        If `kind` is none of `KINDS`.
    TypeError
        If the ufunc has no loop on that dtype alone.
    """
    if kind not in KINDS:
        raise ValueError(f"no reduction is called {kind!r}; expected one of {', '.join(KINDS)}")
    if kind.startswith("logical"):
        return np.dtype(np.bool_)
    ufunc: np.ufunc = getattr(np, kind)
    if ufunc.resolve_dtypes((dtype, dtype, None)) != (dtype, dtype, dtype):
        raise TypeError(f"{kind} has no loop that stays in {dtype}")
    return dtype


# --- reduce ----------------------------------------------------------------------------------------------


def _require_axes(name: str, x: ArrayType, axes: tuple[int, ...]) -> None:
    require_arrays(name, x)
    if list(axes) != sorted(set(axes)):
        raise ValueError(f"{name} takes ascending axes without repeats, got {axes}")
    for axis in axes:
        require_axis(name, axis, x.ndim)


def _infer_reduce(x: ArrayType, *, kind: str, axes: tuple[int, ...]) -> ArrayType:
    _require_axes("reduce", x, axes)
    dtype = result_dtype(kind, x.dtype)
    shape = tuple(n for a, n in enumerate(x.shape) if a not in axes)
    if any(x.shape[a] == 0 for a in axes) and getattr(np, kind).identity is None:
        raise ValueError(f"zero-size array to reduction operation {kind} which has no identity")
    return ArrayType(dtype, shape)


def _reduce(xp: Any, x: Any, *, kind: str, axes: tuple[int, ...]) -> Any:
    ufunc: np.ufunc = getattr(np, kind)
    # Without a dtype NumPy widens small integers; the IR does that with a cast.
    dtype = None if kind.startswith("logical") else x.dtype
    return ufunc.reduce(x, axis=axes, dtype=dtype)


def _identity(kind: str, dtype: np.dtype[Any]) -> Any:
    """The value that leaves every other unchanged."""
    if kind in ("maximum", "minimum", "fmax", "fmin"):
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return np.asarray(limits.max if kind in ("minimum", "fmin") else limits.min, dtype)
        if kind in ("fmax", "fmin"):
            return np.asarray(np.nan, dtype)
        end = np.inf if kind == "minimum" else -np.inf
        return np.asarray(complex(end, end) if dtype.kind == "c" else end, dtype)
    if kind in ("multiply", "logical_and"):
        return np.asarray(1, dtype)
    if kind == "bitwise_and":
        return np.asarray(-1).astype(dtype)
    return np.asarray(0, dtype)


#: What the kinds mean on bools.
_ON_BOOL = {
    "add": "bitwise_or", "maximum": "bitwise_or", "fmax": "bitwise_or", "logical_or": "bitwise_or",
    "multiply": "bitwise_and", "minimum": "bitwise_and", "fmin": "bitwise_and", "logical_and": "bitwise_and",
    "logical_xor": "bitwise_xor", "bitwise_or": "bitwise_or", "bitwise_and": "bitwise_and",
    "bitwise_xor": "bitwise_xor",
}  # fmt: skip


def _jax_reduce(jax: Any, x: Any, *, kind: str, axes: tuple[int, ...]) -> Any:
    lax = jax.lax
    if kind.startswith("logical"):
        x = x != lax.full_like(x, 0)
    dtype = x.dtype
    if dtype == np.bool_:
        kind = _ON_BOOL[kind]
    if x.size == 0:
        return lax.full([n for a, n in enumerate(x.shape) if a not in axes], _identity(kind, dtype), dtype)
    if dtype == np.float16:
        # NumPy's half loops accumulate in float32.
        return _combine_over(jax, x.astype(np.float32), kind, axes).astype(dtype)
    return _combine_over(jax, x, kind, axes)


def _combine_over(jax: Any, x: Any, kind: str, axes: tuple[int, ...]) -> Any:
    lax = jax.lax
    if not axes:
        return _no_negative_zero(jax, x) if kind == "add" else x
    start = _identity(kind, x.dtype)
    combine: Callable[..., Any]
    if kind in ("fmax", "fmin") or (kind in ("maximum", "minimum") and x.dtype.kind == "c"):
        # XLA's own extrema know NaN as maximum does, and no complex numbers.
        combine = partial(xla_math.extremum(kind), jax)
    else:
        combine = {"add": lax.add, "multiply": lax.mul, "maximum": lax.max, "minimum": lax.min,
                   "bitwise_and": lax.bitwise_and, "bitwise_or": lax.bitwise_or, "bitwise_xor": lax.bitwise_xor}[kind]

    def plain(x: Any) -> Any:
        return lax.reduce(x, start, combine, axes)

    row = int(np.prod(x.shape[axes[-1] + 1 :], dtype=np.int64))
    if row < (_WIDE_COMPLEX if x.dtype.kind == "c" else _WIDE):
        return plain(x)
    return lax.platform_dependent(x, cpu=partial(_reduce_rows, jax, combine=combine, axes=axes), default=plain)


#: XLA's reduction on the CPU walks down a column at a time, at 18 ns an element where rows are long. Sum of a
#: float64 array of 4 x 2M over axis 0: NumPy 3.6 ms, XLA 113, by rows 2.4; 64 x 125k: 3.1, 169, 4.1; 1024 x 8192:
#: 4.4, 7.6, 3.7; 3072 x 3000: 4.9, 9.8, 4.1; 8192 x 1024: 3.5, 3.2, 8.1. From this many elements inside the reduced
#: axes on, rows are added. Complex 20000 x 256: 3.6, 41, 10.
_WIDE = 2048
_WIDE_COMPLEX = 256
#: Rows that are combined in one pass over the result.
_ROWS = 8


def _reduce_rows(jax: Any, x: Any, *, combine: Callable[..., Any], axes: tuple[int, ...]) -> Any:
    """Reduction as operations on whole rows, a few at a time; adjacent axes at once, from the innermost out."""
    lax = jax.lax
    while axes:
        first = next(k for k in range(len(axes)) if axes[k:] == tuple(range(axes[k], axes[-1] + 1)))
        outer, inner = x.shape[: axes[first]], x.shape[axes[-1] + 1 :]
        rows = int(np.prod(x.shape[axes[first] : axes[-1] + 1], dtype=np.int64))
        x = lax.reshape(x, (*outer, rows, *inner))
        axis = len(outer)
        head = rows % _ROWS or _ROWS
        total = lax.index_in_dim(x, 0, axis, keepdims=False)
        for k in range(1, head):
            total = combine(total, lax.index_in_dim(x, k, axis, keepdims=False))
        if combine is lax.add:
            total = _no_negative_zero(jax, total)

        def block(k: Any, total: Any, x: Any = x, axis: int = axis, head: int = head) -> Any:
            part = lax.dynamic_slice_in_dim(x, head + k * _ROWS, _ROWS, axis)
            for row in range(_ROWS):
                total = combine(total, lax.index_in_dim(part, row, axis, keepdims=False))
            return total

        if rows > head:
            total = lax.fori_loop(0, (rows - head) // _ROWS, block, total)
        x, axes = total, axes[:first]
    return x


def _padded_reduce(
    jax: Any, arrays: Sequence[Any], lengths: xla_lengths.Lengths, *, kind: str, axes: tuple[int, ...]
) -> Sequence[Any]:
    (x,) = arrays
    if x.dtype == np.bool_:
        kind = _ON_BOOL[kind]
        identity: Any = kind == "bitwise_and"
    else:
        identity = _identity(kind, x.dtype)
    return [xla_lengths.mask(jax, x, lengths[0], identity, axes)]


def _no_negative_zero(jax: Any, x: Any) -> Any:
    """NumPy's sums start from 0.0, so a sum of negative zeros is 0.0. (XLA drops the addition of a zero.)"""
    if x.dtype.kind == "c":
        return jax.lax.complex(_no_negative_zero(jax, x.real), _no_negative_zero(jax, x.imag))
    return jax.numpy.where(x == 0, jax.lax.full_like(x, 0), x) if x.dtype.kind == "f" else x


def _access_reduce(x: ArrayType, *, kind: str, axes: tuple[int, ...]) -> tuple[OperandAccess, ...]:
    rest = [a for a in range(x.ndim) if a not in axes]
    return (tuple(Reduced(kind) if a in axes else Along(rest.index(a)) for a in range(x.ndim)),)


def _samples_reduce() -> Iterator[Sample]:
    for kind in KINDS:
        for name, dtype in DTYPES.items():
            if kind.startswith("bitwise") and dtype.kind not in "biu":
                continue
            yield Sample((f"{name}[3,4]",), {"kind": kind, "axes": (1,)}, smooth=not kind.startswith("logical"))
        for shape, axes in [
            ("2,3,4", (0, 2)), ("2,3,4", (1,)), ("5", (0,)), ("5", ()), ("1,3", (0,)), ("", ()), ("0,3", (1,))
        ]:  # fmt: skip
            name = "i32" if kind.startswith("bitwise") else "f64"
            yield Sample((f"{name}[{shape}]",), {"kind": kind, "axes": axes})
        yield Sample(("i16[21,2048]",), {"kind": kind, "axes": (0,)})
        if getattr(np, kind).identity is not None:
            name = "i32" if kind.startswith("bitwise") else "f64"
            yield Sample((f"{name}[0,3]",), {"kind": kind, "axes": (0,)})


#: A ufunc's reduction; its axes vanish.
REDUCE = Op(
    name="reduce",
    numpy="numpy.<kind>.reduce(x, axes)",
    infer=_infer_reduce,
    evaluate=_reduce,
    jax=_jax_reduce,
    access=_access_reduce,
    pointwise=False,
    memory="fresh",
    cost=lambda x, *, kind, axes: Cost(x.size, x.nbytes + _infer_reduce(x, kind=kind, axes=axes).nbytes),
    backends=("xla", "numpy"),
    samples=_samples_reduce,
    padded=_padded_reduce,
    part="same",
    ordered=ORDERED["reduce"],
)

# --- column_sums -----------------------------------------------------------------------------------------


def _infer_column_sums(x: ArrayType) -> ArrayType:
    if x.ndim != 2 or x.dtype not in (DTYPES["f32"], DTYPES["f64"]):
        raise TypeError(f"column_sums takes f32 or f64 of two axes, got {x}")
    return x.with_shape(x.shape[1:])


def _column_sums(xp: Any, x: Any) -> Any:
    # One by one: a sum over an axis of a matrix adds in another order.
    return np.array([column.sum() for column in np.transpose(x)], x.dtype)


def _samples_column_sums() -> Iterator[Sample]:
    for shape in ("3,4", "200,5", "40,17", "0,3", "3,0", "1000,1"):
        yield Sample((f"f64[{shape}]",))
    yield Sample(("f32[300,33]",))


#: The sum of each column, added up in the order of a sum of that column alone.
COLUMN_SUMS = Op(
    name="column_sums",
    numpy="[column.sum() for column in x.T]",
    infer=_infer_column_sums,
    evaluate=_column_sums,
    jax=lambda jax, x: _jax_reduce(jax, x, kind="add", axes=(0,)),
    access=lambda x: ((Reduced("add"), Along(0)),),
    pointwise=False,
    memory="fresh",
    cost=lambda x: Cost(x.size, x.nbytes + _infer_column_sums(x).nbytes),
    backends=("native", "xla", "numpy"),
    samples=_samples_column_sums,
    padded=partial(_padded_reduce, kind="add", axes=(0,)),
)

# --- argmax, argmin --------------------------------------------------------------------------------------


def _infer_arg(name: str, x: ArrayType, *, axis: int) -> ArrayType:
    require_arrays(name, x)
    require_axis(name, axis, x.ndim)
    if x.shape[axis] == 0:
        raise ValueError(f"attempt to get {name} of an empty sequence")
    return ArrayType(np.dtype(np.int64), (*x.shape[:axis], *x.shape[axis + 1 :]))


def _jax_arg(name: str, jax: Any, x: Any, *, axis: int) -> Any:
    if x.size == 0:
        return jax.lax.full((*x.shape[:axis], *x.shape[axis + 1 :]), 0, np.int64)
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)
    if x.dtype.kind == "c":
        return _complex_arg(name, jax, x, axis)
    # Narrower indices than the result's are no faster.
    return getattr(jax.lax, name)(x, axis, np.int64)


def _complex_arg(name: str, jax: Any, x: Any, axis: int) -> Any:
    """First index of the extremum in the order of complex numbers; a NaN is beyond all."""
    kind, beyond = ("maximum", "greater") if name == "argmax" else ("minimum", "less")
    precedes = xla_math.compare(beyond)

    def better(left: Any, right: Any) -> Any:
        (x, at), (y, other) = left, right
        x_nan, y_nan = x != x, y != y
        tie = ((x == y) | (x_nan & y_nan)) & (at < other)
        first = (x_nan & ~y_nan) | (precedes(jax, x, y) & ~y_nan) | tie
        return jax.numpy.where(first, x, y), jax.numpy.where(first, at, other)

    index = jax.lax.broadcasted_iota(np.int64, x.shape, axis)
    start = (_identity(kind, x.dtype), np.int64(x.shape[axis]))
    return jax.lax.reduce((x, index), start, better, (axis,))[1]


def _access_along_one(x: ArrayType, *, axis: int, **attrs: Any) -> tuple[OperandAccess, ...]:
    return (tuple(WHOLE if a == axis else Along(a - (a > axis)) for a in range(x.ndim)),)


def _samples_arg() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[3,4]",), {"axis": 1}, smooth=False)
    for shape, axis in [("5", 0), ("2,3,4", 1), ("1,3", 0), ("3,1", 0), ("0,3", 1)]:
        yield Sample((f"f64[{shape}]",), {"axis": axis}, smooth=False)


def _arg(name: str) -> Op:
    return Op(
        name=name,
        numpy=f"numpy.{name}(x, axis)",
        infer=partial(_infer_arg, name),
        evaluate=lambda xp, x, *, axis: getattr(np, name)(x, axis),
        jax=partial(_jax_arg, name),
        access=_access_along_one,
        pointwise=False,
        memory="fresh",
        cost=lambda x, *, axis: Cost(2 * x.size, x.nbytes),
        backends=("xla", "numpy"),
        samples=_samples_arg,
        padded=xla_lengths.for_position(name == "argmax"),
        part="same",
        across=ACROSS[name],
    )


ARGMAX = _arg("argmax")
ARGMIN = _arg("argmin")

# --- accumulate ------------------------------------------------------------------------------------------


def _infer_accumulate(x: ArrayType, *, kind: str, axis: int) -> ArrayType:
    require_arrays("accumulate", x)
    require_axis("accumulate", axis, x.ndim)
    return ArrayType(result_dtype(kind, x.dtype), x.shape)


def _accumulate(xp: Any, x: Any, *, kind: str, axis: int) -> Any:
    ufunc: np.ufunc = getattr(np, kind)
    dtype = None if kind.startswith("logical") else x.dtype
    return ufunc.accumulate(x, axis=axis, dtype=dtype)


def _jax_accumulate(jax: Any, x: Any, *, kind: str, axis: int) -> Any:
    if kind.startswith("logical"):
        x = x != jax.lax.full_like(x, 0)
    if x.size == 0 or x.shape[axis] == 1:
        return x
    own = OPS[kind].jax
    combine = partial(own, jax) if own is not None else getattr(jax.numpy, kind)
    return jax.lax.platform_dependent(
        x,
        cpu=partial(_accumulate_in_order, jax, combine=combine, axis=axis),
        default=lambda x: jax.lax.associative_scan(combine, x, axis=axis),
    )


#: Elements that one step of the loop along the last axis combines, as a chain of scalars. XLA compiles a nest of
#: loops into native code only while the body is small: with 16 it takes 150 ns an element instead of 2.
_CHAIN = 8


def _accumulate_in_order(jax: Any, x: Any, *, combine: Any, axis: int) -> Any:
    """Running reduction in NumPy's own order, so that floats come out the same to the last bit.

    cumsum of float64, milliseconds: (2048, 2048) along axis 0: NumPy 61, associative_scan 27, lax.cumsum 70,
    this 7.9; along axis 1: 18, 31, 26, 10.6; of 1M: 4.3, 2.9 to 4.9, 5.0, 2.5; (100000, 10) along axis 0: 4.3,
    3.8, 3.8, 1.5.
    """
    lax = jax.lax
    n = x.shape[axis]
    outer = int(np.prod(x.shape[:axis], dtype=np.int64))
    inner = int(np.prod(x.shape[axis + 1 :], dtype=np.int64))
    cube = lax.reshape(x, (outer, n, inner))
    # Not the operand itself: XLA's CPU compiler may overwrite what it still has to read (openxla/xla issue 49176).
    blank = lax.full(cube.shape, 0, x.dtype)

    def at(*index: Any) -> list[Any]:
        return [lax.convert_element_type(i, np.int32) for i in index]

    if inner > _SHORT_ROW or (inner > 1 and outer == 1):
        # Whole planes: row k of all at a time.
        def plane(k: Any, result: Any) -> Any:
            before = lax.dynamic_slice(result, at(0, k - 1, 0), (outer, 1, inner))
            new = combine(before, lax.dynamic_slice(cube, at(0, k, 0), (outer, 1, inner)))
            return lax.dynamic_update_slice(result, new.astype(x.dtype), at(0, k, 0))

        first = lax.dynamic_update_slice(blank, lax.slice_in_dim(cube, 0, 1, axis=1), at(0, 0, 0))
        return lax.reshape(lax.fori_loop(1, n, plane, first), x.shape)
    chain = (_CHAIN if x.dtype.itemsize <= 8 else _CHAIN // 2) if inner == 1 else 1
    head = n % chain or chain
    if outer > 1 and head < chain:
        # Rounded up, so that the nest of two loops has nothing else in it.
        cube = lax.pad(cube, np.zeros((), x.dtype), [(0, 0, 0), (0, chain - head, 0), (0, 0, 0)])
        blank = lax.full(cube.shape, 0, x.dtype)
        head = chain

    def advance(row: Any, first: Any, length: int, last: Any, result: Any) -> tuple[Any, Any]:
        """Combine `length` elements from index `first` on with `last`, the result before them, if any."""
        part = lax.reshape(lax.dynamic_slice(cube, at(row, first, 0), (1, length, inner)), (length, inner))
        found: list[Any] = []
        for k in range(length):
            new = part[k] if last is None else combine(last, part[k]).astype(x.dtype)
            last = new if k or outer == 1 else jax.numpy.where(first == 0, part[k], new)
            found.append(last)
        block = lax.reshape(lax.concatenate(found, 0), (1, length, inner))
        return last, lax.dynamic_update_slice(result, block, at(row, first, 0))

    def along(row: Any, result: Any) -> Any:
        if outer == 1:
            state = advance(row, 0, head, None, result)
            first = head
        else:
            state, first = (lax.full((inner,), 0, x.dtype), result), 0

        def step(k: Any, state: Any) -> Any:
            return advance(row, first + k * chain, chain, *state)

        steps = (cube.shape[1] - first) // chain
        return (lax.fori_loop(0, steps, step, state) if steps else state)[1]

    if outer == 1:
        # Not `cube` to begin with: XLA would write the head over an operand that it still reads.
        return lax.reshape(along(np.int32(0), lax.full(cube.shape, 0, x.dtype)), x.shape)
    result = lax.fori_loop(0, outer, along, blank)
    return lax.reshape(lax.slice_in_dim(result, 0, n, axis=1), x.shape)


#: Rows up to this length are run through one outer index at a time.
_SHORT_ROW = 16


def _samples_accumulate() -> Iterator[Sample]:
    for kind in KINDS:
        for name, dtype in DTYPES.items():
            if kind.startswith("bitwise") and dtype.kind not in "biu":
                continue
            yield Sample((f"{name}[3,4]",), {"kind": kind, "axis": 1}, smooth=not kind.startswith("logical"))
    for shape, axis in [("2,3,4", 1), ("5", 0), ("1,3", 0), ("0,3", 0), ("3,0", 0)]:
        yield Sample((f"f64[{shape}]",), {"kind": "add", "axis": axis})


#: A ufunc's running reduction along an axis.
ACCUMULATE = Op(
    name="accumulate",
    numpy="numpy.<kind>.accumulate(x, axis)",
    infer=_infer_accumulate,
    evaluate=_accumulate,
    jax=_jax_accumulate,
    access=lambda x, *, kind, axis: (tuple(WHOLE if a == axis else Along(a) for a in range(x.ndim)),),
    pointwise=False,
    memory="fresh",
    cost=lambda x, *, kind, axis: Cost(x.size, 2 * x.nbytes),
    backends=("xla", "numpy"),
    samples=_samples_accumulate,
    padded=xla_lengths.untouched,
    part="same",
    across=ACROSS["accumulate"],
    ordered=ORDERED["accumulate"],
)
