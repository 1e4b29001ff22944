"""The state of a loop or branch: variables and storage cells, before and after its body was traced."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lazyarr.array import Cell, LazyArray
from lazyarr.computed import ComputedScalar, computed, is_number, kind_of, placeholder_type
from lazyarr.growing import elements_of
from lazyarr.ir import extents
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import NAMES, ArrayType
from lazyarr.leaves import Placeholder
from lazyarr.ops.create import CONST, const
from lazyarr.runtime import Recording, record
from lazyarr.tracing.control.python import Undefined
from lazyarr.tracing.remains import members
from lazyarr.weak import WeakScalar

State = tuple[Any, ...]
#: Elements of an array up to which NumPy's own call costs less than recording it.
SMALL = 10_000


class Snapshot:
    """Variables, storage and containers at one point of a trace, to compare with and to go back to."""

    def __init__(self, now: Recording, get: Callable[[], State], set: Callable[[State], None]):
        assert now.cells is not None
        self.variables = get()
        self.cells: dict[Cell, Value] = {cell: cell.value for cell in list(now.cells)}
        self._checks = list(now.checks)
        self._inputs = len(_inputs(now))
        self._scopes = len(now.scopes)
        self._holders, self._since_flush = list(now.holders), now.since_flush
        self._now = now
        self._set = set

    def _met(self) -> list[tuple[Cell, Value]]:
        """Arrays outside that have been met since, and what they hold."""
        return [(lazy._cell, Value(node, 0)) for _, lazy, node in _inputs(self._now)[self._inputs :]]

    def take_in(self) -> bool:
        """Take in the arrays outside that have been met since and have changed: as if they had been known."""
        changed = {cell: value for cell, value in self._met() if cell.value != value and cell not in self.cells}
        self.cells.update(changed)
        return bool(changed)

    def restore(self) -> None:
        """Go back: variables, contents of cells, and recorded checks."""
        self._set(self.variables)
        del self._now.scopes[self._scopes :]
        # What a body recorded means nothing outside of it.
        self._now.holders = list(self._holders)
        self._now.since_flush = self._since_flush
        for cell, value in self.cells.items():
            cell.value = value
        for cell, value in self._met():
            cell.value = value
        # (Some of those before may have been made meanwhile.)
        known = set(map(id, self._checks))
        self._now.checks[:] = [check for check in self._now.checks if id(check) in known]


def _inputs(now: Recording) -> Any:
    """The arrays of the caller's that a trace knows: each with what stands for it, and what that was."""
    return getattr(now.observer, "bases", ())


def is_placeable(cell: Cell) -> bool:
    """Whether a loop's body has to see a cell's content as what may change: constants of scalars do not."""
    return cell.value.node.op is not CONST


def is_small(type: ArrayType) -> bool:
    """Whether NumPy's own call on an array costs less than recording it, or compiling for it."""
    return math.prod(extents.bounded(type.shape)) < SMALL


def look_of(array: LazyArray) -> dict[str, Any]:
    """What statements may change of an array besides its elements: by `shape`, `dtype`, `flags` and `resize`."""
    return {name: getattr(array, name) for name in ("_cell", "_shape", "_dtype", "_strides", "_writeable", "_form")}


def placeholder(type: ArrayType) -> Value:
    """A leaf that stands for a value not known while tracing."""
    return Value(Placeholder(type), 0)


# -- one variable ------------------------------------------------------------------------------------------


def form(x: Any) -> Any:
    """What kind of variable `x` is: two values of equal forms can be carried as one.

    ``("number", kind)``, ``("scalar", dtype)`` for NumPy scalars, ``("array", dtype, shape)``, a tuple of forms with
    the type of a tuple or list, or None for anything else.
    """
    if is_number(x):
        return "number", kind_of(x)
    if isinstance(x, LazyArray):
        return ("scalar", x.dtype) if x._scalar else ("array", x.dtype, x._shape)
    if isinstance(x, np.generic) and x.dtype in NAMES:
        return "scalar", x.dtype
    if type(x) in (tuple, list) and len(x) <= 64:
        inner = tuple(form(item) for item in x)
        return None if None in inner else (type(x), inner)
    return None


def value_of(x: Any) -> Value:
    """The graph's value of a variable of a form that is no tuple."""
    if isinstance(x, np.generic):
        return const(x, x.dtype)
    return x._value() if isinstance(x, LazyArray) else computed(x).value


def ragged(before: Any, after: Any) -> Any:
    """The form of an array whose length the loop changes: ``("ragged", dtype, shape of its memory, changing axes)``.

    None if they are no two arrays of one dtype and rank, or if it would have to grow.
    """
    if after[0] != "array" or before[0] not in ("array", "ragged") or before[1] != after[1]:
        return None
    capacity, shape = extents.bounded(before[2]), after[2]
    if len(capacity) != len(shape) or any(extents.bound(n) > m for n, m in zip(shape, capacity, strict=True)):
        return None
    known = before[3] if before[0] == "ragged" else ()
    old = before[2]
    axes = tuple(k for k in range(len(shape)) if k in known or shape[k] != old[k])
    return "ragged", before[1], capacity, axes


def ragged_pair(a: Any, b: Any) -> Any:
    """The form in which arrays of two lengths are one; None if they are no two arrays of one dtype and rank."""
    if a[0] != "array" or b[0] != "array" or a[1] != b[1] or len(a[2]) != len(b[2]):
        return None
    pairs = list(zip(a[2], b[2], strict=True))
    axes = tuple(k for k, (n, m) in enumerate(pairs) if n != m or isinstance(n, extents.Length))
    return "ragged", a[1], tuple(max(extents.bound(n), extents.bound(m)) for n, m in pairs), axes


