"""Programs of loops, branches and element-wise work as native code, through LLVM.

A graph becomes one function: no step of it is in Python but what NumPy has to do itself (sorting, linear algebra, large
products), which is called back. `native_frame` lowers a graph, `native_storage` says where values are, `native_plan`
decides what is stored, `native_nests` makes loop nests, `native_control` loops and branches, `native_scalar` and its
siblings elements. `native_make` puts it together, `native_kept` keeps it for later processes.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.backends import native_kept, native_memory, native_mpi, native_threads
from lazyarr.backends.base import GivenUp
from lazyarr.backends.native_call import Host
from lazyarr.backends.native_emit import part
from lazyarr.backends.native_engine import Library
from lazyarr.backends.native_program import HOST, Form, Program
from lazyarr.ir.graph import Check, CheckFailed, Graph
from lazyarr.ops.create import const

__all__ = ["LARGE", "Executable", "allocate", "compile", "load"]

_ALIGNMENT = 64
#: Bytes below which alignment is not worth its price.
_SMALL = 4096
#: Bytes that a number takes among the arguments.
_WORD = 16
#: Bytes from which on a buffer is not kept by one program for itself: `native_memory` keeps it for all.
LARGE = native_memory.LEAST
#: An array and its address.
_Memory = tuple[np.ndarray[Any, Any], int]
#: What conditions say where only the name of a check is known.
_NOWHERE = const(True)


def compile(graph: Graph, donate: Sequence[int] = ()) -> Executable:
    """The graph as a back end runs it (`lazyarr.backends.base`)."""
    key = native_kept.key(graph, donate)
    found = key and load(key)
    if found:
        return found
    # What lowers graphs is a second program, which nobody needs who finds everything on disk.
    from lazyarr.backends.native_make import make

    program, text = make(graph, donate)
    executable = Executable(program, text)
    if key and native_kept.put(key, program, executable.library.take_machine_code()):
        executable.key = key
    return executable


def load(key: str) -> Executable | None:
    """What an earlier process has compiled, if it is still there."""
    kept = native_kept.get(key)
    if kept is None:
        return None
    executable = Executable(kept[0], "", kept[1])
    executable.key = key
    return executable


class Executable:
    """A program that runs.

    Attributes
    ----------
    program : Program
    text : str
        The LLVM IR as generated; empty if the machine code is that of an earlier process.
    key : str
        Under which it is kept for later processes; empty if it is not.
    address : int
        Of the native function: it takes a table of addresses (parameters, then buffers), and a table for results.
    holders : dict of int to list of int
        Of roots that are arrays of known shape: the buffers whose memory may hold them in the end.
    forms : dict of int to Form
        What these buffers then are.

    Parameters
    ----------
    program : Program
    text : str
    code : bytes, optional
        The machine code, where it is known.
    """

    def __init__(self, program: Program, text: str, code: bytes | None = None):
        self.program, self.text, self.key = program, text, ""
        self._host = Host(program.calls)
        #: Memory of earlier calls by the number of its buffer; each serves one call at a time.
        self._spare: list[dict[int, _Memory]] = []
        self.buffers = program.memory[len(program.params) :]
        self._holders()
        self._arrays = [(k, p.dtype) for k, p in enumerate(program.params) if p.shape]
        self._numbers = [(k, p.dtype) for k, p in enumerate(program.params) if not p.shape]
        self._pack = struct.Struct("=" + "".join(_format(dtype) for _, dtype in self._numbers)).pack_into
        self._table = struct.Struct(f"{len(program.memory) or 1}q")
        self._out = ctypes.c_int64 * max(1, program.slots)
        if program.threads > 1:
            native_threads.pool()
        symbols = {HOST: self._host.address, native_mpi.STATE: native_mpi.state()}
        self.library = Library(text, code, symbols if program.calls else {})
        self.address = self.library.address("run")

    def __call__(self, arguments: Sequence[Any]) -> list[Any]:
        """Run on NumPy arrays (or what converts to them); gives NumPy arrays.

        Raises
        ------
        CheckFailed
            If a check in a region failed.
        """
        kept: list[Any] = []
        donated: dict[int, np.ndarray[Any, Any]] = {}
        addresses = [0] * (len(self.program.memory) or 1)
        for k, dtype in self._arrays:
            array = arguments[k]
            taken = type(array) is GivenUp
            if taken:
                array = array.take() if k in self.program.donated else array.array
            if type(array) is not np.ndarray or array.dtype != dtype or not array.flags.c_contiguous:
                array = np.ascontiguousarray(array, dtype)
                taken = False
            if k in self.program.donated and not taken and (array is arguments[k] or not array.flags.owndata):
                array = _copy(array)
            kept.append(array)
            addresses[k] = _address(array)
            if k in self.program.donated:
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
        first = len(self.program.params)
        for k, (_, address) in enumerate(memory, first):
            addresses[k] = address
        if self.program.threads > 1:
            native_threads.pool().ensure(self.program.threads)
        out: Any = self._out()
        outcome = self.library.entry(self._table.pack(*addresses), out)
        if outcome == -1:
            raise self._host.take_error()
        if outcome > 0:
            return self._failed(outcome)
        owners = {address: k for k, (_, address) in enumerate(memory)}
        results = []
        for (dtype, shape, _), (at, _) in zip(self.program.roots, self.program.places, strict=True):
            if not shape:
                results.append(np.ndarray((), dtype, out, 8 * at))
                continue
            extents = tuple(out[at + 1 : at + 1 + len(shape)])
            holder = donated.get(out[at])
            if holder is None:
                holder = memory[owners.pop(out[at])][0]
            same = holder.dtype == dtype and holder.shape == extents
            results.append(holder if same else np.ndarray(extents, dtype, holder))
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
        first = len(self.program.params)
        return [spare.get(k) or self._buffer(first + k, b.size) for k, b in enumerate(self.buffers)]

    def _buffer(self, number: int, size: int) -> _Memory:
        """New memory for a buffer: the array that may become a result, where there is one."""
        if number not in self.forms:
            return allocate(size)
        form = self.forms[number]
        array = native_memory.empty(form.shape, form.dtype)
        return array, _address(array)

    def _holders(self) -> None:
        """Find the buffers that may be results in the end."""
        self.holders: dict[int, list[int]] = {}
        self.forms: dict[int, Form] = {}
        first, memory = len(self.program.params), self.program.memory
        for k, (form, place) in enumerate(zip(self.program.roots, self.program.places, strict=True)):
            if place.buffer < 0 or not form.fixed or not form.bytes:
                continue
            peers = [n for n in memory[place.buffer].peers if memory[n].size == form.bytes and n >= first]
            self.holders[k] = [number for number in peers if self.forms.setdefault(number, form) == form]

    def _failed(self, outcome: int) -> list[Any]:
        """What a failed check means: one of the graph's own is a result like another."""
        failure, roots = self.program.failures[outcome - 1], self.program.roots
        if failure.conditions is None:
            raise CheckFailed(Check(_NOWHERE, failure.exception, failure.message))
        results = roots[: len(roots) - len(failure.conditions)]
        return [*(np.zeros(form.shape, form.dtype) for form in results), *map(np.asarray, failure.conditions)]


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
