"""Operations that NumPy runs: a call from native code back into Python, on arrays over the program's own buffers."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from lazyarr.ir.node import Attrs
from lazyarr.ir.op import OPS

_CALL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_int64, ctypes.POINTER(ctypes.c_int64))
#: Descriptions of arrays that a call remembers: buffers of a program stay where they are as a rule.
_MOST_KNOWN = 16


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
        #: Words in the table that native code fills: address, extents and strides of each array.
        self.slots = sum(1 + 2 * rank for _, rank in (*operands, *results))
        self._known: dict[tuple[int, ...], tuple[list[Any], list[Any]]] = {}

    def arrays(self, words: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
        """The arrays, operands and results, that the table describes."""
        found = self._known.get(words)
        if found is not None:
            return found
        at = 0
        arrays = []
        for dtype, rank in (*self.operands, *self.results):
            middle, end = at + 1 + rank, at + 1 + 2 * rank
            arrays.append(_array(words[at], dtype, words[at + 1 : middle], words[middle:end]))
            at = end
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        # (They own nothing: an equal description later is an equal array.)
        found = self._known[words] = arrays[: len(self.operands)], arrays[len(self.operands) :]
        return found

    def run(self, table: Any) -> None:
        """Let NumPy evaluate what the table describes."""
        given, targets = self.arrays(tuple(table[0 : self.slots]))
        with np.errstate(all="ignore"):
            if self.into:
                self.evaluate(*given, out=targets[0])
                return
            found = self.evaluate(*given)
        results = tuple(found) if isinstance(found, (tuple, list)) else (found,)
        for target, result in zip(targets, results, strict=True):
            target[...] = result


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