def ragged_values(value: Value, wanted: Any) -> list[Value]:
    """An array in memory for the longest it can be, and its lengths."""
    _, dtype, capacity, axes = wanted
    lengths = [_length(value.type.shape[axis]) for axis in axes]
    if value.type.shape != capacity:
        value = record(OPS["reserve"], value, shape=capacity)
    return [value, *lengths]


def _length(n: Any) -> Value:
    return const(n, np.dtype(np.int64)) if type(n) is int else n.scalar


def ragged_array(wanted: Any, values: Iterator[Value]) -> LazyArray:
    """The array of `ragged_values`."""
    _, _, capacity, axes = wanted
    memory = next(values)
    lengths = {axis: next(values) for axis in axes}
    dims = tuple(("slice", 1) if axis in axes else ("all",) for axis in range(len(capacity)))
    scalars = [s for axis in axes for s in (const(0, np.dtype(np.int64)), lengths[axis])]
    return LazyArray._new(record(OPS["window"], memory, *scalars, dims=dims))


def values_of(x: Any) -> list[Value]:
    """All values in a variable."""
    if type(x) in (tuple, list):
        return [v for item in x for v in values_of(item)]
    return [value_of(x)]


def types_of(form: Any) -> list[ArrayType]:
    """The types of the values in a variable of a form."""
    if form[0] == "number":
        return [placeholder_type(form[1])]
    if form[0] == "scalar":
        return [ArrayType(form[1])]
    if form[0] == "array":
        return [ArrayType(form[1], form[2])]
    if form[0] == "ragged":
        return [ArrayType(form[1], form[2]), *[ArrayType(np.dtype(np.int64))] * len(form[3])]
    return [t for inner in form[1] for t in types_of(inner)]


def made_of(form: Any, values: Iterator[Value], like: Any = None) -> Any:
    """A variable of a form, of new values."""
    if form[0] == "number":
        return ComputedScalar(next(values), form[1])
    if form[0] == "scalar":
        return LazyArray._new(next(values), scalar=True)
    if form[0] == "array":
        strides = like._strides if isinstance(like, LazyArray) and like._shape == form[2] else None
        return LazyArray._new(next(values), strides)
    if form[0] == "ragged":
        return ragged_array(form, values)
    items = [made_of(inner, values, like[k] if type(like) in (tuple, list) and len(like) == len(form[1]) else None)
             for k, inner in enumerate(form[1])]  # fmt: skip
    return form[0](items)


def cells_of(x: Any) -> list[Cell]:
    """The storage of the arrays in a variable."""
    if type(x) in (tuple, list):
        return [cell for item in x for cell in cells_of(item)]
    return [x._cell] if isinstance(x, LazyArray) and not x._scalar else []


def cells_inside(x: Any, met: set[int] | None = None) -> set[Cell]:
    """The storage of the arrays in a variable, in what its containers hold and in attributes of objects."""
    met = set() if met is None else met
    if id(x) in met or isinstance(x, (type, types.FunctionType, types.ModuleType)):
        return set()
    met.add(id(x))
    if isinstance(x, LazyArray):
        return set(cells_of(x))
    items = elements_of(x) if isinstance(x, (list, tuple)) else list(x.values()) if isinstance(x, dict) else []
    if type(x).__module__.partition(".")[0] != "lazyarr":
        attributes = [_held(member, x) for member in members(type(x))]
        items = [*items, *getattr(x, "__dict__", {}).values(), *attributes]
    return {cell for item in items for cell in cells_inside(item, met)}


def _held(member: types.MemberDescriptorType, x: Any) -> Any:
    try:
        return member.__get__(x)
    except AttributeError:
        return None  # a slot that is empty


def has_computed_length(x: Any) -> bool:
    """Whether a variable holds an array whose shape is known at run time only."""
    if type(x) in (tuple, list):
        return any(map(has_computed_length, x))
    return isinstance(x, LazyArray) and not extents.is_static(x._shape)


def held_in(x: Any) -> tuple[Any, ...]:
    """What a tuple or list holds, and those in it do: to see later whether one has been changed in place."""
    return tuple([(item, held_in(item)) for item in x]) if type(x) in (tuple, list) else ()


def holds(x: Any, before: tuple[Any, ...]) -> bool:
    """Whether a tuple or list still holds what `held_in` has said."""
    if type(x) not in (tuple, list):
        return True
    return len(x) == len(before) and all(
        item is known and holds(item, inside) for item, (known, inside) in zip(x, before, strict=True)
    )


def same_variable(a: Any, b: Any) -> bool:
    """Whether two variables are one: the same object, number, or view."""
    if a is b:
        return True
    if isinstance(a, LazyArray) and isinstance(b, LazyArray):
        return (a._cell is b._cell and a._scalar == b._scalar and a._offset == b._offset and a._shape == b._shape
                and a._strides == b._strides and a._dtype == b._dtype and a._step == b._step)  # fmt: skip
    if isinstance(a, Undefined) and isinstance(b, Undefined):
        return True
    if type(a) is ComputedScalar and type(b) is ComputedScalar:
        return a.kind is b.kind and a.value == b.value
    if type(a) is not type(b):
        return False
    if type(a) in (bool, int, float, complex, str, bytes):
        return a == b and repr(a) == repr(b)
    if type(a) is tuple:
        return len(a) == len(b) and all(map(same_variable, a, b))
    if isinstance(a, WeakScalar):
        return bool(repr(type(a)) == repr(type(b)) and getattr(a, "_position", a) == getattr(b, "_position", None))
    if isinstance(a, np.dtype):
        return bool(a == b)
    return False


def unnumbered(form: Any) -> bool:
    """Whether a form holds an array that owns memory."""
    if form[0] in ("number", "scalar"):
        return False
    return True if form[0] in ("array", "ragged") else any(unnumbered(inner) for inner in form[1])
