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

from lazyarr import indexing, quiet, settings
from lazyarr.array import Cell, LazyArray
from lazyarr.dispatch import take_little
from lazyarr.eager import flops
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.operators import BINARY, COMPARE, UNARY
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.runtime import Leaf, leaf, traced
from lazyarr.world import active as _ranks
from lazyarr.world import done_at_once

Method = Callable[..., Any]
_ndarray = np.ndarray
_new = object.__new__
_traced = traced.get
_quiet = quiet.thread
#: What Python and NumPy take alike, as an operand or an element.
_NUMBERS = frozenset((float, int, complex, bool))
#: Arguments of functions that are no data.
_PLAIN = frozenset((float, int, complex, bool, str, type(None), type, np.dtype))
#: NumPy functions whose results are new arrays, no larger than what they are made of together -> how many of their
#: first arguments are data.
_FUNCTIONS: dict[Any, int] = {
    **dict.fromkeys((
        np.sum, np.prod, np.max, np.min, np.mean, np.std, np.var, np.median, np.any, np.all, np.argmax, np.argmin,
        np.ptp, np.cumsum, np.cumprod, np.sort, np.argsort, np.concatenate, np.stack, np.vstack, np.hstack,
        np.column_stack, np.diff, np.trace, np.roll, np.linalg.norm, np.linalg.inv, np.linalg.det, np.zeros_like,
        np.ones_like, np.empty_like,
    ), 1),
    **dict.fromkeys((np.dot, np.vdot, np.percentile, np.quantile, np.searchsorted, np.cross, np.take,
                     np.linalg.solve), 2),
    **dict.fromkeys((np.clip, np.where, np.interp), 3),
}  # fmt: skip
#: Those among them that broadcast, or multiply, what they are given.
_PRODUCTS = frozenset((np.where, np.clip, np.cross, np.dot, np.take, np.percentile, np.quantile, np.interp))

#: Functions that make arrays of a shape.
_SHAPES = frozenset((np.zeros, np.ones, np.empty, np.full))
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
    if (lent := x._lent) is not None:
        return lent.held if lent.root._mine is lent.base else None
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


class Lent:
    """A view of data that is at hand, made by a basic index: NumPy's view of the same memory.

    Attributes
    ----------
    parent : LazyArray
        What the index was applied to: `root`, or a view that is lent too.
    key : object
    root : LazyArray
        Whose memory it is,
    base : ndarray
        and where it was. When `root` has settled, or has taken its data back, the view is looked for anew.
    held : ndarray
        What the view sees.
    """

    __slots__ = ("base", "held", "key", "parent", "root")

    def __init__(self, parent: LazyArray, key: Any, root: LazyArray, base: Any, held: Any):
        self.parent, self.key, self.root, self.base, self.held = parent, key, root, base, held

    def data(self) -> Any:
        """What the view sees; None where that has moved."""
        return self.held if self.root._mine is self.base else None

    def settled(self) -> LazyArray:
        """The view as a view of a cell."""
        self.parent._settle()
        view: LazyArray = indexing.get(self.parent, self.key)
        return view


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
    if x._lent is not None:
        return x._lent.data()
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
        found._mine = run(x, y) if _quiet.entered else _quiet.context.run(run, x, y)
        if _ranks:
            done_at_once()
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
        found._mine = run(other, x) if _quiet.entered else _quiet.context.run(run, other, x)
        if _ranks:
            done_at_once()
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
        quiet.quietly(run, x, y)
        done_at_once()
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
        found._mine = run(x) if _quiet.entered else _quiet.context.run(run, x)
        if _ranks:
            done_at_once()
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
    found._mine = quiet.quietly(ufunc, *data)
    done_at_once()
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
        return _created(numpy, args, kwargs) if numpy in _SHAPES and _limit and _traced() is None else None
    count = _FUNCTIONS[numpy]
    if len(args) > count + 1 or "overwrite_input" in kwargs:
        return None
    given = _Given()
    try:
        data = [given.of(x) for x in args]
        arrays = len(given.sizes)
        named = {name: given.of(x) for name, x in kwargs.items()}
    except LookupError:
        return None
    if len(given.sizes) > arrays or (len(args) > count and isinstance(data[count], (_ndarray, np.generic))):
        return None  # (An array to write to, or numbers that are arrays.)
    # (Of one element some functions warn, or raise, by themselves.)
    size = (math.prod if numpy in _PRODUCTS else sum)(given.sizes)
    if not given.sizes or size * _WORK >= _limit or max(given.sizes) < 2:
        return None
    found = quiet.quietly(_called, numpy, data, named)
    done_at_once()
    if type(found) is _ndarray:
        is_own = found.base is None and not any(found is x for x in data)
        return new(found) if is_own and found.dtype in NAMES else None
    return new(found) if isinstance(found, np.generic) and found.dtype in NAMES else None


