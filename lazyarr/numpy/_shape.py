"""Functions that change shape: reshape, transpose, join, repeat."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from operator import index as as_index
from typing import Any

import numpy as np

from lazyarr import memory_order, views
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.convert import PYTHON_SCALARS, as_lazy, as_mask, cast, fresh, from_numpy, stacked, wrapped
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.growing import Growing
from lazyarr.ir.extents import is_static
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.numpy._reduce import integer_axis, one_axis
from lazyarr.runtime import NotCaptured, constant_data, record, recording
from lazyarr.weak import WeakScalar
from lazyarr.windows import require_several
from lazyarr.words import order_of

_I64 = np.dtype(np.int64)


def as_shape(shape: Any, bools: bool = False) -> tuple[int, ...]:
    """A shape, or axes, as a tuple of ints; bools are refused, as NumPy refuses them, unless `bools`."""
    if isinstance(shape, (np.ndarray, LazyArray)) and shape.ndim:
        shape = tuple(np.asarray(shape))
    if hasattr(shape, "__index__") and (bools or not isinstance(shape, bool)):
        return (shape.__index__(),)
    if shape is None:
        raise TypeError("Use () not None as shape arguments")
    if not isinstance(shape, Sequence) or isinstance(shape, str):
        raise TypeError(f"expected a sequence of integers or a single integer, got '{shape}'")
    for n in shape:
        if isinstance(n, bool) and not bools:
            raise TypeError("an integer is required")
        if not hasattr(n, "__index__"):
            raise TypeError(f"'{type(n).__name__}' object cannot be interpreted as an integer")
    return tuple(n.__index__() for n in shape)


def _order(order: Any, x: LazyArray) -> str:
    found: str = order_of(order)
    if found == "A":
        return "F" if x.flags.fnc else "C"
    if found == "K":
        raise ValueError("order 'K' is not permitted for reshaping")
    return found


@implements(np.reshape)
def reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> LazyArray:
    """As `numpy.reshape`: a view where NumPy's strides allow one, a copy otherwise."""
    x = as_lazy(a)
    if not is_static(x.shape):
        if x.ndim == 1 and tuple(as_shape(shape)) == (-1,):
            same: LazyArray = x[...]
            return same
        raise NotCaptured("an array of computed length takes another shape")
    wanted = geometry.resolve_shape(x.size, as_shape(shape))
    order = _order(order, x)
    strides = None
    if copy is not True:
        strides = geometry.reshape(x.shape, x.strides, x.dtype.itemsize, wanted, order)  # type: ignore[arg-type]
        if strides is None and copy is False:
            raise ValueError("Unable to avoid creating a copy while reshaping.")
    if x._scalar and wanted == ():
        return x
    if strides is None or x._scalar:
        value = views.reshaped(x._value(), wanted, order)
        dense = geometry.contiguous(wanted, x.dtype.itemsize, order)  # type: ignore[arg-type]
        copied = LazyArray._new(value, dense)
        # NumPy copies first, and gives a view of the copy.
        return copied if copy is True else copied._view(views.Reshape(wanted, wanted), wanted, dense)
    return x._view(views.Reshape(x.shape, wanted, order), wanted, strides)


@implements(np.ravel)
def ravel(a: Any, order: str = "C") -> LazyArray:
    """As `numpy.ravel`."""
    x = as_lazy(a)
    if x.ndim == 1 and not is_static(x.shape):
        same: LazyArray = x[...]
        return same
    order = order_of(order)
    if order == "K":
        order = "A" if x.flags.forc else "C"
        if order == "C":
            x = _along_memory(x)
    order = _order(order, x)
    contiguous = geometry.is_c_contiguous if order == "C" else geometry.is_f_contiguous
    if contiguous(x.shape, x.strides, x.dtype.itemsize):
        return reshape(x, (-1,) if x.size else (0,), order)
    # NumPy's ravel copies whatever is not contiguous, also where reshape(-1) would be a view.
    value = views.reshaped(x._value(), (x.size,), order)
    return LazyArray._new(value)


