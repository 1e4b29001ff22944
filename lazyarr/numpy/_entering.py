"""Data that enters a program on several ranks: each rank keeps its part of it alone.

Random numbers come in the order in which one rank would draw them. A rank draws all of them, some rows at a time, and
keeps its own; where the stream can jump, it draws no others.
"""

from __future__ import annotations

import math
import operator
import os
from typing import Any

import numpy as np

from lazyarr import settings, world
from lazyarr.array import LazyArray, rebuild
from lazyarr.dispatch import NotCompiled, implements
from lazyarr.ir.layout import Layout, default, intersection, is_whole, length, place
from lazyarr.ir.types import NAMES
from lazyarr.runtime import fetch, is_tracing
from lazyarr.strides import contiguous

#: Functions that make their numbers one by one, each in float64 for single parameters: the names of these, in order.
_ONE_BY_ONE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("random", "random_sample", "standard_normal", "standard_exponential"), ("size",)),
    **dict.fromkeys(("normal", "laplace", "gumbel", "logistic"), ("loc", "scale", "size")),
    **dict.fromkeys(("exponential", "rayleigh"), ("scale", "size")),
    "uniform": ("low", "high", "size"), "lognormal": ("mean", "sigma", "size"),
    "gamma": ("shape", "scale", "size"), "beta": ("a", "b", "size"), "chisquare": ("df", "size"),
}  # fmt: skip
#: The same, of which the arguments are the shape.
_BY_EXTENTS = {"rand", "randn"}
#: Numbers that are drawn at a time.
_TOGETHER = 1 << 20


def drawn(function: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> LazyArray | None:
    """A large array of random numbers, split over the ranks; None for any other.

    Parameters
    ----------
    function : callable
        Of NumPy.
    name : str
        Its name.
    args, kwargs
        Its arguments.
    """
    together = world.current()
    if together is None or is_tracing():
        return None
    if name in _BY_EXTENTS and not kwargs:
        size, rest = args, {}
    elif name in _ONE_BY_ONE and len(args) <= len(_ONE_BY_ONE[name]):
        rest = dict(zip(_ONE_BY_ONE[name], args, strict=False)) | kwargs
        size = rest.pop("size", None)
        if not set(rest) <= set(_ONE_BY_ONE[name]) or any(np.ndim(x) for x in rest.values()):
            return None
    else:
        return None
    shape = _shape(size)
    layout = _layout(shape)
    if shape is None or layout is None:
        return None

    def rows(count: int) -> Any:
        dims = (count, *shape[1:])
        return function(*dims) if name in _BY_EXTENTS else function(size=dims, **rest)

    own = place(layout, shape, together.communicator.place)
    part = np.empty(tuple(map(length, own)))
    each = math.prod(shape[1:])
    jump = _jump(function) if name == "random" else None
    first, last = own[0] if jump is not None else (0, shape[0])
    if jump is not None:
        jump(first * each)
    step = max(1, _TOGETHER // max(each, 1))
    for start in range(first, last, step):
        chunk = rows(min(step, last - start))
        low, high = intersection((start, start + len(chunk)), own[0])
        if low < high:
            rest_of = tuple(slice(*r) for r in own[1:])
            part[low - own[0][0] : high - own[0][0]] = chunk[(slice(low - start, high - start), *rest_of)]
    if jump is not None:
        jump((shape[0] - last) * each)
    return rebuild(world.Part(part, layout, shape, together))


def _shape(size: Any) -> tuple[int, ...] | None:
    try:
        return tuple(map(operator.index, size)) if isinstance(size, (tuple, list)) else (operator.index(size),)
    except TypeError:
        return None


def _layout(shape: tuple[int, ...] | None) -> Layout | None:
    """How an array of this shape is split when it enters; None where it is not."""
    together = world.current()
    if together is None or not shape or min(shape) < 1 or math.prod(shape) < settings.current.split_above:
        return None
    layout = default(shape, together.grid)
    return None if is_whole(layout) else layout


def _jump(function: Any) -> Any:
    """What leaves out numbers of the stream that a method draws from; None where it cannot."""
    bits = getattr(getattr(function, "__self__", None), "bit_generator", None)
    if type(bits) is not np.random.PCG64 or bits.state["has_uint32"]:
        return None
    return bits.advance


@implements(np.load)
def load(file: Any, mmap_mode: Any = None, allow_pickle: bool = False, **options: Any) -> LazyArray:
    """As `numpy.load`: of a large array each rank reads its part."""
    if world.current() is None or is_tracing() or not isinstance(file, (str, os.PathLike)):
        raise NotCompiled("it reads a file")
    if mmap_mode is not None or allow_pickle or options:
        raise NotCompiled("it reads a file")
    try:
        held = np.lib.format.open_memmap(os.fspath(file), mode="r")
    except (OSError, ValueError):
        raise NotCompiled("it reads a file") from None  # NumPy says what is wrong, or reads another format
    layout = _layout(held.shape)
    if layout is None or held.dtype not in NAMES or not held.flags.c_contiguous:
        raise NotCompiled("it reads a file")
    together = world.current()
    assert together is not None
    own = place(layout, held.shape, together.communicator.place)
    part = np.array(held[tuple(slice(*r) for r in own)])
    return rebuild(world.Part(part, layout, held.shape, together))


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
    path = path if path.endswith(".npy") else path + ".npy"
    if os.path.exists(path) and not os.path.isfile(path):
        raise NotCompiled("it writes to what is no file")
    # (Who reads the file meanwhile, or if that fails, finds what was there before.)
    new = path + ".part"
    header = {"descr": np.lib.format.dtype_to_descr(arr.dtype), "fortran_order": False, "shape": held.shape}

    def begin() -> int:
        with open(new, "wb") as out:
            np.lib.format.write_array_header_1_0(out, header)
            return out.tell()

    at = together.communicator.from_first(world.once("save", begin))
    error: Exception | None = None
    try:
        _write_part(new, at, held)
    except OSError as raised:
        error = raised
    failed = [e for e in together.communicator.from_all(error) if e is not None]
    world.once("save", lambda: os.remove(new) if failed else os.replace(new, path))
    if failed:
        raise failed[0]


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
