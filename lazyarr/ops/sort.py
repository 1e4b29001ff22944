"""Sorting, searching and counting.

NumPy sorts with vector instructions, XLA on the CPU with a comparator that is called for every pair, so NumPy
comes first among the back ends; the XLA lowerings keep such a call inside a compiled loop possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, Along, OperandAccess, Reduced
from lazyarr.ir.extents import Extent
from lazyarr.ir.op import Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops import xla_lengths
from lazyarr.ops.across import ACROSS
from lazyarr.ops.index import draw
from lazyarr.ops.order import ORDERED
from lazyarr.ops.shape import require_arrays, require_axis

INDEX = np.dtype(np.int64)

# --- sort, argsort, partition, argpartition --------------------------------------------------------------


def _infer_sort(name: str, x: ArrayType, *, axis: int, stable: bool) -> ArrayType:
    require_arrays(name, x)
    require_axis(name, axis, x.ndim)
    return x if name == "sort" else ArrayType(INDEX, x.shape)


def _infer_partition(name: str, x: ArrayType, *, kth: tuple[int, ...], axis: int) -> ArrayType:
    require_arrays(name, x)
    require_axis(name, axis, x.ndim)
    for k in kth:
        if k < 0 or (isinstance(x.shape[axis], int) and k >= x.shape[axis]):
            raise ValueError(f"kth(={k}) out of bounds ({x.shape[axis]})")
    return x if name == "partition" else ArrayType(INDEX, x.shape)


def _access_sort(x: ArrayType, *, axis: int, **attrs: Any) -> tuple[OperandAccess, ...]:
    return (tuple(WHOLE if a == axis else Along(a) for a in range(x.ndim)),)


def _cost_sort(x: ArrayType, *, axis: int, **attrs: Any) -> Cost:
    extent = x.shape[axis]
    depth = extent.bit_length() if isinstance(extent, int) else 20
    return Cost(4 * x.size * depth, 2 * x.nbytes)


def _keys(jax: Any, x: Any) -> list[Any]:
    """Arrays whose lexicographic order is NumPy's order of `x`; XLA puts NaN last and takes -0.0 for 0.0."""
    if x.dtype.kind != "c":
        return [x]
    # Complex numbers: without a NaN; NaN in the imaginary part; in the real part; in both.
    nan = jax.numpy.isnan
    rank = 2 * nan(x.real).astype(np.int8) + nan(x.imag).astype(np.int8)
    return [rank, x.real, x.imag]


def _jax_sort(jax: Any, x: Any, *, axis: int, **attrs: Any) -> Any:
    if x.size == 0:
        return x
    keys = _keys(jax, x)
    if len(keys) == 1:
        return jax.lax.sort(x, dimension=axis, is_stable=attrs.get("stable", False))
    real, imag = jax.lax.sort(keys, dimension=axis, is_stable=attrs.get("stable", False), num_keys=len(keys))[1:]
    return jax.lax.complex(real, imag)


def _jax_argsort(jax: Any, x: Any, *, axis: int, **attrs: Any) -> Any:
    if x.size == 0:
        return jax.lax.full(x.shape, 0, INDEX)
    index = jax.lax.broadcasted_iota(np.int32 if x.shape[axis] < 2**31 else np.int64, x.shape, axis)
    keys = _keys(jax, x)
    return jax.lax.sort([*keys, index], dimension=axis, is_stable=True, num_keys=len(keys))[-1].astype(INDEX)


