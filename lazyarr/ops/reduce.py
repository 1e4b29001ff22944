"""Reductions and running reductions of NumPy's ufuncs, and the position of an extremum."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.access import WHOLE, Along, OperandAccess, Reduced
from lazyarr.ir.op import OPS, Cost, Op, Sample
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.ops.shape import require_arrays, require_axis

#: Kinds of `reduce`: associative ufuncs. The logical ones take any dtype and give bool.
KINDS = ("add", "multiply", "maximum", "minimum", "fmax", "fmin", "logical_and", "logical_or", "logical_xor",
         "bitwise_and", "bitwise_or", "bitwise_xor")  # fmt: skip


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
    empty = any(x.shape[a] == 0 for a in axes)
    if empty and getattr(np, kind).identity is None and not any(n == 0 for n in shape):
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
        low = kind.endswith("max") or kind == "maximum"
        if dtype == np.bool_:
            return np.asarray(not low)
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            return np.asarray(limits.min if low else limits.max, dtype)
        return np.asarray(-np.inf if low else np.inf, dtype)
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
    if 0 in (x.shape[a] for a in axes) or x.size == 0:
        return lax.full([n for a, n in enumerate(x.shape) if a not in axes], _identity(kind, x.dtype), x.dtype)
    if kind in ("maximum", "minimum", "fmax", "fmin") and dtype.kind in "fc":
        return _reduce_extremum(jax, x, kind, axes)
    combine = {"add": lax.add, "multiply": lax.mul, "maximum": lax.max, "minimum": lax.min, "fmax": lax.max,
               "fmin": lax.min, "bitwise_and": lax.bitwise_and, "bitwise_or": lax.bitwise_or,
               "bitwise_xor": lax.bitwise_xor}[kind]  # fmt: skip
    if dtype == np.float16:
        # NumPy's half loops accumulate in float32.
        return lax.reduce(x.astype(np.float32), _identity(kind, np.dtype(np.float32)), combine, axes).astype(dtype)
    return lax.reduce(x, _identity(kind, x.dtype), combine, axes)


def _reduce_extremum(jax: Any, x: Any, kind: str, axes: tuple[int, ...]) -> Any:
    """Extremum of floats or complex numbers.

    ``maximum`` and ``minimum`` give a NaN where there is one; ``fmax`` and ``fmin`` only where all are NaN.
    Complex numbers are ordered by their real part, then the imaginary part.
    """
    lax, jnp = jax.lax, jax.numpy
    low = kind in ("maximum", "fmax")
    pick = lax.max if low else lax.min
    if x.dtype.kind == "f":
        start = _identity(kind, x.dtype)
        if kind in ("maximum", "minimum"):
            return lax.reduce(x, start, pick, axes)
        nan = jnp.isnan(x)
        best = lax.reduce(jnp.where(nan, start, x), start, pick, axes)
        return jnp.where(lax.reduce(nan, np.asarray(True), lax.bitwise_and, axes), np.asarray(np.nan, x.dtype), best)
    order = [a for a in range(x.ndim) if a not in axes] + list(axes)
    moved = lax.transpose(x, order)
    keep = x.ndim - len(axes)
    flat = lax.reshape(moved, (*moved.shape[:keep], int(np.prod(moved.shape[keep:], dtype=np.int64))))
    at = _jax_arg_extremum(jax, flat, low=low, axis=keep, skip_nan=kind in ("fmax", "fmin"))
    return jnp.take_along_axis(flat, at[..., None], keep, mode="promise_in_bounds")[..., 0]


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
    cost=lambda x, *, kind, axes: Cost(x.size, x.nbytes + _infer_reduce(x, kind=kind, axes=axes).nbytes),
    backends=("xla", "numpy"),
    samples=_samples_reduce,
)

# --- argmax, argmin --------------------------------------------------------------------------------------


def _infer_arg(name: str, x: ArrayType, *, axis: int) -> ArrayType:
    require_arrays(name, x)
    require_axis(name, axis, x.ndim)
    if x.shape[axis] == 0:
        raise ValueError(f"attempt to get {name} of an empty sequence")
    return ArrayType(np.dtype(np.int64), (*x.shape[:axis], *x.shape[axis + 1 :]))


def _jax_arg_extremum(jax: Any, x: Any, *, low: bool, axis: int, skip_nan: bool = False) -> Any:
    """First index of the largest (`low`) or smallest element; a NaN counts as beyond all, or is skipped."""
    lax, jnp = jax.lax, jax.numpy
    extent = x.shape[axis]
    if x.size == 0:
        return lax.full((*x.shape[:axis], *x.shape[axis + 1 :]), 0, np.int64)
    kind = "maximum" if low else "minimum"
    pick = lax.max if low else lax.min
    if x.dtype == np.bool_:
        x = x.astype(np.uint8)

    def best(values: Any) -> Any:
        found = lax.reduce(values, _identity(kind, values.dtype), pick, (axis,))
        return values == lax.expand_dims(found, (axis,))

    if x.dtype.kind == "c":
        nan = jnp.isnan(x)
        real = jnp.where(nan, _identity(kind, x.real.dtype), x.real)
        first = best(real) & ~nan
        candidate = first & best(jnp.where(first, x.imag, _identity(kind, x.imag.dtype)))
    elif x.dtype.kind == "f":
        nan = jnp.isnan(x)
        candidate = best(jnp.where(nan, _identity(kind, x.dtype), x)) & ~nan
    else:
        nan, candidate = None, best(x)
    small = np.int32 if extent < 2**31 else np.int64
    index = lax.broadcasted_iota(small, x.shape, axis)
    none = np.asarray(extent, small)

    def first_where(mask: Any) -> Any:
        return lax.reduce(jnp.where(mask, index, none), none, lax.min, (axis,))

    at = first_where(candidate)
    if nan is not None:
        at_nan = first_where(nan)
        at = jnp.where(at == none, at_nan, at) if skip_nan else jnp.where(at_nan != none, at_nan, at)
    return at.astype(np.int64)


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
        jax=partial(_jax_arg_extremum, low=name == "argmax"),
        access=_access_along_one,
        cost=lambda x, *, axis: Cost(2 * x.size, x.nbytes),
        backends=("xla", "numpy"),
        samples=_samples_arg,
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
    # numpy.logical_*.accumulate keeps the dtype of its operand's first element; the IR's is bool throughout.
    x = x.astype(np.bool_) if kind.startswith("logical") else x
    return ufunc.accumulate(x, axis=axis, dtype=x.dtype)


def _jax_accumulate(jax: Any, x: Any, *, kind: str, axis: int) -> Any:
    if kind.startswith("logical"):
        x = x != jax.lax.full_like(x, 0)
    if x.size == 0:
        return x
    wide = x.astype(np.float32) if x.dtype == np.float16 else x
    combine = OPS[kind].jax or getattr(jax.numpy, kind)
    takes_module = OPS[kind].jax is not None
    result = jax.lax.associative_scan(
        lambda a, b: combine(jax, a, b) if takes_module else combine(a, b), wide, axis=axis
    )
    return result.astype(x.dtype)


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
    cost=lambda x, *, kind, axis: Cost(x.size, 2 * x.nbytes),
    backends=("xla", "numpy"),
    samples=_samples_accumulate,
)
