"""Operations that NumPy runs: a call from native code back into Python, on arrays over the program's own buffers."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from lazyarr.backends.native_python import DATA, supported
from lazyarr.ir.node import Attrs
from lazyarr.ir.op import OPS
from lazyarr.ops import comm
from lazyarr.quiet import quietly

_CALL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64))
#: The number of the call that says that MPI has failed.
MPI_FAILED = -1
#: Shapes and strides of arrays that a call remembers; and arrays for each: as many as threads run it at once.
_MOST_KNOWN, _MOST_READY = 16, 8


class HostCall:
    """One operation for NumPy.

    Attributes
    ----------
    operation : str
    attrs : tuple of (name, value)
        Its attributes.
    operands, results : sequence of (dtype, rank)
    into : bool
        Whether it is NumPy's function of that name that runs, on an array for its one result.
    """

    def __init__(self, operation: str, attrs: Attrs, operands: Sequence[tuple[np.dtype[Any], int]],
                 results: Sequence[tuple[np.dtype[Any], int]], into: bool = False):  # fmt: skip
        self.operation, self.attrs = operation, attrs
        self.operands, self.results, self.into = list(operands), list(results), into
        self.evaluate = getattr(np, operation) if into else partial(OPS[operation].evaluate, np, **dict(attrs))
        fills = None if into else OPS[operation].fills
        self._fills = None if fills is None else partial(fills, **dict(attrs))
        ranks = [rank for _, rank in (*operands, *results)]
        #: Words in the table that native code fills: the addresses of all arrays, then extents and strides of each.
        self.slots = len(ranks) + 2 * sum(ranks)
        self._count = len(ranks)
        self._ready: dict[tuple[int, ...], list[_Arrays]] = {}

    def run(self, table: Any) -> None:
        """Let NumPy evaluate what the table describes."""
        words = tuple(table[0 : self.slots])
        described = words[self._count :]
        ready = self._ready.get(described)
        if ready is None:
            while len(self._ready) >= _MOST_KNOWN:
                self._ready.pop(next(iter(self._ready)), None)
            ready = self._ready[described] = []
        try:
            arrays = ready.pop()
        except IndexError:
            arrays = _Arrays(self, words)
        arrays.move(words)
        self._evaluate(arrays)
        if len(ready) < _MOST_READY and arrays.movable:
            ready.append(arrays)

    def _evaluate(self, arrays: _Arrays) -> None:
        given, targets = arrays.given, arrays.targets
        if self.into:
            quietly(partial(self.evaluate, out=targets[0]), *given)
            return
        if self._fills is not None:
            quietly(self._fills, targets, *given)
            return
        found = quietly(self.evaluate, *given)
        results = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        for target, result in zip(targets, results, strict=True):
            target[...] = result


class _Arrays:
    """Arrays over memory that native code owns: operands and results of a call, as a table describes them.

    They own nothing, and may be used again where a later call has arrays of the same form elsewhere.
    """

    def __init__(self, call: HostCall, words: tuple[int, ...]):
        at, all = call._count, []
        for k, (dtype, rank) in enumerate((*call.operands, *call.results)):
            middle, end = at + rank, at + 2 * rank
            all.append(_array(words[k], dtype, words[at:middle], words[middle:end]))
            at = end
        self.given, self.targets = all[: len(call.operands)], all[len(call.operands) :]
        self.movable = supported()
        #: The fields of the arrays that hold their addresses.
        self._fields = [ctypes.c_int64.from_address(id(x) + DATA) for x in all] if self.movable else []
        self._sizes = [x.size for x in all]

    def move(self, words: tuple[int, ...]) -> None:
        """Be where a table says. (Empty arrays have memory of their own.)"""
        for field, size, word in zip(self._fields, self._sizes, words, strict=False):
            if size:
                field.value = word


def _array(address: int, dtype: np.dtype[Any], shape: Sequence[int], strides: Sequence[int]) -> np.ndarray[Any, Any]:
    """An array over memory that native code owns; strides in elements, and negative ones count from `address`."""
    if 0 in shape:
        return np.empty(shape, dtype)
    size = dtype.itemsize
    low = sum(min(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True)) * size
    high = sum(max(0, (n - 1) * s) for n, s in zip(shape, strides, strict=True)) * size + size
    memory: Any = (ctypes.c_char * (high - low)).from_address(address + low)
    return np.ndarray(shape, dtype, memory, -low, [s * size for s in strides])


class Host:
    """The calls of one compiled program, and the exceptions they raise."""

    def __init__(self, calls: Sequence[HostCall]) -> None:
        self._calls = calls
        self._errors = threading.local()
        self._callback = _CALL(self._run)

    @property
    def address(self) -> int:
        """What native code calls."""
        return ctypes.cast(self._callback, ctypes.c_void_p).value or 0

    def _run(self, number: int, table: Any) -> int:
        try:
            if number == MPI_FAILED:
                raise comm.failure()
            self._calls[number].run(table)
        except BaseException as error:  # noqa: BLE001  raised again where native code has returned
            self._errors.found = error
            return 1
        return 0

    def take_error(self) -> BaseException:
        """The exception of the call that ended the program."""
        found: BaseException = self._errors.found
        del self._errors.found
        return found