def _created(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
    """A small new array of a shape."""
    if not args or not all(type(x) in _PLAIN or isinstance(x, np.dtype) for x in (*args[1:], *kwargs.values())):
        return None
    shape = args[0] if type(args[0]) is tuple else (args[0],)
    if not all(type(n) is int and n >= 0 for n in shape) or math.prod(shape) >= _limit:
        return None
    found = numpy(*args, **kwargs)
    return new(found) if found.dtype in NAMES else None


def _called(numpy: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
    return numpy(*args, **kwargs)


# -------------------------------------------------------------------------------------------------------- elements


def _place(key: Any) -> Any:
    """A basic index for NumPy; NotImplemented for any other."""
    kind = type(key)
    if kind is int or key is None or key is ...:
        return key
    if kind is slice:
        start, stop, step = _bound(key.start), _bound(key.stop), _bound(key.step)
        known = start is not NotImplemented and stop is not NotImplemented and step is not NotImplemented
        return slice(start, stop, step) if known else NotImplemented
    if kind is LazyArray:
        found = held(key)
        return found if isinstance(found, np.integer) else NotImplemented
    if kind is tuple:
        places = tuple(map(_place, key))
        return NotImplemented if any(place is NotImplemented for place in places) else places
    return NotImplemented


def _bound(x: Any) -> Any:
    return x if x is None or type(x) is int else NotImplemented if type(x) is not LazyArray else _place(x)


def _selection(key: Any) -> Any:
    """The data of an array of positions, or of a mask; NotImplemented for any other index."""
    found = held(key) if type(key) is LazyArray else None
    return found if type(found) is _ndarray and found.ndim and found.dtype.kind in "bi" else NotImplemented


def _item(general: Method) -> Method:
    def method(self: LazyArray, key: Any) -> Any:
        x = self._mine
        if x is None and (x := held(self)) is None or type(x) is not _ndarray:
            return general(self, key)
        if not _limit or _traced() is not None:
            return general(self, key)
        at = key if type(key) is int else _place(key)
        if at is NotImplemented:
            at = _selection(key)
            if at is NotImplemented or not x.ndim or at.size * (x.size // max(len(x), 1)) >= _limit or x.size >= _limit:
                return general(self, key)
            return new(x[at])
        if x.ndim == (len(at) if type(at) is tuple else 1) and _is_element(at):
            return new(x[at])
        if x.size >= _limit or (self._mine is None and own(self) is None):
            return general(self, key)
        return _lend(self, at)

    return method


def _is_element(key: Any) -> bool:
    return all(isinstance(k, (int, np.integer)) for k in key) if type(key) is tuple else isinstance(key, (int, np.integer))


def _lend(parent: LazyArray, key: Any) -> LazyArray:
    """The view that a basic index gives of an array whose data is its own, or lent to it."""
    lent = parent._lent if parent._mine is None else None
    root, base, data = (parent, parent._mine, parent._mine) if lent is None else (lent.root, lent.base, lent.held)
    found = _new(LazyArray)
    found._mine = None
    found._lent = Lent(parent, key, root, base, data[key])
    return found


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
        place = _place(key)
        if place is NotImplemented:
            place = _selection(key)
        if place is NotImplemented or _traced() is not None:
            return general(self, key, value)
        quiet.quietly(operator.setitem, x, place, y)
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