def _distinct(name: str, shape: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Operands without ties, whose sorting permutation is unique."""

    def make(rng: Any) -> tuple[Any, ...]:
        size = int(np.prod(shape))
        return (np.asarray(rng.permutation(size) - size // 3).astype(DTYPES[name]).reshape(shape),)

    return make


def _few_values(name: str, shape: tuple[int, ...], specials: bool) -> Callable[[Any], tuple[Any, ...]]:
    """Operands with ties, NaN and infinities."""

    def make(rng: Any) -> tuple[Any, ...]:
        x = draw(rng, name, shape)
        if specials and x.dtype.kind in "fc":
            corners = np.array([np.nan, np.inf, -np.inf, 0.0, 1.0])
            part = rng.choice(corners, shape)
            imag = rng.choice(corners, shape)
            values = x.copy()
            if x.dtype.kind == "c":
                values.real, values.imag = part, imag
            else:
                values[...] = part
            x = np.where(rng.random(shape) < 0.5, values, x)
        return (x,)

    return make


_SHAPES: list[tuple[str, tuple[int, ...], int]] = [
    ("3,4", (3, 4), 1), ("40", (40,), 0), ("2,3,4", (2, 3, 4), 1), ("1,3", (1, 3), 0), ("0,3", (0, 3), 0),
    ("3,0", (3, 0), 0),
]  # fmt: skip


def _samples_sort(ties: bool) -> Iterator[Sample]:
    for name in DTYPES:
        for stable in (True, False):
            # Which of equal elements comes first is open unless the sort is stable.
            if ties or stable:
                make = _few_values(name, (3, 9), True)
            elif name != "bool":
                make = _distinct(name, (3, 9))
            else:
                continue
            yield Sample((f"{name}[3,9]",), {"axis": 1, "stable": stable}, make=make, smooth=False)
    for text, shape, axis in _SHAPES:
        make = _few_values("f64", shape, True)
        yield Sample((f"f64[{text}]",), {"axis": axis, "stable": True}, make=make, smooth=False)


def _samples_partition(ties: bool) -> Iterator[Sample]:
    # Only where every position is asked for does NumPy say what the result is.
    for name in DTYPES:
        if ties or name != "bool":
            make = _few_values(name, (3, 5), True) if ties else _distinct(name, (3, 5))
            yield Sample((f"{name}[3,5]",), {"axis": 1, "kth": (0, 1, 2, 3, 4)}, make=make, smooth=False)
    for text, shape, axis in _SHAPES:
        attrs = {"axis": axis, "kth": tuple(range(shape[axis]))}
        yield Sample((f"f64[{text}]",), attrs, make=_distinct("f64", shape), smooth=False)


def _sorting(name: str) -> Op:
    index = name.startswith("arg")
    partition = name.endswith("partition")

    def evaluate(xp: Any, x: Any, *, axis: int, stable: bool) -> Any:
        return getattr(np, name)(x, axis, kind="stable" if stable else "quicksort")

    def evaluate_partition(xp: Any, x: Any, *, kth: tuple[int, ...], axis: int) -> Any:
        if not kth:
            return np.broadcast_to(_along(np.arange(x.shape[axis]), x.ndim, axis), x.shape) if index else x
        return getattr(np, name)(x, kth, axis)

    return Op(
        name=name,
        numpy=f"numpy.{name}(x, {'kth, ' if partition else ''}axis)",
        infer=partial(_infer_partition if partition else _infer_sort, name),
        evaluate=evaluate_partition if partition else evaluate,
        jax=_jax_argsort if index else _jax_sort,
        access=_access_sort,
        pointwise=False,
        memory="fresh",
        cost=_cost_sort,
        backends=("numpy", "xla"),
        samples=partial(_samples_partition if partition else _samples_sort, not index),
        slowdown={"xla": 40.0},
        padded=xla_lengths.for_sort,
        part="same",
        across=ACROSS.get(name),
    )


def _along(x: Any, ndim: int, axis: int) -> Any:
    """A vector as an array of `ndim` axes, along `axis`."""
    return x.reshape(tuple(-1 if a == axis else 1 for a in range(ndim)))


SORT = _sorting("sort")
ARGSORT = _sorting("argsort")
PARTITION = _sorting("partition")
ARGPARTITION = _sorting("argpartition")

# --- sort_short ------------------------------------------------------------------------------------------

#: Longest axis for `sort_short`, and the longest for which it is worth while if all of the result is read: XLA fuses
#: the whole network into each place. 100,000 rows, milliseconds; of 5: NumPy's sort 7.6, median 9.0; this 0.9, only
#: the middle of it 0.3; of 7: 6.3, 8, 77, 0.5; of 9: 5.7 to 10, 8 to 17, 9 to 66, 0.7; of 16 five seconds to compile.
SHORT = 9
SHORT_WHOLE = 5


def _infer_sort_short(x: ArrayType, *, axis: int) -> ArrayType:
    require_arrays("sort_short", x)
    require_axis("sort_short", axis, x.ndim)
    if not isinstance(x.shape[axis], int) or x.shape[axis] > SHORT:
        raise ValueError(f"sort_short takes an axis of at most {SHORT}, got {x.shape[axis]}")
    return x


def _jax_sort_short(jax: Any, x: Any, *, axis: int) -> Any:
    """Odd-even transposition: only neighbours are exchanged, and only where they are out of order, so it is stable.

    Each place of the result is an expression of its own: what reads only the median computes no more than that.
    """
    n = x.shape[axis]
    if x.size == 0 or n == 1:
        return x
    places = [jax.lax.slice_in_dim(x, k, k + 1, axis=axis) for k in range(n)]
    for turn in range(n):
        for k in range(turn % 2, n - 1, 2):
            left, right = places[k], places[k + 1]
            swap = _before(jax, right, left)
            places[k], places[k + 1] = jax.numpy.where(swap, right, left), jax.numpy.where(swap, left, right)
    return jax.lax.concatenate(places, axis)


def _samples_sort_short() -> Iterator[Sample]:
    for name in DTYPES:
        yield Sample((f"{name}[4,5]",), {"axis": 1}, make=_few_values(name, (4, 5), True), smooth=False)
    for n in range(SHORT + 1):
        yield Sample((f"f64[{n},3]",), {"axis": 0}, make=_few_values("f64", (n, 3), True), smooth=False)


#: `sort` along a short axis, stable: comparisons of whole slices, which fuse with what is around them. For those who
#: read a few places of the result, such as the median.
SORT_SHORT = Op(
    name="sort_short",
    numpy="numpy.sort(x, axis, kind='stable')",
    infer=_infer_sort_short,
    evaluate=lambda xp, x, *, axis: np.sort(x, axis, kind="stable"),
    jax=_jax_sort_short,
    access=_access_sort,
    pointwise=False,
    memory="fresh",
    cost=lambda x, *, axis: Cost(x.size * x.shape[axis], 2 * x.nbytes),
    backends=("xla", "numpy"),
    samples=_samples_sort_short,
    part="same",
)

# --- searchsorted ----------------------------------------------------------------------------------------


def _require_vector(x: ArrayType) -> None:
    """Reject what is not a vector, in NumPy's words."""
    if x.ndim != 1:
        depth = "of too small depth" if x.ndim < 1 else "too deep"
        raise ValueError(f"object {depth} for desired array")


def _infer_searchsorted(a: ArrayType, v: ArrayType, *, side: str) -> ArrayType:
    require_arrays("searchsorted", a, v)
    if side not in ("left", "right"):
        raise ValueError(f"search side must be 'left' or 'right' (got '{side}')")
    _require_vector(a)
    if a.dtype != v.dtype:
        raise TypeError(f"searchsorted takes operands of one dtype, got {a} and {v}")
    return ArrayType(INDEX, v.shape)


def _before(jax: Any, x: Any, y: Any) -> Any:
    """Where `x` sorts before `y`, NaN last."""
    jnp = jax.numpy
    if x.dtype.kind == "f":
        return (x < y) | (jnp.isnan(y) & ~jnp.isnan(x))
    if x.dtype.kind != "c":
        return x < y
    ranks = [_keys(jax, v) for v in (x, y)]
    result = jnp.zeros(x.shape, np.bool_)
    for p, q in reversed(list(zip(*ranks, strict=True))):
        same = ~_before(jax, p, q) & ~_before(jax, q, p)
        result = _before(jax, p, q) | (same & result)
    return result


def _jax_searchsorted(jax: Any, a: Any, v: Any, *, side: str) -> Any:
    """Binary search, one step of it for all values at a time."""
    lax, jnp = jax.lax, jax.numpy
    small = np.dtype(np.int32 if a.shape[0] < 2**30 else np.int64)
    if a.size == 0 or v.size == 0:
        return lax.full(v.shape, 0, INDEX)
    low = lax.full(v.shape, 0, small)
    high = lax.full(v.shape, a.shape[0], small)

    def step(_: Any, bounds: Any) -> Any:
        low, high = bounds
        # Where low == high the middle may be one past the end; its comparison is then not used.
        middle = lax.shift_right_logical(low + high, lax.full_like(low, 1))
        element = jnp.take(a, middle, mode="clip")
        after = _before(jax, element, v) if side == "left" else ~_before(jax, v, element)
        open_ = low < high
        return jnp.where(open_ & after, middle + 1, low), jnp.where(open_ & ~after, middle, high)

    return lax.fori_loop(0, int(a.shape[0]).bit_length(), step, (low, high))[0].astype(INDEX)


def _samples_searchsorted() -> Iterator[Sample]:
    def make(name: str, n: int, shape: tuple[int, ...]) -> Callable[[Any], tuple[Any, ...]]:
        def values(rng: Any) -> tuple[Any, ...]:
            (a,) = _few_values(name, (n,), True)(rng)
            return (np.sort(a), *_few_values(name, shape, True)(rng))

        return values

    for side in ("left", "right"):
        for name in DTYPES:
            yield Sample((f"{name}[9]", f"{name}[3,4]"), {"side": side}, make=make(name, 9, (3, 4)), smooth=False)
        for n, text, shape in [(0, "3", (3,)), (1, "3", (3,)), (8, "", ()), (7, "0", (0,))]:
            yield Sample((f"f64[{n}]", f"f64[{text}]"), {"side": side}, make=make("f64", n, shape), smooth=False)


#: Where values would be inserted in a sorted vector.
SEARCHSORTED = Op(
    name="searchsorted",
    numpy="numpy.searchsorted(a, v, side)",
    infer=_infer_searchsorted,
    evaluate=lambda xp, a, v, *, side: np.searchsorted(a, v, side),
    jax=_jax_searchsorted,
    access=lambda a, v, *, side: ((WHOLE,), tuple(Along(k) for k in range(v.ndim))),
    pointwise=False,
    memory="fresh",
    cost=lambda a, v, *, side: Cost(
        v.size * (a.shape[0].bit_length() if isinstance(a.shape[0], int) else 20), a.nbytes + v.nbytes + 8 * v.size
    ),
    backends=("xla", "numpy"),
    samples=_samples_searchsorted,
    part="same",
)

# --- bincount --------------------------------------------------------------------------------------------


def _infer_bincount(x: ArrayType, *, length: Extent) -> ArrayType:
    require_arrays("bincount", x)
    _require_vector(x)
    if x.dtype != INDEX:
        raise TypeError(f"bincount takes i64 values, got {x}")
    return ArrayType(INDEX, (length,))


def _infer_bincount_weights(x: ArrayType, w: ArrayType, *, length: Extent) -> ArrayType:
    counted = _infer_bincount(x, length=length)
    require_arrays("bincount", w)
    if w.dtype != np.float64:
        raise TypeError(f"bincount takes f64 weights, got {w}")
    if w.shape != x.shape:
        raise ValueError("The weights and list don't have the same length.")
    # NumPy counts an empty vector before it looks at the weights.
    return counted if x.shape[0] == 0 else ArrayType(w.dtype, counted.shape)


def _bincount(xp: Any, x: Any, *weights: Any, length: int) -> Any:
    inside = (x >= 0) & (x < length)
    if not inside.all():
        x, weights = x[inside], tuple(w[inside] for w in weights)
    return np.bincount(x, weights[0] if weights else None, length)


def _jax_bincount(jax: Any, x: Any, *weights: Any, length: int) -> Any:
    dtype = weights[0].dtype if weights and x.size else INDEX
    counts = jax.lax.full((length,), 0, dtype)
    if x.size == 0 or length == 0:
        return counts
    updates = weights[0] if weights else jax.lax.full(x.shape, 1, dtype)
    numbers = jax.lax.ScatterDimensionNumbers(
        update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
    )
    mode = jax.lax.GatherScatterMode.PROMISE_IN_BOUNDS
    # XLA drops what is out of range, negative values included.
    return jax.lax.scatter_add(counts, jax.lax.expand_dims(x, (1,)), updates, numbers, mode=mode)


def _samples_bincount(weighted: bool) -> Iterator[Sample]:
    def make(n: int, most: int) -> Callable[[Any], tuple[Any, ...]]:
        return lambda rng: (rng.integers(0, most, n), *([rng.uniform(-4, 4, n)] if weighted else []))

    for n, most, length in [(20, 6, 6), (20, 3, 8), (0, 1, 4), (0, 1, 0), (1, 1, 1)]:
        types = (f"i64[{n}]", *([f"f64[{n}]"] if weighted else []))
        yield Sample(types, {"length": length}, make=make(n, most))


def _counting(name: str, infer: Callable[..., ArrayType], weighted: bool) -> Op:
    return Op(
        name=name,
        numpy=f"numpy.bincount(x, {'w, ' if weighted else ''}minlength=length)",
        infer=infer,
        evaluate=_bincount,
        jax=_jax_bincount,
        access=lambda *types, length: ((Reduced("add"),),) * len(types),
        pointwise=False,
        memory="fresh",
        cost=lambda *types, length: Cost(2 * types[0].size, sum((t.nbytes for t in types), 0) + 8 * length),
        backends=("xla", "numpy"),
        samples=partial(_samples_bincount, weighted),
        part="same",
        ordered=ORDERED.get(name),
    )


#: How often each of 0 .. length - 1 occurs, or the sum of its weights.
BINCOUNT = _counting("bincount", _infer_bincount, False)
BINCOUNT_WEIGHTS = _counting("bincount_weights", _infer_bincount_weights, True)