def _along_memory(x: LazyArray) -> LazyArray:
    """`x` with its axes in the order in which NumPy reads them for order "K"."""
    if not any(x.strides):
        return x
    axes = sorted(range(x.ndim), key=lambda axis: -abs(x.strides[axis]))
    shape, strides = geometry.transpose(x.shape, x.strides, axes)
    if not geometry.is_c_contiguous(shape, strides, x.dtype.itemsize):
        # It is copied, in the order of NumPy's iterator, to which axes without a stride say nothing.
        axes = memory_order.flat_order(x.shape, x.strides)[::-1]
    return x._transposed(tuple(axes))


@implements(np.transpose)
def transpose(a: Any, axes: Any = None) -> LazyArray:
    """As `numpy.transpose`."""
    x = as_lazy(a)
    if axes is None:
        return x._transposed(tuple(range(x.ndim))[::-1])
    return _transposed(x, as_shape(axes))


def _transposed(x: LazyArray, axes: Sequence[Any]) -> LazyArray:
    if len(axes) != x.ndim:
        raise ValueError("axes don't match array")
    normal = tuple(one_axis(axis, x.ndim) for axis in axes)
    if len(set(normal)) != len(normal):
        raise ValueError("repeated axis in transpose")
    return x._transposed(normal)


@implements(np.swapaxes)
def swapaxes(a: Any, axis1: int, axis2: int) -> LazyArray:
    """As `numpy.swapaxes`."""
    x = as_lazy(a)
    i, j = (
        np.lib.array_utils.normalize_axis_index(as_index(axis), x.ndim, name)
        for axis, name in ((axis1, "axis1"), (axis2, "axis2"))
    )
    axes = list(range(x.ndim))
    axes[i], axes[j] = axes[j], axes[i]
    return x._transposed(tuple(axes))


@implements(np.squeeze)
def squeeze(a: Any, axis: Any = None) -> LazyArray:
    """As `numpy.squeeze`."""
    x = as_lazy(a)
    if axis is None and not is_static(x.shape):
        require_several(x.shape)
    if isinstance(axis, bool):
        raise TypeError("an integer is required for the axis")
    if isinstance(axis, tuple):
        if any(isinstance(one, bool) for one in axis):
            raise TypeError("integers are required for the axis tuple elements")
        axis = tuple(as_index(one) for one in axis)
    elif axis is not None:
        axis = as_index(axis)  # (Of a list, too, it says that this is no integer.)
    shape, strides = geometry.squeeze(x.shape, x.strides, axis)
    return x if x._scalar or shape == x.shape else x._view(views.Reshape(x.shape, shape), shape, strides)


@implements(np.broadcast_to)
def broadcast_to(array: Any, shape: Any, subok: bool = False) -> LazyArray:
    """As `numpy.broadcast_to`: a read-only view."""
    x = as_lazy(array)
    wanted = as_shape(shape)
    strides = geometry.broadcast_to(x.shape, x.strides, wanted)
    return x._view(views.Broadcast(wanted), wanted, strides, writeable=False)


@implements(np.broadcast_arrays)
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[LazyArray, ...]:
    """As `numpy.broadcast_arrays`."""
    arrays = [as_lazy(a) for a in args]
    shape = np.broadcast_shapes(*(a.shape for a in arrays))
    return tuple(a if a.shape == shape else broadcast_to(a, shape) for a in arrays)


@implements(np.diagonal)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> LazyArray:
    """As `numpy.diagonal`: a read-only view."""
    x = as_lazy(a)
    if x.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    offset, first, second = as_index(offset), one_axis(axis1, x.ndim), one_axis(axis2, x.ndim)
    start, shape, strides = geometry.diagonal(x.shape, x.strides, offset, axis1, axis2)
    return x._view(_Diagonal(offset, first, second), shape, strides, start, writeable=False)


class _Diagonal:
    """The view step of a diagonal."""

    def __init__(self, offset: int, axis1: int, axis2: int):
        self._attrs = {"offset": offset, "axis1": axis1, "axis2": axis2}

    def read(self, base: Any) -> Any:
        return record(OPS["diagonal"], base, **self._attrs)

    def write(self, base: Any, new: Any) -> Any:
        raise ValueError("assignment destination is read-only")

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.diagonal(base, **self._attrs)


