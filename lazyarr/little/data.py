"""Whose the data is: what an array has to read, what it may write to, and what it has lent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import quiet, settings, views
from lazyarr.array import Cell, LazyArray
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.runtime import Leaf, leaf, traced
from lazyarr.world import active as ranks
from lazyarr.world import done_at_once

Method = Callable[..., Any]
_ndarray = np.ndarray
_new = object.__new__
_quiet = quiet.thread
#: The recording of the trace that runs in this context, or None.
tracing = traced.get
#: Operands and elements that are numbers: Python's, and NumPy's scalars.
NUMBERS = frozenset((float, int, complex, bool, *(dtype.type for dtype in NAMES)))


#: Views of views of views that are lent: they settle one within another.
_DEEPEST = 100


class _Limits:
    """How many elements are little work; 0 where nothing is done at once."""

    __slots__ = ("elements",)

    def __init__(self) -> None:
        self.elements = 0

    def follow(self) -> None:
        """Take over what the settings say."""
        now = settings.current
        self.elements = 0 if now.reproducible else now.eager_below


limits = _Limits()
settings.watch(limits.follow)
limits.follow()


def held(x: LazyArray) -> Any:
    """The data of an array, which is only to be read: an array, a NumPy scalar; None where it is not there."""
    mine = x._mine
    if mine is not None:
        return mine
    lent = x._lent
    if lent is not None:
        return lent.data()
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


def _reshaped(array: Any, shape: tuple[int, ...]) -> LazyArray:
    return array.reshape(shape)  # type: ignore[no-any-return]


def made(data: _ndarray[Any, Any]) -> Any:
    """The array of new data that NumPy may have made as a view: of an array that nobody else has."""
    base = data.base
    if base is None:
        return new(data)
    if type(base) is _ndarray and base.dtype == data.dtype and base.size == data.size:
        order = sorted(range(data.ndim), key=lambda k: -data.strides[k])
        if data.transpose(order).shape == base.shape and data.transpose(order).strides == base.strides:
            axes = tuple(map(order.index, range(data.ndim)))
            return lend(new(base), LazyArray._transposed, (axes,), data)
        if base.flags.c_contiguous and data.flags.c_contiguous:
            return lend(new(base), _reshaped, (data.shape,), data)
    return new(data)


def run(function: Any, *args: Any) -> Any:
    """A call of NumPy's own C code on data, in which it warns of nothing.

    (Python code could come here again, and a context is entered once: for that there is `lazyarr.quiet.quietly`.)
    """
    found = function(*args) if _quiet.entered else _quiet.context.run(function, *args)
    if ranks:
        done_at_once()
    return found


def _references(cell: Cell) -> int:
    return sys.getrefcount(cell)


def _of_one() -> int:
    """What `_references` gives for a cell of one array."""
    array = LazyArray._new(leaf(np.zeros(()), ArrayType(np.dtype(np.float64), ())))
    return _references(array._cell)


_ALONE = _of_one()


def own(x: LazyArray) -> Any:
    """The data of an array, to be written to in place; None where it has none that may be.

    Data that is the value of a cell is copied, and the cell given up, if no view refers to that. Called with
    `storage_lock` held, until the data is written: else another thread might make the array settle in between.
    """
    if x._mine is not None:
        return x._mine
    if x._lent is not None:
        return x._lent.data() if x._lent.depth < _DEEPEST else None
    if x._form is not None or x._parent is not None or x._scalar or not x._writeable:
        return None
    if _references(x._cell) != _ALONE:
        return None
    data = held(x)
    if data is None or data.size >= limits.elements or tracing() is not None:
        return None
    mine = data.copy("K")
    if mine.strides != x._strides:
        return None
    x._mine = mine
    del x._cell
    return mine


class Lent:
    """A view of data that an array has to itself: NumPy's view of the same memory.

    Attributes
    ----------
    parent : LazyArray
        What it is a view of: `root`, or a view that is lent too.
    look : callable
        ``look(parent, *how)`` gives the view of an array that has settled.
    root : LazyArray
        Whose memory it is,
    base : ndarray
        and where it was. When `root` has settled, or has taken its data back, the view is looked for anew.
    given, seen : ndarray
        What it is a view of, and what it sees.
    depth : int
        Of how many views it is a view, itself included.
    """

    __slots__ = ("base", "depth", "given", "how", "look", "parent", "root", "seen")

    def __init__(self, parent: LazyArray, look: Method, how: tuple[Any, ...], seen: Any):
        lent = parent._lent if parent._mine is None else None
        if lent is None:
            self.root, self.base, self.given, self.depth = parent, parent._mine, parent._mine, 1
        else:
            self.root, self.base, self.given, self.depth = lent.root, lent.base, lent.seen, lent.depth + 1
        self.parent, self.look, self.how, self.seen = parent, look, how, seen

    def data(self) -> Any:
        """What the view sees; None where that has moved."""
        return self.seen if self.root._mine is self.base else None

    def settled(self) -> LazyArray:
        """The view as a view of a cell."""
        parent = self.parent
        parent._settle()
        if parent._form is not None:
            # It was given another shape or dtype since; the view is of what it was.
            given = self.given
            parent = LazyArray._view(parent, views.Reshape(given.shape, given.shape), given.shape, given.strides, 0,
                                     given.dtype)  # fmt: skip
            parent._parent = self.parent
        view: LazyArray = self.look(parent, *self.how)
        view._writeable = True
        return view


def lend(parent: LazyArray, look: Method, how: tuple[Any, ...], seen: Any) -> LazyArray:
    """A view of an array that `own` has data of: see `Lent`."""
    found = _new(LazyArray)
    found._mine = None
    found._lent = Lent(parent, look, how, seen)
    return found
