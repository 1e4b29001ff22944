"""NumPy's indexing of lazy arrays: basic, advanced and boolean, for reading and writing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lazyarr import memory_order, selection, views, windows, world
from lazyarr import strides as geometry
from lazyarr.array import LazyArray
from lazyarr.assignment import as_source, assigned_value, for_element, shape_text
from lazyarr.computed import ComputedScalar
from lazyarr.convert import PYTHON_SCALARS, as_lazy, cast, wrapped
from lazyarr.dispatch import NotCompiled
from lazyarr.ir import extents
from lazyarr.ir.node import Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import DTYPES, ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.ops.create import const
from lazyarr.ops.elementwise import ELEMENTWISE, SELECT
from lazyarr.runtime import NotCaptured, add_check, as_numpy, fetch, record, recording
from lazyarr.weak import WeakScalar

_I64 = DTYPES["i64"]
_LARGEST = np.iinfo(np.int64).max
_BAD_INDEX = ("only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are "
              "valid indices")  # fmt: skip
_BASIC = (int, slice, type(None), type(...))


def get(array: LazyArray, key: Any) -> Any:
    """``array[key]``."""
    items = _as_tuple(key)
    if array._scalar:
        return _get_of_scalar(array, items)
    for item in items:
        if type(item) not in _BASIC:
            break
    else:
        if recording().observer is None or not _is_computed(array, items):
            return _basic(array, items)
    if _is_computed(array, items):
        return windows_get(array, items)
    if world.current() is not None and (chosen := _selected(array, items)) is not None:
        return chosen
    items = _without_computed_steps(array, items)
    items = _resolved(items, array.ndim)
    if _is_basic(items):
        return _basic(array, items)
    if _is_dynamic(items):
        view = _dynamic(array, items)
        return view if view.shape or any(item is ... for item in items) else LazyArray._new(view._value(), scalar=True)
    plan = _Advanced.of(array, items)
    value = record(OPS["gather"], plan.view._value(), *plan.indices, axes=plan.axes)
    return _placed(value, plan, any(item is ... for item in items))


def set(array: LazyArray, key: Any, value: Any) -> None:
    """``array[key] = value``; nothing is written if anything raises."""
    if array._scalar:
        raise TypeError(f"'numpy.{array.dtype.name}' object does not support item assignment")
    if not array._writeable:
        raise ValueError("assignment destination is read-only")
    items = _as_tuple(key)
    if any(type(item) not in _BASIC for item in items):
        mask = _whole_mask(array, items)
        if mask is not None:
            _set_masked(array, mask, value)
            return
    if recording().observer is not None and _is_computed(array, items):
        target = windows.view(array, items)
        value = for_element(value, target, items)
        if not (isinstance(value, LazyArray) and value._parent is target._parent and value._step == target._step):
            target._assign(assigned_value(value, target._shape, target.dtype, must_fit="scalar"))
        return
    items = _without_computed_steps(array, items)
    items = _resolved(items, array.ndim) if any(type(item) not in _BASIC for item in items) else items
    if _is_basic(items):
        target = _basic(array, (*items, ...) if ... not in [i for i in items if i is ...] else items)
        if _is_same_memory(value, target):
            return  # `a[1:] += x` has written through the view, and now assigns it to itself.
        value = for_element(value, target, items)
        target._assign(assigned_value(value, target.shape, target.dtype, must_fit="scalar"))
        return
    if _is_dynamic(items):
        target = _dynamic(array, items)
        if not (isinstance(value, LazyArray) and value._parent is target._parent and value._step == target._step):
            target._assign(assigned_value(value, target.shape, target.dtype, must_fit="scalar"))
        return
    plan = _Advanced.of(array, items)
    new = assigned_value(value, plan.shape, array.dtype, must_fit="python")
    # From where NumPy puts the index dimensions to the front, where `scatter` wants them.
    new = views.transpose(new, plan.to_front())
    written = record(OPS["scatter"], plan.view._value(), new, *plan.indices, axes=plan.axes, kind="set")
    plan.view._assign(written)


def ufunc_at(ufunc: Any, array: Any, key: Any, *operand: Any) -> None:
    """``ufunc.at(array, key, operand)``: repeated indices count every time."""
    if not operand or not isinstance(array, LazyArray) or ufunc.op is None or (ufunc.nin, ufunc.nout) != (2, 1):
        raise NotCompiled("this ufunc and operands")
    b = operand[0]
    if type(b) not in PYTHON_SCALARS and not isinstance(b, WeakScalar):
        b = as_lazy(b)
    if not array._writeable:
        raise ValueError("operand array with iterator write flag set is read-only")
    if type(b) is int and array.dtype.kind in "iu" and wrapped(b, array.dtype) != b:
        raise NotCompiled("a loop in another dtype")
    loop = ufunc._resolve([array, b], (array,), None, None, "unsafe")
    if any(dtype != array.dtype for dtype in loop):
        raise NotCompiled("a loop in another dtype")
    items = _resolved(_as_tuple(key), array.ndim)
    if _is_basic(items):
        target = _basic(array, (*items, ...) if not any(i is ... for i in items) else items)
        ufunc(target, b, out=target)
        return
    plan = _Advanced.of(array, items)
    new = views.transpose(assigned_value(b, plan.shape, loop[1]), plan.to_front())
    kind = ufunc.__name__
    written = record(OPS["scatter"], plan.view._value(), new, *plan.indices, axes=plan.axes, kind=kind)
    plan.view._assign(written)


def _as_tuple(key: Any) -> tuple[Any, ...]:
    return key if type(key) is tuple else (key,)


def _is_computed(array: LazyArray, items: Sequence[Any]) -> bool:
    """Whether an index is basic, and some number of it, or the extent of an axis, is computed by the program."""
    observer = recording().observer
    if observer is None:
        return False
    if any(isinstance(i, slice) and windows.is_computed(i) for i in items) and not observer.computes_lengths:
        return False
    inside = bool(getattr(observer, "depth", 0)) or not extents.is_static(array._shape) or 0 in array._shape
    if not inside and not any(windows.is_computed(i) and not isinstance(i, LazyArray) for i in items):
        return False
    return windows.applies(array, items)


def _without_computed_steps(array: LazyArray, items: tuple[Any, ...]) -> tuple[Any, ...]:
    """Slices whose steps are computed, as the positions they select; only where they are alone among full slices."""
    if not any(isinstance(i, slice) and windows.is_computed(i.step) for i in items):
        return items
    others = [i for i in items if not (isinstance(i, slice) and windows.is_computed(i.step))]
    if len(others) + 1 < len(items) or any(i != slice(None) for i in others if i is not ...):
        raise NotCaptured("a slice whose step is computed, beside other indices")
    at = next(k for k, i in enumerate(items) if isinstance(i, slice) and windows.is_computed(i.step))
    if any(i is ... for i in items[:at]):
        raise NotCaptured("a slice whose step is computed, after an ellipsis")
    extent = array._shape[at]
    return (*items[:at], _MaskPart.at(windows.stepped(items[at], extent), extent), *items[at + 1 :])


def windows_get(array: LazyArray, items: tuple[Any, ...]) -> LazyArray:
    """A basic index with computed numbers: a view, or a scalar where every axis has a number."""
    view = windows.view(array, items)
    return view if view._shape or any(item is ... for item in items) else LazyArray._new(view._value(), scalar=True)


def _is_basic(items: Sequence[Any]) -> bool:
    return all(type(item) in _BASIC for item in items)


def boxed(shape: extents.Shape, strides: geometry.Strides, key: Any) -> Any:
    """What the extension keeps of a basic index that gives an array, for arrays of known shape and strides.

    The step to the view, its shape and strides, and at how many bytes it begins; None where that is too special.
    """
    offset, new, new_strides, normal = geometry.index(shape, strides, _as_tuple(key))
    return (views.Box.of(normal, new, shape), new, new_strides, offset) if new else None


def _basic(array: LazyArray, items: tuple[Any, ...]) -> LazyArray:
    """A basic index: a view, or a scalar where every axis has an integer and there is no ellipsis."""
    if not extents.is_static(array._shape):
        return windows.view(array, items)
    offset, shape, strides, normal = geometry.index(array.shape, array.strides, items)
    view = array._view(views.Box(normal, shape), shape, strides, offset)
    if shape == () and not any(item is ... for item in items):
        return LazyArray._new(view._value(), scalar=True)
    return view


def _is_same_memory(value: Any, target: LazyArray) -> bool:
    return (
        isinstance(value, LazyArray) and value._cell is target._cell and value._offset == target._offset
        and value._shape == target._shape and value._strides == target._strides and value._dtype == target._dtype
    )  # fmt: skip


def _is_dynamic(items: Sequence[Any]) -> bool:
    """Whether an index is basic but for integer scalars whose values are not known yet."""
    return all(type(item) in _BASIC or (isinstance(item, LazyArray) and item._scalar) for item in items)


def _dynamic(array: LazyArray, items: tuple[Any, ...]) -> LazyArray:
    """The view that a basic index with unknown integers selects."""
    plan = _Advanced.of(array, tuple(item for item in items if item is not None))
    base = plan.view
    indices = []
    for axis, index in zip(plan.axes, plan.indices, strict=True):
        scalar = views.reshape(index, ())
        negative = record(ELEMENTWISE["less"], scalar, const(0, _I64))
        wrapped = record(ELEMENTWISE["add"], scalar, const(base.shape[axis], _I64))
        indices.append(record(SELECT, negative, wrapped, scalar))
    keep = [axis for axis in range(base.ndim) if axis not in plan.axes]
    step = views.Dynamic(base.shape, plan.axes, tuple(indices))
    # Where in memory it starts is data: no offset, which equals no other.
    view = base._view(step, plan.rest, tuple(base.strides[axis] for axis in keep), views.UNKNOWN_OFFSET)
    if any(item is None for item in items):
        # The new axes come last: where the integers stand, nothing is left.
        left = [item for item in items if item is None or item is ... or isinstance(item, slice)]
        view = _basic(view, tuple(item if item is None or item is ... else slice(None) for item in left))
    return view


def _get_of_scalar(array: LazyArray, items: tuple[Any, ...]) -> LazyArray:
    if items == ():
        return array
    if all(item is None or item is ... for item in items):
        _, shape, strides, _ = geometry.index((), (), items)
        return LazyArray._new(views.reshape(array._value(), shape), strides)
    if all(item is None or item is ... or isinstance(item, (bool, np.bool_)) or _is_truth(item) for item in items):
        zero_d = LazyArray._new(array._value())
        return get(zero_d, items)  # type: ignore[no-any-return]
    raise IndexError("invalid index to scalar variable.")


def _is_truth(item: Any) -> bool:
    """Whether an index is a lazy bool without axes."""
    return isinstance(item, LazyArray) and item.dtype == np.bool_ and not item._shape


def _resolved(items: Sequence[Any], ndim: int) -> tuple[Any, ...]:
    """Index items as basic ones, integer `LazyArray`s and nothing else; masks become their nonzero indices."""
    found: list[Any] = []
    for item in items:
        if type(item) in _BASIC:
            found.append(item)
        elif type(item) is ComputedScalar and item.kind is int:
            found.append(LazyArray._new(item.value, scalar=True))
        elif isinstance(item, (slice, WeakScalar)):
            found.append(item if isinstance(item, slice) else item.__index__())  # type: ignore[attr-defined]
        elif issubclass(type(item), np.integer):
            found.append(int(item))
        else:
            found.extend(_array_items(item))
    return tuple(found)


def _array_items(item: Any) -> list[Any]:
    if hasattr(item, "__index__") and not isinstance(item, (LazyArray, np.ndarray, bool, np.bool_)):
        return [item.__index__()]
    if hasattr(item, "as_index"):  # a range, with computed bounds
        item = item.as_index()
    try:
        index = as_lazy(item)
    except (NotCompiled, TypeError) as error:
        raise IndexError(_BAD_INDEX) from error
    if 0 in index._shape and not isinstance(item, (LazyArray, np.ndarray)):
        # An empty list or range: its array would be one of floats.
        index = LazyArray._new(leaf(np.zeros(index._shape, np.int64), ArrayType(_I64, index._shape)))
    if index.dtype == np.bool_:
        if index.ndim and getattr(recording().observer, "computes_lengths", False):
            return [_MaskPart.at(p, n) for p, n in zip(windows.positions(index), index._shape, strict=True)]
        found = selection.positions(index._value()) if index.ndim else None
        if found is not None:
            return [_MaskPart.at(i, size) for i, size in zip(columns(found), index._shape, strict=True)]
        data = index._elements("a boolean mask read by index", only_looks=True)
        if data.ndim == 0:
            return [_MaskPart.of(np.zeros(int(data), np.int64), None)]
        return [_MaskPart.of(n, size) for n, size in zip(np.nonzero(data), data.shape, strict=True)]
    if index.dtype.kind not in "iu":
        if not isinstance(item, (LazyArray, np.ndarray)):
            raise IndexError(_BAD_INDEX)
        raise IndexError("arrays used as indices must be of integer (or boolean) type")
    if index._scalar and recording().observer is None:
        return [int(index._elements("an index", only_looks=True))]
    return [index]


def _adds_axis(item: Any) -> bool:
    return isinstance(item, _MaskPart) and item.extent is None


def columns(positions: Value) -> list[LazyArray]:
    """The columns of a matrix of positions as vectors, which NumPy has in one array."""
    table, (_, width) = LazyArray._new(positions), positions.type.shape
    return [LazyArray._new(table[:, k]._value(), (8 * width,)) for k in range(width)]


class _MaskPart(LazyArray):
    """The indices a mask selects along one axis; remembers the extent the mask had.

    A 0-d mask has the extent None: it stands for no axis of the array but adds one, of length 0 or 1.
    """

    __slots__ = ("extent",)
    extent: int | None

    @staticmethod
    def at(positions: LazyArray, extent: Any) -> _MaskPart:
        """Of positions that are known when the program runs."""
        part = _MaskPart._made(positions._value())
        assert isinstance(part, _MaskPart)
        part.extent = extent
        return part

    @staticmethod
    def of(positions: np.ndarray[Any, Any], extent: int | None) -> _MaskPart:
        data = positions.astype(np.int64)
        part = _MaskPart._made(leaf(data, ArrayType(_I64, data.shape)))
        assert isinstance(part, _MaskPart)
        part.extent = extent
        return part


def _known(index: LazyArray) -> bool:
    """Whether looking at the index costs nothing and depends on no argument."""
    return recording().observer is None and isinstance(index._cell.value.node, Leaf)


class _Advanced(NamedTuple):
    """An advanced index, taken apart.

    Attributes
    ----------
    view : LazyArray
        The array after the slices and new axes among the index.
    axes : tuple of int
        Axes of `view` that index arrays address.
    indices : tuple of Value
        int64, broadcast to `block`.
    block : tuple of int
        The shape the index arrays broadcast to.
    position : int
        Where NumPy puts the block's axes among the rest.
    given : tuple of (shape, strides)
        The index arrays.
    """

    view: LazyArray
    axes: tuple[int, ...]
    indices: tuple[Value, ...]
    block: tuple[int, ...]
    position: int
    given: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]

    @staticmethod
    def of(array: LazyArray, items: tuple[Any, ...]) -> _Advanced:
        used = sum(1 for item in items if item is not None and item is not ... and not _adds_axis(item))
        if used > array.ndim:
            raise IndexError(f"too many indices for array: array is {array.ndim}-dimensional, but {used} were indexed")
        if not any(item is ... for item in items):
            items = (*items, ...)
        basic: list[Any] = []
        arrays: list[LazyArray] = []
        axes: list[int] = []
        places: list[int] = []
        source = position = 0
        for place, item in enumerate(items):
            if item is ...:
                rest = array.ndim - used
                basic.extend([slice(None)] * rest)
                source += rest
                position += rest
                # An ellipsis separates index arrays even where it stands for no axis.
                places.append(-1)
            elif item is None or isinstance(item, slice):
                basic.append(item)
                source += item is not None
                position += 1
                places.append(-1)
            elif _adds_axis(item):
                basic.append(None)
                arrays.append(item)
                axes.append(position)
                places.append(place)
                position += 1
            else:
                extent = array.shape[source]
                index = item if isinstance(item, LazyArray) else None
                if index is None:
                    if not -extent <= item < extent:
                        raise IndexError(f"index {item} is out of bounds for axis {source} with size {extent}")
                    index = LazyArray._new(const(item, _I64))
                else:
                    _check_bounds(index, source, extent)
                basic.append(slice(None))
                arrays.append(index)
                axes.append(position)
                places.append(place)
                source += 1
                position += 1
        try:
            block = extents.broadcast(*(a.shape for a in arrays))
        except ValueError:
            listed = " ".join(shape_text(a.shape) for a in arrays)
            raise IndexError("shape mismatch: indexing arrays could not be broadcast together with shapes "
                             f"{listed} ") from None
        which = [k for k, place in enumerate(places) if place >= 0]
        adjacent = which == list(range(which[0], which[0] + len(which)))
        view = _basic(array, (*basic, ...))
        indices = tuple(cast(a._value(), _I64) for a in arrays)
        indices = (views.broadcast(indices[0], block), *indices[1:]) if len(indices) == 1 else indices
        given = tuple([(a.shape, a.strides) for a in arrays])
        return _Advanced(view, tuple(axes), indices, block, axes[0] if adjacent else 0, given)

    @property
    def rest(self) -> tuple[int, ...]:
        """Extents of the axes no index array addresses."""
        return tuple(n for axis, n in enumerate(self.view.shape) if axis not in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The result's shape."""
        return (*self.rest[: self.position], *self.block, *self.rest[self.position :])

    def to_front(self) -> tuple[int, ...]:
        """The transposition that puts the block's axes of a result first."""
        block = range(self.position, self.position + len(self.block))
        return (*block, *(axis for axis in range(len(self.shape)) if axis not in block))

    def from_front(self) -> tuple[int, ...]:
        """The inverse of `to_front`."""
        inverse = [0] * len(self.shape)
        for place, axis in enumerate(self.to_front()):
            inverse[axis] = place
        return tuple(inverse)


