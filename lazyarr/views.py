"""View steps: how a view is read from the array it is a view of, and how a write goes back into it.

Storage is a value of the graph, so a view is not an address but a function and its inverse: `read` gives the
view's value, `write` the base's value after the view was assigned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from lazyarr.ir.extents import Shape, is_static
from lazyarr.ir.node import Attrs, Value
from lazyarr.ir.op import OPS
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import leaf
from lazyarr.ops.create import const, full
from lazyarr.ops.elementwise import BITCAST, CAST, COMPLEX, ELEMENTWISE, IMAG, REAL
from lazyarr.runtime import NotCaptured, fetch, record
from lazyarr.strides import Index

#: The offset of a view whose place in memory is data. It makes every offset counted from it unknown, and equals none.
UNKNOWN_OFFSET: Any = float("nan")


class Step(Protocol):
    """One step from an array to a view of it."""

    def read(self, base: Value) -> Value:
        """The view's value."""

    def write(self, base: Value, new: Value) -> Value:
        """The base's value once the view has been assigned `new` (of the view's shape and dtype)."""

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The same view of a NumPy array."""


def reshape(value: Value, shape: Shape) -> Value:
    """`value` with another shape, elements in C order."""
    if value.type.shape == shape:
        return value
    if not (is_static(shape) and is_static(value.type.shape)):
        return _reshape_ones(value, shape)
    return record(OPS["reshape"], value, shape=shape)


def _reshape_ones(value: Value, shape: Shape) -> Value:
    """`reshape` where extents are computed: only axes of length 1 come and go."""
    given = value.type.shape
    if [n for n in given if n != 1] != [n for n in shape if n != 1]:
        raise NotCaptured("an array of computed length takes another shape")
    if 1 in given:
        ones = [axis for axis, n in enumerate(given) if n == 1]
        dims = tuple(("index",) if axis in ones else ("all",) for axis in range(len(given)))
        value = record(OPS["window"], value, *[const(0, np.dtype(np.int64))] * len(ones), dims=dims)
    added = tuple(axis for axis, n in enumerate(shape) if n == 1)
    return record(OPS["expand"], value, axes=added) if added else value


def transpose(value: Value, axes: tuple[int, ...]) -> Value:
    """`value` with its axes permuted."""
    return value if axes == tuple(range(len(axes))) else record(OPS["transpose"], value, axes=axes)


def broadcast(value: Value, shape: Shape) -> Value:
    """`value` repeated to `shape`."""
    if value.type.shape == shape:
        return value
    if not is_static(shape):
        lengths = [n for n in shape if not isinstance(n, int)]
        return record(OPS["spread"], value, *[n.scalar for n in lengths], bounds=tuple(n.bound for n in lengths),
                      shape=tuple(n if isinstance(n, int) else "n" for n in shape))  # fmt: skip
    return record(OPS["broadcast"], value, shape=shape)


@dataclass(frozen=True, slots=True)
class Box:
    """A basic index: a strided box of the base, integer axes dropped, new axes inserted.

    Attributes
    ----------
    normal : Index
    shape : Shape
    reads : tuple of Attrs or None
        Of the operations ``slice`` and ``reshape`` with which it is read, where this is known; None for none.
    """

    normal: Index
    shape: Shape
    reads: tuple[Attrs | None, Attrs | None] | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of(cls, normal: Index, shape: Shape, base: Shape) -> Box:
        """The box of an array of known shape."""
        bounds = tuple(cls(normal, shape)._bounds().items())
        lengths = tuple(1 if entry[0] == "int" else entry[4] for entry in normal.axes)
        is_all = all(entry == ("slice", 0, n, 1, n) for entry, n in zip(normal.axes, base, strict=True))
        return cls(normal, shape, (None if is_all else bounds, None if lengths == shape else (("shape", shape),)))

    def _bounds(self) -> dict[str, tuple[int, ...]]:
        starts, stops, steps = [], [], []
        for entry in self.normal.axes:
            if entry[0] == "int":
                start, stop, step = entry[1], entry[1] + 1, 1
            else:
                _, start, stop, step, _ = entry
            starts.append(start)
            stops.append(stop)
            steps.append(step)
        return {"start": tuple(starts), "step": tuple(steps), "stop": tuple(stops)}

    def _is_all(self, base: Value) -> bool:
        for entry, n in zip(self.normal.axes, base.node.types[base.index].shape, strict=True):
            if entry != ("slice", 0, n, 1, n):
                return False
        return True

    def read(self, base: Value) -> Value:
        box = base if self._is_all(base) else record(OPS["slice"], base, **self._bounds())
        return reshape(box, self.shape)

    def write(self, base: Value, new: Value) -> Value:
        if self._is_all(base):
            return reshape(new, base.type.shape)
        lengths = tuple(1 if entry[0] == "int" else entry[4] for entry in self.normal.axes)
        return record(OPS["update_slice"], base, reshape(new, lengths), **self._bounds())

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        # The ellipsis makes a full integer index a 0-d view instead of a scalar.
        return base[(*self.normal.key(), ...)]


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Integer indices that are data, in range: the axes they address are dropped.

    Attributes
    ----------
    shape : tuple of int
        The base's shape.
    axes : tuple of int
        Ascending.
    indices : tuple of Value
        int64 scalars, one an axis, not negative.
    """

    shape: Shape
    axes: tuple[int, ...]
    indices: tuple[Value, ...]

    @property
    def scalars(self) -> tuple[Value, ...]:
        """The indices, as a window has its numbers."""
        return self.indices

    @property
    def dims(self) -> tuple[tuple[Any, ...], ...]:
        """The same as those of a window."""
        return tuple(("index",) if axis in self.axes else ("all",) for axis in range(len(self.shape)))

    def _starts(self) -> list[Value]:
        zero = const(0, np.dtype(np.int64))
        where = dict(zip(self.axes, self.indices, strict=True))
        return [where.get(axis, zero) for axis in range(len(self.shape))]

    def _lengths(self) -> Shape:
        return tuple(1 if axis in self.axes else n for axis, n in enumerate(self.shape))

    def read(self, base: Value) -> Value:
        box = record(OPS["dynamic_slice"], base, *self._starts(), lengths=self._lengths())
        return reshape(box, tuple(n for axis, n in enumerate(self.shape) if axis not in self.axes))

    def write(self, base: Value, new: Value) -> Value:
        return record(OPS["dynamic_update_slice"], base, reshape(new, self._lengths()), *self._starts())

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        where = {axis: int(np.asarray(fetch(i))) for axis, i in zip(self.axes, self.indices, strict=True)}
        return base[(*[where.get(axis, slice(None)) for axis in range(len(self.shape))], ...)]


