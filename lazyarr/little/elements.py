"""Elements, slices and copies of little data."""

from __future__ import annotations

import builtins
import math
import operator
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import numpy as np

from lazyarr import indexing
from lazyarr.array import Cell, LazyArray, rebuild
from lazyarr.eager import UNFUSED
from lazyarr.gains import gains
from lazyarr.ir.extents import is_static
from lazyarr.ir.types import NAMES
from lazyarr.little.data import (
    NUMBERS,
    Method,
    gather,
    held,
    is_part,
    is_to_be_made,
    is_view,
    is_whole,
    lend,
    limits,
    made,
    new,
    own,
    own_large,
    run,
    seen_now,
    to_lend,
    tracing,
)
from lazyarr.little.extension import begun
from lazyarr.little.functions import writing
from lazyarr.little.masks import chosen, put, selected
from lazyarr.little.operators import is_data
from lazyarr.little.table import WRITING_METHODS, broadcast_size
from lazyarr.runtime import storage_lock
from lazyarr.world import active as ranks

_ndarray = np.ndarray
_INTEGERS = frozenset((int, *(dtype.type for dtype in NAMES if dtype.kind in "iu")))
_BOUNDS = _INTEGERS | {type(None)}
_BOOLS = frozenset((bool,))
_COUNTS = _INTEGERS | {bool, np.bool_}
#: How many times as large as what is pending an array is for this to be computed first, to be written to it.
_PARTS = 8
#: The most items of a sequence of positions, of several types, that are looked at.
_MOST_POSITIONS = 1000


def _place(key: Any) -> Any:
    """A basic index for NumPy; NotImplemented for any other."""
    kind = type(key)
    if kind is int:
        return key
    if kind is tuple:
        for k in key:
            part = type(k)
            if part is not int and not (
                part is slice and type(k.start) in _BOUNDS and type(k.stop) in _BOUNDS and type(k.step) in _BOUNDS
            ):
                break
        else:
            return key
    if key is None or key is ... or issubclass(kind, np.integer):
        return key
    if kind is slice:
        if type(key.start) in _BOUNDS and type(key.stop) in _BOUNDS and type(key.step) in _BOUNDS:
            return key
        start, stop, step = _bound(key.start), _bound(key.stop), _bound(key.step)
        known = start is not NotImplemented and stop is not NotImplemented and step is not NotImplemented
        return slice(start, stop, step) if known else NotImplemented
    if kind is LazyArray:
        found = held(key)
        return found if isinstance(found, np.integer) else NotImplemented
    if kind is tuple:
        # (A tuple in a tuple holds positions.)
        places = tuple([NotImplemented if type(k) is tuple else _place(k) for k in key])
        return NotImplemented if any(place is NotImplemented for place in places) else places
    return NotImplemented


def _bound(x: Any) -> Any:
    return x if type(x) in _BOUNDS else _place(x) if type(x) is LazyArray else NotImplemented


def _selection(key: Any) -> Any:
    """The data of positions or of a mask, or of a tuple with such; NotImplemented for any other index."""
    kind = type(key)
    if kind is tuple:
        parts = tuple([part if (part := _place(k)) is not NotImplemented else _positions(k) for k in key])
        return NotImplemented if any(part is NotImplemented for part in parts) else parts
    return _positions(key)


def _positions(key: Any) -> Any:
    kind = type(key)
    if kind is list and key and ((kinds := set(map(type, key))) <= _INTEGERS or kinds == _BOOLS):
        found = np.array(key)
        return found if found.dtype.kind in "biu" else NotImplemented
    if kind is range:
        return np.arange(key.start, key.stop, key.step)
    if kind is list or kind is tuple:
        return _nested(key)
    found = held(key) if kind is LazyArray else key
    return found if type(found) is _ndarray and found.ndim and found.dtype.kind in "biu" else NotImplemented


