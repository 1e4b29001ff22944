"""NumPy's memory geometry in plain integers: strides, contiguity, and which view is which.

A lazy array has no memory yet, but the program it records must see the memory NumPy would have shown it: whether
``reshape`` is a view, what ``.strides`` and ``.flags`` say, where ``a[1:, ::-2]`` starts. The functions here answer
from shapes and strides alone. They run once per recorded operation, so they are written for speed: tuples and ints
only, no arrays, the common case first.

Conventions: a *shape* and its *strides* are tuples of equal length; strides and offsets are in bytes, as in NumPy, and
may be negative or zero; ``itemsize`` is in bytes. The rules are those of NumPy 2 and are tested against it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index as as_index
from types import EllipsisType
from typing import Literal, NamedTuple, SupportsIndex, TypeAlias

from lazyarr.axis_order import dense_along, says_of_axes, visited
from lazyarr.ir.extents import bounded, is_static

Shape: TypeAlias = tuple[int, ...]
Strides: TypeAlias = tuple[int, ...]
Order: TypeAlias = Literal["C", "F"]
BasicKey: TypeAlias = tuple[int | slice | None | EllipsisType, ...]

IntEntry: TypeAlias = tuple[Literal["int"], int]
SliceEntry: TypeAlias = tuple[Literal["slice"], int, int, int, int]
AxisEntry: TypeAlias = IntEntry | SliceEntry
"""What a basic index does to one source axis: ``("int", i)`` or ``("slice", start, stop, step, length)``.

