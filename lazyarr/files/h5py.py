"""`h5py` on several ranks.

Rank 0 has the files; HDF5 is written by one process. A large data set of a file that is open for reading every rank
reads itself, its part alone; where the file is open for writing, parts go through rank 0, a piece at a time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import h5py as _h5py
import numpy as np
from h5py._hl.base import ItemsViewHDF5, KeysViewHDF5, ValuesViewHDF5

from lazyarr import world
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.files.parts import Box, from_first, part_of, read_parts, to_first
from lazyarr.files.remote import Library, Mapping, Proxy, as_array, plain, shown
from lazyarr.files.selection import select
from lazyarr.ir.types import NAMES

_library = Library(
    "h5py",
    lambda: [(_h5py.File, File), (_h5py.Group, Group), (_h5py.Dataset, Dataset), (_h5py.Datatype, Datatype),
             (_h5py.AttributeManager, AttributeManager)],
)  # fmt: skip


class HLObject(Proxy):
    """As `h5py.HLObject`."""


class Datatype(HLObject):
    """As `h5py.Datatype`."""

    _kind = "Datatype"


class _Mapping(Mapping):
    """What has names, in h5py's own words."""

    def keys(self) -> Any:
        return KeysViewHDF5(self)

    def values(self) -> Any:
        return ValuesViewHDF5(self)

    def items(self) -> Any:
        return ItemsViewHDF5(self)


class AttributeManager(_Mapping):
    """As `h5py.AttributeManager`."""

    _kind = "attrs"


class Group(HLObject, _Mapping):
    """As `h5py.Group`; data that is split is written in parts."""

    _kind = "Group"

    def __setitem__(self, name: Any, value: Any) -> None:
        part = part_of(value)
        if part is None:
            super().__setitem__(name, value)
            return
        made = self.create_dataset(None, data=value)
        super().__setitem__(name, made)

    def create_dataset(self, name: Any, shape: Any = None, dtype: Any = None, data: Any = None, **kwds: Any) -> Any:
        part = part_of(data)
        extents = plain(shape)
        if part is not None and extents is not None:
            given = (extents,) if isinstance(extents, int) else tuple(extents)
            part = part if given == part.shape else None  # reshaped, or wrong
        if part is None:
            values, options = plain(data), plain(kwds)
            return self._do(
                f".create_dataset({shown(name)})",
                lambda real: real.create_dataset(name, shape=extents, dtype=dtype, data=values, **options),
            )
        options, whole, kind = plain(kwds), part.shape, part.dtype if dtype is None else dtype
        made = self._do(
            f".create_dataset({shown(name)})",
            lambda real: real.create_dataset(name, shape=whole, dtype=kind, **options),
        )
        made[...] = data
        return made

    def visit(self, func: Callable[[str], Any]) -> Any:
        return self._visit("visit", func)

    def visit_links(self, func: Callable[[str], Any]) -> Any:
        return self._visit("visit_links", func)

    def visititems(self, func: Callable[[str, Any], Any]) -> Any:
        return self._visit("visit", lambda name: func(name, self[name]))

    def visititems_links(self, func: Callable[[str, Any], Any]) -> Any:
        return self._visit("visit_links", lambda name: func(name, self.get(name, getlink=True)))

    def _visit(self, method: str, func: Callable[[str], Any]) -> Any:
        def collect(real: Any) -> list[str]:
            names: list[str] = []
            getattr(real, method)(names.append)
            return names

        for name in self._do(f".{method}", collect):
            found = func(name)
            if found is not None:
                return found
        return None


class File(Group):
    """As `h5py.File`.

    Files in memory, and files that are open through MPI (``driver="mpio"``), are every rank's own.
    """

    _kind = "File"

    def __new__(cls, name: Any, mode: str = "r", driver: Any = None, *args: Any, **kwds: Any) -> Any:
        own = not isinstance(name, (str, bytes, os.PathLike)) or driver in ("mpio", "fileobj")
        if own:
            return _h5py.File(name, mode, driver, *args, **kwds)
        text = os.fsdecode(name)
        return _library.perform(f"File({text!r}, {mode!r})", lambda: _h5py.File(name, mode, driver, *args, **kwds))

    def __init__(self, *args: Any, **kwds: Any):
        """`__new__` has opened it."""


class Dataset(HLObject):
    """As `h5py.Dataset`; large ones are read and written in parts."""

    _kind = "Dataset"

    def __getitem__(self, key: Any, new_dtype: Any = None) -> Any:
        index = plain(key)
        together = world.current()
        shape, dtype, file, name = self._do(f"[{shown(key)}]", _facts)
        chosen = None if shape is None or new_dtype is not None else select(index, shape)
        layout = None if chosen is None else world.entering(chosen.shape)
        if chosen is None or layout is None or together is None or dtype not in NAMES:
            if new_dtype is None:
                return self._do(f"[{shown(key)}]", lambda real: real[index])
            return self._do(f"[{shown(key)}]", lambda real: real.__getitem__(index, new_dtype))
        get, real = chosen.part, self._real
        if file is None:
            return from_first(together, layout, chosen.shape, dtype, lambda box: real[get(box)])
        if together.rank == 0:
            return read_parts(together, layout, chosen.shape, dtype, lambda box: real[get(box)])

        def read(box: Box) -> Any:
            with _h5py.File(file, "r") as opened:
                return opened[name][get(box)]

        return read_parts(together, layout, chosen.shape, dtype, read)

    def __setitem__(self, key: Any, value: Any) -> None:
        index = plain(key)
        part = part_of(value)
        if part is not None:
            shape = self._do(f"[{shown(key)}] = ...", lambda real: real.shape)
            chosen = None if shape is None else select(index, shape)
            if chosen is not None and chosen.shape == part.shape:
                at, real = chosen.part, self._real
                to_first(part, lambda box, array: real.__setitem__(at(box), array))
                return
        super().__setitem__(key, value)

    def __iter__(self) -> Iterator[Any]:
        shape = self._do(": its shape", lambda real: real.shape)
        if not shape:
            raise TypeError("Can't iterate over a scalar dataset")
        return (self[k] for k in range(shape[0]))

    def read_direct(self, dest: Any, source_sel: Any = None, dest_sel: Any = None) -> None:
        dest[... if dest_sel is None else dest_sel] = self[... if source_sel is None else source_sel]

    def write_direct(self, source: Any, source_sel: Any = None, dest_sel: Any = None) -> None:
        self[... if dest_sel is None else dest_sel] = source[... if source_sel is None else source_sel]

    def __lazyarr__(self) -> LazyArray:
        return as_lazy(as_array(self[()]))

    def __array__(self, dtype: Any = None, copy: bool | None = True) -> np.ndarray[Any, Any]:
        return np.asarray(self[()], dtype)


def _facts(real: Any) -> tuple[Any, Any, str | None, str | None]:
    """Shape and dtype, and where other ranks may read it themselves."""
    file = real.file
    plain_file = file.mode == "r" and file.driver == "sec2" and not file.swmr_mode
    local = plain_file and real.name is not None and not real.is_virtual
    return real.shape, real.dtype, os.path.abspath(file.filename) if local else None, real.name


def __getattr__(name: str) -> Any:
    return getattr(_h5py, name)
