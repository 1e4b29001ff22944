"""Basic indexing whose numbers the program computes: ``A[i, :j]``, ``x[lo:hi]``, ``row[i + 1 :]``.

Integers and bounds become operands of a window; Python's rules for negative and for overlong indices are computed where
ranges do not decide them. Also what makes arrays of such shapes meet: lengths that are not the same number have to be
equal when the program runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.computed import HIGHEST, LOWEST, ComputedScalar, computed, kind_of, number_of, scalar_of_array
from lazyarr.ir import extents
from lazyarr.ir.extents import Length, Shape
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE
from lazyarr.ops.window import Dim, Dims, operands_of, window_key
from lazyarr.runtime import NotCaptured, fetch, guard, record, recording
from lazyarr.weak import WeakScalar

_I64 = DTYPES["i64"]


@dataclass(frozen=True, slots=True)
class Window:
    """A basic index with computed numbers, as a step from an array to a view of it.

    Attributes
    ----------
    dims, scalars
        See `ops.window.WINDOW`.
    """

    dims: Dims
    scalars: tuple[Value, ...]

    def read(self, base: Value) -> Value:
        return record(OPS["window"], base, *self.scalars, dims=self.dims)

    def write(self, base: Value, new: Value) -> Value:
        return record(OPS["put_window"], base, new, *self.scalars, dims=self.dims)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return base[(*window_key(self.dims, tuple(int(np.asarray(fetch(s))) for s in self.scalars)), ...)]


@dataclass(frozen=True, slots=True)
class Placed:
    """The same of a program's result: its numbers are results, too.

    Attributes
    ----------
    dims
        As those of a window.
    """

    dims: Dims

    def view(self, base: Any, numbers: Iterator[Any]) -> Any:
        """The view of an array, lazy or not, with the next of some numbers."""
        return base[(*window_key(self.dims, tuple(islice(numbers, operands_of(self.dims)))), ...)]


@dataclass(frozen=True, slots=True)
class Expand:
    """New axes of length 1."""

    axes: tuple[int, ...]

    def read(self, base: Value) -> Value:
        return record(OPS["expand"], base, axes=self.axes)

    def write(self, base: Value, new: Value) -> Value:
        return squeezed(new, self.axes)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.expand_dims(base, self.axes)


def squeezed(value: Value, axes: tuple[int, ...]) -> Value:
    """`value` without some axes of length 1."""
    dims = tuple(("index",) if axis in axes else ("all",) for axis in range(value.type.ndim))
    return record(OPS["window"], value, *[const(0, _I64)] * len(axes), dims=dims)


def number(x: Any) -> Any:
    """An extent, an int, a computed or a traced one, or a NumPy integer scalar of the program, as an int or computed.

    Raises
    ------
    TypeError
        If it is no integer.
    """
    if type(x) is int:
        return x
    if isinstance(x, Length):
        return number_of(x.scalar, 0, x.bound)
    if type(x) is ComputedScalar:
        if x.kind is int:
            return x
        if x.kind is bool:
            raise NotCaptured("a Python bool as an index")
        raise TypeError("slice indices must be integers or None or have an __index__ method")
    if isinstance(x, LazyArray):
        if x.dtype.kind not in "iu" or x.ndim:
            raise TypeError("slice indices must be integers or None or have an __index__ method")
        return scalar_of_array(x, int)
    return x.__index__()


def is_computed(item: Any) -> bool:
    """Whether an index item, or a bound of a slice, is a number that is not known."""
    if isinstance(item, slice):
        return any(is_computed(b) for b in (item.start, item.stop, item.step))
    return type(item) is ComputedScalar or isinstance(item, Length) or (
        isinstance(item, LazyArray) and not item._shape and item._dtype.kind in "iu")  # fmt: skip


def applies(array: LazyArray, items: Sequence[Any]) -> bool:
    """Whether an index is basic, and some number of it or an extent of the array is computed."""
    found = not extents.is_static(array._shape)
    for item in items:
        if isinstance(item, slice) and is_computed(item.step):
            return False
        if is_computed(item):
            found = True
        elif not (item is None or item is ... or isinstance(item, (int, slice, np.integer)) or _is_int(item)):
            return False
        elif type(item) in (bool, np.bool_):
            return False
    return found


def _is_int(item: Any) -> bool:
    return isinstance(item, WeakScalar) and kind_of(item) is int


def view(array: LazyArray, items: Sequence[Any]) -> LazyArray:
    """The view that a basic index with computed numbers selects.

    Raises
    ------
    IndexError
        If there are too many indices.
    """
    items = _with_ellipsis(array, items)
    at = 0
    dims: list[Dim] = []
    scalars: list[Value] = []
    shape: list[Any] = []
    steps: list[int] = []
    added: list[int] = []
    for item in items:
        if item is None:
            added.append(len(shape))
            shape.append(1)
            steps.append(0)
            continue
        extent, stride = array._shape[at], array._strides[at]
        at += 1
        if isinstance(item, slice):
            dim, operands, length, step = _slice(item, extent)
            dims.append(dim)
            scalars += operands
            shape.append(length)
            steps.append(stride * step)
        else:
            dims.append(("index",))
            scalars.append(computed(_position(number(item), number(extent))).value)
    plain = [(n, s) for k, (n, s) in enumerate(zip(shape, steps, strict=True)) if k not in added]
    found = array
    if any(dim != ("all",) for dim in dims):
        found = array._view(Window(tuple(dims), tuple(scalars)), tuple(n for n, _ in plain),
                            tuple(s for _, s in plain), views.UNKNOWN_OFFSET)  # fmt: skip
    if added:
        found = found._view(Expand(tuple(added)), tuple(shape), tuple(steps))
    return found if found is not array else array._view(Window(tuple(dims), ()), array._shape, array._strides)


def _with_ellipsis(array: LazyArray, items: Sequence[Any]) -> list[Any]:
    used = sum(item is not None and item is not ... for item in items)
    if used > array.ndim:
        raise IndexError(f"too many indices for array: array is {array.ndim}-dimensional, but {used} were indexed")
    found: list[Any] = []
    filled = False
    for item in items:
        if item is ...:
            if filled:
                raise IndexError("an index can only have a single ellipsis ('...')")
            found += [slice(None)] * (array.ndim - used)
            filled = True
        else:
            found.append(item)
    return found if filled else found + [slice(None)] * (array.ndim - used)


def _known(x: Any) -> bool | None:
    """A comparison as a bool where it is decided."""
    return x if type(x) is bool else None


def _wrapped(x: Any, extent: Any) -> Any:
    """``x + extent`` for a negative `x`; anything for another."""
    if type(x) is int or x.high + computed(extent).high <= HIGHEST:
        return x + extent
    a, n = computed(x), computed(extent)
    # Where it overflows, x is not negative.
    return number_of(record(ELEMENTWISE["add"], a.value, n.value), max(a.low + n.low, LOWEST), n.high - 1)


def _position(index: Any, extent: Any) -> Any:
    """An index into an axis, not negative and in range."""
    least: Any = True
    if _known(index >= 0) is not True:
        if _known(index < 0) is True:
            index = index + extent
        else:
            wrapped = computed(_wrapped(index, extent))
            negative = computed(index < 0).value
            low = max(min(computed(index).low, 0), 0)
            index = number_of(record(OPS["select"], negative, wrapped.value, computed(index).value),
                              min(wrapped.low, low), max(computed(index).high, wrapped.high))  # fmt: skip
        least = index >= 0
        index = _narrowed(index, 0, None)
    inside = index < extent
    if type(least) is not bool and type(inside) is not bool:
        # Together: one unsigned comparison.
        least, inside = True, least & inside
    for condition in (least, inside):
        _require(condition, "an index is in range")
    return index


def _require(condition: Any, what: str) -> None:
    if type(condition) is bool:
        if not condition:
            guard(const(False), what)
        return
    guard(condition.value, what)


def _narrowed(x: Any, low: int | None, high: int | None) -> Any:
    """`x`, of which a range is now known besides."""
    if type(x) is int:
        return x
    return ComputedScalar(x.value, int, x.terms, x.constant, x.low if low is None else max(x.low, low),
                          x.high if high is None else min(x.high, high))  # fmt: skip


def _bound(x: Any, extent: Any, low: int) -> Any:
    """A bound of a slice as Python normalises it: counted from the end if negative, between `low` and the extent."""
    from lazyarr.computed_arithmetic import larger, smaller

    if _known(x >= 0) is not True:
        wrapped = _wrapped(x, extent)
        if _known(x < 0) is True:
            x = larger(wrapped, low)
        else:
            negative = computed(x < 0).value
            chosen = record(OPS["select"], negative, computed(wrapped).value, computed(x).value)
            a, b = computed(wrapped), computed(x)
            x = larger(number_of(chosen, min(a.low, max(b.low, 0)), max(a.high, b.high)), low)
    return smaller(x, extent if low == 0 else extent - 1)


def _lengthened(start: Any, stop: Any, extent: Any, forward: bool) -> tuple[Any, Any]:
    """The bounds of a slice; if arguments of the program alone decide their distance (``x[i - r : i + r + 1]``), the
    program becomes one for these arguments, in which the slice has a known length.
    """
    if not getattr(recording().observer, "fixes_lengths", False):
        return start, stop
    ends = (0, extent) if forward else (extent, 0)
    first, last = (computed(end if x is None else x) for x, end in zip((start, stop), ends, strict=True))
    difference = {a: last.terms.get(a, 0) - first.terms.get(a, 0) for a in {**first.terms, **last.terms}}
    if all(a.given is None for a in difference) or any(f and a.given is None for a, f in difference.items()):
        return start, stop
    return tuple(x if x is None else _fixed(x) for x in (start, stop))  # type: ignore[return-value]


def _fixed(x: Any) -> Any:
    """An affine form with the values of the program's arguments in their place."""
    if type(x) is int or any(a.value is None for a in x.terms):
        return x
    found: Any = x.constant
    for atom, factor in x.terms.items():
        term = int(atom.given) if atom.given is not None else ComputedScalar(atom.value, int, {atom: 1})
        found = term * factor + found
    return found


