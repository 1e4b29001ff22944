"""Programs of loops, branches and element-wise work as native code, through LLVM.

A graph becomes one function: no step of it is in Python but what NumPy has to do itself (sorting, linear algebra, large
products), which is called back. `native_frame` lowers a graph, `native_storage` says where values are, `native_plan`
decides what is stored, `native_nests` makes loop nests, `native_control` loops and branches, `native_scalar` and its
siblings elements.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.backends import native_little, native_memory, native_threads
from lazyarr.backends.native_control import own
from lazyarr.backends.native_emit import Code, Module, part
from lazyarr.backends.native_engine import Library
from lazyarr.backends.native_frame import Frame, Lowering, spill, unspill
from lazyarr.backends.native_storage import Buffer, Scalar, Storage, Strided, copy_bytes
from lazyarr.ir import extents
from lazyarr.ir.graph import CheckFailed, Graph
from lazyarr.ir.node import Node, Value

_ALIGNMENT = 64
#: Bytes below which alignment is not worth its price.
_SMALL = 4096
#: Bytes that a number takes among the arguments.
_WORD = 16
#: Bytes from which on a buffer is not kept by one program for itself: `native_memory` keeps it for all.
LARGE = native_memory.LEAST
#: An array and its address.
_Memory = tuple[np.ndarray[Any, Any], int]


def compile(graph: Graph, donate: Sequence[int] = ()) -> Executable:
    """The graph as a back end runs it (`lazyarr.backends.base`)."""
    return Executable(graph, donate)


class Executable:
    """A compiled graph.

    Attributes
    ----------
    graph : Graph
    text : str
        The LLVM IR as generated.
    address : int
        Of the native function: it takes a table of addresses (parameters, then buffers), and a table for results.
    buffers : list of Buffer
        The memory that it needs.
    results : list of (dtype, rank, int, Buffer or None)
        Of each root: the first of its words in the table of results, and the buffer of an array. A number stands in
        the table itself, as NumPy has it; of an array its address and extents do.
    slots : int
        Words in the table of results.
    holders : dict of int to list of int
        Of roots that are arrays of known shape: the buffers whose memory may hold them in the end.
    forms : dict of int to (dtype, shape)
        What these buffers then are.
    threads : int
        How many threads share its loops.
    donated : tuple of int
        Parameters that the native function writes into, after everything that may fail. Calls of this object copy
        them before.
    """

    def __init__(self, graph: Graph, donate: Sequence[int] = ()):
        self.graph = graph
        self.donated = tuple(k for k in donate if graph.params[k].type.shape)
        lowering = self._lower()
        while not all(allowed := [_may_write(lowering, graph, k) for k in self.donated]):
            self.donated = tuple(k for k, ok in zip(self.donated, allowed, strict=True) if ok)
            lowering = self._lower()
        code, module = lowering.code, lowering.code.module
        self._host = lowering.host
        self._checks = lowering.checks
        #: Memory of earlier calls by the number of its buffer; each serves one call at a time.
        self._spare: list[dict[int, _Memory]] = []
        self.buffers: list[Buffer] = lowering.buffers[len(graph.params) :]
        self._holders()
        self._arrays = [(k, p.type.dtype) for k, p in enumerate(graph.params) if p.type.shape]
        self._numbers = [(k, p.type.dtype) for k, p in enumerate(graph.params) if not p.type.shape]
        self._pack = struct.Struct("=" + "".join(_format(dtype) for _, dtype in self._numbers)).pack_into
        self._table = struct.Struct(f"{len(lowering.buffers) or 1}q")
        self._out = ctypes.c_int64 * max(1, self.slots)
        arguments = [f"ptr noalias %p{b.number}" for b in lowering.buffers]
        module.functions.append(
            f"define internal i32 @main({', '.join([*arguments, 'ptr %out', 'ptr %host'])}) noinline "
            f"{{\n{code.body()}\n}}"
        )
        for buffer in self.buffers:
            if buffer.part is not None:
                name = f"stride{buffer.number}"
                module.declare(name, f"@{name} = internal constant i64 {buffer.stride}")
        module.functions.append(_entry(len(lowering.buffers), self._host.address))
        self.text = str(module)
        self.threads = native_threads.threads() if code.forks else 1
        if code.forks:
            native_threads.pool()
        self._library = Library(self.text)
        self.address = self._library.address("run")

    def _lower(self) -> Lowering:
        """The graph as code; the parameters that are donated are written where that saves a copy."""
        frame, roots = _lowered(self.graph, self.donated)
        count = len(self.graph.params)
        little = native_little.on_stack(frame.code.allocas, frame.lowering.buffers[count:])
        self.slots = self._give(frame, roots, little)
        frame.leave()
        frame.code.do("ret i32 0")
        return frame.lowering

    def _give(self, frame: Frame, roots: Sequence[Storage], little: set[Buffer]) -> int:
        """Code that writes where the results are; gives the number of words. The `little` leave the stack."""
        code, at = frame.code, 0
        self.results: list[tuple[np.dtype[Any], int, int, Buffer | None]] = []
        arrays = iter(own(frame, [r for r in roots if r.shape]))
        for root, value in zip(roots, self.graph.roots, strict=True):
            place = code.emit(f"getelementptr inbounds i64, ptr %out, i64 {at}")
            array = next(arrays) if value.type.shape else None
            self.results.append((value.type.dtype, value.type.ndim, at, array.buffer if array else None))
            if array is None:
                spill(code, place, value.type.dtype, root.element(code, (), {}))
                at += 2
                continue
            pointer = code.emit(f"load ptr, ptr {array.buffer.variable}")
            if array.buffer in little:
                copy_bytes(code, f"%p{array.buffer.number}", pointer, array.buffer.capacity)
                pointer = f"%p{array.buffer.number}"
            code.do(f"store ptr {pointer}, ptr {place}")
            for k, n in enumerate(array.shape):
                place = code.emit(f"getelementptr inbounds i64, ptr %out, i64 {at + 1 + k}")
                code.do(f"store i64 {n}, ptr {place}")
            at += 1 + len(array.shape)
        return at

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on NumPy arrays (or what converts to them); gives NumPy arrays.

        Raises
        ------
        CheckFailed
            If a check in a region failed.
        """
        kept: list[Any] = []
        donated: dict[int, np.ndarray[Any, Any]] = {}
        addresses = [0] * (len(self.graph.params) + len(self.buffers) or 1)
        for k, dtype in self._arrays:
            array = arguments[k]
            if type(array) is not np.ndarray or array.dtype != dtype or not array.flags.c_contiguous:
                array = np.ascontiguousarray(array, dtype)
            if k in self.donated and (array is arguments[k] or not array.flags.owndata):
                array = _copy(array)
            kept.append(array)
            addresses[k] = _address(array)
            if k in self.donated:
                donated[addresses[k]] = array
        if self._numbers:
            packed: Any = ctypes.create_string_buffer(_WORD * len(self._numbers))
            try:
                self._pack(packed, 0, *(p for k, dtype in self._numbers for p in _parts(arguments[k], dtype)))
            except struct.error as error:
                raise OverflowError(str(error)) from error
            place = ctypes.addressof(packed)
            for k, _ in self._numbers:
                addresses[k] = place
                place += _WORD
        memory = self._memory()
        first = len(self.graph.params)
        for k, (_, address) in enumerate(memory, first):
            addresses[k] = address
        if self.threads > 1:
            native_threads.pool().ensure(self.threads)
        out: Any = self._out()
        outcome = self._library.entry(self._table.pack(*addresses), out)
        if outcome == -1:
            raise self._host.take_error()
        if outcome > 0:
            return self._failed(outcome)
        owners = {address: k for k, (_, address) in enumerate(memory)}
        results = []
        for dtype, rank, at, _ in self.results:
            if rank == 0:
                results.append(np.ndarray((), dtype, out, 8 * at))
                continue
            shape = tuple(out[at + 1 : at + 1 + rank])
            holder = donated.get(out[at])
            if holder is None:
                holder = memory[owners.pop(out[at])][0]
            same = holder.dtype == dtype and holder.shape == shape
            results.append(holder if same else np.ndarray(shape, dtype, holder))
        little = {k: memory[k] for k in owners.values() if self.buffers[k].size < LARGE}
        if little and len(self._spare) < 2:
            # What is no result serves the next call.
            self._spare.append(little)
        return results

    def release(self) -> None:
        """Let go of what is kept for the next call."""
        self._spare.clear()

    def _memory(self) -> list[_Memory]:
        """Memory for the buffers, of an earlier call where there is some."""
        try:
            spare = self._spare.pop()
        except IndexError:
            spare = {}
        first = len(self.graph.params)
        return [spare.get(k) or self._buffer(first + k, b.size) for k, b in enumerate(self.buffers)]

    def _buffer(self, number: int, size: int) -> _Memory:
        """New memory for a buffer: the array that may become a result, where there is one."""
        if number not in self.forms:
            return allocate(size)
        dtype, shape = self.forms[number]
        array = native_memory.empty(shape, dtype)
        return array, _address(array)

    def _holders(self) -> None:
        """Find the buffers that may be results in the end."""
        self.holders: dict[int, list[int]] = {}
        self.forms: dict[int, tuple[np.dtype[Any], tuple[int, ...]]] = {}
        first = len(self.graph.params)
        for k, root in enumerate(self.graph.roots):
            buffer = self.results[k][3]
            if buffer is None or not extents.is_static(root.type.shape) or 0 in root.type.shape:
                continue
            form = root.type.dtype, tuple(map(int, root.type.shape))
            peers = [b.number for b in buffer.peers if b.size == _bytes(root) and b.number >= first]
            self.holders[k] = [number for number in peers if self.forms.setdefault(number, form) == form]

    def _failed(self, outcome: int) -> list[Any]:
        """What a failed check means: one of the program's own is a result like another."""
        check = self._checks[outcome - 1]
        if check not in self.graph.checks:
            raise CheckFailed(check)
        shapes = [(r.type.dtype, extents.bounded(r.type.shape)) for r in self.graph.results]
        # (Two may require the same: whichever of them a reader looks at says so.)
        conditions = [np.asarray(c.ok != check.ok) for c in self.graph.checks]
        return [*(np.zeros(shape, dtype) for dtype, shape in shapes), *conditions]


