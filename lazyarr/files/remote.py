"""Objects that rank 0 has, and every rank a `Proxy` of: what all ranks ask of it, rank 0 does, and tells the others."""

from __future__ import annotations

import pickle
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any, ClassVar

import numpy as np

from lazyarr import world
from lazyarr.array import LazyArray, rebuild
from lazyarr.ir.types import NAMES
from lazyarr.portable import portable
from lazyarr.weak import WeakScalar


class Library:
    """A package whose objects rank 0 has.

    Parameters
    ----------
    name : str
    classes : callable
        Gives the classes of its objects, each with that of the proxies; the most special ones first.
    kept : str
        The beginning of the names of modules whose objects are not sent, though they could be.
    """

    def __init__(self, name: str, classes: Callable[[], list[tuple[Any, type[Proxy]]]], kept: str | None = None):
        self.name = name
        self.classes = classes
        self._kept = kept

    def perform(self, what: str, operation: Callable[[], Any]) -> Any:
        """What an operation gives that rank 0 performs: a copy, or a proxy of what cannot be sent.

        What it raises all ranks raise. Where there are no ranks, it is performed here.
        """
        together = world.current()
        if together is None:
            real = operation()
            cls = self._stands_for(real)
            return real if cls is None else self._proxy(cls, real)
        together.agree(f"{self.name}: {what}")
        real, sent = None, b""
        error: BaseException | None = None
        if together.rank == 0:
            try:
                with together.alone(f"{self.name}: {what}"):
                    real = operation()
            except BaseException as raised:  # noqa: BLE001  raised below, on every rank
                error = raised
            sent = self._described(real, error)
        kind, value = pickle.loads(together.communicator.from_first(sent))
        if kind == "error":
            try:
                raise error or value
            finally:
                # (Its traceback has this frame: a cycle, that nobody looks for.)
                del error, value
        if kind == "value":
            return value
        return self._proxy(self._class(kind), real)

    def _described(self, real: Any, error: BaseException | None) -> bytes:
        if error is not None:
            return pickle.dumps(("error", portable(error)))
        found = self._stands_for(real)
        if found is None:
            try:
                return pickle.dumps(("value", real))
            except (TypeError, AttributeError, pickle.PicklingError, NotImplementedError):
                found = Proxy
        return pickle.dumps((found.__name__, None))

    def _stands_for(self, real: Any) -> type[Proxy] | None:
        """The class of the proxies of what an operation has given; None where it is sent itself."""
        for cls, made in self.classes():
            if isinstance(real, cls):
                return made
        if callable(real) and not isinstance(real, type):
            return Method
        return Proxy if self._kept is not None and type(real).__module__.startswith(self._kept) else None

    def _class(self, name: str) -> type[Proxy]:
        known: list[type[Proxy]] = [Method, Proxy, *(made for _, made in self.classes())]
        return next(cls for cls in known if cls.__name__ == name)

    def _proxy(self, cls: type[Proxy], real: Any) -> Proxy:
        found = object.__new__(cls)
        found.__dict__.update(_library=self, _real=real)
        return found


def plain(x: Any) -> Any:
    """An argument as the package takes it: lazy arrays computed, proxies as what rank 0 has in their place."""
    if isinstance(x, LazyArray):
        data = x._elements("a call that runs on rank 0")
        return data[()] if x._scalar else data
    if isinstance(x, WeakScalar):
        return x.python_type(x)
    if isinstance(x, Proxy):
        return x.__dict__["_real"]
    if type(x) in (list, tuple, set):
        return type(x)(map(plain, x))
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(plain, x))
    if type(x) is dict:
        return {key: plain(value) for key, value in x.items()}
    return slice(plain(x.start), plain(x.stop), plain(x.step)) if isinstance(x, slice) else x


def as_array(x: Any) -> Any:
    """A result as the program has it: NumPy's arrays as lazy ones."""
    return rebuild(x) if type(x) is np.ndarray and x.dtype in NAMES and x.flags.owndata else x


def shown(x: Any) -> str:
    """A key in words: the same on all ranks."""
    if isinstance(x, tuple):
        return f"({', '.join(map(shown, x))})"
    return repr(x) if isinstance(x, (str, int, slice, type(None))) or x is Ellipsis else type(x).__name__


class Proxy:
    """An object of a package that rank 0 has."""

    _library: Library
    _real: Any
    #: What stands for it in messages.
    _kind: ClassVar[str] = "object"

    def _do(self, what: str, operation: Callable[[Any], Any]) -> Any:
        return as_array(self._library.perform(f"{self._kind}{what}", lambda: operation(self._real)))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._do(f".{name}", lambda real: getattr(real, name))

    def __setattr__(self, name: str, value: Any) -> None:
        data = plain(value)
        self._do(f".{name} = ...", lambda real: setattr(real, name, data))

    def __getitem__(self, key: Any) -> Any:
        index = plain(key)
        return self._do(f"[{shown(key)}]", lambda real: real[index])

    def __setitem__(self, key: Any, value: Any) -> None:
        index, data = plain(key), plain(value)
        self._do(f"[{shown(key)}] = ...", lambda real: real.__setitem__(index, data))

    def __delitem__(self, key: Any) -> None:
        index = plain(key)
        self._do(f": del [{shown(key)}]", lambda real: real.__delitem__(index))

    def __contains__(self, item: Any) -> bool:
        index = plain(item)
        return bool(self._do(f": {shown(item)} in it", lambda real: index in real))

    def __len__(self) -> int:
        return int(self._do(": its length", len))

    def __iter__(self) -> Iterator[Any]:
        return iter(self._do(": what is in it", list))

    def __bool__(self) -> bool:
        return bool(self._do(": its truth", bool))

    def __repr__(self) -> str:
        return str(self._do(": its text", repr))

    def __str__(self) -> str:
        return str(self._do(": its text", str))

    def __eq__(self, other: object) -> bool:
        mine = plain(other)
        return bool(self._do(": whether it is another", lambda real: real == mine))

    def __hash__(self) -> int:
        return int(self._do(": its hash", hash))

    def __reduce__(self) -> Any:
        raise TypeError(f"a {self._kind} of {self._library.name} that rank 0 has cannot be pickled")

    def __enter__(self) -> Any:
        return self

    def __exit__(self, kind: Any, *error: Any) -> None:
        if kind is None:
            self.close()
        elif self._real is not None:
            # (Perhaps on this rank alone: nobody is asked.)
            self._real.close()


class Mapping(Proxy):
    """What rank 0 has by names."""

    def keys(self) -> Any:
        return KeysView(self)

    def values(self) -> Any:
        return ValuesView(self)

    def items(self) -> Any:
        return ItemsView(self)


class Method(Proxy):
    """A method of an object that rank 0 has, or a function of a package there."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        values, named = plain(args), plain(kwargs)
        return self._do(f"({shown(args[:2])})", lambda real: real(*values, **named))