def _joined(
    arrays: Sequence[Any], dtype: Any, casting: str, out: Any, flat: bool = False
) -> tuple[list[LazyArray], np.dtype[Any]]:  # fmt: skip
    from lazyarr.numpy._create import result_type

    lazy = [as_lazy(a) for a in arrays]
    if not lazy:
        raise ValueError("need at least one array to concatenate")
    if dtype is not None and out is not None:
        raise TypeError("concatenate() only takes `out` or `dtype` as an argument, but both were provided.")
    # Joining looks at Python scalars as arrays, but where all is flattened first: there they are weak.
    weak = (*PYTHON_SCALARS, WeakScalar) if flat else ()
    kinds = [x if type(x) in weak else y for x, y in zip(arrays, lazy, strict=True)]
    common = np.dtype(dtype) if dtype is not None else result_type(*kinds)
    wanted = out.dtype if out is not None else common
    for a in lazy:
        if not np.can_cast(a.dtype, wanted, casting):  # type: ignore[arg-type]
            raise TypeError(f"Cannot cast array data from {a.dtype!r} to {wanted!r} according to the rule '{casting}'")
    return lazy, common


@implements(np.concatenate)
def concatenate(
    arrays: Any, /, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind"
) -> LazyArray:
    """As `numpy.concatenate`."""
    parts = list(arrays) if not isinstance(arrays, LazyArray) else [arrays[k] for k in range(len(arrays))]
    lazy, common = _joined(parts, dtype, casting, out, flat=axis is None)
    if axis is None:
        lazy, at = [a.reshape(-1) for a in lazy], 0
    else:
        if lazy[0].ndim == 0:
            raise ValueError("zero-dimensional arrays cannot be concatenated")
        at = integer_axis(axis, lazy[0].ndim)
    first = lazy[0]
    for k, a in enumerate(lazy):
        if a.ndim != first.ndim:
            raise ValueError("all the input arrays must have same number of dimensions, but the array at index 0 has "
                             f"{first.ndim} dimension(s) and the array at index {k} has {a.ndim} dimension(s)")
        for axis_, (m, n) in enumerate(zip(first.shape, a.shape, strict=True)):
            if axis_ != at and m != n:
                raise ValueError("all the input array dimensions except for the concatenation axis must match exactly, "
                                 f"but along dimension {axis_}, the array at index 0 has size {m} and the array at "
                                 f"index {k} has size {n}")
    value = record(OPS["concatenate"], *(cast(a._value(), common) for a in lazy), axis=at)
    if out is not None:
        if out.shape != value.type.shape:
            raise ValueError("Output array is the wrong shape")
        out[...] = LazyArray._new(value)
        return out  # type: ignore[no-any-return]
    given = [(a.shape, a.strides) for a in lazy]
    return LazyArray._new(value, memory_order.joined(given, value.type.shape, common.itemsize))


@implements(np.stack)
def stack(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: str = "same_kind") -> LazyArray:
    """As `numpy.stack`."""
    together = stacked(arrays) if isinstance(arrays, Growing) and out is None and dtype is None else None
    if together is not None:
        at = one_axis(axis, together.ndim)
        order = list(range(1, together.ndim))
        return together.transpose(*order[:at], 0, *order[at:]).copy() if at else together
    lazy = [as_lazy(a) for a in arrays]
    if not lazy:
        raise ValueError("need at least one array to stack")
    if len({a.shape for a in lazy}) != 1:
        raise ValueError("all input arrays must have the same shape")
    at = one_axis(axis, lazy[0].ndim + 1)
    key = (slice(None),) * at + (None,)
    return concatenate([(LazyArray._new(a._value()) if a._scalar else a)[key] for a in lazy], at, out,
                       dtype=dtype, casting=casting)  # fmt: skip