def _placed(value: Value, plan: _Advanced, ellipsis: bool) -> LazyArray:
    """A gathered value with the block's axes where NumPy puts them, and NumPy's memory layout."""
    if not value.type.shape:
        return LazyArray._new(value, scalar=not ellipsis)
    # NumPy, too, gathers with the block in front and gives a view of that; the axes behind keep their order in memory.
    view, itemsize = plan.view, value.type.dtype.itemsize
    if extents.is_static(value.type.shape):
        steps = tuple(s for axis, s in enumerate(view.strides) if axis not in plan.axes)
        strides = memory_order.gathered(plan.given, plan.block, plan.rest, steps, itemsize)
    else:
        strides = geometry.contiguous(value.type.shape, itemsize)
    found, axes = LazyArray._new(value, strides), plan.from_front()
    return found if axes == tuple(range(len(axes))) else found._transposed(axes)


def _check_bounds(index: LazyArray, axis: int, extent: int) -> None:
    """Raise IndexError for an index out of range: now where it is known, or when the program runs."""
    if isinstance(index, _MaskPart):
        known: Any = index.extent
        if known is not None and not extents.is_static((known, extent)):
            windows.require_equal(known, extent)
            return
        if index.extent not in (extent, 0):
            raise IndexError(f"boolean index did not match indexed array along axis {axis}; size of axis is {extent} "
                             f"but size of corresponding boolean axis is {index.extent}")
        return
    if extents.is_static(index._shape) and index.size == 0:
        return
    message = f"index is out of bounds for axis {axis} with size {extent}"
    value = index._cell.value
    if index._parent is None and isinstance(value.node, Leaf) and _known(index) and not isinstance(
        value.node.data, world.Part
    ):
        data = np.asarray(as_numpy(value.node.data))
        if index.dtype == np.uint64:
            if not data.ndim and int(data) > _LARGEST:
                raise OverflowError("Python int too large to convert to C long")
            data = data.astype(np.int64)  # (NumPy, too, counts from the end what is beyond an int64.)
        if data.min() < -extent or data.max() >= extent:
            wrong = data[(data < -extent) | (data >= extent)]
            raise IndexError(f"index {wrong.flat[0]} is out of bounds for axis {axis} with size {extent}")
        return
    current = cast(index._value(), _I64)
    if not isinstance(extent, int):
        raise NotCaptured("an index array into an axis of computed length")
    low = record(ELEMENTWISE["greater_equal"], current, const(-extent, _I64))
    high = record(ELEMENTWISE["less"], current, const(extent, _I64))
    if index.dtype == np.uint64 and not index.ndim:  # an int in NumPy, which does not wrap around
        high = record(ELEMENTWISE["less"], index._value(), const(extent, index.dtype))
    inside = each = record(ELEMENTWISE["logical_and"], low, high)
    if index.ndim:
        inside = record(OPS["reduce"], inside, kind="logical_and", axes=tuple(range(index.ndim)))

    def named() -> str:
        first = LazyArray._new(each).ravel().argmin()  # False is less than True
        return f"index {index.ravel()[int(first)]} is out of bounds for axis {axis} with size {extent}"

    add_check(inside, "IndexError", message, named)


