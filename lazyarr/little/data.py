"""Whose the data is: what an array has to read, what it may write to, and what it has lent."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from threading import get_ident
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from lazyarr import quiet, settings, views
from lazyarr.array import Cell, LazyArray, rebuild
from lazyarr.backends.numpy import evaluate as of_node
from lazyarr.dispatch import FUNCTIONS, running
from lazyarr.gains import gains
from lazyarr.ir.extents import is_static
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.ops.create import CONST
from lazyarr.runtime import evaluate, flush, recording, storage_lock, traced
from lazyarr.shown import path, through
from lazyarr.world import Part, done_at_once
from lazyarr.world import active as ranks

Method = Callable[..., Any]
_ndarray = np.ndarray
_new = object.__new__
_quiet, _heard = quiet.thread, quiet.heard.get
#: The recording of the trace that runs in this context, or None.
tracing = traced.get
#: Operands and elements that are numbers: Python's, and NumPy's scalars.
NUMBERS = frozenset((float, int, complex, bool, *(dtype.type for dtype in NAMES)))


#: Views of views of views that are lent: they settle one within another.
DEEPEST = 100


class _Limits:
    """How many elements are little work; 0 where nothing is done at once."""

    __slots__ = ("elements",)

    def __init__(self) -> None:
        self.elements = 0.0

    def follow(self) -> None:
        """Take over what the settings say."""
        self.elements = 0 if settings.current.reproducible else gains.below


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
        return lent.seen if lent.root._mine is lent.base else lent.data()
    if x._form is not None:
        return None
    if (memory := _aliased(x)) is not None:
        return memory
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
    return None if data.strides != x._strides else data


def seen_now(x: LazyArray) -> Any:
    """What a view sees of data that is there, only to be read, whatever its size; None where it is not.

    (A view of much is no value of its own, for the graph would not know of what it is a part: NumPy's view stands
    beside that value.)
    """
    if tracing() is not None or x._mine is not None or x._lent is not None or (x._parent is None and not ranks):
        return None
    if ranks:
        to_whole(x)
        if x._parent is None:
            return held(x)
    node = x._cell.value.node
    if x._form is not None or type(node) is not Leaf or type(node.data) is not _ndarray:
        return None
    if math.prod(x._shape) < limits.elements:
        x._value()  # (from now on it is what was seen before)
        return held(x)
    x._value()
    seen = x._seen
    if seen is None or seen[0].node is not node:
        return None  # (another thread has written to it)
    if len(seen) == 2:
        seen = x._seen = (*seen, through(path(x)[0], node.data))
    return seen[2]


def new(data: Any) -> Any:
    """The lazy array of a new array of NumPy's that nobody else has; a NumPy scalar as it is.

    (Definitions of lazyarr's own go on with lazy scalars.)
    """
    if type(data) is not _ndarray:
        within = running and get_ident() in running and isinstance(data, np.generic)
        return rebuild(data, True) if within else data
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
        if data.size < limits.elements and data.flags.c_contiguous:
            return new(data)
        order = sorted(range(data.ndim), key=lambda k: -data.strides[k])
        if data.transpose(order).shape == base.shape and data.transpose(order).strides == base.strides:
            axes = tuple(map(order.index, range(data.ndim)))
            return lend(new(base), LazyArray._transposed, (axes,), _ndarray.transpose, base)
        if base.flags.c_contiguous and data.flags.c_contiguous:
            return lend(new(base), _reshaped, (data.shape,), _ndarray.reshape, base)
    return new(data)


def run(function: Any, *args: Any) -> Any:
    """A call of NumPy's own C code on data, in which it warns of nothing.

    (Python code could come here again, and a context is entered once: for that there is `lazyarr.quiet.quietly`.)
    """
    found = function(*args) if _quiet.entered or _heard() is not None else _quiet.context.run(function, *args)
    if ranks:
        done_at_once()
    return found


def _references(cell: Cell) -> int:
    return sys.getrefcount(cell)


def _of_data(cell: Cell) -> tuple[int, int, int]:
    """How many refer to the value of a cell, to its node, and to its data."""
    value = cell.value
    node: Any = value.node
    data = node.data
    return sys.getrefcount(value), sys.getrefcount(node), sys.getrefcount(data)


def _of_one() -> tuple[int, tuple[int, int, int]]:
    """What `_references` and `_of_data` give for the cell of one array, whose data nobody else has."""
    array = LazyArray._new(leaf(np.zeros(()), ArrayType(np.dtype(np.float64), ())))
    return _references(array._cell), _of_data(array._cell)


def _of_mine() -> int:
    """How many refer to the data that an array has to itself, a variable included."""
    array = _new(LazyArray)
    array._mine = np.zeros(1)
    mine = array._mine
    return sys.getrefcount(mine)


_ALONE, _DATA_ALONE = _of_one()
_MINE_ALONE = _of_mine()
#: Elements of larger arrays that are copied, where somebody else has their data, for a part of them to be written.
COPIED = 1 << 20


def owns_data(cell: Cell) -> bool:
    """Whether nobody but a cell has the data that is its value, and that may be written to."""
    node: Any = cell.value.node
    data = node.data
    may_be = type(data) is _ndarray and data.flags.owndata and not node.constant
    del data
    if not may_be or _of_data(cell)[0] != _DATA_ALONE[0] or _of_data(cell)[1:] != (_DATA_ALONE[1] + 1, _DATA_ALONE[2]):
        return False
    # (Nobody has what was shown any more.)
    node.data.flags.writeable = True
    return True


def own(x: LazyArray) -> Any:
    """The data of an array, to be written to in place; None where it has none that may be.

    Data that is the value of a cell is copied, and the cell given up, if no view refers to that. Called with
    `storage_lock` held, until the data is written: else another thread might make the array settle in between.
    """
    mine = x._mine
    if mine is not None:
        if type(mine) is not _ndarray or mine.flags.writeable:
            return mine
        if sys.getrefcount(mine) == _MINE_ALONE and mine.base is None and mine.flags.owndata:
            mine.flags.writeable = True  # nobody has what was shown any more
            return mine
        x._settle()  # somebody was shown it
    elif x._lent is not None:
        return x._lent.owned()
    if (memory := _aliased(x)) is not None:
        return memory if x._writeable else None
    data = _left(x)
    if data is None or data.size >= limits.elements:
        return None
    return _take(x, data.copy("K"))


def _aliased(x: LazyArray) -> Any:
    """What an array that has settled sees of memory that others write to as well; None where it is no such memory."""
    cell = x._cell
    if type(cell) is Cell or x._form is not None or x._scalar or tracing() is not None:
        return None
    loan = cell.loan
    if loan is None or loan.is_over():
        return None
    steps, at = path(x)
    if at._form is not None:
        return None
    found = through(steps, loan.memory)
    is_view = found is loan.memory or found.base is loan.memory
    return found if is_view and found.strides == x._strides else None


def own_large(x: LazyArray, only_looks: bool = False) -> Any:
    """As `own`, of an array of any size, of which little is to be written, or looked at: that is copied if it must be.

    (On several ranks only of what every rank has, or comes to have: `to_whole`.)
    """
    found = own(x)
    if found is not None or x._lent is not None or not limits.elements:
        return found
    if ranks:
        to_whole(x)
    elif not only_looks and is_to_be_made(x):
        return _take(x, _made(x))
    data = _left(x)
    if type(data) is not _ndarray:
        return None
    size = data.size
    del data
    if owns_data(x._cell):
        return _take(x, _left(x))
    if only_looks or size > COPIED:
        return None
    now = recording()
    if now.little.copies_much():
        # What is pending has the data: it would be copied again and again.
        flush(now)
        return own_large(x)
    return _take(x, _left(x).copy("K"))


#: On several ranks: operations on little data in a row after which a large array of which they use parts is given to
#: all of them; what one of these costs while it is recorded, in seconds; bytes of the largest array that is given.
_IN_PARTS, _RECORDED, _GATHERED = 16, 1e-3, 1 << 28


#: Cells of arrays that were given to all: how often, and after how many operations in a row.
_given: WeakKeyDictionary[Cell, tuple[int, int]] = WeakKeyDictionary()


def to_whole(x: LazyArray) -> None:
    """Where several ranks run the program, have all of them have all of a large array that is used a little at a time.

    Then NumPy does that at once, and nothing is sent. What is computed of all of the array is split again.
    """
    at: LazyArray = x
    while at._parent is not None:
        at = at._parent
    node, type = x._cell.value.node, x._cell.value.type
    known = isinstance(node, Leaf) and not isinstance(node.data, Part)
    if known or at._form is not None or not limits.elements or tracing() is not None or not is_static(type.shape):
        return
    if type.nbytes > _GATHERED or type.size < min(limits.elements, settings.current.split_above):
        return
    in_a_row, least = recording().little.in_a_row, _IN_PARTS + type.nbytes / ranks[0].model.bandwidth / _RECORDED
    times, before = _given.get(x._cell, (0, 0))
    if in_a_row < before + least * 2**times:
        return
    # (What is split again, for views of it do not let it be written in place, takes longer each time.)
    _given[x._cell] = times + 1, in_a_row
    gather(at)


def gather(x: LazyArray) -> None:
    """Have what an array that is no view holds computed; of what is split all ranks get all."""
    cell, (data,) = x._cell, evaluate([x._cell.value])
    if isinstance(data, Part):
        found, data._whole = data.whole(), None
        found = found if found.strides == x._strides else _laid_out(found, x._strides)
        with storage_lock:
            cell.value = leaf(found, cell.value.type)


def _laid_out(data: _ndarray[Any, Any], strides: tuple[int, ...]) -> _ndarray[Any, Any]:
    """A copy with axes in the order of some strides."""
    order = sorted(range(data.ndim), key=lambda axis: -abs(strides[axis]))
    # (In memory of its own: it may be written to then.)
    return np.array(np.ascontiguousarray(data.transpose(order)).transpose(np.argsort(order)), order="K")


def to_lend(x: LazyArray) -> Any:
    """The data of an array of which views may be lent; None where it has none."""
    if x._mine is not None:
        return x._mine
    if x._lent is not None:
        return x._lent.data() if x._lent.depth < DEEPEST else None
    found = own_large(x, only_looks=True)
    return held(x) if found is None and (is_whole(x) or is_view(x) and not ranks) else found


def is_view(x: LazyArray) -> bool:
    """Whether an array that has settled is a view of another, and may be written to."""
    return x._parent is not None and x._form is None and x._writeable and not x._scalar


def is_whole(x: LazyArray) -> bool:
    """Whether an array that has settled is no view, and may be written to."""
    return x._parent is None and x._form is None and x._writeable and not x._scalar


def _left(x: LazyArray) -> Any:
    """The data of the cell of an array that no other array refers to."""
    if not is_whole(x) or _references(x._cell) != _ALONE or tracing() is not None:
        return None
    found = held(x)
    # (What others write to stays where it is.)
    return found if type(x._cell) is Cell else None


def is_to_be_made(x: LazyArray) -> bool:
    """Whether an array is one of `numpy.zeros` and the like that was not made yet."""
    node = x._cell.value.node
    made = bool(node.operands) and all(v.node.op is CONST for v in node.operands)
    return made and is_whole(x) and _references(x._cell) == _ALONE and tracing() is None


def _made(x: LazyArray) -> _ndarray[Any, Any]:
    """The data of an array that `is_to_be_made`, in its layout."""
    value = x._cell.value
    numbers = [np.asarray(v.node.kw["value"].value, v.type.dtype) for v in value.node.operands]
    order: Any = "F" if x._strides and x._strides[0] < x._strides[-1] else "C"
    if not any(any(number.tobytes()) for number in numbers) and value.node.op.name == "broadcast":
        return np.zeros(x._shape, x._dtype, order)  # (of which the system gives what is written to)
    found = quiet.quietly(of_node, value.node, numbers)[value.index]
    return np.array(found, order=order)


def _take(x: LazyArray, mine: _ndarray[Any, Any]) -> Any:
    """Make data an array's own."""
    if mine.strides != x._strides:
        return None
    x._mine = mine
    del x._cell
    return mine


class Lent:
    """A view of data that an array has to itself, or that its cell has: NumPy's view of the same memory.

    Attributes
    ----------
    parent : LazyArray
        What it is a view of: `root`, or a view that is lent too.
    look : callable
        ``look(parent, *how)`` gives the view of an array that has settled.
    again : callable or None
        ``again(data, *how)`` gives NumPy's view of NumPy's array; None where it is the basic index ``how[0]``.
    root : LazyArray
        Whose memory it is, or the view of a cell that it is a part of,
    base : ndarray
        and where that was. When `root` has other data, the view is looked for anew.
    given, seen : ndarray
        What it is a view of, and what it sees.
    depth : int
        Of how many views it is a view, itself included.
    """

    __slots__ = ("again", "base", "depth", "given", "how", "look", "parent", "root", "seen")

    def __init__(self, parent: LazyArray, look: Method, how: tuple[Any, ...], again: Method | None, given: Any):
        lent = parent._lent if parent._mine is None else None
        if lent is None:
            self.root, self.base, self.depth = parent, given, 1
            if parent._mine is None and parent._parent is not None:
                # (As long as its cell has this data, a view that has settled sees the same of it.)
                self.base = _base(parent._cell)
        else:
            self.root, self.base, self.depth = lent.root, lent.base, lent.depth + 1
        self.parent, self.look, self.how, self.again = parent, look, how, again
        self.given, self.seen = given, self.look_again(given)

    def look_again(self, given: Any) -> Any:
        """NumPy's view of NumPy's array."""
        return given[self.how[0]] if self.again is None else self.again(given, *self.how)

    def data(self) -> Any:
        """What the view sees; None where that has moved."""
        return self.seen if _now(self.root) is self.base else None

    def owned(self) -> Any:
        """What the view sees, to be written to; None where it may not be."""
        root = self.root
        if self.depth >= DEEPEST or (data := own_large(root)) is None:
            return None
        if (base := _now(root)) is not self.base:
            parent = self.parent
            given = data if parent is root else None if parent._lent is None else parent._lent.owned()
            before = self.given
            if given is None or (given.shape, given.strides, given.dtype) != (
                before.shape, before.strides, before.dtype,
            ):  # fmt: skip
                return None
            self.base, self.given, self.seen = base, given, self.look_again(given)
        return self.seen

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
        view._writeable = self.look is not FUNCTIONS[np.diagonal]
        return view


def _now(root: LazyArray) -> Any:
    """The data of an array that is no view, or that a view which has settled is one of."""
    mine = root._mine
    if mine is not None:
        return mine
    return _base(root._cell)


def _base(cell: Cell) -> Any:
    """The data of which a cell's arrays are views; None where that is not there."""
    if type(cell) is not Cell and (loan := cell.loan) is not None and not loan.is_over():
        return loan.memory
    node: Any = cell.value.node
    return node.data if type(node) is Leaf else None


def is_part(view: Any, data: Any) -> bool:
    """Whether NumPy has made a view of an array, and not a copy."""
    return view.base is not None and (view.base is data or view.base is data.base)


def lend(parent: LazyArray, look: Method, how: tuple[Any, ...], again: Method | None, given: Any) -> LazyArray:
    """A view of an array whose data is `given`, and may be written to: see `Lent`."""
    found = _new(LazyArray)
    found._mine = None
    found._lent = Lent(parent, look, how, again, given)
    return found
