"""The methods of arrays, most of them functions of NumPy with the array as first argument."""

from __future__ import annotations

import gc
import math
import sys
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.assignment import as_element
from lazyarr.dispatch import UFUNCS, begun_call, function_call
from lazyarr.fallback import run_in_numpy
from lazyarr.ir.extents import is_static
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES
from lazyarr.little.data import Lent
from lazyarr.little.elements import install_methods
from lazyarr.little.extension import begun, compiled
from lazyarr.little.functions import REDUCTIONS, reduction, taken
from lazyarr.numpy import _select, _shape
from lazyarr.numpy._types import ndarray
from lazyarr.ops.create import const
from lazyarr.runtime import record

_CLASS = type
#: Method -> NumPy function that does the same.
_FUNCTIONS: dict[str, Any] = {
    name: getattr(np, name)
    for name in (
        "all", "any", "argmax", "argmin", "argpartition", "argsort", "cumprod", "cumsum",
        "diagonal", "dot", "max", "mean", "min", "nonzero", "prod", "put", "ravel", "repeat", "searchsorted",
        "squeeze", "std", "sum", "swapaxes", "take", "trace", "var",
    )
}  # fmt: skip


def _method(function: Any) -> Callable[..., Any]:
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        return begun_call(function, (self, *args), kwargs)

    method.__name__ = function.__name__
    method.__doc__ = f"As `numpy.ndarray.{function.__name__}`."
    if function is np.ravel:
        return method  # (`lazyarr.little.elements` has its own.)
    if compiled is not None:
        return taken(function, method)
    if method.__name__ not in REDUCTIONS:
        return method
    return reduction(getattr(np.ndarray, method.__name__), method)


for _name, _function in _FUNCTIONS.items():
    setattr(LazyArray, _name, _method(_function))


def _reshape(self: LazyArray, *shape: Any, order: str = "C", copy: bool | None = None) -> LazyArray:
    wanted = shape[0] if len(shape) == 1 else shape
    if wanted is None:
        wanted = self.shape
    return _shape.reshape(self, wanted, order, copy=copy)


def _transpose(self: LazyArray, *axes: Any) -> LazyArray:
    if not axes or (len(axes) == 1 and axes[0] is None):
        return self._transposed(tuple(range(self.ndim))[::-1])
    return _shape.transpose(self, axes[0] if len(axes) == 1 else axes)


def _flatten(self: LazyArray, order: str = "C") -> LazyArray:
    flat = _shape.ravel(self, order)
    return flat.copy()


def _fill(self: LazyArray, value: Any) -> None:
    if np.shape(value) if not hasattr(value, "shape") else value.shape:
        raise ValueError("setting an array element with a sequence.")
    self[...] = as_element(value, self.dtype)


def _item(self: LazyArray, *args: Any) -> Any:
    return self._elements("item()").item(*args)


def _tolist(self: LazyArray) -> Any:
    return self._elements("tolist()").tolist()


def _tobytes(self: LazyArray, order: Any = "C") -> bytes:
    return self._elements("tobytes()").tobytes(order)


def _round(self: LazyArray, decimals: int = 0, out: Any = None) -> Any:
    return function_call(np.round, (self, decimals, out), {})


def _conj(self: LazyArray, out: Any = None, /) -> Any:
    if self.dtype.kind != "c" and out is None:
        return self
    return UFUNCS[np.conjugate](self, out=out)


def _choose(self: LazyArray, *choices: Any, out: Any = None, mode: str = "raise") -> Any:
    return function_call(np.choose, (self, choices[0] if len(choices) == 1 else choices, out, mode), {})


def _clip(self: LazyArray, min: Any = None, max: Any = None, out: Any = None, **kwargs: Any) -> Any:
    # (The function wants both bounds, or neither; the method any of them.)
    if out is not None:
        kwargs["out"] = out
    return function_call(np.clip, (self, min, max), kwargs)


def _view(self: LazyArray, dtype: Any = None, type: Any = None) -> Any:
    if dtype is ndarray or (isinstance(dtype, _CLASS) and issubclass(dtype, np.ndarray)):
        dtype, type = None, dtype
    if type is not None and type is not ndarray and type is not np.ndarray:
        # (NumPy's own array then, which NumPy computes with.)
        data = self._copied_data("a view as an array of another class")
        return data.view(type=type) if dtype is None else data.view(dtype, type)
    if self._scalar and (dtype is None or np.dtype(dtype) == self.dtype):
        return self
    if dtype is None:
        return self._view(views.Reshape(self.shape, self.shape), self.shape, self.strides)
    wanted = np.dtype(dtype)
    seen = None if self._scalar else as_bits(self, wanted)
    if seen is not None:
        return self._view(*seen, dtype=wanted)
    function: Any = np.generic.view if self._scalar else np.ndarray.view
    if not self._scalar and is_static(self.shape):
        # (NumPy refuses by the geometry, which the data may not have.)
        np.lib.stride_tricks.as_strided(np.empty(1, self.dtype), self.shape, self.strides).view(wanted)
    copied = run_in_numpy(function, (self, dtype), {}, f"view() as {wanted}")
    if isinstance(copied, LazyArray) and not copied._scalar:
        copied._writeable = False  # A write would not reach this array, as it should.
    return copied


def _compress(self: LazyArray, condition: Any, axis: Any = None, out: Any = None) -> Any:
    return function_call(np.compress, (condition, self, axis, out), {})