def _whole_mask(array: LazyArray, items: Sequence[Any]) -> LazyArray | None:
    """The mask, where the index is one boolean array over leading axes and perhaps an ellipsis or full slices."""
    first, *others = items
    if not isinstance(first, (LazyArray, np.ndarray, list)):
        return None
    if any(item is not ... and not (isinstance(item, slice) and item == slice(None)) for item in others):
        return None
    try:
        mask = as_lazy(first)
    except NotCompiled:
        return None
    if mask.dtype != np.bool_ or mask.ndim == 0 or mask.ndim + sum(i is not ... for i in others) > array.ndim:
        return None
    for axis, (n, m) in enumerate(zip(array.shape, mask.shape, strict=False)):
        if m == 0 != n:
            return None  # NumPy takes it for a mask that selects nothing.
        if n != m:
            raise IndexError(f"boolean index did not match indexed array along axis {axis}; size of axis is {n} but "
                             f"size of corresponding boolean axis is {m}")
    return mask


def _selected(array: LazyArray, items: Sequence[Any]) -> LazyArray | None:
    """What one mask over leading axes selects of an array that is split over ranks."""
    if not items or (mask := _whole_mask(array, items)) is None:
        return None
    found = selection.selected(array._value(), mask._value())
    if found is None:
        return None
    rest, size = array._shape[mask.ndim :], array._dtype.itemsize
    first, *_ = geometry.contiguous(found.type.shape, size)
    return LazyArray._new(found, (first, *memory_order.by_stride(rest, array._strides[mask.ndim :], size)))


