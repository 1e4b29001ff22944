"""Little data that is at hand: NumPy computes with it where it is, in little more than NumPy's own time.

`lazyarr.eager` says what is little. What NumPy makes of it is held as it is, in `LazyArray._mine`, by the one array it
belongs to, which is written to in place; no node stands for it, and no cell. When somebody asks for more than that (a
view, a larger operation, a trace), the array settles: its data becomes the value of a cell, which nobody changes
(`LazyArray._settle`). An array that no view shares takes its data back when it is written to.

The methods of this module stand before those of `LazyArray`, and leave to them all that is not so simple.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import settings, world
from lazyarr.array import Cell, LazyArray
from lazyarr.dispatch import take_little
from lazyarr.eager import flops
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.operators import BINARY, COMPARE, UNARY
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.quiet import quietly
from lazyarr.runtime import Leaf, leaf, traced

Method = Callable[..., Any]
_ndarray = np.ndarray
_new = object.__new__
_traced = traced.get
#: What Python and NumPy take alike, as an operand or an element.
_NUMBERS = frozenset((float, int, complex, bool))
#: Arguments of functions that are no data.
_PLAIN = frozenset((float, int, complex, bool, str, type(None), type, np.dtype))
#: NumPy functions whose results are new arrays, no larger than what they are made of together.
_FUNCTIONS = frozenset((
    np.sum, np.prod, np.max, np.min, np.mean, np.std, np.var, np.median, np.any, np.all, np.argmax, np.argmin, np.ptp,
    np.cumsum, np.cumprod, np.clip, np.where, np.sort, np.argsort, np.dot, np.vdot, np.concatenate, np.stack, np.vstack,
    np.hstack, np.column_stack, np.diff, np.percentile, np.quantile, np.searchsorted, np.trace, np.interp, np.cross,
    np.take, np.flip, np.roll, np.linalg.norm, np.linalg.solve, np.linalg.inv, np.linalg.det,
))  # fmt: skip
#: Those among them that broadcast, or multiply, what they are given.
_PRODUCTS = frozenset((np.where, np.clip, np.cross, np.dot, np.take, np.percentile, np.quantile, np.interp))

#: What an element costs of a function, in additions.
_WORK = 4
#: Elements that are little work; 0 where nothing is done at once.
_limit = 0


def _settings_changed() -> None:
    global _limit
    now = settings.current
    _limit = 0 if now.reproducible else now.eager_below


settings.watch(_settings_changed)
_settings_changed()


def held(x: LazyArray) -> Any:
    """The data of an array, which is only to be read: an array, a NumPy scalar; None where it is not at hand."""
    mine = x._mine
    if mine is not None:
        return mine
    if x._form is not None:
        return None
    value = x._cell.value
    if x._parent is not None:
        seen = x._seen
        if seen is None or seen[0] is not value:
            return None
        value = seen[1]
    node = value.node
    if type(node) is not Leaf:
        return None
    data = node.data
    if type(data) is not _ndarray or data.shape != x._shape:
        return None
    if x._scalar:
        return data[()]
    # (The layout of a result follows those of the operands.)
    return None if data.ndim > 1 and data.strides != x._strides else data


def new(data: Any) -> LazyArray:
    """The array of data that nobody else has: a new array of NumPy's, or a scalar."""
    found = _new(LazyArray)
    found._mine = data
    return found


def _references(cell: Cell) -> int:
    return sys.getrefcount(cell)


def _of_one() -> int:
    """What `_references` gives for a cell of one array."""
    array = LazyArray._new(leaf(np.zeros(()), ArrayType(np.dtype(np.float64), ())))
    return _references(array._cell)


_ALONE = _of_one()


def own(x: LazyArray) -> Any:
    """The data of an array, to be written to in place: see `held`. It is copied where others may refer to it."""
    if x._form is not None or x._parent is not None or x._scalar or not x._writeable:
        return None
    if _references(x._cell) != _ALONE:
        return None  # There are views.
    data = held(x)
    if data is None or data.size >= _limit or _traced() is not None:
        return None
    mine = data.copy("K")
    if mine.strides != x._strides:
        return None
    del x._cell
    x._mine = mine
    return mine


