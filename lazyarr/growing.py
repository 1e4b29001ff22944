"""Lists to which each iteration of a compiled loop has appended: their items are rows of arrays until one looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from lazyarr.array import Cell, LazyArray
from lazyarr.computed import ComputedScalar
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType
from lazyarr.runtime import recording


@dataclass(frozen=True)
class Column:
    """What one ``append`` of a loop has appended, in all iterations.

    Attributes
    ----------
    known : sequence, optional
        The items, where they are Python's numbers that no data decides: then there are no rows.
    rows : tuple of LazyArray
        For each number or array in an item, one that holds it of all iterations. Nobody else has them, so that nothing
        changes them.
    shared : bool
        Whether a variable may be an array of an item: none of them may be changed then.
    form : tuple
        ``("number", kind)`` for Python's numbers, ``("scalar", dtype)`` for NumPy's, ``("array", dtype, shape)``,
        `tuple` or `list` with the forms of what is in it, or ``("rows", trips, forms)`` for another list that grows.
    """

    rows: tuple[LazyArray, ...]
    form: Any
    known: Sequence[Any] | None = None
    shared: bool = False

    def item(self, k: int) -> Any:
        """The item of iteration number `k`."""
        if self.known is not None:
            return self.known[k]
        made = _made(self.form, iter([rows[k]._value() for rows in self.rows]))
        if self.shared:
            recording().frozen.update(_cells(made))
        return made


def _cells(item: Any) -> list[Cell]:
    if isinstance(item, (tuple, list)) and not isinstance(item, Growing):
        return [cell for inner in item for cell in _cells(inner)]
    return [item._cell] if isinstance(item, LazyArray) and not item._scalar else []


def _made(form: Any, values: Iterator[Value]) -> Any:
    if form[0] is tuple or form[0] is list:
        return form[0](_made(inner, values) for inner in form[1])
    if form[0] == "number":
        return ComputedScalar(next(values), form[1])
    if form[0] == "rows":
        found = Growing()
        found.trips, sizes = form[1], [len(row_types(inner, 1) or ()) for inner in form[2]]
        found.columns = tuple(
            Column(tuple(LazyArray._new(next(values)) for _ in range(size)), inner)
            for size, inner in zip(sizes, form[2], strict=True)
        )
        return found
    return LazyArray._new(next(values), scalar=form[0] == "scalar")


_numbers = count()
#: What a list is asked of which Python has the answer.
UNKNOWN = object()


def next_number() -> int:
    """A number above those of all lists so far."""
    return next(_numbers)


class Growing(list[Any]):
    """A list of a traced function.

    It is a list in every respect; what loops have appended becomes elements when it is read or changed otherwise.

    Attributes
    ----------
    columns : tuple of Column
        What follows the elements: of each iteration, an item of each.
    trips : int
        How many iterations.
    number : int
        Lists made later have higher ones.
    collector : callable, optional
        Where a loop that is being captured takes what is appended.
    buffer : object, optional
        The memory of a list of which data decides the length (see `tracing.capture.buffers`). The elements are then
        those from before the loop that has made it longer.
    lists : object, optional
        What a trace does with its lists.
    """

    columns: tuple[Column, ...] = ()
    trips: int = 0
    collector: Callable[[Any], None] | None = None
    buffer: Any = None
    lists: Any = None

    def __init__(self, *given: Any):
        super().__init__(*given)
        self.number = next(_numbers)

    def settle(self) -> None:
        """Make elements of what loops have appended.

        Raises
        ------
        NotCaptured
            If data decides how many there are, and they would be looked at in what is captured.
        """
        if self.buffer is not None:
            length = self.buffer.count.__index__()
            # (Where items were taken out, others may stand in place of the first ones.)
            first = min(length, self.buffer.least)
            items = [self.lists.item(self, k) for k in range(first, length)]
            self.buffer = None
            list.__delitem__(self, slice(first, None))
            list.extend(self, items)
        columns, self.columns = self.columns, ()
        if columns:
            for k in range(self.trips):
                list.extend(self, [column.item(k) for column in columns])

    def elements(self) -> list[Any]:
        """The elements before those of `columns`."""
        return list.__getitem__(self, slice(None))

    def __reduce_ex__(self, protocol: Any) -> Any:
        return list, (list(self),)


def _settled(name: str) -> Callable[..., Any]:
    method = getattr(list, name)

    def call(self: Growing, *args: Any, **kwargs: Any) -> Any:
        self.settle()
        return method(self, *args, **kwargs)

    call.__name__ = name
    return call


for _name in (
    "__getitem__ __setitem__ __delitem__ __len__ __iter__ __reversed__ __contains__ __add__ __iadd__ __mul__ "
    "__rmul__ __imul__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __repr__ append extend "
    "insert pop remove clear index count sort reverse copy"  # (of some more below)
).split():
    setattr(Growing, _name, _settled(_name))


def _in_memory(name: str, run: Callable[..., bool], takes: int) -> Callable[..., Any]:
    """A method that a list with memory in the program has another way for."""
    otherwise = getattr(Growing, name)

    def call(self: Growing, *args: Any) -> Any:
        if self.lists is not None and len(args) == takes:
            result = run(self, *args)
            if result is not UNKNOWN:
                return result
        return otherwise(self, *args)

    call.__name__ = name
    return call


def _append(self: Growing, item: Any) -> Any:
    return None if self.lists.append(self, item) else UNKNOWN


def _extend(self: Growing, items: Any) -> Any:
    if type(items) not in (list, tuple):
        return UNKNOWN
    for item in items:
        self.append(item)
    return None


def _add_in_place(self: Growing, items: Any) -> Any:
    return UNKNOWN if _extend(self, items) is UNKNOWN else self


def _pop(self: Growing) -> Any:
    return self.lists.pop(self)


def _item(self: Growing, key: Any) -> Any:
    return self.lists.item(self, key)


Growing.append = _in_memory("append", _append, 1)  # type: ignore[method-assign]
Growing.extend = _in_memory("extend", _extend, 1)  # type: ignore[method-assign]
Growing.__iadd__ = _in_memory("__iadd__", _add_in_place, 1)  # type: ignore[method-assign]
Growing.pop = _in_memory("pop", _pop, 0)  # type: ignore[method-assign]
Growing.__getitem__ = _in_memory("__getitem__", _item, 1)  # type: ignore[method-assign]


def _after_list(self: Growing, other: Any) -> Any:
    self.settle()
    return other + self.elements() if isinstance(other, list) else NotImplemented


Growing.__radd__ = _after_list  # type: ignore[attr-defined]


def row_types(form: Any, trips: int) -> list[ArrayType] | None:
    """The types of the arrays that hold what `trips` iterations append; None for what arrays do not hold."""
    if form is None:
        return None
    if form[0] is tuple or form[0] is list:
        parts = [row_types(inner, trips) for inner in form[1]]
        known = [part for part in parts if part]
        return [type for part in known for type in part] if known and len(known) == len(parts) else None
    if form[0] == "rows":
        inside = [row_types(inner, form[1]) or [] for inner in form[2]]
        return [ArrayType(type.dtype, (trips, *type.shape)) for types in inside for type in types]
    if form[0] == "array":
        return [ArrayType(form[1], (trips, *form[2]))] if all(type(n) is int for n in form[2]) else None
    return [ArrayType(np.dtype(form[1]), (trips,))] if form[0] in ("number", "scalar") else None


def leaves(item: Any) -> list[Any]:
    """The numbers and arrays in an item."""
    if isinstance(item, Growing):
        return [rows for column in item.columns for rows in column.rows]
    return [leaf for part in item for leaf in leaves(part)] if type(item) in (tuple, list) else [item]


def elements_of(x: Iterable[Any]) -> list[Any]:
    """What a list holds, without making elements of what loops have appended."""
    return x.elements() if isinstance(x, Growing) else list(x)
