"""What calls of functions record, kept by the types of their arguments: calls that are alike record it from there.

A program calls the same functions on arrays of the same shapes again and again, and what `numpy.std` records takes
several times as long to decide as to record. Of functions that are declared so (`lazyarr.dispatch.BY_TYPES`), nothing
but the types of arrays, and the values of other arguments, decides it; in some floats are operands (`FLOATS`).
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyarr import forks
from lazyarr.array import LazyArray
from lazyarr.dispatch import BY_TYPES, FLOATS, told
from lazyarr.gains import gains
from lazyarr.ir.extension import compiled as nodes
from lazyarr.ir.extents import is_static
from lazyarr.ir.graph import depth_first
from lazyarr.ir.node import Attrs, Node, Value, make
from lazyarr.ir.op import Op
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.little.extension import compiled
from lazyarr.ops.create import CONST
from lazyarr.runtime import credit, is_tracing, recording
from lazyarr.world import active as ranks

#: Recipes that are kept, operations of one, and how often it is tried to make one.
_KEPT, _LONGEST, _TRIED = 1024, 32, 3
_UNSET = np._NoValue
#: Arguments that stand for themselves.
_ATOMS = frozenset((int, bool, str, type(None), type(_UNSET)))


class _Step(NamedTuple):
    """An operation with one result; its operands are counted: what is given, then the steps before."""

    op: Op
    attrs: Attrs
    operands: tuple[int, ...]


class _Recipe(NamedTuple):
    """What is given are the call's arrays, then its floats as values of these types.

    (No node is kept, constants neither: they would carry the lines of calls that are over to others.)
    """

    floats: tuple[ArrayType, ...]
    steps: tuple[_Step, ...]
    strides: tuple[int, ...]
    scalar: bool


#: By calls' keys, the least recently noted one first.
_recipes: OrderedDict[Any, _Recipe] = OrderedDict()
#: How often there was none of what a call had recorded.
_vain: dict[Any, int] = {}
_lock = forks.lock()


class Call:
    """A call that may be like one before.

    Attributes
    ----------
    key : tuple
        What decides, with the function, what is recorded.
    """

    __slots__ = ("_arrays", "_before", "_floats", "_values", "key")

    def __init__(self, key: Any, arrays: list[LazyArray], floats: list[float]):
        self.key, self._arrays, self._floats = key, arrays, floats
        # (Before values are looked at: it may have to wait for a program that replaces them.)
        self._before = len(recording().checks), told()
        #: (What arrays are may change while a definition is at work.)
        self._values = [x._value() for x in arrays]

    def again(self) -> LazyArray | None:
        """Record what a call like this one has recorded; None if there was none."""
        recipe = _recipes.get(self.key)
        if recipe is None:
            return None
        values = [*self._values]
        for x, type in zip(self._floats, recipe.floats, strict=True):
            values.append(leaf(np.asarray(x, type.dtype), type))
        nodes = []
        for op, attrs, operands in recipe.steps:
            node = make(op, tuple([values[k] for k in operands]), attrs)
            if op is not CONST:
                nodes.append(node)
            values.append(Value(node, 0))
        credit(*nodes)
        return LazyArray._new(values[-1], recipe.strides, recipe.scalar)

    def note(self, found: Any) -> None:
        """Keep what the call has recorded, where that is all that it has done."""
        if (len(recording().checks), told()) != self._before:
            return
        recipe = self._recipe(found) if self._is_made(found) else None
        with _lock:
            if recipe is None:
                if len(_vain) >= _KEPT:
                    _vain.clear()
                _vain[self.key] = _vain.get(self.key, 0) + 1
            else:
                _recipes[self.key] = recipe
                if len(_recipes) > _KEPT:
                    _recipes.popitem(last=False)

    def _is_made(self, found: Any) -> bool:
        """Whether what has been found is an array of its own, which is not computed yet."""
        if type(found) is not LazyArray or found._mine is not None or found._lent is not None:
            return False
        if found._parent is not None or found._form is not None or isinstance(found._cell.value.node, Leaf):
            return False
        return all(found._cell is not x._cell for x in self._arrays)

    def _recipe(self, found: LazyArray) -> _Recipe | None:
        """How to record what has been found from what was given."""
        nodes = depth_first([found._cell.value], {v.node for v in self._values})
        leaves = [node for node in nodes if isinstance(node, Leaf)]
        steps = [node for node in nodes if not isinstance(node, Leaf)]
        if not steps or steps[-1] is not found._cell.value.node or len(steps) > _LONGEST:
            return None
        if any(len(node.types) != 1 or node.op.dependent or not is_static(node.types[0].shape) for node in steps):
            return None
        given = self._which(leaves)
        if given is None:
            return None
        order = [*[v.node for v in self._values], *given, *steps]
        place = {node: k for k, node in enumerate(order)}
        read = [place[v.node] for node in steps for v in node.operands]
        # (What is made of one array, and is another one that was given too, would be taken for that one.)
        if len(self._values) > 1 and any(read.count(k) != 1 for k in range(len(self._values))):
            return None
        if len(place) != len(order) or any(v.index for v in self._values):
            return None
        made = tuple([_Step(node.op, node.attrs, tuple([place[v.node] for v in node.operands])) for node in steps])
        types = tuple([node.types[0] for node in given])
        return _Recipe(types, made, found._strides, found._scalar)

    def _which(self, leaves: Sequence[Node]) -> list[Node] | None:
        """The leaves that floats among the arguments have become, one for each; None where that is not certain."""
        found: list[Node] = []
        for x in self._floats:
            own = [node for node in leaves if _is(node, x)]
            if len(own) != 1 or own[0] in found:
                return None
            found += own
        return found if len(found) == len(leaves) else None


def _is(node: Any, x: float) -> bool:
    """Whether a leaf may be a float."""
    type = node.types[0]
    if type.shape or type.dtype.kind != "f" or not isinstance(node.data, np.ndarray):
        return False
    return node.data.tobytes() == np.asarray(x, type.dtype).tobytes()


def call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Call | None:
    """A call of a function that may be like one before; None where there is nothing to remember of it."""
    if ranks or is_tracing():
        return None
    arrays: list[LazyArray] = []
    floats: list[float] = []
    are_operands = function in FLOATS
    key: Any = [function]
    for x in args:
        token = _token(x, arrays, floats, are_operands)
        if token is None:
            return None
        key.append(token)
    for name, x in kwargs.items():
        token = _token(x, arrays, floats, are_operands)
        if token is None:
            return None
        key += name, token
    # (Of an array given twice other things are equal than of two.)
    if not arrays or len({id(x._cell) for x in arrays}) < len(arrays) or _vain.get(key := tuple(key), 0) >= _TRIED:
        return None
    return Call(key, arrays, floats)


def _token(x: Any, arrays: list[LazyArray], floats: list[float], are_operands: bool) -> Any:
    """What tells an argument from others of which another thing may be recorded; None if it is of another kind."""
    kind = type(x)
    if kind is LazyArray:
        shape = x._shape
        if not is_static(shape):
            return None
        # (With little data that exists something may be done at once, and of no elements there are warnings.)
        size = math.prod(shape)
        if not size or size < gains.below:
            return None
        arrays.append(x)
        return x._dtype, shape, x._strides, x._scalar
    if kind is float:
        if not are_operands:
            return kind, x.hex()
        floats.append(x)
        return kind
    if kind in _ATOMS or (kind is tuple and all(type(item) is int for item in x)):
        return kind, x
    return (type, x) if isinstance(x, (type, np.dtype)) else None


def install() -> None:
    """Have the extension record what calls like ones before have recorded."""
    if compiled is not None and nodes is not None:
        compiled.install_recipes(BY_TYPES, FLOATS, _recipes, make, CONST, _UNSET)


def forget() -> None:
    """Keep nothing of the calls so far."""
    with _lock:
        _recipes.clear()
        _vain.clear()
