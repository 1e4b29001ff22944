"""``array.flags``: what NumPy says of an array's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lazyarr import strides as geometry

if TYPE_CHECKING:
    from lazyarr.array import LazyArray

_NAMES = {
    "C_CONTIGUOUS": "c_contiguous", "C": "c_contiguous", "F_CONTIGUOUS": "f_contiguous", "F": "f_contiguous",
    "CONTIGUOUS": "c_contiguous", "FORTRAN": "f_contiguous",
    "OWNDATA": "owndata", "O": "owndata", "WRITEABLE": "writeable", "W": "writeable", "ALIGNED": "aligned",
    "A": "aligned", "WRITEBACKIFCOPY": "writebackifcopy", "X": "writebackifcopy", "FNC": "fnc", "FORC": "forc",
    "BEHAVED": "behaved", "B": "behaved", "CARRAY": "carray", "CA": "carray", "FARRAY": "farray", "FA": "farray",
}  # fmt: skip


#: What NumPy's arrays have.
_NUMPYS = type(np.empty(0).flags)


class Flags:
    """Memory flags of a lazy array, as `numpy.ndarray.flags`."""

    def __init__(self, array: LazyArray):
        self._array = array

    @property
    def c_contiguous(self) -> bool:
        return geometry.is_c_contiguous(self._array.shape, self._array.strides, self._array.dtype.itemsize)

    @property
    def f_contiguous(self) -> bool:
        return geometry.is_f_contiguous(self._array.shape, self._array.strides, self._array.dtype.itemsize)

    @property
    def contiguous(self) -> bool:
        return self.c_contiguous

    @property
    def fortran(self) -> bool:
        return self.f_contiguous

    @property
    def owndata(self) -> bool:
        return self._array._parent is None

    @property
    def writeable(self) -> bool:
        return self._array._writeable

    @writeable.setter
    def writeable(self, value: bool) -> None:
        self._array._settle()  # What an array has to itself may be written to.
        at = self._array._parent
        if value and self._array._scalar or value and at is not None and not at._writeable:
            raise ValueError("cannot set WRITEABLE flag to True of this array")
        self._array._writeable = bool(value)

    aligned = True
    writebackifcopy = False

    @property
    def fnc(self) -> bool:
        return self.f_contiguous and not self.c_contiguous

    @property
    def forc(self) -> bool:
        return self.f_contiguous or self.c_contiguous

    @property
    def behaved(self) -> bool:
        return self.writeable

    @property
    def carray(self) -> bool:
        return self.writeable and self.c_contiguous

    @property
    def farray(self) -> bool:
        return self.writeable and self.fnc

    @property
    def num(self) -> int:
        # NumPy's bits: contiguity, ownership, alignment, writeability.
        return (self.c_contiguous + 2 * self.f_contiguous + 4 * self.owndata + 0x100 * self.aligned
                + 0x400 * self.writeable)  # fmt: skip

    def __getitem__(self, name: str) -> bool:
        if name not in _NAMES:
            raise KeyError("Unknown flag")
        return bool(getattr(self, _NAMES[name]))

    def __setitem__(self, name: str, value: bool) -> None:
        if _NAMES.get(name) != "writeable":
            raise KeyError("Unknown flag")
        self.writeable = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Flags, _NUMPYS)) and self.num == other.num

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ("C_CONTIGUOUS", "F_CONTIGUOUS", "OWNDATA", "WRITEABLE", "ALIGNED", "WRITEBACKIFCOPY")
        return "".join(f"  {name} : {self[name]}\n" for name in shown)
