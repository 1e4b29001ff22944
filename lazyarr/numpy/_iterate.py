"""`numpy.nditer` over arrays that it writes to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazyarr.array import LazyArray
from lazyarr.strides import contiguous

#: Flags of operands that are written to,
_WRITTEN = frozenset(("readwrite", "writeonly"))
#: and of iterators that give more than one element at a time, or copies.
_IN_CHUNKS = frozenset(("external_loop", "buffered", "reduce_ok", "copy_if_overlap", "delay_bufalloc"))


class nditer:  # noqa: N801  NumPy's name
    """As `numpy.nditer`: elements of lazy arrays that are written to are views of these arrays."""

    def __new__(cls, op: Any, flags: Any = None, op_flags: Any = None, *args: Any, **kwargs: Any) -> Any:
        operands = list(op) if isinstance(op, (list, tuple)) else [op]
        modes = _of_each(op_flags, len(operands))
        written = [isinstance(x, LazyArray) and not _WRITTEN.isdisjoint(m) for x, m in zip(operands, modes)]  # noqa: B905
        if not any(written):
            shown = [_shown(x) if isinstance(x, LazyArray) else x for x in operands]
            given = shown if isinstance(op, (list, tuple)) else shown[0]
            return np.nditer(given, flags or (), op_flags, *args, **kwargs)
        kind = _Elements if _IN_CHUNKS.isdisjoint(flags or ()) else _Chunks
        return kind(operands, written, tuple(flags or ()), op_flags, *args, **kwargs)


def _of_each(op_flags: Any, count: int) -> Sequence[Sequence[str]]:
    """The flags of each operand."""
    if not op_flags:
        return []
    return [op_flags] * count if all(isinstance(flag, str) for flag in op_flags) else op_flags


class _Iterator:
    """What is the same in both: NumPy's iterator does all that is not said here."""

    def __init__(self, *args: Any, **kwargs: Any):
        self._numpy = np.nditer(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._numpy, name)

    def __iter__(self) -> Any:
        return self

    def __len__(self) -> int:
        return len(self._numpy)

    def __enter__(self) -> Any:
        self._numpy.__enter__()
        return self

    def __exit__(self, *raised: Any) -> None:
        self.close()

    def close(self) -> None:
        """As `numpy.nditer.close`."""
        self._numpy.close()


class _Elements(_Iterator):
    """One element of each operand at a time: a view of a lazy array, without axes.

    NumPy's iterator goes over memory that is laid out as the arrays are, and says where it is.
    """

    def __init__(self, operands: list[Any], written: Any, flags: tuple[str, ...], op_flags: Any, *args: Any,
                 **kwargs: Any):  # fmt: skip
        like = [_like(x) if isinstance(x, LazyArray) else x for x in operands]
        super().__init__(like, [*flags, "multi_index"], op_flags, *args, **kwargs)
        self._lazy = [x if isinstance(x, LazyArray) else None for x in operands]

    @property
    def operands(self) -> Any:
        """The arrays that the iterator goes over."""
        return tuple(y if x is None else x for x, y in zip(self._lazy, self._numpy.operands, strict=True))

    @property
    def value(self) -> Any:
        """An element of each of them."""
        found = self._values()
        return found if len(found) > 1 else found[0]

    def _values(self) -> tuple[Any, ...]:
        from lazyarr.numpy._shape import broadcast_to

        index, shape = self._numpy.multi_index, self._numpy.shape
        return tuple(
            self._numpy[k] if x is None else (x if x.shape == shape else broadcast_to(x, shape))[(*index, ...)]
            for k, x in enumerate(self._lazy)
        )

    def __next__(self) -> Any:
        next(self._numpy)
        return self.value

    def __getitem__(self, key: Any) -> Any:
        return self._values()[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._values()[key][...] = value


class _Chunks(_Iterator):
    """Several elements at a time: of copies, which are written back before the next ones come, and at the end."""

    def __init__(self, operands: list[Any], written: list[bool], flags: tuple[str, ...], op_flags: Any, *args: Any,
                 **kwargs: Any):  # fmt: skip
        copies = [x._copied_data("numpy.nditer") if isinstance(x, LazyArray) else x for x in operands]
        for x, data in zip(operands, copies, strict=True):
            if isinstance(x, LazyArray):
                data.flags.writeable = x.flags.writeable
        super().__init__(copies, flags, op_flags, *args, **kwargs)
        self._written = [(x, y) for x, y, is_written in zip(operands, copies, written, strict=True) if is_written]

    @property
    def operands(self) -> Any:
        """The arrays that the iterator goes over."""
        lazy = {id(y): x for x, y in self._written}
        return tuple(lazy.get(id(y), y) for y in self._numpy.operands)

    def _write_back(self) -> None:
        for x, data in self._written:
            x[...] = data

    def __next__(self) -> Any:
        self._write_back()
        try:
            return next(self._numpy)
        except StopIteration:
            self._write_back()  # (what was in a buffer)
            raise

    def __getitem__(self, key: Any) -> Any:
        return self._numpy[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._numpy[key] = value

    def iternext(self) -> bool:
        """As `numpy.nditer.iternext`."""
        more = self._numpy.iternext()
        self._write_back()
        return more

    def close(self) -> None:
        """As `numpy.nditer.close`."""
        super().close()
        self._write_back()


def _like(x: LazyArray) -> np.ndarray[Any, Any]:
    """An array of the same shape and strides, which nobody reads: NumPy's iterators go by the layout."""
    spans = [s * (n - 1) for n, s in zip(x.shape, x.strides, strict=True)] if x.size else []
    memory = np.zeros(sum(map(abs, spans)) + x.itemsize, np.uint8)
    first = -sum(s for s in spans if s < 0)
    strides = x.strides if x.size else contiguous(x.shape, x.itemsize)
    found: np.ndarray[Any, Any] = np.ndarray(x.shape, x.dtype, memory, first, strides)
    found.flags.writeable = x.flags.writeable
    return found


def _shown(x: LazyArray) -> np.ndarray[Any, Any]:
    """The elements, laid out as the array is: what has been computed may lie in memory in another order."""
    data = x._elements("numpy.nditer")
    if all(n < 2 or s == t for n, s, t in zip(x.shape, x.strides, data.strides, strict=True)):
        return data
    found = _like(x)
    found.flags.writeable = True
    np.copyto(found, data)
    found.flags.writeable = False
    return found
