"""``array.flat``: the array as one axis in C order, for reading and writing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.assignment import as_element
from lazyarr.little.elements import into_flat, of_flat


class FlatIterator:
    """What ``array.flat`` gives, as `numpy.flatiter`.

    Parameters
    ----------
    base : LazyArray
    """

    def __init__(self, base: LazyArray):
        self.base = base
        self._at = 0

    def _flat(self) -> LazyArray:
        # A view in C order even where memory order would make `reshape` copy: a write goes back to the base.
        array = self.base
        strides = (array.dtype.itemsize,)
        return array._view(views.Reshape(array.shape, (array.size,)), (array.size,), strides)

    def __len__(self) -> int:
        return self.base.size

    def __iter__(self) -> Iterator[Any]:
        # (All that run over it go on where the others are.)
        flat, size = self._flat(), self.base.size
        while self._at < size:
            self._at += 1
            yield flat[self._at - 1]

    def __next__(self) -> Any:
        if self._at >= self.base.size:
            raise StopIteration
        self._at += 1
        return self._flat()[self._at - 1]

    @property
    def index(self) -> int:
        return self._at

    @property
    def coords(self) -> tuple[int, ...]:
        return tuple(int(i) for i in np.unravel_index(self._at, self.base.shape)) if self.base.shape else ()

    def _check(self, key: Any) -> None:
        if isinstance(key, tuple) and len(key) > 1:
            raise IndexError("too many indices for flat iterator: flat iterator is 1-dimensional, but "
                             f"{len(key)} were indexed")
        if key is None:
            raise IndexError("only integers, slices (`:`), ellipsis (`...`) and integer or boolean arrays are valid "
                             "indices")
        if isinstance(key, int) and not -self.base.size <= key < self.base.size:
            raise IndexError(f"index {key} is out of bounds for size {self.base.size}")

    def __getitem__(self, key: Any) -> Any:
        self._check(key)
        if (one := of_flat(self.base, key)) is not None:
            return one
        found = self._flat()[key]
        return found.copy() if found.ndim else found

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.base._writeable:
            raise ValueError("underlying array is read-only")
        self._check(key)
        if into_flat(self.base, key, value):
            return
        if isinstance(key, int):
            try:
                value = as_element(value, self.base.dtype)
            except np.ma.MaskError as error:
                raise ValueError("Error setting single item of array.") from error
        target = self._flat()
        positions = np.arange(self.base.size)[key] if not isinstance(key, LazyArray) else None
        wanted = target[key].shape if positions is None else np.shape(positions)
        count = int(np.prod(wanted, dtype=int))
        from lazyarr.convert import PYTHON_SCALARS, as_lazy, from_numpy
        from lazyarr.dispatch import NotCompiled
        from lazyarr.weak import WeakScalar

        if isinstance(value, WeakScalar) or (isinstance(value, PYTHON_SCALARS) and not isinstance(value, np.generic)):
            target[key] = value
            return
        try:
            source = as_lazy(value).reshape(-1)
        except NotCompiled:
            # (Its elements are cast, as in NumPy.)
            source = from_numpy(np.asarray(value).astype(self.base.dtype), copy=False).reshape(-1)
        if source.size == 0:
            if count:
                raise ValueError("Error setting single item of array.")
            return
        # NumPy repeats values that are too few, and ignores those that are too many.
        target[key] = source[from_numpy(np.arange(count) % source.size, copy=False)].reshape(wanted)

    def __lazyarr__(self) -> LazyArray:
        # NumPy shares the memory where it can, even if it is asked for a copy; what it copies is read-only.
        found = self._flat()
        if not self.base.flags.c_contiguous:
            found = found.copy()
            found._writeable = False
        return found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self._flat().__array__(dtype, copy)

    def copy(self) -> LazyArray:
        return self._flat().copy()

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: Any) -> Any:
        return self._flat() == _array(other)

    def __ne__(self, other: Any) -> Any:
        return self._flat() != _array(other)

    def __lt__(self, other: Any) -> Any:
        return self._flat() < _array(other)

    def __le__(self, other: Any) -> Any:
        return self._flat() <= _array(other)

    def __gt__(self, other: Any) -> Any:
        return self._flat() > _array(other)

    def __ge__(self, other: Any) -> Any:
        return self._flat() >= _array(other)


def _array(x: Any) -> Any:
    return x._flat() if isinstance(x, FlatIterator) else x
