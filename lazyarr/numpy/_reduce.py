"""Reductions and cumulative functions."""

from __future__ import annotations

from operator import index as as_index
from typing import Any

import numpy as np

from lazyarr import strides as geometry
from lazyarr import views, windows
from lazyarr.array import LazyArray
from lazyarr.axis_order import dense_along
from lazyarr.convert import PYTHON_SCALARS, as_lazy, as_mask, cast, scalar_value
from lazyarr.dispatch import UFUNCS, NotCompiled, implements
from lazyarr.ir.extents import is_static
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.memory_order import flat_order
from lazyarr.numpy import _folds
from lazyarr.ops.elementwise import SELECT
from lazyarr.ops.reduce import KINDS
from lazyarr.runtime import record
from lazyarr.weak import WeakScalar

_UNSET = np._NoValue
#: Reductions whose one element at a time meets the first: without an identity, order and `initial` matter.
_WIDENING = {"add", "multiply"}


def normalized_axes(axis: Any, ndim: int, name: str = "axis") -> tuple[int, ...]:
    """``axis=`` of a reduction as sorted non-negative axes; None is all of them.

    Raises
    ------
    numpy.exceptions.AxisError, ValueError, TypeError
        As NumPy.
    """
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (tuple, list)):
        if isinstance(axis, list):
            raise TypeError("'list' object cannot be interpreted as an integer")
        axes = tuple(integer_axis(a, ndim, "an integer is required") for a in axis)
        if len(dict.fromkeys(axes)) != len(axes):
            raise ValueError("duplicate value in 'axis'")
        return tuple(sorted(axes))
    if ndim == 0 and type(axis) is not bool and axis in (0, -1):
        return ()
    return (integer_axis(axis, ndim, "an integer is required"),)


def integer_axis(axis: Any, ndim: int, refused: str = "an integer is required for the axis") -> int:
    """`one_axis`, which is no bool: those NumPy takes in some functions only."""
    if isinstance(axis, bool):
        raise TypeError(refused)
    return one_axis(axis, ndim)


def one_axis(axis: Any, ndim: int) -> int:
    """A non-negative axis; raises `numpy.exceptions.AxisError` as NumPy does."""
    return np.lib.array_utils.normalize_axis_index(as_index(axis), ndim)


