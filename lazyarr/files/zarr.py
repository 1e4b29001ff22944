"""`zarr` on several ranks.

Rank 0 makes arrays and groups, and knows what is in them. A large array of a local store every rank reads itself, its
part alone, and writes itself, each rank the chunks (or shards) that no other rank touches; elsewhere parts go through
rank 0, a piece at a time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import zarr as _zarr
from zarr.core.attributes import Attributes as _Attributes
from zarr.storage import LocalStore

from lazyarr import world
from lazyarr.array import LazyArray
from lazyarr.convert import as_lazy
from lazyarr.files.parts import from_first, part_of, read_parts, to_first, write_units
from lazyarr.files.remote import Library, Mapping, Method, Proxy, as_array, plain, shown
from lazyarr.files.selection import Selection, select
from lazyarr.ir.types import NAMES

_library = Library(
    "zarr", lambda: [(_zarr.Array, Array), (_zarr.Group, Group), (_Attributes, Attributes)], kept="zarr.core."
)
#: Functions, and methods of groups, that write what they are given as ``data`` into the array that they give.
_TAKE_DATA = {"array", "create_array", "create_dataset"}


class Attributes(Mapping):
    """As the attributes of an array or a group of `zarr`."""

    _kind = "attrs"


class Group(Proxy):
    """As `zarr.Group`; data that is split is written in parts."""

    _kind = "Group"

    def __setitem__(self, name: Any, value: Any) -> None:
        part = part_of(value)
        super().__setitem__(name, value if part is None else _outline(part))
        if part is not None:
            self[name][...] = value

    def __getattr__(self, name: str) -> Any:
        return _filling(super().__getattr__(name)) if name in _TAKE_DATA else super().__getattr__(name)


class Array(Proxy):
    """As `zarr.Array`; large ones are read and written in parts."""

    _kind = "Array"

    def __getitem__(self, key: Any) -> Any:
        index = plain(key)
        together = world.current()
        shape, dtype, place, _ = self._do(f"[{shown(key)}]", _facts)
        chosen = select(index, shape)
        layout = None if chosen is None else world.entering(chosen.shape)
        if chosen is None or layout is None or together is None or dtype not in NAMES:
            return self._do(f"[{shown(key)}]", lambda real: real[index])
        get, real = chosen.part, self._real
        if place is None:
            return from_first(together, layout, chosen.shape, dtype, lambda box: real[get(box)])
        return read_parts(together, layout, chosen.shape, dtype, lambda box: _here(real, place)[get(box)])

    def __setitem__(self, key: Any, value: Any) -> None:
        index = plain(key)
        part = part_of(value)
        if part is not None:
            shape, _, place, units = self._do(f"[{shown(key)}] = ...", _facts)
            chosen = select(index, shape)
            if chosen is not None and chosen.shape == part.shape:
                at, real = chosen.part, self._real
                starts = _starts(chosen) if place is not None and units is not None else None
                if starts is None:
                    to_first(part, lambda box, array: real.__setitem__(at(box), array))
                else:
                    sizes = [n for n, axis in zip(units, chosen.axes, strict=True) if isinstance(axis, range)]
                    write_units(part, starts, sizes, lambda box, array: _put(_here(real, place), at(box), array))
                return
        super().__setitem__(key, value)

    def append(self, data: Any, axis: int = 0) -> Any:
        part = part_of(data)
        shape = self._do(": its shape", lambda real: real.shape)
        rest = [n for k, n in enumerate(shape) if k != axis]
        if part is None or len(part.shape) != len(shape) or [n for k, n in enumerate(part.shape) if k != axis] != rest:
            values = plain(data)
            return self._do(".append", lambda real: real.append(values, axis=axis))
        longer = tuple(n + part.shape[k] if k == axis else n for k, n in enumerate(shape))
        self._do(".resize", lambda real: real.resize(longer))
        self[tuple(slice(n if k == axis else 0, None) for k, n in enumerate(shape))] = data
        return longer

    def __iter__(self) -> Iterator[Any]:
        shape = self._do(": its shape", lambda real: real.shape)
        if not shape:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(shape[0]))

    def __lazyarr__(self) -> LazyArray:
        return as_lazy(as_array(self[...]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return np.asarray(self[...], dtype)


def _facts(real: Any) -> tuple[Any, Any, tuple[str, str, int] | None, tuple[int, ...] | None]:
    """Shape, dtype, where other ranks find the array, and the extents of what one process alone may write."""
    store = real.store
    place = (str(store.root), real.path, real.metadata.zarr_format) if isinstance(store, LocalStore) else None
    try:
        units = real.shards or real.chunks
    except NotImplementedError:
        units = None  # chunks that differ
    return real.shape, real.dtype, place, units


def _here(real: Any, place: tuple[str, str, int]) -> Any:
    """An array of a local store, on a rank: opened there, unless it is rank 0's."""
    if real is not None:
        return real
    root, path, version = place
    return _zarr.open_array(LocalStore(root), path=path, mode="r+", zarr_format=version)  # type: ignore[arg-type]


