"""Files of arrays on several ranks: each rank reads, or writes, its part."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from lazyarr import world
from lazyarr.array import LazyArray, rebuild
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.types import NAMES
from lazyarr.outside import asking
from lazyarr.runtime import fetch, is_tracing
from lazyarr.strides import contiguous


@implements(np.load)
def load(file: Any, mmap_mode: Any = None, allow_pickle: bool = False, **options: Any) -> LazyArray:
    """As `numpy.load`: of a large array each rank reads its part."""
    together = world.current()
    if together is None or is_tracing() or not isinstance(file, (str, os.PathLike)):
        raise NotCompiled("it reads a file")
    if mmap_mode is not None or allow_pickle or options:
        raise NotCompiled("it reads a file")
    found: LazyArray = asking.read("reads a file (load)", lambda path: _loaded(os.fspath(path), together), file)
    return found


def _loaded(path: str, together: world.World) -> LazyArray:
    try:
        held = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError):
        raise NotCompiled("it reads a file") from None  # NumPy says what is wrong, or reads another format
    layout = world.entering(held.shape)
    if layout is None or held.dtype not in NAMES or not held.flags.c_contiguous:
        raise NotCompiled("it reads a file")
    return rebuild(world.Part.of(held, layout, together))


@implements(np.save)
def save(file: Any, arr: Any, **options: Any) -> None:
    """As `numpy.save`: of a split array each rank writes its part."""
    together = world.current()
    if together is None or is_tracing() or not isinstance(file, (str, os.PathLike)) or not isinstance(arr, LazyArray):
        raise NotCompiled("it writes a file")
    if options or arr._strides != contiguous(arr._shape, arr._dtype.itemsize):
        raise NotCompiled("it writes a file")
    held = fetch(arr._value())
    if not isinstance(held, world.Part):
        raise NotCompiled("it writes a file")
    path = os.fspath(file)
    path = os.path.realpath(path if path.endswith(".npy") else path + ".npy")
    if os.path.exists(path) and not os.path.isfile(path):
        raise NotCompiled("it writes to what is no file")
    # (Who reads the file meanwhile, or if that fails, finds what was there before.)
    new = path + ".part"
    try:
        write(new, held, path if os.path.exists(path) else None)
    except OSError:
        world.once("save", lambda: _remove(new))
        raise
    world.once("save", lambda: os.replace(new, path))


def write(path: str, held: world.Part, like: str | None = None) -> None:
    """Write a split array into a new ``.npy`` file, which may be read as the one that it is `like`.

    Raises
    ------
    OSError
        On every rank, if one cannot write its part; the file is then incomplete.
    """
    together = held.world
    assert together is not None
    header = {"descr": np.lib.format.dtype_to_descr(held.dtype), "fortran_order": False, "shape": held.shape}

    def begin() -> int:
        with open(path, "wb") as out:
            if like is not None:
                os.chmod(path, os.stat(like).st_mode)
            np.lib.format.write_array_header_1_0(out, header)
            return out.tell()

    at = together.communicator.from_first(world.once("save", begin))
    error: Exception | None = None
    try:
        _write_part(path, at, held)
    except OSError as raised:
        error = raised
    failed = [e for e in together.communicator.from_all(error) if e is not None]
    if failed:
        raise failed[0]


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)


def _write_part(path: str, at: int, part: world.Part) -> None:
    """Write this rank's elements where they stand in a file of the whole array, which begins at byte `at`."""
    own = [(s.start, s.stop) for s in part.place]
    array = np.ascontiguousarray(part.array)
    # Elements are neighbours in the file from the last axis that is split on.
    split = max(k for k, s in enumerate(part.layout) if s is not None)
    strides = contiguous(part.shape, array.itemsize)
    with open(path, "r+b") as out:
        if array.size == 0:
            return
        for index in np.ndindex(*array.shape[:split]):
            place = sum((i + own[k][0]) * strides[k] for k, i in enumerate(index)) + own[split][0] * strides[split]
            out.seek(at + place)
            out.write(array[index].data)