``i`` and ``start`` are not negative, ``length`` is exact, and ``range(start, stop, step)`` are the indices taken:
``stop`` is -1 where a backward slice reaches index 0 (see `entry_slice`). Equal selections are equal tuples:
``stop`` is one past the last index taken, ``step`` is 1 for a single index, and none is ``("slice", 0, 0, 1, 0)``.
"""

EMPTY_ENTRY: SliceEntry = ("slice", 0, 0, 1, 0)


def full_entry(n: int) -> SliceEntry:
    """Return the entry that takes all of an axis of extent ``n``."""
    return ("slice", 0, n, 1, n)


def contiguous(shape: Shape, itemsize: int, order: Order = "C") -> Strides:
    """Return the strides of a newly allocated array, as ``np.empty(shape, order=order).strides``.

    Parameters
    ----------
    shape : tuple of int
    itemsize : int
    order : {"C", "F"}

    Returns
    -------
    tuple of int
        All zero where the array has no element, as NumPy reports since 1.23.
    """
    if 0 in shape:
        return (0,) * len(shape)
    return _packed(shape, itemsize, order)


def _packed(shape: Shape, itemsize: int, order: Order) -> Strides:
    """Return strides that pack ``shape`` densely; a zero extent is stepped over as if it were one."""
    ndim = len(shape)
    if ndim == 1:
        return (itemsize,)
    if not is_static(shape):
        shape = bounded(shape)  # a length known at run time is packed as its bound
    if ndim == 2:
        rows, cols = shape
        return (itemsize * (cols or 1), itemsize) if order == "C" else (itemsize, itemsize * (rows or 1))
    strides = []
    step = itemsize
    for n in reversed(shape) if order == "C" else shape:
        strides.append(step)
        if n:
            step *= n
    if order == "C":
        strides.reverse()
    return tuple(strides)


def is_c_contiguous(shape: Shape, strides: Strides, itemsize: int) -> bool:
    """Return ``flags.c_contiguous``: axes of size 1 are ignored, an empty array is contiguous."""
    step = itemsize
    for k in range(len(shape) - 1, -1, -1):
        n = shape[k]
        if n != 1:
            if strides[k] != step:
                return 0 in shape
            step *= n
    return True


def is_f_contiguous(shape: Shape, strides: Strides, itemsize: int) -> bool:
    """Return ``flags.f_contiguous``: axes of size 1 are ignored, an empty array is contiguous."""
    step = itemsize
    for n, stride in zip(shape, strides, strict=True):
        if n != 1:
            if stride != step:
                return 0 in shape
            step *= n
    return True


def keep_order(
    operands: Sequence[tuple[Shape, Strides]], shape: Shape, itemsize: int, itemsizes: Sequence[int] | None = None
) -> Strides:
    """Return the strides of what an elementwise operation allocates for its result (``order="K"``).

    The result is dense. Its axes are ordered as NumPy's ``nditer`` visits them: of two axes the one with the smaller
    stride in absolute value comes inner, if all operands that step along both agree on it; otherwise C order stays.
    Axes along which an operand is broadcast (and axes of size 1, and 0-d operands) have no say.

    Parameters
    ----------
    operands : sequence of (shape, strides)
        The inputs, each broadcastable to ``shape``.
    shape : tuple of int
        The result's shape.
    itemsize : int
        The result's itemsize.
    itemsizes : sequence of int, optional
        The operands' itemsizes. Give them for a ufunc with one output that casts none of its operands of two or more
        axes and has no ``where=``: NumPy then skips ``nditer``, and the strides of axes of *size 1* follow from the
        flags of the operands. Only those (meaningless) strides depend on this argument.
    """
    dense = contiguous(shape, itemsize)
    ndim = len(shape)
    if ndim < 2 or 0 in shape:
        return dense
    for op_shape, op_strides in operands:
        if op_strides != dense and not _steps_in_c_order(op_shape, op_strides):
            break
    else:
        return dense
    if itemsizes is not None and all(
        not op_shape or (op_shape == shape and is_f_contiguous(op_shape, op_strides, size))
        for (op_shape, op_strides), size in zip(operands, itemsizes, strict=True)
    ):
        return contiguous(shape, itemsize, "F")

    return dense_along(shape, itemsize, visited(says_of_axes(operands, ndim), ndim))


def _steps_in_c_order(shape: Shape, strides: Strides) -> bool:
    """Return whether no axis steps further than one before it; axes that do not step do not count."""
    inner = 0
    for k in range(len(strides) - 1, -1, -1):
        step = strides[k]
        if step and shape[k] != 1:
            if step < 0:
                step = -step
            if step < inner:
                return False
            inner = step
    return True


def keep_order_copy(shape: Shape, strides: Strides, itemsize: int, new_itemsize: int | None = None) -> Strides:
    """Return the strides of ``np.empty_like(a)``, ``np.copy(a, order="K")`` and ``a.astype(...)`` (a copy).

    Unlike a ufunc's result (`keep_order`), a contiguous array keeps its flag's layout, and otherwise axes are sorted by
    the absolute stride of one array, broadcast axes (stride 0) innermost.

    Parameters
    ----------
    shape, strides, itemsize
        The array that is copied.
    new_itemsize : int, optional
        The copy's itemsize, where it differs.
    """
    size = itemsize if new_itemsize is None else new_itemsize
    if len(shape) < 2 or is_c_contiguous(shape, strides, itemsize):
        return contiguous(shape, size)
    if is_f_contiguous(shape, strides, itemsize):
        return contiguous(shape, size, "F")
    axes = sorted(range(len(shape)), key=lambda k: -abs(strides[k]))
    return dense_along(shape, size, axes[::-1])


def resolve_shape(size: int, newshape: Sequence[int]) -> Shape:
    """Return ``newshape`` with its unknown (negative) extent worked out for ``size`` elements.

    Raises
    ------
    ValueError
        With NumPy's message, where the elements do not fit or two extents are unknown.
    """
    unknown = -1
    known = 1
    for k, n in enumerate(newshape):
        if n >= 0:
            known *= n
        elif unknown < 0:
            unknown = k
        else:
            raise ValueError("can only specify one unknown dimension")
    if unknown < 0:
        if known != size:
            raise ValueError(f"cannot reshape array of size {size} into shape {_shape_text(newshape)}")
        return tuple(newshape)
    if known == 0 or size % known:
        raise ValueError(f"cannot reshape array of size {size} into shape {_shape_text(newshape)}")
    return (*newshape[:unknown], size // known, *newshape[unknown + 1 :])


def _shape_text(shape: Sequence[int]) -> str:
    """Return a shape as NumPy's messages write it: no spaces, unknown extents left out in front, else "newaxis"."""
    first = next((k for k, n in enumerate(shape) if n >= 0), len(shape))
    inner = ",".join("newaxis" if n < 0 else str(n) for n in shape[first:])
    return f"({inner},)" if len(shape) == 1 and inner else f"({inner})"