def _nested(key: Any) -> Any:
    """Positions or a mask that are a sequence of arrays, sequences and numbers; NotImplemented for other sequences.

    (What `numpy.where` gives, in an index of several axes: ``x[np.where(mask), 0]``.)
    """
    if not 0 < len(key) < _MOST_POSITIONS:
        return NotImplemented
    parts = []
    for k in key:
        kind = type(k)
        part = held(k) if kind is LazyArray else k if kind in _COUNTS else _positions(k)
        if not isinstance(part, (int, np.integer, np.bool_, _ndarray)):
            return NotImplemented
        parts.append(part)
    try:
        found = np.array(parts)
    except ValueError:
        return NotImplemented
    return found if found.dtype.kind in "biu" else NotImplemented


def _count(x: Any, key: Any) -> Any:
    """How many elements ``x[key]`` has at most, of a `_selection`; infinite where NumPy would refuse the key."""
    if type(key) is _ndarray:
        if key.dtype.kind == "b":
            return x.size
        return key.size * x.size / len(x) if x.shape and x.size else key.size
    parts = [k for k in key if k is not None]
    axes = [k.ndim if type(k) is _ndarray and k.dtype.kind == "b" else k is not ... for k in parts]
    axis, rest, taken = 0, x.size, []
    for at, (k, count) in enumerate(zip(parts, axes, strict=True)):
        if k is ...:
            axis = x.ndim - sum(axes[at + 1 :])
        elif type(k) is _ndarray:
            rest //= max(math.prod(x.shape[axis : axis + count]), 1)
            # (A mask selects as many as it has elements, at most.)
            taken.append(np.empty(1) if k.dtype.kind == "b" else k)
        axis += count
    if axis > x.ndim or axis < 0:
        return math.inf
    masks = [k.size for k in parts if type(k) is _ndarray and k.dtype.kind == "b"]
    return rest * max(broadcast_size(taken), *masks, 0)


def _is_element(key: Any, ndim: int) -> bool:
    """Whether a basic index has an integer for each axis, and nothing else."""
    if type(key) is tuple:
        if len(key) != ndim:
            return False
        for k in key:
            if type(k) is not int and not isinstance(k, (int, np.integer)):
                return False
        return True
    return ndim == 1 and isinstance(key, (int, np.integer))


def _get(recorded: Method) -> Method:
    def general(self: LazyArray, key: Any) -> Any:
        found = selected(self, key)
        return recorded(self, key) if found is None else found

    @wraps(recorded)
    def method(self: LazyArray, key: Any) -> Any:
        x = held(self)
        if type(x) is not _ndarray or not limits.elements or tracing() is not None:
            seen = seen_now(self) if x is None and limits.elements else None
            if seen is None and not _is_part_to_be_made(self, key):
                return general(self, key)
            if seen is None:
                with storage_lock:
                    if own_large(self) is None:
                        return general(self, key)
                return method(self, key)
            if self._parent is None:
                return method(self, key)  # (it has been given to all ranks)
            at = _place(key)
            if at is NotImplemented:
                return general(self, key)
            if type(at) is not slice and _is_element(at, seen.ndim):
                return new(seen[at])
            if seen[at].size < limits.elements and is_view(self) and not ranks:
                with storage_lock:
                    # (What it is a view of may have been written to.)
                    if (given := seen_now(self)) is not None:
                        return lend(self, indexing.get, (at,), None, given)
            return general(self, key)
        at = _place(key)
        if at is not NotImplemented:
            if type(at) is not slice and _is_element(at, x.ndim):
                return new(x[at])
            with storage_lock:
                # (What was held may have been copied.)
                if (given := to_lend(self)) is not None:
                    return lend(self, indexing.get, (at,), None, given)
            return general(self, key)
        at = _selection(key)
        if at is NotImplemented or _count(x, at) * UNFUSED * gains.times >= limits.elements:
            return general(self, key)
        return made(chosen(x, at))

    return method


