"""Sequences of numbers, grids of indices, and the indexing objects that join arrays (``np.r_``, ``np.mgrid``, ...)."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.convert import PYTHON_SCALARS, as_lazy
from lazyarr.dispatch import NotCompiled, function_call, holds_lazy, implements
from lazyarr.fallback import run_on_constants
from lazyarr.little.functions import joined
from lazyarr.numpy._positions import known
from lazyarr.numpy._reduce import one_axis
from lazyarr.numpy._through import SUBSTITUTES, lazy, rebound, through_names
from lazyarr.weak import WeakScalar


class _Converter:
    """What NumPy's own definitions convert arguments with, for lazy arrays."""

    def __init__(self, *given: Any):
        self._given = given
        self._arrays = [as_lazy(x) for x in given]
        self.scalar_input = tuple(issubclass(type(x), (*PYTHON_SCALARS, np.generic, WeakScalar))
                                  or (isinstance(x, LazyArray) and x._scalar) for x in given)  # fmt: skip

    def __len__(self) -> int:
        return len(self._given)

    def __getitem__(self, position: int) -> LazyArray:
        return self._arrays[position]

    def as_arrays(self, subok: bool = True, pyscalars: str = "convert_if_no_array") -> tuple[Any, ...]:
        """The arguments as arrays."""
        return tuple(self._arrays)

    def result_type(self, extra_dtype: Any = None, ensure_inexact: bool = False) -> np.dtype[Any]:
        """Their common dtype, Python scalars weak."""
        extra = [] if extra_dtype is None else [extra_dtype]
        found: np.dtype[Any] = lazy.result_type(*self._given, *extra, *([0.0] if ensure_inexact else []))
        return found

    def wrap(self, array: Any, to_scalar: bool | None = None) -> Any:
        """A result; a scalar where all arguments were."""
        if to_scalar is None:
            to_scalar = all(self.scalar_input)
        return LazyArray._new(array._value(), scalar=True) if to_scalar and array.ndim == 0 else array


_array_converter = getattr(np._core._multiarray_umath, "_array_converter", None)  # type: ignore[attr-defined]
if _array_converter is not None:
    SUBSTITUTES[id(_array_converter)] = _Converter


@implements(np.linspace)
def linspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: Any = 0, *, device: Any = None,
) -> Any:  # fmt: skip
    """As `numpy.linspace`, with NumPy's rounding of each element."""
    if not holds_lazy([start, stop]):
        raise NotCompiled("constants")
    count = operator.index(num)
    if count < 0:
        raise ValueError(f"Number of samples, {count}, must be non-negative.")
    steps = count - 1 if endpoint else count
    convert = _Converter(start, stop)
    inexact = convert.result_type(ensure_inexact=True)
    wanted = inexact if dtype is None else np.dtype(dtype)
    first, last = convert.as_arrays()
    delta = lazy.subtract(last, first, dtype=inexact)
    y = lazy.arange(0, count, dtype=inexact).reshape((-1,) + (1,) * delta.ndim)
    step: Any = np.nan
    if steps > 0:
        step = delta / steps
        # A step that is rounded to zero: the differences are denormal numbers.
        y = lazy.where(lazy.any(step == 0), y / steps * delta, y * step)
    else:
        y = y * delta
    y = (y + first).astype(inexact)
    if endpoint and count > 1:
        y[-1, ...] = last
    if one_axis(axis, y.ndim) != 0:
        y = lazy.moveaxis(y, 0, axis)
    if wanted.kind in "iu":
        y = lazy.floor(y)
    y = y.astype(wanted, copy=False)
    return (y, step) if retstep else y