def _loop_dtype(ufunc: Any, array: LazyArray, dtype: Any, out: LazyArray | None) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Operand and result dtype of the reduction loop, as NumPy chooses them."""
    asked = None if dtype is None else np.dtype(dtype)
    small = array.dtype.kind in "bui" and array.dtype.itemsize < 8
    if asked is None and out is None and small and ufunc.__name__ in _WIDENING:
        # Small integers are summed in the platform's integer.
        asked = np.dtype(np.uint64 if array.dtype.kind == "u" else np.int64)
    loop = ufunc.numpy.resolve_dtypes(
        (None if out is None else out.dtype, array.dtype, None), reduction=True, casting="unsafe",
        **({} if asked is None else {"signature": (asked, None, None)}),
    )  # fmt: skip
    if loop[1] not in NAMES or loop[2] not in NAMES:
        raise NotCompiled(f"dtype {loop[2]}")
    return loop[1], loop[2]


def keeps(keepdims: Any) -> bool:
    """Whether ``keepdims=`` says that axes are kept: an integer, as NumPy itself takes it."""
    return keepdims if type(keepdims) is bool else bool(np.add.reduce(np.zeros(1), keepdims=keepdims).ndim)


def ufunc_reduce(
    ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False,
    initial: Any = _UNSET, where: Any = True,
) -> Any:  # fmt: skip
    """``ufunc.reduce`` on a lazy array."""
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise ValueError("reduce only supported for binary functions")
    if ufunc.__name__ not in KINDS and (out is not None or where is not True or initial is not _UNSET):
        raise NotCompiled("out=, where= or initial= of an element by element reduction")
    x, keepdims = as_lazy(array), keeps(keepdims)
    target = reduce_out(out)
    axes = normalized_axes(axis, x.ndim)
    if ufunc.__name__ not in KINDS and len(axes) != 1:
        raise NotCompiled("an element by element reduction over several axes")
    loop, result_dtype = _loop_dtype(ufunc, x, dtype, target)
    value = cast(x._value(), loop)
    kind = ufunc.__name__
    identity = ufunc.numpy.identity
    if where is not True:
        mask = as_mask(where)
        start = identity if initial is _UNSET else initial
        if start is None:
            raise ValueError(f"reduction operation '{kind}' does not have an identity, so to use a where mask one has "
                             "to specify 'initial'")
        shape = x.shape
        if np.broadcast_shapes(shape, mask.shape) != shape:
            # A mask makes no array larger: NumPy raises, in its words.
            np.add.reduce(np.broadcast_to(False, shape), axes, where=np.broadcast_to(False, mask.shape))
        neutral = identity if identity is not None else start
        if neutral is identity and loop.kind == "u" and identity == -1:
            neutral = np.iinfo(loop).max  # every bit, the identity of bitwise_and
        value = record(SELECT, mask._value(), value, views.broadcast(start_value(neutral, loop), shape))
    shape = value.type.shape
    kept = tuple(n for a, n in enumerate(shape) if a not in axes)
    empty = any(shape[a] == 0 for a in axes)
    seeded = initial is not _UNSET and initial is not None
    if identity is None and not seeded:
        windows.require_elements(shape, axes)
    if empty and identity is None and not seeded:
        raise ValueError(f"zero-size array to reduction operation {kind} which has no identity")
    if initial is None and empty:
        raise ValueError(f"zero-size array to reduction operation {kind} which has no identity")
    if empty and identity is None:
        reduced = views.broadcast(start_value(initial, result_dtype), kept)
        seeded = False
    else:
        reduced = _reduced(ufunc, value, axes, result_dtype)
    if seeded:
        op = OPS[kind]
        first = start_value(initial, loop)
        again = cast(reduced, loop)
        reduced = cast(record(op, first, again), result_dtype)
    if keepdims:
        reduced = views.reshape(reduced, tuple(1 if a in axes else n for a, n in enumerate(shape)))
    return finish(reduced, target, _reduced_strides(x, axes, keepdims, reduced))


def _reduced(ufunc: Any, value: Value, axes: tuple[int, ...], result: np.dtype[Any]) -> Value:
    if not axes:
        return cast(value, result)
    if ufunc.__name__ in KINDS:
        return record(OPS["reduce"], value, kind=ufunc.__name__, axes=axes)
    return _folds.fold(ufunc, value, axes[0], result)


def _reduced_strides(x: LazyArray, axes: tuple[int, ...], keepdims: bool, value: Value) -> tuple[int, ...] | None:
    """Memory layout NumPy gives a reduction's result: the kept axes in the order they have in the operand."""
    if value.type.ndim < 2 or len(value.type.shape) + (0 if keepdims else len(axes)) != x.ndim:
        return None
    repeats = any(s == 0 and n != 1 for n, s in zip(x.shape, x.strides, strict=True))
    if repeats and is_static(x.shape) and 0 not in x.shape:
        # (These say nothing of their place, which then follows from how all axes are sorted, the reduced ones too.)
        order = flat_order(x.shape, x.strides)
        kept = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
        dense = dense_along(kept, value.type.dtype.itemsize, order)
        return dense if keepdims else tuple(s for a, s in enumerate(dense) if a not in axes)
    strides = x.strides if keepdims else tuple(s for a, s in enumerate(x.strides) if a not in axes)
    if keepdims:
        strides = tuple(0 if a in axes else s for a, s in enumerate(strides))
    return geometry.keep_order([(value.type.shape, strides)], value.type.shape, value.type.dtype.itemsize)


def start_value(initial: Any, dtype: np.dtype[Any]) -> Value:
    """``initial=`` (or an identity) as a scalar value."""
    if isinstance(initial, (*PYTHON_SCALARS,)) and not isinstance(initial, np.generic):
        return scalar_value(initial, dtype)
    if isinstance(initial, WeakScalar):
        from lazyarr.convert import weak_cast

        return weak_cast(initial, dtype)
    return cast(as_lazy(initial)._value(), dtype)


def reduce_out(out: Any) -> LazyArray | None:
    """``out=`` of a reduction: None, an array, or a tuple of one array."""
    if isinstance(out, tuple):
        if len(out) != 1:
            raise ValueError("The 'out' tuple must have exactly one entry per ufunc output")
        out = out[0]
    if out is None or out is _UNSET:
        return None
    if isinstance(out, LazyArray):
        if out._scalar:
            raise TypeError("return arrays must be of ArrayType")
        return out
    if isinstance(out, np.ndarray):
        raise NotCompiled("out= is a NumPy array")
    raise TypeError("return arrays must be of ArrayType")


def finish(value: Value, out: LazyArray | None, strides: tuple[int, ...] | None = None) -> LazyArray:
    """A result as a new array (a scalar where it has no axis), or written to ``out=``."""
    if out is None:
        return LazyArray._new(value, strides, scalar=value.type.shape == ())
    if out.shape != value.type.shape:
        if len(out.shape) != len(value.type.shape):
            raise ValueError(f"output parameter for reduction operation has the wrong number of dimensions: Found "
                             f"{out.ndim} but expected {value.type.ndim}")
        raise ValueError(f"output array has shape {out.shape}, expected {value.type.shape}")
    # Casting is unsafe here: NumPy's reductions store into whatever dtype they are given.
    out._assign(cast(value, out.dtype))
    return out