def _is_part_to_be_made(array: LazyArray, key: Any) -> bool:
    """Whether a little part is taken of an array of `numpy.zeros` and the like, which is not there yet: to be written.

    (``rho = fields[0]``: what was recorded of it would be a copy of all for each write. And ``a[i] = a[i - 1] + 1``.)
    """
    if ranks or tracing() is not None or not limits.elements or array._mine is not None or array._lent is not None:
        return False
    if array._form is not None or array._parent is not None or not is_to_be_made(array):
        return False
    at = _place(key)
    if at is NotImplemented:
        return False
    whole = np.ndarray(array._shape, bool, b"\0", 0, (0,) * len(array._shape))
    return bool(whole[at].size < limits.elements)


def _target(array: LazyArray, place: Any, is_basic: bool) -> Any:
    """The data of an array of which little is to be written, at a known index; None where that is not to be done."""
    if not limits.elements:
        return None
    light = array._mine is not None or array._lent is not None
    x = own(array) if light else None
    shape = array._shape if x is None else x.shape
    if math.prod(shape) < limits.elements:
        return x if light else own(array)
    if light and x is None:
        return None
    whole = np.ndarray(shape, bool, b"\0", 0, (0,) * len(shape))
    if (whole[place].size if is_basic else _count(whole, place)) >= limits.elements:
        return None
    return x if light else own_large(array)


def _is_part_of_much(array: LazyArray, value: LazyArray) -> bool:
    """Whether what is pending is to be written to a small part of a large array that is there, or could be."""
    if not limits.elements or tracing() is not None or value._scalar or not is_static(value._shape):
        return False
    size = math.prod(value._shape) * _PARTS
    light = array._mine is not None or array._lent is not None
    if not (light or (is_whole(array) and (held(array) is not None or (is_to_be_made(array) and not ranks)))):
        return False
    return limits.elements <= size <= math.prod(array.shape)


def _set(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, key: Any, value: Any) -> None:
        kind = type(value)
        y = held(value) if kind is LazyArray else value if kind in NUMBERS or is_data(value) else None
        if y is None and kind is LazyArray and _is_part_of_much(self, value):
            # (What it is written into is not copied then, as it would be where writes to it are pending.)
            value._elements("a part of a large array is written")
            if ranks and is_whole(value):
                gather(value)
            y = held(value)
        # (Whether the array takes its data back is asked last.)
        place = NotImplemented if y is None or tracing() is not None else _place(key)
        is_basic = place is not NotImplemented
        if not is_basic and y is not None:
            place = _selection(key)
        if place is not NotImplemented:
            with storage_lock:
                x = self._mine
                # (What somebody was shown is read-only, and copied first.)
                if type(x) is not _ndarray or x.size >= limits.elements or not x.flags.writeable:
                    x = _target(self, place, is_basic)
                if type(x) is _ndarray:
                    # (Positions that are in the same memory: it may have been copied. Those of a list are not.)
                    run(operator.setitem, x, place if is_basic or type(key) is list else _selection(key), y)
                    return
        if not put(self, key, value):
            general(self, key, value)

    return method


def at(ufunc: np.ufunc, array: Any, key: Any, operand: tuple[Any, ...]) -> bool:
    """``ufunc.at(array, key, *operand)``; False where it is not a call of little data that is there."""
    if type(array) is not LazyArray or tracing() is not None:
        return False
    data = [held(x) if type(x) is LazyArray else x if type(x) in NUMBERS or is_data(x) else None for x in operand]
    place = _place(key)
    is_basic = place is not NotImplemented
    if not is_basic:
        place = _selection(key)
    if place is NotImplemented or any(x is None for x in data):
        return False
    with storage_lock:
        x = _target(array, place, is_basic)
        if type(x) is not _ndarray:
            return False
        run(ufunc.at, x, place, *data)
    return True


