"""Where values are while a graph is lowered: in registers, in buffers, or not anywhere yet but known how to compute.

A value that is not stored is recomputed at each element where it is used: `element` gives one element at given indices.
Windows, transposed and broadcast arrays are index maps, composed here and never run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lazyarr.backends.native_emit import Code, Element, Index, Part

Extents = tuple[Index, ...]


@dataclass(eq=False)
class Buffer:
    """Memory that holds one array at a time.

    Attributes
    ----------
    variable : str
        The stack slot that holds its address: loops exchange the addresses of buffers.
    number : int
        Its number among the function's arguments.
    owned : bool
        Whether it may be written: it is no argument of the caller's.
    capacity : int
        Bytes.
    peers : list of Buffer
        Buffers it exchanges its address with, itself among them; all have one capacity.
    part : Part, optional
        The part of the program that it belongs to: threads that run it have one each, `copies` in all.
    """

    variable: str
    number: int
    owned: bool
    capacity: int = 0
    peers: list[Buffer] = field(default_factory=list)
    part: Part | None = None
    copies: int = 1
    #: How many arrays it has been allocated for, one after the other.
    taken: int = 0

    def __post_init__(self) -> None:
        self.peers = [self]

    def join(self, other: Buffer) -> None:
        """Let the two exchange their addresses."""
        if other.peers is not self.peers:
            self.peers.extend(other.peers)
            for peer in other.peers:
                peer.peers = self.peers
            largest = max(b.capacity for b in self.peers)
            for peer in self.peers:
                peer.capacity = largest

    @property
    def stride(self) -> int:
        """Bytes from one copy to the next: no line of a cache is in two."""
        return max(1, -(-self.capacity // 64)) * 64

    @property
    def size(self) -> int:
        """Bytes of all copies."""
        return self.capacity if self.copies == 1 else self.copies * self.stride

    def hold(self, capacity: int) -> None:
        """Let what it was last allocated for need so many bytes instead of those of a whole array."""
        if self.taken == 1 and len(self.peers) == 1:
            self.capacity = capacity
        else:
            self.require(capacity)

    def require(self, capacity: int) -> None:
        for peer in self.peers:
            peer.capacity = max(peer.capacity, capacity)


class Along(NamedTuple):
    """The index on one axis of what is viewed: ``start + step * index[axis]``; `axis` -1: `start` alone."""

    start: Index
    axis: int
    step: Index


#: For each axis of what is viewed, its index.
Map = tuple[Along, ...]


def indices(code: Code, map: Map, at: Sequence[Index]) -> tuple[Index, ...]:
    """The indices of the viewed array for indices `at` of the view."""
    return tuple(m.start if m.axis < 0 else code.add(m.start, code.mul(m.step, at[m.axis])) for m in map)


def composed(code: Code, inner: Map, outer: Map) -> Map:
    """The map of a view (`outer`) of a view (`inner`)."""
    found = []
    for m in inner:
        if m.axis < 0:
            found.append(m)
            continue
        o = outer[m.axis]
        found.append(Along(code.add(m.start, code.mul(m.step, o.start)), o.axis, code.mul(m.step, o.step)))
    return tuple(found)


def identity(rank: int) -> Map:
    return tuple(Along(0, k, 1) for k in range(rank))


class Storage:
    """A value of one graph as it is at hand.

    Attributes
    ----------
    dtype : numpy.dtype
    shape : tuple of Index
    bounds : tuple of int
        The largest extents.
    buffers : frozenset of Buffer
        The buffers that are read where an element is used.
    flops : float
        Arithmetic for one element.
    depth : int
        How many formulas stand in one another.
    limits : (int, int), optional
        The least and the largest value of integers, where known: of what serves as an index.
    """

    dtype: np.dtype[Any]
    shape: Extents
    bounds: tuple[int, ...]
    buffers: frozenset[Buffer] = frozenset()
    flops: float = 0.0
    depth: int = 0
    limits: tuple[int, int] | None = None
    #: Of one axis of integers that grow evenly: the first, and the difference of neighbours.
    ramp: tuple[Index, Index] | None = None
    #: Whether an element is made of those that have its own indices alone.
    aligned = False

    def element(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        """The element at indices `at`. `seen` holds elements that are at hand in this block."""
        key = (self, at)
        found: Element | None = seen.get(key)
        if found is None:
            if code.comparing is None or self.aligned:
                found = self.compute(code, at, seen)
            else:
                # Of the moduli that are compared only those with these indices are tested.
                comparing, code.comparing = code.comparing, None
                found = self.compute(code, at, {})
                code.comparing = comparing
            seen[key] = found
        return found

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        raise NotImplementedError

    def elsewhere(self, code: Code, written: Strided, aligned: bool) -> bool:
        """What `reads_elsewhere` says of a storage that reads the buffer of `written`."""
        return True

    def touched(self, box: Strided) -> bool:
        """What `touches` says of a storage that reads the buffer of `box`."""
        return True


#: Operations for an element up to which a value may be a formula: whoever looks at one goes through all of it, on every
#: way to an element, of which there may be very many.
_LONGEST = 2000.0
#: Formulas in one another up to which it may: each takes some frames of Python's stack, of which there are 1000.
_DEEPEST = 100


def is_long(flops: float, depth: int) -> bool:
    """Whether a formula is too long to be one."""
    return flops > _LONGEST or depth > _DEEPEST


class Unread(Storage):
    """A value that nobody needs elements of."""

    def __init__(self, dtype: np.dtype[Any], shape: Extents, bounds: tuple[int, ...]):
        self.dtype, self.shape, self.bounds = dtype, shape, bounds


class Scalar(Storage):
    """A value of no axes, in registers."""

    aligned = True

    def __init__(self, dtype: np.dtype[Any], value: Element):
        self.dtype, self.shape, self.bounds, self.value = dtype, (), (), value

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        return self.value


class Strided(Storage):
    """A view of a buffer that holds an array of shape `base` in C order."""

    aligned = True

    def __init__(self, code: Code, dtype: np.dtype[Any], buffer: Buffer, base: Extents, map: Map, shape: Extents,
                 bounds: tuple[int, ...]):  # fmt: skip
        self.dtype, self.buffer, self.base, self.map = dtype, buffer, base, map
        self.shape, self.bounds = shape, bounds
        self.buffers = frozenset([buffer])
        offset: Index = 0
        strides: list[Index] = [0] * len(shape)
        stride: Index = 1
        for m, n in zip(reversed(map), reversed(base), strict=True):
            offset = code.add(offset, code.mul(m.start, stride))
            if m.axis >= 0:
                strides[m.axis] = code.add(strides[m.axis], code.mul(m.step, stride))
            stride = code.mul(stride, n)
        self.offset, self.strides = offset, tuple(strides)

    @staticmethod
    def whole(code: Code, dtype: np.dtype[Any], buffer: Buffer, shape: Extents, bounds: tuple[int, ...]) -> Strided:
        """All of a buffer."""
        return Strided(code, dtype, buffer, shape, identity(len(shape)), shape, bounds)

    @property
    def is_whole(self) -> bool:
        """Whether it is all of what the buffer holds, in order."""
        return self.shape == self.base and self.map == identity(len(self.shape))

    @property
    def is_in_order(self) -> bool:
        """The same, but for axes of length 1: ``x[:, None]``, too."""
        if self.is_whole:
            return True
        if self.offset != 0 or [n for n in self.shape if n != 1] != [n for n in self.base if n != 1]:
            return False
        taken = [m for m, n in zip(self.map, self.base, strict=True) if n != 1]
        axes = [axis for axis, n in enumerate(self.shape) if n != 1]
        return [(m.axis, m.step, m.start) for m in taken] == [(axis, 1, 0) for axis in axes]

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        return code.load(self.buffer, code.pointer(self.buffer), self.dtype, self.place(code, at))

    def place(self, code: Code, at: Sequence[Index]) -> Index:
        """Offset of an element in the buffer, in elements."""
        offset = self.offset
        for index, stride in zip(at, self.strides, strict=True):
            offset = code.add(offset, code.mul(index, stride))
        return offset

    def put(self, code: Code, at: Sequence[Index], value: Element) -> None:
        """Write an element."""
        code.store(self.buffer, code.pointer(self.buffer), self.dtype, self.place(code, at), value)


class View(Storage):
    """Another storage seen through an index map."""

    def __init__(self, inner: Storage, map: Map, shape: Extents, bounds: tuple[int, ...]):
        self.dtype, self.inner, self.map, self.shape, self.bounds = inner.dtype, inner, map, shape, bounds
        self.buffers, self.flops, self.limits = inner.buffers, inner.flops, inner.limits
        self.depth = inner.depth + 1

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        return self.inner.element(code, indices(code, self.map, at), seen)


def view(code: Code, inner: Storage, map: Map, shape: Extents, bounds: tuple[int, ...]) -> Storage:
    """`inner` through an index map; strides where it is in memory."""
    if isinstance(inner, Strided):
        found = Strided(code, inner.dtype, inner.buffer, inner.base, composed(code, inner.map, map), shape, bounds)
        found.limits = inner.limits
        return found
    if isinstance(inner, View):
        return View(inner.inner, composed(code, inner.map, map), shape, bounds)
    return View(inner, map, shape, bounds)


def flat(storage: Storage, shape: Extents) -> bool:
    """Whether an element with indices ``(0, ..., 0, k)`` is number k in C order, beyond the last axis too."""
    if storage.shape == ():
        return True
    if storage.shape != shape:
        return False
    if isinstance(storage, Strided):
        return storage.is_whole
    return isinstance(storage, Pointwise) and all(flat(x, shape) for x in storage.operands)


def flattened(storage: Storage, shape: Extents, bounds: tuple[int, ...]) -> View | None:
    """A formula of several axes on one axis of `shape`, in C order; None where its elements are not neighbours."""
    # (An index on an axis of length 1 is taken for 0 where arrays broadcast.)
    if len(shape) != 1 or len(storage.shape) < 2 or storage.shape[-1] == 1 or not flat(storage, storage.shape):
        return None
    map = (*(Along(0, -1, 0) for _ in storage.shape[1:]), Along(0, 0, 1))
    return View(storage, map, shape, bounds)


def is_flattened(view: View) -> bool:
    """Whether a view has the first elements of a formula in C order, as what `flattened` makes."""
    inner = view.inner
    map = (*(Along(0, -1, 0) for _ in inner.shape[1:]), Along(0, 0, 1))
    return view.map == map and flat(inner, inner.shape)


Generate = Callable[[Code, list[Element]], tuple[Element, ...]]


class Pointwise(Storage):
    """One result of an element-wise operation, computed where it is used.

    `shared` is equal for the results of one application, so that they are computed together.
    """

    aligned = True

    def __init__(self, dtype: np.dtype[Any], shape: Extents, bounds: tuple[int, ...], operands: Sequence[Storage],
                 generate: Generate, flops: float, result: int = 0, shared: Any = None):  # fmt: skip
        self.dtype, self.shape, self.bounds, self.operands = dtype, shape, bounds, tuple(operands)
        self.generate, self.result, self.shared = generate, result, self if shared is None else shared
        self.buffers = frozenset().union(*(x.buffers for x in operands))
        #: Of this operation alone.
        self.own_flops = flops
        self.flops = flops + sum(x.flops for x in operands)
        self.depth = 1 + max((x.depth for x in operands), default=0)
        #: For indices that are a position in a flattened array taken apart: which part, and by what divisor.
        self.apart: tuple[str, int] | None = None
        #: The name of the operation, where others need it.
        self.operation = ""
        #: Whether it is the modulus of complex numbers.
        self.is_modulus = False

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        key = ("results", self.shared, at)
        found = seen.get(key)
        if found is None:
            operands = [x.element(code, self.operand_indices(x, at), seen) for x in self.operands]
            found = seen[key] = self.generate(code, operands)
        result: Element = found[self.result]
        return result

    def operand_indices(self, x: Storage, at: tuple[Index, ...]) -> tuple[Index, ...]:
        """The indices of an operand that broadcasts to the result."""
        lead = len(at) - len(x.shape)
        return tuple(0 if n == 1 and isinstance(n, int) else at[lead + k] for k, n in enumerate(x.shape))


class Computed(Storage):
    """Elements that a function makes of their indices: ramps, gathered and padded arrays."""

    def __init__(self, dtype: np.dtype[Any], shape: Extents, bounds: tuple[int, ...],
                 make: Callable[[Code, tuple[Index, ...], dict[Any, Any]], Element],
                 operands: Sequence[Storage] = (), flops: float = 0.0):  # fmt: skip
        self.dtype, self.shape, self.bounds, self.make, self.operands = dtype, shape, bounds, make, tuple(operands)
        self.buffers = frozenset().union(*(x.buffers for x in operands))
        self.flops = flops + sum(x.flops for x in operands)
        self.depth = 1 + max((x.depth for x in operands), default=0)

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        return self.make(code, at, seen)


class Rolled(Storage):
    """Another storage moved cyclically along an axis of known length."""

    def __init__(self, inner: Storage, axis: int, shift: int):
        self.dtype, self.shape, self.bounds = inner.dtype, inner.shape, inner.bounds
        self.inner, self.axis, self.operands = inner, axis, (inner,)
        self.length = inner.bounds[axis]
        self.shift = shift % self.length
        self.buffers, self.flops, self.depth = inner.buffers, inner.flops + 1.0, inner.depth + 1

    def compute(self, code: Code, at: tuple[Index, ...], seen: dict[Any, Any]) -> Element:
        index, axis = at[self.axis], self.axis
        low, high = (index, index) if isinstance(index, int) else code.ranges.get(index, (0, self.length - 1))
        moved = code.sub(index, self.shift)
        if high < self.shift:
            moved = code.add(moved, self.length)
        elif low < self.shift:
            below = code.emit(f"icmp slt i64 {moved}, 0")
            moved = code.emit(f"select i1 {below}, i64 {code.add(moved, self.length)}, i64 {moved}")
        return self.inner.element(code, (*at[:axis], moved, *at[axis + 1 :]), seen)


def same_place(written: Strided, read: Storage) -> bool:
    """Whether element k of `read` is, for every k, where element k of `written` is, or in no element written.

    Axes that both take by one index lie in one place or apart; those taken as a slice must be the same slice.
    """
    if not isinstance(read, Strided) or read.base != written.base or read.shape != written.shape:
        return False
    for w, r in zip(written.map, read.map, strict=True):
        if w.axis != r.axis or (w.axis >= 0 and (w.start, w.step) != (r.start, r.step)):
            return False
    return True


def whole_array(storage: Storage, buffer: Buffer) -> Strided | None:
    """Where a formula reads all of what `buffer` holds; None if it does so nowhere."""
    if isinstance(storage, Strided):
        return storage if storage.buffer is buffer and storage.is_whole else None
    if isinstance(storage, Pointwise):
        return next((found for x in storage.operands if (found := whole_array(x, buffer)) is not None), None)
    return None


def reads_elsewhere(code: Code, storage: Storage, written: Strided, aligned: bool = True) -> bool:
    """Whether an element of `storage` may depend on an element of `written`'s buffer other than its own.

    Then writing element by element would change what is still to be read.
    """
    if written.buffer not in storage.buffers:
        return False
    if isinstance(storage, Strided):
        return not (aligned and same_place(written, storage))
    if isinstance(storage, Pointwise):
        return any(reads_elsewhere(code, x, written, aligned and x.shape == storage.shape) for x in storage.operands)
    if isinstance(storage, View):
        if aligned and (storage.map, storage.shape, storage.inner.shape) == (written.map, written.shape, written.base):
            whole = Strided.whole(code, written.dtype, written.buffer, written.base, storage.inner.bounds)
            return reads_elsewhere(code, storage.inner, whole)
        return reads_elsewhere(code, storage.inner, written, False)
    return storage.elsewhere(code, written, aligned)


def touches(storage: Storage, window: Strided) -> bool:
    """Whether an element of `storage` may be made of one that lies in `window`."""
    if window.buffer not in storage.buffers:
        return False
    if isinstance(storage, Strided):
        return storage.base != window.base or all(
            _overlap(a, storage.shape, b, window.shape) for a, b in zip(storage.map, window.map, strict=True)
        )
    if isinstance(storage, View):
        return touches(storage.inner, window)
    if isinstance(storage, Pointwise | Computed | Rolled):
        return any(touches(x, window) for x in storage.operands)
    return storage.touched(window)


def _overlap(a: Along, shape: Extents, b: Along, other: Extents) -> bool:
    """Whether two index ranges on one axis may have an index in common."""
    first, second = _range(a, shape), _range(b, other)
    return first is None or second is None or (first[0] <= second[1] and second[0] <= first[1])


def _range(m: Along, shape: Extents) -> tuple[int, int] | None:
    """The least and the largest index, where known."""
    length = shape[m.axis] if m.axis >= 0 else 1
    if not (isinstance(m.start, int) and isinstance(m.step, int) and isinstance(length, int)):
        return None
    last = m.start + m.step * max(0, length - 1)
    return min(m.start, last), max(m.start, last)


def copy_bytes(code: Code, to: str, of: str, size: Index) -> None:
    """Copy memory between places that do not overlap."""
    code.module.declare("memcpy", "declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
    code.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {of}, i64 {size}, i1 false)")