def ufunc_accumulate(ufunc: Any, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None) -> Any:
    """``ufunc.accumulate`` on a lazy array."""
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise ValueError("accumulate only supported for binary functions")
    if ufunc.__name__ not in KINDS and out is not None:
        raise NotCompiled("out= of an element by element accumulation")
    x = as_lazy(array)
    axes = normalized_axes(axis, x.ndim)
    if x.ndim == 0:
        raise TypeError("cannot accumulate on a scalar")
    if len(axes) != 1:
        raise ValueError("accumulate does not allow multiple axes")
    target = reduce_out(out)
    loop, result = _loop_dtype(ufunc, x, dtype, target)
    at = axes[0]
    value = cast(x._value(), loop)
    if ufunc.__name__ in KINDS:
        value = record(OPS["accumulate"], value, kind=ufunc.__name__, axis=at)
    else:
        value = _folds.accumulate(ufunc, value, at, result)
    return finish(value, target, _like(x, value))


def _like(x: LazyArray, value: Value) -> tuple[int, ...] | None:
    if value.type.ndim < 2:
        return None
    return geometry.keep_order([(x.shape, x.strides)], value.type.shape, value.type.dtype.itemsize)


def _reduction(ufunc: np.ufunc) -> Any:
    def function(
        a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = _UNSET, initial: Any = _UNSET,
        where: Any = _UNSET,
    ) -> Any:  # fmt: skip
        keep = False if keepdims is _UNSET else keepdims
        return ufunc_reduce(UFUNCS[ufunc], a, axis, dtype, out, keep, initial, True if where is _UNSET else where)

    return function


def _without_dtype(ufunc: np.ufunc) -> Any:
    general = _reduction(ufunc)

    def function(
        a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET, initial: Any = _UNSET, where: Any = _UNSET
    ) -> Any:
        return general(a, axis, None, out, keepdims, initial, where)

    return function


implements(np.sum, by_types=True)(_reduction(np.add))
implements(np.prod, by_types=True)(_reduction(np.multiply))
implements(np.max, *([np.amax] if np.amax is not np.max else []), by_types=True)(_without_dtype(np.maximum))
implements(np.min, *([np.amin] if np.amin is not np.min else []), by_types=True)(_without_dtype(np.minimum))


@implements(np.any, by_types=True)
def any_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET, *, where: Any = _UNSET) -> Any:
    """As `numpy.any`."""
    return _without_dtype(np.logical_or)(a, axis, out, keepdims, _UNSET, where)


@implements(np.all, by_types=True)
def all_(a: Any, axis: Any = None, out: Any = None, keepdims: Any = _UNSET, *, where: Any = _UNSET) -> Any:
    """As `numpy.all`."""
    return _without_dtype(np.logical_and)(a, axis, out, keepdims, _UNSET, where)


def _cumulative(ufunc: np.ufunc) -> Any:
    def function(a: Any, axis: Any = None, dtype: Any = None, out: Any = None) -> Any:
        x = as_lazy(a)
        if axis is None:
            x, axis = x.reshape(-1), 0
        elif x.ndim == 0:
            x = x.reshape(1)
            axis = integer_axis(axis, 1)
        return ufunc_accumulate(UFUNCS[ufunc], x, integer_axis(axis, x.ndim), dtype, out)

    return function


implements(np.cumsum, by_types=True)(_cumulative(np.add))
implements(np.cumprod, by_types=True)(_cumulative(np.multiply))


def _position(name: str) -> Any:
    def function(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = _UNSET) -> Any:
        x = as_lazy(a)
        shape = x.shape
        if axis is None:
            flat, at = x.reshape(-1), 0
        else:
            flat, at = (x if x.ndim else x.reshape(1)), integer_axis(axis, max(x.ndim, 1))
        windows.require_elements(flat.shape, (at,))
        if flat.shape[at] == 0:
            raise ValueError(f"attempt to get {name} of an empty sequence")
        value = record(OPS[name], flat._value(), axis=at)
        if keepdims is not _UNSET and keepdims:
            kept = (1,) * len(shape) if axis is None else tuple(1 if k == at else n for k, n in enumerate(shape))
            value = views.reshape(value, kept)
        target = reduce_out(out)
        if target is not None and target.shape != value.type.shape:
            raise ValueError(f"output array does not match result of np.{name}.")
        if target is not None and not np.can_cast(target.dtype, np.intp, "safe"):
            raise TypeError(f"Cannot cast array data from {target.dtype!r} to dtype('int64') according to the rule "
                            "'safe'")  # fmt: skip
        return finish(value, target)

    return function


implements(np.argmax, by_types=True)(_position("argmax"))
implements(np.argmin, by_types=True)(_position("argmin"))


@implements(np.count_nonzero, by_types=True)
def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """As `numpy.count_nonzero`."""
    x = as_lazy(a)
    if x.dtype != bool:
        x = LazyArray._new(cast(x._value(), np.dtype(bool)), x._copy_strides("K", 1), x._scalar)
    # (Of all elements NumPy asks only whether it is true.)
    return ufunc_reduce(UFUNCS[np.add], x, axis, np.int64, None, False if axis is None and not keepdims else keepdims)