def reshape(shape: Shape, strides: Strides, itemsize: int, newshape: Shape, order: Order = "C") -> Strides | None:
    """Return the strides of ``a.reshape(newshape, order=order)`` where that is a view, None where NumPy copies.

    Parameters
    ----------
    shape, strides, itemsize
        The array.
    newshape : tuple of int
        As many elements as ``shape``, no -1 (see `resolve_shape`).
    order : {"C", "F"}
        The order in which elements are read and written.
    """
    if newshape == shape:
        return strides
    if (is_c_contiguous if order == "C" else is_f_contiguous)(shape, strides, itemsize):
        return _packed(newshape, itemsize, order)

    # Walk both shapes from the left, cutting them into the smallest groups of equal size. A group is a view if its old
    # axes lie in memory as one axis; its new axes then pack into that one.
    old = [(n, s) for n, s in zip(shape, strides, strict=True) if n != 1]
    result: list[int] = []
    old_at = new_at = 0
    while old_at < len(old):
        n, step = old[old_at]
        first = step
        old_size, new_size, new_to = n, newshape[new_at], new_at + 1
        old_at += 1
        while old_size != new_size:
            if new_size < old_size:
                new_size *= newshape[new_to]
                new_to += 1
                continue
            next_n, next_step = old[old_at]
            if (step != next_n * next_step) if order == "C" else (next_step != n * step):
                return None
            n, step = next_n, next_step
            old_size *= n
            old_at += 1
        result.extend(_packed(newshape[new_at:new_to], step if order == "C" else first, order))
        new_at = new_to
    trailing = len(newshape) - new_at  # axes of size 1 that no group took
    if trailing:
        result.extend([result[-1] if order == "C" else result[-1] * newshape[new_at - 1]] * trailing)
    return tuple(result)


class Index(NamedTuple):
    """A basic index in normal form.

    Attributes
    ----------
    axes : tuple of AxisEntry
        One entry for each source axis.
    newaxes : tuple of int
        Positions in the result of its new axes of size 1, ascending.
    """

    axes: tuple[AxisEntry, ...]
    newaxes: tuple[int, ...]

    def key(self) -> tuple[int | slice | None, ...]:
        """Return the key that selects the same from a NumPy array."""
        key: list[int | slice | None] = []
        at = 0
        for entry in self.axes:
            if entry[0] == "int":
                key.append(entry[1])
                continue
            while at in self.newaxes:
                key.append(None)
                at += 1
            key.append(entry_slice(entry))
            at += 1
        key.extend([None] * sum(position >= at for position in self.newaxes))
        return tuple(key)


def entry_slice(entry: SliceEntry) -> slice:
    """Return the Python slice of a slice entry."""
    _, start, stop, step, _ = entry
    return slice(start, None if stop < 0 else stop, step)