def _slice(item: slice, extent: Any) -> tuple[Dim, list[Value], Any, int]:
    """The entry of a window for a slice, its operands, the extent of the result, and the step."""
    from lazyarr.computed_arithmetic import larger

    step = 1 if item.step is None else number(item.step)
    if type(step) is not int:
        raise NotCaptured("a slice whose step is computed")
    if step == 0:
        raise ValueError("slice step cannot be zero")
    if item.start is None and item.stop is None and step == 1:
        return ("all",), [], extent, 1
    n = number(extent)
    given = _lengthened(None if item.start is None else number(item.start),
                        None if item.stop is None else number(item.stop), n, step > 0)  # fmt: skip
    if step > 0:
        start, stop = (end if x is None else _bound(x, n, 0) for x, end in zip(given, (0, n), strict=True))
        span = stop - start
    else:
        start, stop = (end if x is None else _bound(x, n, -1) for x, end in zip(given, (n - 1, -1), strict=True))
        span = start - stop
    size = abs(step)
    length = larger(span, 0) if size == 1 else larger((span + (size - 1)) // size, 0)
    first = computed(start).value
    if type(length) is int:
        return ("block", length, step), [first], length, step
    bound = min(length.high, extents.bound(extent))
    _note_length()
    return ("slice", step), [first, length.value], Length(length.value, bound), step


def _note_length() -> None:
    """Tell the trace that data decides a length: outside of loops, Python cannot go on with it."""
    observer: Any = recording().observer
    observer.made_lengths = observer.made_lengths or not observer.depth


# -- arrays of such shapes together ------------------------------------------------------------------------


def agreed(arrays: Sequence[LazyArray], targets: Sequence[LazyArray] = ()) -> list[LazyArray]:
    """Arrays that broadcast, with equal extents named equally, and as those of what they are written into.

    Lengths that are different numbers have to be equal when the program runs.
    """
    rank = max((len(a._shape) for a in (*arrays, *targets)), default=0)
    wanted: list[Any] = [1] * rank
    for a in (*targets, *arrays):
        for axis, n in enumerate(a._shape, rank - len(a._shape)):
            is_known = type(n) is int and n != 1 and not targets
            if wanted[axis] == 1 or (isinstance(wanted[axis], Length) and is_known):
                wanted[axis] = n
    found = []
    for a in arrays:
        shape = tuple(wanted[rank - len(a._shape) :])
        target = tuple(1 if n == 1 else w for n, w in zip(a._shape, shape, strict=True))
        value = with_extents(a._value(), target)
        found.append(a if value is a._value() or value == a._value() else LazyArray._new(value, a._strides, a._scalar))
    return found


def with_extents(value: Value, shape: Shape) -> Value:
    """`value` with its extents named as in `shape`; each pair has to be equal when the program runs."""
    given = value.type.shape
    if given == shape:
        return value
    axes, lengths = [], []
    for axis, (have, want) in enumerate(zip(given, shape, strict=True)):
        if have == want:
            continue
        if type(have) is int and type(want) is int:
            return value  # an error, which whoever asked will raise in NumPy's words
        _require(number(have) == number(want), "the lengths of arrays match")
        if isinstance(want, Length):
            axes.append(axis)
            lengths.append(want.scalar)
    if axes:
        value = record(OPS["as_extents"], value, *lengths, axes=tuple(axes))
    if value.type.shape != shape:
        dims = tuple(("all",) if have == want else ("block", want, 1)
                     for have, want in zip(value.type.shape, shape, strict=True))  # fmt: skip
        starts = [const(0, _I64) for dim in dims if dim[0] == "block"]
        value = record(OPS["window"], value, *starts, dims=dims)
    return value


def contracted(x: LazyArray, y: LazyArray, first: int, second: int) -> tuple[LazyArray, LazyArray]:
    """Two arrays of which axis `first` of one and axis `second` of the other are multiplied and summed."""
    if extents.is_static(x._shape) and extents.is_static(y._shape):
        return x, y
    a, b = contracted_values(x._value(), y._value(), first, second)
    return (LazyArray._new(a, x._strides), LazyArray._new(b, y._strides))


def contracted_values(x: Value, y: Value, first: int, second: int) -> tuple[Value, Value]:
    """Two values whose axes `first` and `second` have the same extent, if not the same name of it yet."""
    a, b = x.type.shape[first], y.type.shape[second]
    if a == b or (type(a) is int and type(b) is int):
        return x, y
    shape = list((x if type(b) is int else y).type.shape)
    shape[first if type(b) is int else second] = b if type(b) is int else a
    return (with_extents(x, tuple(shape)), y) if type(b) is int else (x, with_extents(y, tuple(shape)))


def positions(mask: LazyArray) -> tuple[LazyArray, ...]:
    """The indices of the True elements of a mask, one array an axis, of a length that the data decides."""
    value = mask._value()
    _note_length()
    if mask.ndim > 1:
        if not extents.is_static(mask._shape):
            raise NotCaptured("a mask of several axes and computed length")
        value = views.reshape(value, (mask.size,))
    bound = extents.bound(value.type.shape[0])
    total = record(OPS["reduce"], record(OPS["cast"], value, dtype=_I64), kind="add", axes=(0,))
    flat = record(OPS["flatnonzero"], value, total, bound=bound)
    if mask.ndim == 1:
        return (LazyArray._new(flat),)
    found = []
    for axis in range(mask.ndim):
        inner = int(np.prod(mask._shape[axis + 1 :], dtype=np.int64))
        index = flat
        if inner != 1:
            index = record(ELEMENTWISE["floor_divide"], index, const(inner, _I64))
        if axis:
            index = record(ELEMENTWISE["remainder"], index, const(mask._shape[axis], _I64))
        found.append(LazyArray._new(index))
    return tuple(found)


def stepped(item: slice, extent: Any) -> LazyArray:
    """The positions that a slice with a computed step selects.

    Raises
    ------
    NotCaptured
        If the step may be negative.
    """
    from lazyarr.computed_arithmetic import larger

    step, n = number(item.step), number(extent)
    if step.low < 1:
        _require(step > 0, "the step of a slice is positive")
        step = _narrowed(step, 1, None)
    start = 0 if item.start is None else _bound(number(item.start), n, 0)
    stop = n if item.stop is None else _bound(number(item.stop), n, 0)
    length = computed(larger((stop - start + (step - 1)) // step, 0))
    counted = record(OPS["count"], length.value, bound=extents.bound(extent))
    scaled = record(ELEMENTWISE["multiply"], counted, computed(step).value)
    return LazyArray._new(record(ELEMENTWISE["add"], scaled, computed(start).value))


def require_equal(a: Any, b: Any) -> None:
    """Two extents have to be equal when the program runs."""
    _require(number(a) == number(b), "the lengths of arrays match")


def require_elements(shape: Shape, axes: tuple[int, ...]) -> None:
    """What is reduced without an identity must have an element when the program runs."""
    for axis in axes:
        if isinstance(shape[axis], Length):
            _require(number(shape[axis]) > 0, "what is reduced has an element")


def require_several(shape: Shape) -> None:
    """Note that no axis of a length that is not known has length 1: what is squeezed would lose it."""
    for n in shape:
        if type(n) is not int:
            _require(number(n) != 1, "an axis of unknown length is not of length 1")