def _put(array: Any, key: Any, value: Any) -> None:
    array[key] = value


def _starts(chosen: Selection) -> list[int] | None:
    """Where a selection begins along the axes that it keeps; None where it leaves indices out."""
    ranges = [axis for axis in chosen.axes if isinstance(axis, range)]
    return [r.start for r in ranges] if all(r.step == 1 for r in ranges) else None


def _outline(part: world.Part) -> Any:
    """An array of zeros of the shape and dtype of one that is split, without memory."""
    return np.broadcast_to(np.zeros((), part.dtype), part.shape)


def _filling(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that makes an array of ``data``; of what is split, in parts."""

    def call(*args: Any, **kwargs: Any) -> Any:
        data = kwargs.get("data")
        part = part_of(data)
        if part is None:
            return function(*args, **kwargs)
        made = function(*args, **{**kwargs, "data": _outline(part)})
        made[...] = data
        return made

    return call


def _called(name: str) -> Method:
    """A function of the package, on rank 0."""
    return _library._proxy(Method, getattr(_zarr, name))  # type: ignore[return-value]


def array(data: Any, **kwargs: Any) -> Any:
    """As `zarr.array`."""
    return _filling(_called("array"))(data=data, **kwargs)


def save_array(store: Any, arr: Any, *, path: str | None = None, **kwargs: Any) -> None:
    """As `zarr.save_array`."""
    part = part_of(arr)
    _called("save_array")(store, arr if part is None else _outline(part), path=path, **kwargs)
    if part is not None:
        _called("open_array")(store, path=path, mode="r+")[...] = arr


def save_group(store: Any, *args: Any, zarr_format: Any = None, path: str | None = None, **kwargs: Any) -> None:
    """As `zarr.save_group`."""
    held = [part_of(x) for x in (*args, *kwargs.values())]
    given = [x if part is None else _outline(part) for x, part in zip((*args, *kwargs.values()), held, strict=True)]
    named = dict(zip(kwargs, given[len(args) :], strict=True))
    _called("save_group")(store, *given[: len(args)], zarr_format=zarr_format, path=path, **named)
    if all(part is None for part in held):
        return
    group = _called("open_group")(store, path=path, mode="r+")
    names = [*(f"arr_{k}" for k in range(len(args))), *kwargs]
    for name, x, part in zip(names, (*args, *kwargs.values()), held, strict=True):
        if part is not None:
            group[name][...] = x


def save(store: Any, *args: Any, zarr_format: Any = None, path: str | None = None, **kwargs: Any) -> None:
    """As `zarr.save`."""
    if len(args) == 1 and not kwargs:
        save_array(store, args[0], zarr_format=zarr_format, path=path)
    else:
        save_group(store, *args, zarr_format=zarr_format, path=path, **kwargs)


def load(store: Any, path: str | None = None, **kwargs: Any) -> Any:
    """As `zarr.load`."""
    found = _called("open")(store=store, path=path, mode="r", **kwargs)
    return found[...] if isinstance(found, Array) else _called("load")(store, path=path, **kwargs)


def __getattr__(name: str) -> Any:
    found = getattr(_zarr, name)
    if not inspect.isfunction(found):
        return found
    return _filling(_called(name)) if name in _TAKE_DATA else _called(name)