# ------------------------------------------------------------------------------------------------------ operators


def _cost(ufunc: np.ufunc) -> float:
    op = ELEMENTWISE.get(ufunc.__name__)
    return 1.0 if op is None else flops(op, ufunc.nin)


def _size(x: Any, y: Any) -> int:
    """Elements of a result at most."""
    size: int = x.size if x.shape == y.shape else x.size * y.size
    return size


def _binary(run: Any, general: Method, cost: float) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None:
            return general(self, other)
        kind = type(other)
        if kind is LazyArray:
            y = other._mine
            if y is None and (y := held(other)) is None:
                return general(self, other)
            size = _size(x, y)
        elif kind in _NUMBERS:
            y, size = other, x.size
        else:
            return general(self, other)
        if size * cost >= _limit or _traced() is not None:
            return general(self, other)
        found = _new(LazyArray)
        found._mine = quietly(run, x, y)
        world.done_at_once()
        return found

    return method


def _reflected(run: Any, general: Method, cost: float) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None:
            return general(self, other)
        if type(other) not in _NUMBERS or x.size * cost >= _limit or _traced() is not None:
            return general(self, other)
        found = _new(LazyArray)
        found._mine = quietly(run, other, x)
        world.done_at_once()
        return found

    return method


def _in_place(run: Any, general: Method, cost: float) -> Method:
    def method(self: LazyArray, other: Any) -> Any:
        x = self._mine
        if x is None and (x := own(self)) is None or type(x) is not _ndarray:
            return general(self, other)
        y = other
        if type(other) is LazyArray:
            y = held(other)
            if y is None:
                return general(self, other)
        elif type(other) not in _NUMBERS:
            return general(self, other)
        if x.size * cost >= _limit or _traced() is not None:
            return general(self, other)
        quietly(run, x, y)
        world.done_at_once()
        return self

    return method


def _unary(run: Any, general: Method, cost: float) -> Method:
    def method(self: LazyArray) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None:
            return general(self)
        if x.size * cost >= _limit or _traced() is not None:
            return general(self)
        found = _new(LazyArray)
        found._mine = quietly(run, x)
        world.done_at_once()
        return found

    return method


# ------------------------------------------------------------------------------------------------------- functions


def call(ufunc: np.ufunc, args: tuple[Any, ...], cost: float) -> LazyArray | None:
    """A call of a ufunc with one result; None where it is not one of little data that is at hand."""
    arrays, data = [], []
    for x in args:
        if type(x) is LazyArray:
            x = held(x)
            if x is None:
                return None
            arrays.append(x)
        elif type(x) not in _NUMBERS:
            return None
        data.append(x)
    if not arrays or _size(arrays[0], arrays[-1]) * cost >= _limit or _traced() is not None:
        return None
    found = _new(LazyArray)
    found._mine = quietly(ufunc, *data)
    world.done_at_once()
    return found


class _Given:
    """The data of arguments: what is lazy in them is at hand."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def of(self, x: Any, depth: int = 1) -> Any:
        """An argument for NumPy; raises `LookupError` where it is of another kind."""
        kind = type(x)
        if kind is LazyArray:
            data = held(x)
            if data is None or data.size == 0:
                raise LookupError
            self.sizes.append(data.size)
            return data
        if kind in _PLAIN or isinstance(x, np.dtype):
            return x
        if kind in (tuple, list) and depth:
            return kind([self.of(item, depth - 1) for item in x])
        raise LookupError


def function(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of one of NumPy's functions; None where it is not one of little data that is at hand."""
    if not _limit or numpy not in _FUNCTIONS or _traced() is not None:
        return None
    given = _Given()
    try:
        data = [given.of(x) for x in args]
        named = {name: given.of(x, 0) for name, x in kwargs.items()} if kwargs else kwargs
    except LookupError:
        return None
    # (Of one element some functions warn, or raise, by themselves.)
    size = (math.prod if numpy in _PRODUCTS else sum)(given.sizes)
    if not given.sizes or size * _WORK >= _limit or max(given.sizes) < 2:
        return None
    if kwargs and any(isinstance(x, (_ndarray, np.generic)) for x in named.values()):
        return None  # (`out`, `where`)
    found = quietly(_called, numpy, data, named)
    world.done_at_once()
    if type(found) is _ndarray:
        own_memory = found.base is None and not any(found is x for x in data)
        return new(found if own_memory else found.copy("K")) if found.dtype in NAMES else None
    return new(found) if isinstance(found, np.generic) and found.dtype in NAMES else None