@dataclass(frozen=True, slots=True)
class Reshape:
    """Another shape over the same elements, in C or Fortran order."""

    base_shape: Shape
    shape: Shape
    order: str = "C"

    def read(self, base: Value) -> Value:
        return reshaped(base, self.shape, self.order)

    def write(self, base: Value, new: Value) -> Value:
        return reshaped(new, self.base_shape, self.order)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return base.reshape(self.shape, order=self.order)  # type: ignore[call-overload,no-any-return]


def reshaped(value: Value, shape: Shape, order: str) -> Value:
    """`value` with another shape, elements taken and placed in C or Fortran `order`."""
    if order == "C":
        return reshape(value, shape)
    backwards = transpose(value, tuple(reversed(range(value.type.ndim))))
    return transpose(reshape(backwards, shape[::-1]), tuple(reversed(range(len(shape)))))


@dataclass(frozen=True, slots=True)
class Transpose:
    """A permutation of axes."""

    axes: tuple[int, ...]

    def read(self, base: Value) -> Value:
        return transpose(base, self.axes)

    def write(self, base: Value, new: Value) -> Value:
        inverse = [0] * len(self.axes)
        for position, axis in enumerate(self.axes):
            inverse[axis] = position
        return transpose(new, tuple(inverse))

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return base.transpose(self.axes)


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A read-only repetition."""

    shape: Shape

    def read(self, base: Value) -> Value:
        return broadcast(base, self.shape)

    def write(self, base: Value, new: Value) -> Value:
        raise ValueError("assignment destination is read-only")

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.broadcast_to(base, self.shape)


@dataclass(frozen=True, slots=True)
class Part:
    """The real or the imaginary part of a complex array."""

    name: str

    def read(self, base: Value) -> Value:
        return record(REAL if self.name == "real" else IMAG, base)

    def write(self, base: Value, new: Value) -> Value:
        if self.name == "real":
            return record(COMPLEX, new, record(IMAG, base))
        return record(COMPLEX, record(REAL, base), new)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return getattr(base, self.name)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Bits:
    """The same bits as a dtype of equal size."""

    base_dtype: np.dtype[Any]
    dtype: np.dtype[Any]

    def read(self, base: Value) -> Value:
        return record(BITCAST, base, dtype=self.dtype)

    def write(self, base: Value, new: Value) -> Value:
        return record(BITCAST, new, dtype=self.base_dtype)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return base.view(self.dtype)


@dataclass(frozen=True, slots=True)
class Parts:
    """Complex numbers as pairs of their parts along the last axis, which is twice as long."""

    dtype: np.dtype[Any]

    def read(self, base: Value) -> Value:
        return as_parts(base)

    def write(self, base: Value, new: Value) -> Value:
        return from_parts(new)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return _of_other_size(base, self.dtype)


@dataclass(frozen=True, slots=True)
class FromParts:
    """Pairs of numbers along the last axis as complex numbers; the inverse of `Parts`."""

    dtype: np.dtype[Any]

    def read(self, base: Value) -> Value:
        return from_parts(base)

    def write(self, base: Value, new: Value) -> Value:
        return as_parts(new)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return _of_other_size(base, self.dtype)


@dataclass(frozen=True, slots=True)
class Resized:
    """The same bytes along the last axis as elements of another size."""

    base_dtype: np.dtype[Any]
    dtype: np.dtype[Any]

    def read(self, base: Value) -> Value:
        return resized(base, self.dtype)

    def write(self, base: Value, new: Value) -> Value:
        return resized(new, self.base_dtype)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return _of_other_size(base, self.dtype)


def _of_other_size(base: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """NumPy's view of data as elements of another size; of a copy where it has none, for the last axis has gaps."""
    is_dense = base.shape[-1] == 1 or not base.size or base.strides[-1] == base.itemsize
    return (base if is_dense else np.ascontiguousarray(base)).view(dtype)