def index(shape: Shape, strides: Strides, key: BasicKey) -> tuple[int, Shape, Strides, Index]:
    """Apply a basic index.

    Parameters
    ----------
    shape, strides
        The array.
    key : tuple of int, slice, None or Ellipsis
        The subscript, already a tuple. Integers may be anything with ``__index__`` but a bool (which is a mask).

    Returns
    -------
    offset : int
        Bytes from the array's first element to the view's.
    newshape, newstrides : tuple of int
        The view, exactly as NumPy's.
    normal : Index
        The same selection in normal form.

    Raises
    ------
    IndexError, ValueError, TypeError
        As NumPy, with its messages.
    """
    ndim = len(shape)
    axis = offset = 0
    newshape: list[int] = []
    newstrides: list[int] = []
    entries: list[AxisEntry] = []
    newaxes: list[int] = []
    for item in key:
        if isinstance(item, slice):
            if axis >= ndim:
                _count(ndim, key)
            n, stride = shape[axis], strides[axis]
            try:
                start, stop, step = item.indices(n)
            except (TypeError, ValueError):
                _count(ndim, key)  # NumPy counts the indices before it looks at one
                raise
            if step == 1:
                length = stop - start
            elif step > 0:
                length = (stop - start + step - 1) // step
            else:
                length = (start - stop - step - 1) // -step
            if length <= 0:
                length = 0
                newstrides.append(stride)
                entries.append(EMPTY_ENTRY)
            else:
                offset += start * stride
                newstrides.append(stride * step)
                if length == 1:
                    entries.append(("slice", start, start + 1, 1, 1))
                elif step == 1:
                    entries.append(("slice", start, stop, 1, length))
                else:
                    last = start + (length - 1) * step
                    entries.append(("slice", start, last + (1 if step > 0 else -1), step, length))
            newshape.append(length)
            axis += 1
        elif item is None:
            newaxes.append(len(newshape))
            newshape.append(1)
            newstrides.append(0)
        elif item is ...:
            used = _count(ndim, key)
            for _ in range(ndim - used):
                n, stride = shape[axis], strides[axis]
                newshape.append(n)
                newstrides.append(stride)
                entries.append(full_entry(n))
                axis += 1
        else:
            if axis >= ndim:
                _count(ndim, key)
            if type(item) is int:
                at = item
            elif isinstance(item, bool):
                raise TypeError("a bool is a mask, not a basic index")
            else:
                at = as_index(item)
            n = shape[axis]
            i = at + n if at < 0 else at
            if not 0 <= i < n:
                _count(ndim, key)
                raise IndexError(f"index {at} is out of bounds for axis {axis} with size {n}")
            offset += i * strides[axis]
            entries.append(("int", i))
            axis += 1
    while axis < ndim:
        n = shape[axis]
        newshape.append(n)
        newstrides.append(strides[axis])
        entries.append(full_entry(n))
        axis += 1
    return offset, tuple(newshape), tuple(newstrides), Index(tuple(entries), tuple(newaxes))


def _count(ndim: int, key: BasicKey) -> int:
    """Return how many axes ``key`` takes; raise NumPy's IndexError for too many, or for a second ellipsis."""
    used = ellipses = 0
    for item in key:
        if item is ...:
            ellipses += 1
        elif item is not None:
            used += 1
    if ellipses > 1:
        raise IndexError("an index can only have a single ellipsis ('...')")
    if used > ndim:
        raise IndexError(f"too many indices for array: array is {ndim}-dimensional, but {used} were indexed")
    return used


def transpose(shape: Shape, strides: Strides, axes: Sequence[int] | None = None) -> tuple[Shape, Strides]:
    """Return shape and strides of ``a.transpose(axes)``; None reverses the axes.

    Raises
    ------
    ValueError, numpy.exceptions.AxisError
        As NumPy, with its messages.
    """
    if axes is None:
        return shape[::-1], strides[::-1]
    ndim = len(shape)
    if len(axes) != ndim:
        raise ValueError("axes don't match array")
    seen = [False] * ndim
    perm = []
    for axis in axes:
        k = _axis(axis, ndim)
        if seen[k]:
            raise ValueError("repeated axis in transpose")
        seen[k] = True
        perm.append(k)
    return tuple([shape[k] for k in perm]), tuple([strides[k] for k in perm])


def broadcast_to(shape: Shape, strides: Strides, newshape: Sequence[int]) -> Strides:
    """Return the strides of ``np.broadcast_to(a, newshape)``: 0 along every axis that is new or of size 1.

    Raises
    ------
    ValueError
        As NumPy, with its messages.
    """
    missing = len(newshape) - len(shape)
    if shape and not newshape:
        raise ValueError("cannot broadcast a non-scalar to a scalar array")
    if newshape and min(newshape) < 0:
        raise ValueError("all elements of broadcast shape must be non-negative")
    if missing < 0:
        raise ValueError("input operand has more dimensions than allowed by the axis remapping")
    result = [0] * missing
    for n, stride, m in zip(shape, strides, newshape[missing:], strict=True):
        if n != m and n != 1:
            raise ValueError(
                "operands could not be broadcast together with remapped shapes [original->remapped]: "
                f"{_shape_text(shape)}  and requested shape {_shape_text(newshape)}"
            )
        result.append(0 if n == 1 else stride)
    return tuple(result)