@implements(np.repeat)
def repeat(a: Any, repeats: Any, axis: Any = None) -> LazyArray:
    """As `numpy.repeat`; `repeats` decides the result's shape, so its data is looked at."""
    x = as_lazy(a)
    if axis is None:
        x, axis = x.reshape(-1), 0
    at = integer_axis(axis, max(x.ndim, 1))
    x = x if x.ndim else x.reshape(1)
    counts = np.asarray(repeats.__index__() if hasattr(repeats, "__index__") and not isinstance(repeats, LazyArray)
                        else repeats)  # fmt: skip
    is_array = isinstance(repeats, np.ndarray) or (isinstance(repeats, LazyArray) and not repeats._scalar)
    if counts.dtype.kind == "f" and not is_array:
        counts = counts.astype(np.int64)  # (NumPy casts what is no array.)
    if counts.dtype.kind not in "iub":
        raise TypeError(f"Cannot cast array data from {counts.dtype!r} to dtype('int64') according to the rule 'safe'")
    if counts.size and counts.min() < 0:
        raise ValueError("repeats may not contain negative values.")
    n = x.shape[at]
    if counts.size == 1:
        each = int(counts.reshape(-1)[0])
        shape = (*x.shape[: at + 1], each, *x.shape[at + 1 :])
        spread = views.broadcast(views.reshape(x._value(), (*x.shape[: at + 1], 1, *x.shape[at + 1 :])), shape)
        return LazyArray._new(views.reshape(spread, (*x.shape[:at], n * each, *x.shape[at + 1 :])))
    if counts.shape != (n,):
        raise ValueError(f"operands could not be broadcast together with shape ({n},) {counts.shape}")
    return x.take(from_numpy(np.repeat(np.arange(n), counts), copy=False), axis=at)  # type: ignore[no-any-return]


@implements(np.roll, by_types=True)
def roll(a: Any, shift: Any, axis: Any = None) -> LazyArray:
    """As `numpy.roll`."""
    x = as_lazy(a)
    if axis is None:
        if x.ndim != 1:
            return roll(x.reshape(-1), shift, 0).reshape(x.shape)  # type: ignore[no-any-return]
        axis = 0
    several = isinstance(shift, Sequence)
    computed = [_computed_int(s) for s in (shift if several else (shift,))]
    if any(s is not None for s in computed):
        ways = axis if isinstance(axis, Sequence) else (axis,) * len(computed)
        if len(ways) == len(computed):
            return _rolled_by_data(x, [*zip(shift if several else (shift,), computed, ways, strict=True)])
    shifts, axes = np.broadcast_arrays(_ints(shift, _whole), _ints(axis))
    if shifts.ndim > 1:
        raise ValueError("'shift' and 'axis' should be scalars or 1D sequences")
    by_axis: dict[int, int] = {}
    for s, at in zip(np.atleast_1d(shifts).tolist(), np.atleast_1d(axes).tolist(), strict=True):
        normal = one_axis(at, x.ndim)
        by_axis[normal] = by_axis.get(normal, 0) + s
    value = x._value()
    for at, s in by_axis.items():
        n = x.shape[at]
        if n and s % n:
            value = record(OPS["roll"], value, shift=s % n, axis=at)
    return LazyArray._new(value, x._copy_strides("K", x.dtype.itemsize))


def _computed_int(x: Any) -> LazyArray | None:
    """An int that the program computes; None for others."""
    if type(x) is ComputedScalar and x.kind is int:
        return LazyArray._new(x.value, scalar=True)
    if recording().observer is None or not isinstance(x, LazyArray) or x.ndim or x.dtype.kind not in "iu":
        return None
    return x if constant_data(x._value()) is None else None


def _rolled_by_data(x: LazyArray, ways: Sequence[tuple[Any, LazyArray | None, Any]]) -> LazyArray:
    """`x` rolled along one axis after the other, by ints of which the program computes some."""
    result = x
    for shift, computed, axis in ways:
        if computed is None:
            result = roll(result, shift, axis)
            continue
        at = one_axis(axis, x.ndim)
        places = from_numpy(np.arange(x.shape[at]), copy=False) - computed.astype(np.int64)
        result = result.take(places, axis=at, mode="wrap")
    return LazyArray._new(result._value(), x._copy_strides("K", x.dtype.itemsize))


def _whole(x: Any) -> int:
    """The integer part of a number, which is what `roll` takes of a shift."""
    return int(x) if isinstance(x, (float, np.bool_)) or getattr(x, "dtype", _I64).kind == "f" else as_index(x)