def of_flat(base: LazyArray, key: Any) -> Any:
    """``base.flat[key]`` of one element, or of positions; None where it is not one of little data that is there."""
    x = held(base) if tracing() is None else None
    if type(x) is not _ndarray or not limits.elements:
        return None
    if type(key) is int:
        return new(x.flat[key])
    at = NotImplemented if type(key) is tuple else _positions(key)
    if at is NotImplemented or (x if at.dtype.kind == "b" else at).size >= limits.elements:
        return None
    return new(run(operator.getitem, x.flat, key if type(key) is list else at))


def into_flat(base: LazyArray, key: Any, value: Any) -> bool:
    """``base.flat[key] = value`` of one element and a number; False where it is not one of little data."""
    y = held(value) if type(value) is LazyArray else value
    if type(key) is not int or type(y) not in NUMBERS or tracing() is not None:
        return False
    with storage_lock:
        x = own_large(base)
        if type(x) is not _ndarray:
            return False
        run(operator.setitem, x.flat, key, y)
    return True


def _single(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, why: str, only_looks: bool = False) -> Any:
        x = self._mine
        if x is None or tracing() is not None:
            return general(self, why, only_looks)
        return x[()] if x.ndim == 0 else x

    return method


def _elements(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, why: str, only_looks: bool = False) -> Any:
        x = self._mine
        if x is None or tracing() is not None:
            return general(self, why, only_looks)
        self._settle()  # who has it now may look at it later
        seen = np.asarray(x).view()
        seen.flags.writeable = False
        return seen

    return method


def _given(general: Method) -> Method:
    """A method that gives Python's objects."""
    name = general.__name__.strip("_")

    @wraps(general)
    def method(self: LazyArray, *args: Any) -> Any:
        x = held(self) if tracing() is None else None
        return general(self, *args) if x is None else getattr(x, name)(*args)

    return begun("GIVES", method, getattr(_ndarray, name))


def _said(general: Method) -> Method:
    """A method that says something of the data, and leaves no way to it."""
    ask = getattr(builtins, general.__name__.strip("_"))

    @wraps(general)
    def method(self: LazyArray, *args: Any) -> Any:
        x = held(self) if tracing() is None else None
        return general(self, *args) if x is None else ask(x, *args)

    return method


def _typed(general: Any) -> Any:
    def get(self: LazyArray) -> Any:
        x = self._mine
        return general.fget(self) if x is None else x.dtype

    return property(get, general.fset, doc=general.__doc__)


def _filled(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, value: Any) -> None:
        if type(value) in NUMBERS and type(self._mine) is _ndarray:
            self[...] = value
        else:
            general(self, value)

    return method


def _length(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray) -> int:
        x = self._mine
        return len(x) if type(x) is _ndarray and x.ndim else general(self)

    return method


def _iterator(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray) -> Any:
        x = held(self)
        if tracing() is not None or not limits.elements:
            return general(self)
        if type(x) is _ndarray and x.ndim:
            return map(self.__getitem__, range(len(x)))
        seen = seen_now(self) if x is None else None
        return _one_by_one(self, seen) if seen is not None and seen.ndim == 1 else general(self)

    return method


def _one_by_one(array: LazyArray, seen: np.ndarray[Any, Any]) -> Any:
    """The elements of a vector that sees `seen` while its memory's array has the data that it has now."""
    value = array._cell.value
    for i in range(len(seen)):
        # (Memory that others write to is looked at anew.)
        cell = array._cell
        yield new(seen[i]) if type(cell) is Cell and cell.value is value else array[i]


def _copy(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, order: Any = "C") -> Any:
        x = self._mine
        if x is None and self._lent is not None:
            x = self._lent.data()
        return general(self, order) if type(x) is not _ndarray or tracing() is not None else new(x.copy(order))

    return begun("COPIES", method, "C")


_turned = operator.attrgetter("T")