def squeeze(shape: Shape, strides: Strides, axis: SupportsIndex | Sequence[int] | None = None) -> tuple[Shape, Strides]:
    """Return shape and strides of ``a.squeeze(axis)``.

    Raises
    ------
    ValueError, numpy.exceptions.AxisError
        As NumPy, with its messages.
    """
    ndim = len(shape)
    if axis is None:
        drop = {k for k, n in enumerate(shape) if n == 1}
    elif not isinstance(axis, Sequence):
        k = as_index(axis)
        if not ndim and k in (0, -1):  # NumPy lets these pass for 0-d arrays
            return shape, strides
        drop = {_axis(k, ndim)}
    else:
        drop = set()
        for given in axis:
            k = _axis(given, ndim)
            if k in drop:
                raise ValueError("duplicate value in 'axis'")
            drop.add(k)
    if any(shape[k] != 1 for k in drop):
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    keep = [k for k in range(ndim) if k not in drop]
    return tuple([shape[k] for k in keep]), tuple([strides[k] for k in keep])


def diagonal(
    shape: Shape, strides: Strides, offset: int = 0, axis1: int = 0, axis2: int = 1
) -> tuple[int, Shape, Strides]:
    """Return byte offset, shape and strides of ``a.diagonal(offset, axis1, axis2)``; the diagonal is the last axis.

    Raises
    ------
    ValueError, numpy.exceptions.AxisError
        As NumPy, with its messages.
    """
    ndim = len(shape)
    if ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    first, second = _axis(axis1, ndim, "axis1"), _axis(axis2, ndim, "axis2")
    if first == second:
        raise ValueError("axis1 and axis2 cannot be the same")
    length = min(shape[first] + min(offset, 0), shape[second] - max(offset, 0))
    if length < 0:
        length = start = 0
    else:
        start = offset * strides[second] if offset >= 0 else -offset * strides[first]
    keep = [k for k in range(ndim) if k != first and k != second]
    newshape = (*[shape[k] for k in keep], length)
    return start, newshape, (*[strides[k] for k in keep], strides[first] + strides[second])


def _axis(axis: int, ndim: int, argument: str | None = None) -> int:
    """Return ``axis`` counted from the front; raise NumPy's AxisError where there is none."""
    if -ndim <= axis < ndim:
        return axis + ndim if axis < 0 else axis
    from numpy.exceptions import AxisError

    raise AxisError(axis, ndim, argument)


def byte_bounds(offset: int, shape: Shape, strides: Strides, itemsize: int) -> tuple[int, int]:
    """Return the half-open range of bytes in which an array's elements lie; empty, at ``offset``, if it has none."""
    low = high = offset
    for n, stride in zip(shape, strides, strict=True):
        if not n:
            return offset, offset
        if stride > 0:
            high += (n - 1) * stride
        else:
            low += (n - 1) * stride
    return low, high + itemsize


def may_self_overlap(shape: Shape, strides: Strides, itemsize: int) -> bool:
    """Return whether two elements of an array may share memory, as in windows or broadcasts.

    Never False where they do. Exact for every view of a dense array that steps by whole elements and in which at most
    two axes are left entangled (slices, transposes, reshapes, diagonals, broadcasts, sliding windows); else True.
    """
    if 0 in shape or not itemsize:
        return False
    axes = sorted([(abs(s), n) for s, n in zip(strides, shape, strict=True) if n > 1])
    block = itemsize
    while axes:
        outer, _ = axes[-1]
        if outer >= block + sum([(n - 1) * s for s, n in axes[:-1]]):
            axes.pop()  # everything further in fits between two of its steps
            continue
        inner, n = axes[0]
        if len(axes) > 1 and inner >= block and block + (n - 1) * inner <= math.gcd(*[s for s, _ in axes[1:]]):
            block += (n - 1) * inner
            axes.pop(0)  # it never leaves the cell of the grid on which the others step: no sum of steps undoes it
            continue
        break
    if len(axes) == 2:
        (a, n), (b, m) = axes
        cell = math.gcd(a, b)
        if cell >= block:
            return b // cell < n and a // cell < m  # a * i == b * j first at i = b / cell, j = a / cell
    return bool(axes)