def _ints(x: Any, one: Callable[[Any], int] = as_index) -> np.ndarray[Any, Any]:
    if isinstance(x, (np.ndarray, LazyArray)) and x.ndim:
        return np.asarray(x)
    numbers = [one(i) for i in x] if isinstance(x, Sequence) else one(x)
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        return np.array(numbers, dtype=object)  # (Python's own: what an axis is turned by counts up to its length.)


@implements(np.flip)
def flip(m: Any, axis: Any = None) -> LazyArray:
    """As `numpy.flip`: a view."""
    x = as_lazy(m)
    if axis is None:
        axes: tuple[int, ...] = tuple(range(x.ndim))
    else:
        one = hasattr(axis, "__index__") and not np.ndim(axis)
        axes = tuple(one_axis(k, x.ndim) for k in ((axis,) if one else axis))
        if len(set(axes)) != len(axes):
            raise ValueError("repeated axis")
    return x[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(x.ndim))]  # type: ignore[no-any-return]


@implements(np.tile)
def tile(A: Any, reps: Any) -> LazyArray:
    """As `numpy.tile`."""
    x = as_lazy(A)
    listed = reps if isinstance(reps, Sequence) or np.ndim(reps) else (reps,)
    counts = as_shape([bool(n) if isinstance(n, np.bool_) else n for n in listed], bools=True)
    rank = max(x.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    shape = (1,) * (rank - x.ndim) + x.shape
    if all(c == 1 for c in counts):
        return reshape(x.copy(order="K"), shape).copy(order="K")
    paired = tuple(k for n in shape for k in (1, n))
    spread = tuple(k for c, n in zip(counts, shape, strict=True) for k in (c, n))
    value = views.broadcast(views.reshape(x._value(), paired), spread)
    return LazyArray._new(views.reshape(value, tuple(c * n for c, n in zip(counts, shape, strict=True))))


@implements(np.pad)
def pad(array: Any, pad_width: Any, mode: Any = "constant", **kwargs: Any) -> LazyArray:
    """As `numpy.pad`: one operation for constants, reads by index or NumPy's own definition for other modes."""
    from lazyarr.numpy._through import rebound

    x = as_lazy(array)
    constant = kwargs.get("constant_values", 0)
    if isinstance(pad_width, dict) or isinstance(constant, (tuple, list)) or np.ndim(constant):
        return rebound(np.pad)(array, pad_width, mode, **kwargs)  # type: ignore[no-any-return]
    widths = _pad_widths(pad_width, x.ndim)
    if mode == "constant" and kwargs.keys() <= {"constant_values"}:
        from lazyarr.assignment import assigned_value

        value = record(OPS["pad"], x._value(), assigned_value(wrapped(constant, x.dtype), (), x.dtype),
                       low=tuple(w[0] for w in widths), high=tuple(w[1] for w in widths))  # fmt: skip
        return LazyArray._new(value, _padded_strides(x, value.type.shape))
    if mode in ("edge", "wrap", "reflect", "symmetric") and not kwargs and 0 not in x.shape:
        found = x
        for axis, (low, high) in enumerate(widths):
            if (low, high) != (0, 0):
                found = _extended(found, axis, low, high, mode)
        if found is x:
            return x.copy(order="K")
        return LazyArray._new(found._value(), _padded_strides(x, found.shape))
    return rebound(np.pad)(array, pad_width, mode, **kwargs)  # type: ignore[no-any-return]


def _extended(x: LazyArray, axis: int, low: int, high: int, mode: Any) -> LazyArray:
    """`x` with elements of its own added at both ends of an axis."""
    n = x.shape[axis]
    if max(low, high) > (n - 1 if mode == "reflect" else n):
        # More than one copy of the axis: read by index.
        where = np.pad(np.arange(n), (low, high), mode=mode)
        return x.take(from_numpy(where, copy=False), axis=axis)  # type: ignore[no-any-return]

    def part(*bounds: int | None) -> LazyArray:
        return x[(slice(None),) * axis + (slice(*bounds),)]  # type: ignore[no-any-return]

    if mode == "edge":
        before, after = [part(0, 1)] * low, [part(n - 1, n)] * high
        return concatenate([*before, x, *after], axis)
    if mode == "wrap":
        ends = part(n - low, n), part(0, high)
    elif mode == "symmetric":
        ends = part(0, low)[_reversed(axis)], part(n - high, n)[_reversed(axis)]
    else:
        ends = part(1, low + 1)[_reversed(axis)], part(n - 1 - high, n - 1)[_reversed(axis)]
    return concatenate([ends[0], x, ends[1]], axis)


def _reversed(axis: int) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(None, None, -1),)