def _lowered(graph: Graph, donated: Sequence[int] = ()) -> tuple[Frame, list[Storage]]:
    """A graph as code, and where its roots are."""
    code = Code(Module())
    lowering = Lowering(code, graph)
    lowering.in_place = bool(donated)
    bound: list[Storage] = []
    for k, p in enumerate(graph.params):
        buffer = lowering.buffer(k in donated, _bytes(p) if k in donated else 0)
        if p.type.shape:
            shape = tuple(map(int, extents.bounded(p.type.shape)))
            bound.append(Strided.whole(code, p.type.dtype, buffer, shape, shape))
        else:
            bound.append(Scalar(p.type.dtype, unspill(code, f"%p{buffer.number}", p.type.dtype)))
    frame = Frame(lowering, graph, bound, outermost=True)
    return frame, frame.run()


def ways(graph: Graph) -> dict[Node, str]:
    """How the loops of a graph are done, its regions included, where it is not one iteration after another.

    Returns
    -------
    dict of Node to str
        ``"points"``: each point of the arrays goes through all iterations; ``"blocks"``: each block of elements does;
        ``"passes"``: several iterations are one pass over memory; ``"shared"``: threads share the iterations.
    """
    return _lowered(graph)[0].lowering.ways


def _address(array: np.ndarray[Any, Any]) -> int:
    """Where the elements are. (The first way is several times faster, but for writeable arrays with elements only.)"""
    if array.size and array.flags.writeable:
        memory: Any = array
        return ctypes.addressof(ctypes.c_char.from_buffer(memory))
    found: int = array.__array_interface__["data"][0]
    return found


