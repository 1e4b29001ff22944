"""Programs of loops, branches and element-wise work as native code, through LLVM.

A graph becomes one function: no step of it is in Python but what NumPy has to do itself (sorting, linear algebra, large
products), which is called back. `native_frame` lowers a graph, `native_storage` says where values are, `native_plan`
decides what is stored, `native_nests` makes loop nests, `native_control` loops and branches, `native_scalar` and its
siblings elements.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.backends import native_threads
from lazyarr.backends.native_control import own
from lazyarr.backends.native_emit import Code, Module
from lazyarr.backends.native_engine import Library
from lazyarr.backends.native_frame import Frame, Lowering, spill, unspill
from lazyarr.backends.native_storage import Buffer, Scalar, Storage, Strided
from lazyarr.ir import extents
from lazyarr.ir.graph import CheckFailed, Graph

_ALIGNMENT = 64
#: Bytes that an executable keeps between its calls at most.
_KEPT = 1 << 28


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
    """

    def __init__(self, graph: Graph, donate: Sequence[int] = ()):
        self.graph = graph
        module = Module()
        code = Code(module)
        lowering = Lowering(code, graph)
        self._host = lowering.host
        bound: list[Storage] = []
        for p in graph.params:
            buffer = lowering.buffer(False, 0)
            if p.type.shape:
                shape = tuple(map(int, extents.bounded(p.type.shape)))
                bound.append(Strided.whole(code, p.type.dtype, buffer, shape, shape))
            else:
                bound.append(Scalar(p.type.dtype, unspill(code, f"%p{buffer.number}", p.type.dtype)))
        frame = Frame(lowering, graph, bound, outermost=True)
        roots = frame.run()
        self._slots = self._give(frame, roots)
        frame.leave()
        code.do("ret i32 0")
        self._checks = lowering.checks
        #: Memory of earlier calls; each serves one call at a time.
        self._spare: list[list[np.ndarray[Any, Any] | None]] = []
        self._buffers: list[Buffer] = lowering.buffers[len(graph.params) :]
        arguments = [f"ptr noalias %p{b.number}" for b in lowering.buffers]
        module.functions.append(
            f"define internal i32 @main({', '.join([*arguments, 'ptr %out', 'ptr %host'])}) noinline "
            f"{{\n{code.body()}\n}}"
        )
        module.functions.append(_entry(len(lowering.buffers), self._host.address))
        self.text = str(module)
        self._threads = native_threads.threads() if code.forks else 1
        if code.forks:
            native_threads.pool()
        self._library = Library(self.text)

    def _give(self, frame: Frame, roots: Sequence[Storage]) -> int:
        """Code that writes where the results are; gives the number of words."""
        code, at = frame.code, 0
        arrays = iter(own(frame, [r for r in roots if r.shape]))
        for root, value in zip(roots, self.graph.roots, strict=True):
            place = code.emit(f"getelementptr inbounds i64, ptr %out, i64 {at}")
            if not value.type.shape:
                spill(code, place, value.type.dtype, root.element(code, (), {}))
                at += 2
                continue
            array = next(arrays)
            pointer = code.emit(f"load ptr, ptr {array.buffer.variable}")
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
        graph = self.graph
        given = [
            np.ascontiguousarray(a, p.type.dtype) for a, p in zip(arguments, graph.params, strict=True)
        ]
        memory = self._memory()
        table = (ctypes.c_int64 * (len(given) + len(memory) + 1))()
        for k, array in enumerate((*given, *memory)):
            table[k] = array.__array_interface__["data"][0]
        if self._threads > 1:
            native_threads.pool().ensure(self._threads)
        out: Any = (ctypes.c_int64 * max(1, self._slots))()
        outcome = self._library.entry(ctypes.addressof(table), ctypes.addressof(out))
        if outcome == -1:
            raise self._host.take_error()
        if outcome > 0:
            return self._failed(outcome)
        owners = dict(zip(table[len(given) : len(given) + len(memory)], memory, strict=True))
        results = []
        at = 0
        for root in graph.roots:
            dtype, rank = root.type.dtype, root.type.ndim
            if rank == 0:
                results.append(np.ndarray((), dtype, out, 8 * at).copy())
                at += 2
                continue
            shape = tuple(out[at + 1 : at + 1 + rank])
            results.append(np.ndarray(shape, dtype, owners.pop(out[at])))
            at += 1 + rank
        if len(self._spare) < 2 and sum(m.nbytes for m in owners.values()) <= _KEPT:
            # What is no result serves the next call: fresh memory costs more than arithmetic.
            left = {id(m) for m in owners.values()}
            self._spare.append([m if id(m) in left else None for m in memory])
        return results

    def _memory(self) -> list[np.ndarray[Any, Any]]:
        """Memory for the buffers, of an earlier call where there is some."""
        try:
            spare = self._spare.pop()
        except IndexError:
            spare = [None] * len(self._buffers)
        return [_allocate(b.capacity) if m is None else m for b, m in zip(self._buffers, spare, strict=True)]

    def _failed(self, outcome: int) -> list[Any]:
        """What a failed check means: one of the program's own is a result like another."""
        check = self._checks[outcome - 1]
        if check not in self.graph.checks:
            raise CheckFailed(check)
        shapes = [(r.type.dtype, extents.bounded(r.type.shape)) for r in self.graph.results]
        conditions = [np.asarray(c is not check) for c in self.graph.checks]
        return [*(np.zeros(shape, dtype) for dtype, shape in shapes), *conditions]


def _allocate(size: int) -> np.ndarray[Any, Any]:
    """Fresh memory at an aligned address."""
    raw = np.empty(size + _ALIGNMENT, np.uint8)
    first = -raw.__array_interface__["data"][0] % _ALIGNMENT
    return raw[first : first + size]


def _entry(count: int, host: int) -> str:
    """The function that is called: it takes the addresses out of a table."""
    lines = ["define i32 @run(ptr %table, ptr %out) {", "entry:"]
    for k in range(count):
        lines.append(f"  %a{k} = getelementptr inbounds ptr, ptr %table, i64 {k}")
        lines.append(f"  %p{k} = load ptr, ptr %a{k}")
    lines.append(f"  %host = inttoptr i64 {host} to ptr")
    given = ", ".join([*(f"ptr %p{k}" for k in range(count)), "ptr %out", "ptr %host"])
    return "\n".join([*lines, f"  %outcome = call i32 @main({given})", "  ret i32 %outcome", "}"])