def resized(value: Value, dtype: np.dtype[Any]) -> Value:
    """The bytes of `value` along its last axis as elements of another dtype, the lowest bytes first."""
    if value.type.dtype.kind == "c":
        value = as_parts(value)
    if dtype.kind == "c":
        return from_parts(resized(value, np.dtype(f"f{dtype.itemsize // 2}")))
    width, wanted = value.type.dtype.itemsize, dtype.itemsize
    larger, smaller = np.dtype(f"u{max(width, wanted)}"), np.dtype(f"u{min(width, wanted)}")
    bits = _bits(value, np.dtype(f"u{width}"))
    *rest, last = value.type.shape
    if width != wanted:
        count = larger.itemsize // smaller.itemsize
        steps = np.arange(count, dtype=larger) * larger.type(8 * smaller.itemsize)
        by = leaf(steps, ArrayType(larger, steps.shape), constant=True)
        if wanted < width:
            apart = record(ELEMENTWISE["right_shift"], reshape(bits, (*rest, last, 1)), by)
            bits = reshape(record(CAST, apart, dtype=smaller), (*rest, last * count))
        else:
            wide = record(CAST, reshape(bits, (*rest, last // count, count)), dtype=larger)
            together = record(ELEMENTWISE["left_shift"], wide, by)
            # (No bit is in two of them: their sum has all.)
            bits = record(OPS["reduce"], together, kind="add", axes=(len(rest) + 1,))
    return _bits(bits, dtype)


def _bits(value: Value, dtype: np.dtype[Any]) -> Value:
    return value if value.type.dtype == dtype else record(BITCAST, value, dtype=dtype)


def as_parts(value: Value) -> Value:
    """Real and imaginary parts in turn along the last axis."""
    shape = value.type.shape
    pair = [reshape(record(op, value), (*shape, 1)) for op in (REAL, IMAG)]
    return reshape(record(OPS["concatenate"], *pair, axis=len(shape)), (*shape[:-1], 2 * shape[-1]))


def from_parts(value: Value) -> Value:
    """Complex numbers from parts that stand in turn along the last axis."""
    *rest, last = value.type.shape
    stop, step = (*rest, last), (*(1 for _ in rest), 2)
    zero = (0,) * len(rest)
    re = record(OPS["slice"], value, start=(*zero, 0), stop=stop, step=step)
    im = record(OPS["slice"], value, start=(*zero, 1), stop=stop, step=step)
    return record(COMPLEX, re, im)


@dataclass(frozen=True, slots=True)
class Strided:
    """Any view: elements of the base (in C order) at `offset` plus multiples of `steps`, counted in elements."""

    offset: int
    shape: Shape
    steps: tuple[int, ...]

    def _positions(self) -> Value:
        where = np.full(self.shape, self.offset, np.int64)
        for axis, (n, step) in enumerate(zip(self.shape, self.steps, strict=True)):
            where += (np.arange(n) * step).reshape([-1 if k == axis else 1 for k in range(len(self.shape))])
        return leaf(where, ArrayType(where.dtype, where.shape))

    def read(self, base: Value) -> Value:
        flat = reshape(base, (base.type.size,))
        return record(OPS["gather"], flat, self._positions(), axes=(0,))

    def write(self, base: Value, new: Value) -> Value:
        flat = reshape(base, (base.type.size,))
        return reshape(record(OPS["scatter"], flat, new, self._positions(), axes=(0,), kind="set"), base.type.shape)

    def view(self, base: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        flat = base.reshape(-1)
        width = flat.itemsize
        steps = tuple(step * width for step in self.steps)
        return np.lib.stride_tricks.as_strided(flat[self.offset :], self.shape, steps)


#: Steps from an array to a view of it after which fewer are looked for.
_MANY = 16


def nearer(view: Any) -> Any:
    """A lazy array that is a view of views; the same in a few steps where there are many, and they are one of memory.

    (``x = x[1:]`` in a loop takes one more in each iteration, and all of them are gone through at each look.)
    """
    steps, at = 0, view._parent
    while at is not None:
        steps, at = steps + 1, at._parent
    if steps % _MANY:
        return view
    from lazyarr.memory_views import strided_view

    found = strided_view(view, view._shape, view._strides)
    return view if found is None else found


def zeros(shape: Shape, dtype: np.dtype[Any]) -> Value:
    """A value of zeros."""
    return full(shape, 0, dtype)
