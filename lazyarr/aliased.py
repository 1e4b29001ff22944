"""Memory of lazy arrays that others write to: what NumPy's functions give the code of installed packages.

That is NumPy's arrays, views of the memory where a lazy array's elements are. As long as somebody has one of them, the
cell of the lazy array holds no value, but that memory: who reads the cell gets a copy of what is there now, and what is
assigned to it is computed, and written there. When nobody has one any more the cell is what it was before.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from lazyarr.array import Cell, LazyArray
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.little.data import COPIED, owns_data
from lazyarr.runtime import as_numpy, evaluate, fetch, flush, recording, storage_lock
from lazyarr.shown import laid_out, path, through

_ndarray = np.ndarray
#: The place for the value of a cell, which `Aliased` leaves empty: the extension looks there.
_content: Any = Cell.__dict__["value"]


class Loan:
    """Memory that a cell shares with others.

    Attributes
    ----------
    memory : ndarray
        The elements.
    outside : ndarray
        The same memory. All that others have are views of this array, so that references to it tell whether they still
        have any. (Its base is no array: NumPy would make views of it views of that.)
    type : ArrayType
        What the value of the cell is.
    read : Value or None
        A copy of the elements, as somebody has read them last.
    """

    __slots__ = ("memory", "outside", "read", "type")

    def __init__(self, memory: _ndarray[Any, Any], type: ArrayType, read: Value | None = None):
        self.memory, self.type, self.read = memory, type, read
        self.outside: _ndarray[Any, Any] = np.asarray(memory.data)

    def is_over(self) -> bool:
        """Whether nobody has any of this memory now."""
        return sys.getrefcount(self.outside) == _NOBODY

    def value(self) -> Value:
        """The elements as they are now, which stay so."""
        if self.read is None or not _is_same(self.memory, self.read.node.data):  # type: ignore[attr-defined]
            self.read = leaf(self.memory.copy("K"), self.type)
        return self.read


class _One:
    """As `Loan.is_over` counts."""

    def __init__(self) -> None:
        self.outside = np.zeros(1)

    def count(self) -> int:
        return sys.getrefcount(self.outside)


_NOBODY = _One().count()


def _is_same(x: _ndarray[Any, Any], y: Any) -> bool:
    """Whether elements have the same bits."""
    if x.dtype.kind == "c":
        return _is_same(x.real, y.real) and _is_same(x.imag, y.imag)
    bits = f"u{x.itemsize}"
    return bool((x.view(bits) == np.asarray(y).view(bits)).all())


class Aliased(Cell):
    """The storage of an array whose memory others have, and write to."""

    __slots__ = ()

    @property
    def value(self) -> Value:
        """The value that the elements are now."""
        with storage_lock:
            loan: Loan | None = self.loan
            if loan is None:  # (Another thread has looked meanwhile.)
                held: Value = _content.__get__(self)
                return held
            if not loan.is_over():
                return loan.value()
            # (What has been recorded of a copy goes on with that.)
            found = leaf(loan.memory, loan.type) if loan.read is None else loan.value()
            self._end(found)
            return found

    @value.setter
    def value(self, new: Value) -> None:
        with storage_lock:
            if self.loan is None:
                _content.__set__(self, new)
            elif self.loan.is_over():
                self._end(new)
            else:
                data = as_numpy(fetch(new))
                np.copyto(self.loan.memory, data)
                self.loan.read = new if isinstance(new.node, Leaf) else leaf(data, new.type)

    def _end(self, value: Value) -> None:
        """Be a cell with a value again."""
        _content.__set__(self, value)
        self.loan = None
        self.__class__ = Cell  # type: ignore[assignment]


def _lend(owner: LazyArray) -> None:
    """Have the cell of an array that is no view share its memory."""
    cell = owner._cell
    if not isinstance(cell.value.node, Leaf):
        data = evaluate([cell.value])[0]
        if not isinstance(cell.value.node, Leaf):  # (Another thread has recorded it.)
            cell.value = leaf(data, cell.value.type)
        del data
    kind = cell.value.type
    is_own = owns_data(cell)
    if not is_own and kind.size > COPIED:
        # What is pending may have the data.
        flush(recording())
        is_own = owns_data(cell)
    data = as_numpy(cell.value.node.data)  # type: ignore[attr-defined]
    found = data if owner._form is not None else laid_out(np.asarray(data), owner._strides)
    if is_own and found is data:
        loan = Loan(data, kind)
    else:
        loan = Loan(np.array(found, order="K") if found is data else found, kind, cell.value)
    cell.loan = loan
    cell.__class__ = Aliased
    _content.__delete__(cell)


def handed_out(array: LazyArray) -> _ndarray[Any, Any] | None:
    """NumPy's view of the memory of an array, to be written to where the array may be.

    Returns
    -------
    ndarray or None
        None where the elements do not stand in memory as the array says they do, and of scalars.
    """
    if array._scalar:
        return None
    with storage_lock:
        array._settle()
        steps, at = path(array if array._form is None else array._form)
        if type(at._cell) is Cell:
            _lend(at)
        outside = at._cell.loan.outside
        found = through(steps, outside)
        if found is outside:
            found = outside.view()
        if found.base is not outside or not _stands(found, array._strides):
            return None
        if not array._writeable:
            found.flags.writeable = False
        return found


def _stands(data: _ndarray[Any, Any], strides: tuple[int, ...]) -> bool:
    """Whether elements stand where strides say."""
    if data.strides == strides or not data.size:
        return True
    return all(n == 1 or a == b for n, a, b in zip(data.shape, data.strides, strides, strict=True))