def _transposed(general: Any) -> Any:
    def method(self: LazyArray) -> Any:
        with storage_lock:
            x = None if tracing() is not None or not limits.elements else to_lend(self)
            return general.fget(self) if type(x) is not _ndarray else lend(self, general.fget, (), _turned, x)

    return property(begun("VIEW", method, _turned, general.fget), doc=general.__doc__)


def _part(name: str) -> Callable[[Any], Any]:
    """The real or the imaginary part, of complex data a view."""

    def made(general: Any) -> Any:
        of_complex = begun("VIEW", general.fget, operator.attrgetter(name), general.fget)

        def get(self: LazyArray) -> Any:
            if self.dtype.kind == "c":
                return of_complex(self)
            data = held(self) if name == "imag" and not ranks and tracing() is None else None
            if type(data) is not _ndarray or data.size >= limits.elements:
                return general.fget(self)
            # (Zeros that are there: what a program does with them is done at once, too.)
            zeros = rebuild(data.imag.copy("K"))
            zeros._writeable = False
            return zeros

        return property(get, general.fset, doc=general.__doc__)

    return made


def _reshaped(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, *how: Any, **kwargs: Any) -> Any:
        if not kwargs and tracing() is None and limits.elements and _are_plain(how):
            with storage_lock:
                x = to_lend(self)
                if type(x) is _ndarray and (x.flags.c_contiguous or x.size < limits.elements):
                    seen = again(x, *how)
                    if is_part(seen, x):
                        return lend(self, general, how, again, x)
                    # (What is not contiguous NumPy copies, where no strides say it.)
                    return made(seen)
        return general(self, *how, **kwargs)

    again = getattr(_ndarray, general.__name__.strip("_"))
    return begun("SHAPE", method, again, general)


def _are_plain(how: tuple[Any, ...]) -> bool:
    return all(type(n) is int or (type(n) is tuple and _are_plain(n)) for n in how)


def _cast(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        x = None if kwargs or len(args) != 1 or tracing() is not None else held(self)
        if not isinstance(x, (np.ndarray, np.generic)) or x.size >= limits.elements or x.dtype.kind == "c":
            return general(self, *args, **kwargs)
        dtype = args[0]
        known = dtype in (float, int, complex, bool) if isinstance(dtype, type) else isinstance(dtype, np.dtype)
        if not known or np.dtype(dtype) not in NAMES:
            return general(self, *args)
        return new(run(type(x).astype, x, dtype))

    return begun("CASTS", method, _ndarray.astype)


def _flattened(general: Method) -> Method:
    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        x = None if args or kwargs or tracing() is not None else held(self)
        if type(x) is not _ndarray or x.size >= limits.elements:
            return general(self, *args, **kwargs)
        return new(x.flatten())

    return begun("MAKES", method, _ndarray.flatten)


def install() -> None:
    """Put these methods before those of `LazyArray` that its own class has."""
    before(LazyArray, {"__getitem__": _get, "__setitem__": _set, "_single": _single, "_elements": _elements,
                       "__len__": _length, "__iter__": _iterator, "__repr__": _said, "__str__": _said,
                       "__format__": _said, "__hash__": _said, "dtype": _typed, "copy": _copy, "T": _transposed,
                       "real": _part("real"), "imag": _part("imag")})  # fmt: skip


def install_methods() -> None:
    """Put these methods before those that `lazyarr.methods` gives `LazyArray`."""
    before(LazyArray, {"reshape": _reshaped, "ravel": _reshaped, "astype": _cast, "flatten": _flattened,
                       "item": _given, "tolist": _given})  # fmt: skip
    before(LazyArray, {name: partial(writing, getattr(_ndarray, name)) for name in WRITING_METHODS})
    before(LazyArray, {"fill": _filled})


def before(kind: type, made: dict[str, Method]) -> None:
    """Replace methods by what is made of them."""
    for name, make in made.items():
        setattr(kind, name, make(getattr(kind, name)))