def _set_masked(array: LazyArray, mask: LazyArray, value: Any) -> None:
    """``array[mask] = value`` as a selection: no mask is counted on the host unless NumPy would raise."""
    rest = array.shape[mask.ndim :]
    chosen = views.reshape(mask._value(), (*mask.shape, *(1,) * len(rest)))
    single = isinstance(value, (WeakScalar, *PYTHON_SCALARS)) and not isinstance(value, np.generic)
    source = None if single else as_source(value, None, array.dtype)
    if source is not None and not extents.is_static(source._shape):
        plan = _Advanced.of(array, tuple(_array_items(mask)))
        new = assigned_value(source, plan.shape, array.dtype)
        plan.view._assign(record(OPS["scatter"], plan.view._value(), new, *plan.indices, axes=plan.axes, kind="set"))
        return
    if source is None or source.ndim <= len(rest) or all(n == 1 for n in source.shape[: source.ndim - len(rest)]):
        new = assigned_value(value if source is None else source, rest, array.dtype, must_fit="python")
        array._assign(record(SELECT, chosen, views.broadcast(new, array.shape), array._value()))
        return
    if source.ndim != len(rest) + 1:
        if not rest:
            raise TypeError("NumPy boolean array indexing assignment requires a 0 or 1-dimensional input, input has "
                            f"{source.ndim} dimensions")
        raise ValueError(_mismatch(source.shape, "of another rank"))
    rows = source.shape[0]
    found: Any = "the"
    parts = selection.counted(array._value(), mask._value())
    if parts is not None:
        found = parts.count
    else:
        # The k-th True element takes the k-th row: its number is a running count of the mask.
        flat = views.reshape(mask._value(), (mask.size,))
        counted = record(OPS["accumulate"], cast(flat, _I64), kind="add", axis=0)
        total = record(OPS["reduce"], cast(flat, _I64), kind="add", axes=(0,))
        if recording().observer is None:
            found = int(fetch(total))
    outputs = "the output" if found == "the" else f"the {found} output"
    message = (f"NumPy boolean array indexing assignment cannot assign {rows} input values to {outputs} values where "
               "the mask is true")  # fmt: skip
    if rest:
        message = _mismatch(source.shape, "of another length" if found == "the" else shape_text((found, *rest)))
    if found == "the":
        add_check(record(ELEMENTWISE["equal"], total, const(rows, _I64)), "ValueError", message)
    elif found != rows:
        raise ValueError(message)
    if mask.size == 0 or rows == 0:
        return
    table = assigned_value(source, (rows, *rest), array.dtype)
    if parts is not None:
        spread = parts.taken(table)
    else:
        row = record(ELEMENTWISE["subtract"], counted, const(1, _I64))
        spread = record(OPS["gather"], table, record(ELEMENTWISE["maximum"], row, const(0, _I64)), axes=(0,))
    array._assign(record(SELECT, chosen, views.reshape(spread, array.shape), array._value()))


def _mismatch(given: tuple[int, ...], wanted: str) -> str:
    return (f"shape mismatch: value array of shape {shape_text(given)} could not be broadcast to indexing result of "
            f"shape {wanted}")  # fmt: skip