def as_bits(x: LazyArray, wanted: np.dtype[Any]) -> tuple[views.Step, tuple[int, ...], tuple[int, ...]] | None:
    """The view step to the same bits as another dtype, its shape and strides; None where there is no such view."""
    width, size = x.dtype.itemsize, wanted.itemsize
    if wanted not in NAMES:
        return None
    if size == width:
        return views.Bits(x.dtype, wanted), x.shape, x.strides
    dense = x.ndim > 0 and (x.strides[-1] == width or x.shape[-1] == 1 or not x.size)
    if not dense or not is_static(x.shape) or x.shape[-1] * width % size:
        return None
    whole, part = (x.dtype, wanted) if x.dtype.kind == "c" else (wanted, x.dtype)
    step: views.Step = views.Resized(x.dtype, wanted)
    if whole.kind == "c" and part.kind == "f" and whole.itemsize == 2 * part.itemsize:
        step = views.Parts(wanted) if x.dtype.kind == "c" else views.FromParts(wanted)
    return step, (*x.shape[:-1], x.shape[-1] * width // size), (*x.strides[:-1], size)


def _setflags(self: LazyArray, write: bool | None = None, align: bool | None = None, uic: bool | None = None) -> None:
    if write is not None:
        self.flags.writeable = write


def _resize(self: LazyArray, *new_shape: Any, refcheck: bool = True) -> None:
    if not new_shape or new_shape == (None,):
        return
    shape = _shape.as_shape(new_shape[0] if len(new_shape) == 1 else new_shape)
    order = "F" if self.flags.fnc else "C"
    if not self.flags.forc:
        raise ValueError("resize only works on single-segment arrays")
    if any(n < 0 for n in shape):
        raise ValueError("negative dimensions not allowed")
    size = math.prod(shape)
    if size == self.size and (shape == self.shape or order == "C"):  # NumPy moves nothing, and asks nobody, then.
        if shape != self.shape:
            self._set_shape(shape)
        return
    if self._parent is not None or self._scalar:
        raise ValueError("cannot resize this array: it does not own its data")
    # Unlike NumPy's count of references this finds the views alone, and forbids them with refcheck=False as well:
    # there NumPy leaves views of memory that may be gone.
    # (Among all objects it takes some 30 ms to find those that refer to this one.)
    is_alone = sys.getrefcount(self) <= _OF_ONE_HOLDER and id(self) not in _reached and self._form is None
    if not is_alone and _has_views(self):
        raise ValueError("cannot resize an array that references or is referenced\nby another array in this way.")
    value = views.reshaped(self._value(), (self.size,), order)
    if size <= self.size:
        value = record(OPS["slice"], value, start=(0,), stop=(size,), step=(1,))
    else:
        value = record(OPS["pad"], value, const(0, self.dtype), low=(0,), high=(size - self.size,))
    self._own(views.reshaped(value, shape, order), order)


#: References to an array that one variable, attribute or list holds, while a method of it runs.
_OF_ONE_HOLDER = 3
#: Arrays that were reached from a view (``x.base``): the one that holds them may be that. By identity.
_reached: dict[int, weakref.ref[LazyArray]] = {}
_base_of: Callable[[LazyArray], LazyArray | None] = vars(LazyArray)["base"].fget


def _base(self: LazyArray) -> LazyArray | None:
    found = _base_of(self)
    if found is not None and id(found) not in _reached:
        at = id(found)
        _reached[at] = weakref.ref(found, lambda _: _reached.pop(at, None))
    return found


LazyArray.base = property(_base)  # type: ignore[assignment, method-assign]


def _has_views(array: LazyArray) -> bool:
    for other in gc.get_referrers(array):
        if isinstance(other, Lent) and other.parent is array:
            return True
    bases = [array] if array._form is None else [array, array._form]
    return any(
        isinstance(other, LazyArray) and other._parent is base and other is not array._form
        for base in bases
        for other in gc.get_referrers(base)
    )


def _to_numpy(self: LazyArray, dtype: Any = None, copy: bool = False) -> Any:
    """NumPy's own array, or scalar.

    (What NumPy's arrays do not have: by this name plotting libraries and data frames ask for the data of what is no
    array of NumPy's, and go over elements, one by one, of what has no such method.)
    """
    if self._scalar and dtype is None:
        return self._single("to_numpy()")
    return np.array(self, dtype) if copy else np.asarray(self, dtype)


def _numpy_method(name: str) -> Callable[..., Any]:
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        function = getattr(np.generic if self._scalar else np.ndarray, name)
        return run_in_numpy(function, (self, *args), kwargs, f"numpy.ndarray.{name} is not compiled")

    return method


_OWN: dict[str, Any] = {
    "astype": _shape.astype, "sort": _select.sort_in_place, "partition": _select.partition_in_place,
    "reshape": _reshape, "flatten": _flatten, "fill": _fill, "item": _item,
    "transpose": begun("VIEW", _transpose, np.ndarray.transpose, _transpose),
    "tolist": _tolist, "tobytes": _tobytes, "round": begun("FUNCTION", _round, np.round),
    "conj": _conj, "conjugate": _conj, "view": _view,
    "choose": _choose, "clip": _clip,
    "resize": _resize, "setflags": _setflags, "compress": _compress,
    "to_numpy": _to_numpy,
}  # fmt: skip
for _name, _function in _OWN.items():
    setattr(LazyArray, _name, _function)
for _name in ("byteswap", "dump", "dumps", "getfield", "setfield", "tofile"):
    setattr(LazyArray, _name, _numpy_method(_name))
install_methods()