def _lazy_only(function: Any) -> None:
    """Register NumPy's definition for calls with lazy arguments; the others give constants."""

    @implements(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not holds_lazy(args) and not holds_lazy(kwargs):
            raise NotCompiled("constants")
        return rebound(function)(*args, **kwargs)


# Where NumPy's definition of `block` takes the functions below its dispatch.
_shape_base: Any = np._core.shape_base
for _name in ("concatenate", "ndim", "size"):
    SUBSTITUTES[id(getattr(_shape_base, f"_{_name}"))] = getattr(lazy, _name)

_lazy_only(np.logspace)
_lazy_only(np.geomspace)
through_names(np, "block common_type ix_ require sort_complex")


def _is_computed(item: Any) -> bool:
    """Whether it is a slice of integers some of which the program computes."""
    parts = (item.start, item.stop, item.step) if isinstance(item, slice) else ()
    numbers = [n for n in parts if n is not None]
    kinds = {n.python_type if isinstance(n, WeakScalar) else type(n) for n in numbers}
    return kinds == {int} and any(type(n) is ComputedScalar for n in numbers)


def _open_grid(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """``np.ogrid`` of slices of which the program computes some numbers."""
    found = []
    for axis, item in enumerate(key):
        if _is_computed(item):
            part = lazy.arange(0 if item.start is None else item.start, item.stop, item.step)
        else:
            part = ogrid[(item,)][0]
        found.append(part[tuple(slice(None) if k == axis else None for k in range(len(key)))])
    return tuple(found)


class _Grid:
    """``np.mgrid`` and ``np.ogrid``: constants, made by NumPy."""

    def __init__(self, grid: Any):
        self._grid = grid
        self.__doc__ = grid.__doc__

    def __getitem__(self, key: Any) -> Any:
        if self._grid is np.ogrid and isinstance(key, tuple) and any(_is_computed(item) for item in key):
            return _open_grid(key)
        items = tuple(known(item) for item in key) if isinstance(key, tuple) else known(key)
        return run_on_constants(self._grid.__getitem__, (items,), {})

    def __getattr__(self, name: str) -> Any:
        return getattr(self._grid, name)


class _Concatenator:
    """``np.r_`` and ``np.c_``: NumPy's definition over lazy arrays."""

    def __init__(self, numpy: Any):
        self._numpy = numpy
        self.__doc__ = numpy.__doc__
        self.concatenate = lazy.concatenate

    def __getitem__(self, key: Any) -> Any:
        if not holds_lazy(key):
            return run_on_constants(self._numpy.__getitem__, (key,), {})
        if (found := joined(self._numpy.__getitem__, key)) is not None:
            return found
        return rebound(type(self._numpy).__getitem__)(self, key)

    def __len__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._numpy, name)


mgrid, ogrid = _Grid(np.mgrid), _Grid(np.ogrid)
r_, c_ = _Concatenator(np.r_), _Concatenator(np.c_)


class vectorize(np.vectorize):  # noqa: N801  NumPy's name
    """As `numpy.vectorize`; Python functions run element by element on evaluated data."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from lazyarr.fallback import run_in_numpy

        def call(*values: Any, **named: Any) -> Any:
            return np.vectorize.__call__(self, *values, **named)

        if holds_lazy(args) or holds_lazy(kwargs):
            return run_in_numpy(call, args, kwargs, "numpy.vectorize: a Python function runs on each element")
        return run_on_constants(call, args, kwargs)


@implements(np.astype)
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """As `numpy.astype`."""
    if isinstance(x, (np.ndarray, *PYTHON_SCALARS, np.generic)):
        raise NotCompiled("not of a lazy array")
    if not isinstance(x, LazyArray):
        raise TypeError(f"Input should be a NumPy array. It is of type {type(x)}.")
    if device is not None and device != "cpu":
        raise ValueError(f'Device not understood. Only "cpu" is allowed, but received: {device}')
    return function_call(np.array, (x,), {"dtype": dtype, "copy": True}) if copy else (
        x if np.dtype(dtype) == x.dtype else as_lazy(x, dtype))  # fmt: skip


@implements(np.asarray_chkfinite)
def asarray_chkfinite(a: Any, dtype: Any = None, order: Any = None) -> LazyArray:
    """As `numpy.asarray_chkfinite`; the elements are tested when the program runs."""
    from lazyarr.numpy._choose import every
    from lazyarr.runtime import add_check

    x: LazyArray = lazy.asarray(a, dtype=dtype, order=order)
    if x.dtype.kind in "fc":
        add_check(every(lazy.isfinite(x)._value()), "ValueError", "array must not contain infs or NaNs")
    return x