def _padded_strides(x: LazyArray, shape: tuple[int, ...]) -> tuple[int, ...]:
    return geometry.contiguous(shape, x.dtype.itemsize, "F" if x.flags.fnc else "C")


def _pad_widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    widths = np.asarray(pad_width)
    if widths.dtype.kind != "i":
        raise TypeError("`pad_width` must be of integral type.")
    if widths.size and widths.min() < 0:
        raise ValueError("index can't contain negative values")
    return [(int(low), int(high)) for low, high in np.broadcast_to(widths, (ndim, 2))]


@implements(np.copyto)
def copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    """As `numpy.copyto`."""
    if not isinstance(dst, LazyArray):
        raise NotCompiled("the destination is a NumPy array") if isinstance(dst, np.ndarray) else TypeError(
            f"copyto() argument 1 must be numpy.ndarray, not {type(dst).__name__}")
    from lazyarr.assignment import assigned_value
    from lazyarr.convert import PYTHON_SCALARS
    from lazyarr.ops.elementwise import SELECT
    from lazyarr.weak import WeakScalar

    if not dst._writeable:
        raise ValueError("assignment destination is read-only")
    if not isinstance(src, (WeakScalar, *PYTHON_SCALARS)) or isinstance(src, np.generic):
        src = as_lazy(src)
        if not np.can_cast(src.dtype, dst.dtype, casting):  # type: ignore[arg-type]
            raise TypeError(f"Cannot cast array data from {src.dtype!r} to {dst.dtype!r} according to the rule "
                            f"'{casting}'")
    elif not np.can_cast(np.min_scalar_type(src) if not isinstance(src, WeakScalar) else src.python_type, dst.dtype,
                         casting):  # type: ignore[arg-type]  # fmt: skip
        raise TypeError(f"Cannot cast scalar from {np.asarray(src).dtype!r} to {dst.dtype!r} according to the rule "
                        f"'{casting}'")
    new = assigned_value(src, dst.shape, dst.dtype)
    if where is not True:
        new = record(SELECT, assigned_value(as_mask(where), dst.shape, np.dtype(bool)), new, dst._value())
    dst._assign(new)


def astype(x: LazyArray, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True,
           copy: bool = True) -> LazyArray:  # fmt: skip
    """As `numpy.ndarray.astype`."""
    order = order_of(order, "K")
    wanted = np.dtype(dtype)
    # (Whether a cast keeps every value is asked of the data.)
    keeps = casting == "same_value"
    if not keeps and not np.can_cast(x.dtype, wanted, casting):  # type: ignore[arg-type]
        raise TypeError(f"Cannot cast array data from {x.dtype!r} to {wanted!r} according to the rule '{casting}'")
    if not copy and wanted == x.dtype and order in ("K", "A"):
        return x
    if wanted not in NAMES or keeps:
        from lazyarr.fallback import run_in_numpy

        function: Any = np.generic.astype if x._scalar else np.ndarray.astype
        return run_in_numpy(function, (x, wanted, order, casting, subok, copy), {}, f"astype() to {wanted}, {casting}")  # type: ignore[no-any-return]
    if x._scalar:
        return fresh_scalar(x, wanted)
    return LazyArray._new(cast(x._value(), wanted), x._copy_strides(order, wanted.itemsize))


def fresh_scalar(x: LazyArray, dtype: np.dtype[Any]) -> LazyArray:
    """A scalar with another dtype."""
    return LazyArray._new(cast(x._value(), dtype), scalar=True)


def count(shape: Sequence[int]) -> int:
    """Number of elements."""
    return math.prod(shape)


__all__ = ["astype", "concatenate", "fresh", "reshape", "stack", "transpose"]