def allocate(size: int) -> _Memory:
    """Memory, and its address: one that vectors like, if it is large."""
    if size < _SMALL:
        raw = np.empty(size + 1, np.uint8)
        return raw, _address(raw)
    raw = native_memory.empty(size + _ALIGNMENT, np.dtype(np.uint8))
    first = -_address(raw) % _ALIGNMENT
    array = raw[first : first + size]
    return array, _address(array)


def _copy(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A contiguous copy."""
    found = native_memory.empty(array.shape, array.dtype)
    np.copyto(found, array)
    return found


def _bytes(value: Value) -> int:
    """How much memory an array takes."""
    return int(np.prod([int(n) for n in extents.bounded(value.type.shape)], dtype=object)) * value.type.dtype.itemsize


def _may_write(lowering: Lowering, graph: Graph, k: int) -> bool:
    """Whether parameter `k` may be written as the lowering does: within its memory, where nothing fails any more."""
    buffer = lowering.buffers[k]
    return buffer.capacity == _bytes(graph.params[k]) and lowering.untouched(buffer)


def _format(dtype: np.dtype[Any]) -> str:
    """How `struct` packs a number of `dtype` into a word of `_WORD` bytes."""
    letter: str = "?" if dtype.kind == "b" else part(dtype).char
    # NumPy's letters for 64 bits depend on the platform.
    letter = {("i", 8): "q", ("u", 8): "Q", ("i", 4): "i", ("u", 4): "I"}.get((dtype.kind, dtype.itemsize), letter)
    return letter * (2 if dtype.kind == "c" else 1) + f"{_WORD - dtype.itemsize}x"


def _parts(number: Any, dtype: np.dtype[Any]) -> tuple[Any, ...]:
    """A number as `struct` takes it."""
    if dtype.kind == "c":
        found = complex(number)
        return found.real, found.imag
    if dtype.kind == "b":
        return (bool(number),)
    return (number if isinstance(number, (int, float, np.generic)) else np.asarray(number, dtype)[()],)


def _entry(count: int, host: int) -> str:
    """The function that is called: it takes the addresses out of a table."""
    lines = ["define i32 @run(ptr %table, ptr %out) {", "entry:"]
    for k in range(count):
        lines.append(f"  %a{k} = getelementptr inbounds ptr, ptr %table, i64 {k}")
        lines.append(f"  %p{k} = load ptr, ptr %a{k}")
    lines.append(f"  %host = inttoptr i64 {host} to ptr")
    given = ", ".join([*(f"ptr %p{k}" for k in range(count)), "ptr %out", "ptr %host"])
    return "\n".join([*lines, f"  %outcome = call i32 @main({given})", "  ret i32 %outcome", "}"])