def _called(numpy: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return numpy(*args, **kwargs)


# -------------------------------------------------------------------------------------------------------- elements


def _index(key: Any) -> Any:
    """An index of integers for NumPy; None for any other."""
    kind = type(key)
    if kind is int:
        return key
    if kind is LazyArray:
        found = held(key)
        return found if isinstance(found, np.integer) else None
    if kind is tuple:
        found = tuple(map(_index, key))
        return None if None in found else found
    return None


def _item(general: Method) -> Method:
    def method(self: LazyArray, key: Any) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None:
            return general(self, key)
        if type(x) is not _ndarray or x.ndim != (len(key) if type(key) is tuple else 1):
            return general(self, key)
        if type(key) is not int and (key := _index(at := key)) is None:
            return general(self, at)
        if not _limit or _traced() is not None:
            return general(self, key)
        found = _new(LazyArray)
        found._mine = x[key]
        return found

    return method


def _place(key: Any) -> Any:
    """An index of integers and slices for NumPy; None for any other."""
    kind = type(key)
    if kind is int or key is ...:
        return key
    if kind is slice:
        parts = (_bound(key.start), _bound(key.stop), _bound(key.step))
        return None if NotImplemented in parts else slice(*parts)
    if kind is tuple:
        found = tuple(map(_place, key))
        return None if None in found else found
    return _index(key)


def _bound(x: Any) -> Any:
    if x is None or type(x) is int:
        return x
    found = _index(x)
    return NotImplemented if found is None else found


def _set_item(general: Method) -> Method:
    def method(self: LazyArray, key: Any, value: Any) -> None:
        if type(value) is LazyArray:
            y = held(value)
            if y is None:
                return general(self, key, value)
        elif type(value) in _NUMBERS:
            y = value
        else:
            return general(self, key, value)
        x = self._mine
        if x is None and (x := own(self)) is None or type(x) is not _ndarray or x.size >= _limit:
            return general(self, key, value)
        if (place := _place(key)) is None or _traced() is not None:
            return general(self, key, value)
        quietly(operator.setitem, x, place, y)
        return None

    return method


def _single(general: Method) -> Method:
    def method(self: LazyArray, why: str) -> Any:
        x = self._mine
        if x is None or _traced() is not None:
            return general(self, why)
        return x[()] if x.ndim == 0 else x

    return method


def _copy(general: Method) -> Method:
    def method(self: LazyArray, order: str = "C") -> Any:
        x = self._mine
        return general(self, order) if type(x) is not _ndarray or _traced() is not None else new(x.copy(order))

    return method


def _install() -> None:
    """Put the methods of this module before those of `LazyArray`."""

    def before(name: str, made: Callable[..., Method], *rest: Any) -> None:
        setattr(LazyArray, name, made(*rest))

    for name, ufunc in (BINARY | COMPARE).items():
        if name == "divmod":
            continue
        cost = _cost(ufunc)
        special = f"__{name}__"
        before(special, _binary, getattr(operator, special), getattr(LazyArray, special), cost)
        if name in BINARY:
            before(f"__r{name}__", _reflected, getattr(operator, special), getattr(LazyArray, f"__r{name}__"), cost)
        if name in BINARY and name != "matmul":
            inner = f"__i{name}__"
            before(inner, _in_place, getattr(operator, inner), getattr(LazyArray, inner), cost)
    for name, ufunc in UNARY.items():
        special = f"__{name}__"
        before(special, _unary, getattr(operator, special), getattr(LazyArray, special), _cost(ufunc))
    for name, made in (("__getitem__", _item), ("__setitem__", _set_item), ("_single", _single), ("copy", _copy)):
        before(name, made, getattr(LazyArray, name))


_install()
take_little(function)
