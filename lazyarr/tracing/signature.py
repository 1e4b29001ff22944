"""What crosses an accelerated call: its arguments taken apart, and the key of what was compiled for them."""

from __future__ import annotations

import dataclasses
import enum
import functools
import math
import types
from collections import deque
from typing import Any

import numpy as np

from lazyarr import streams, world
from lazyarr.array import LazyArray
from lazyarr.ir.types import NAMES, native
from lazyarr.little import extension
from lazyarr.runtime import fetch, recording
from lazyarr.tracing.bound import BoundAccelerated, Wraps
from lazyarr.tracing.classes import can_be_inherited, has_attributes_alone
from lazyarr.tracing.closures import Closures
from lazyarr.tracing.packages import is_own
from lazyarr.tracing.remains import Walk

#: NumPy's functions: ufuncs, those that ask their arguments first, and what stands in their place.
_NUMPYS: tuple[type, ...] = (np.ufunc, type(np.mean), *extension.FUNCTIONS)
#: What stands for no value, in signatures that are made.
_SENTINELS = (type(dataclasses.MISSING), type(getattr(dataclasses, "_HAS_DEFAULT_FACTORY", None)))
_STATIC_OBJECTS = (type, types.ModuleType, types.BuiltinFunctionType, *_NUMPYS, enum.Enum, *_SENTINELS)
#: Items of lists, tuples, dicts and objects of a call, at most, and as how many one of these counts. Each item is an
#: input of its own: a look at all takes as long as many a function does, and tracing a hundred times as long.
MOST_ITEMS, _HOLDER = 250_000, 12
_STATIC = (bool, str, bytes, type(None), type(...), slice, range, np.dtype)


class Plain(BaseException):
    """The call cannot be traced and runs as ordinary Python; says why.

    Not an Exception, so that the user's own ``except Exception`` does not take it for the program's.

    Attributes
    ----------
    line : (str, int), optional
        The user's line that is the reason.
    large : bool
        Whether there are large arrays: what is around its loops may be compiled by itself.
    """

    def __init__(self, why: str, line: tuple[str, int] | None = None, large: bool = False):
        super().__init__(why)
        self.line, self.large = line, large
        observer = recording().observer
        if observer is not None:
            observer.thrown = self  # code that is traced may have an ``except`` clause for everything


class TooMuch(Plain):
    """The same of a call that is given very many Python objects; all such calls have one key."""

    key = ("too much",)


class InVain(Plain):
    """The same where pieces would take longer than NumPy: a function around such a loop is not to try them either."""


class Acts(InVain):
    """The same before a call does what cannot be taken back: what it calls may be compiled all the same."""


class TookLong(InVain):
    """The same after a trace that took long: calls with other arguments would take as long to find that out."""


class Parts:
    """The parts of a call's arguments, in the order of one walk.

    Attributes
    ----------
    arrays : list of ndarray
        Arrays and NumPy scalars.
    lazy : list of LazyArray or None
        The lazy array an entry of `arrays` is the data of.
    scalars : list
        Python ints, floats, complex numbers.
    holders : list
        Lists, dicts and objects, which the call may change.
    opaque : list
        What lazyarr cannot look into.
    functions : list of function or cell
        Functions among the arguments that others may stand for, and their enclosing variables.
    streams : list of (object, int)
        Streams of random numbers, and where their states are among `arrays`.
    """

    def __init__(self, package: str, refuses_many: bool = True) -> None:
        self.package = package
        self._left = MOST_ITEMS if refuses_many else math.inf
        #: While arguments are described: what is known of functions that may be made anew for each call.
        self.closures: Closures | None = None
        self.functions: list[Any] = []
        self.arrays: list[Any] = []
        self.lazy: list[LazyArray | None] = []
        self.scalars: list[Any] = []
        self.holders: list[Any] = []
        self.opaque: list[Any] = []
        self.streams: list[tuple[Any, int]] = []
        self._seen: dict[int, int] = {}
        self._kept: list[Any] = []
        #: Dicts, and those of objects' attributes, by their identity.
        self._dicts: set[int] = set()
        #: Which of `arrays` an array is, by its identity.
        self._met: dict[int, int] = {}
        #: Those that were met again.
        self.repeated: list[int] = []
        #: Memory of lazy arguments, and whether it is split over ranks.
        self._cells: dict[Any, bool] = {}

    @property
    def elements(self) -> int:
        """How many elements the arrays have together."""
        return sum(math.prod(x.shape) for x in self.arrays)  # (What is split has no size, and is not to be gathered.)

    def describe_call(self, args: tuple[Any, ...], kwargs: dict[str, Any], by_form: bool) -> Any:
        """The keys of a call's arguments; `by_form`: functions are known by what they are, where one can be."""
        self.closures = Closures() if by_form else None
        specs = tuple(self.describe(a) for a in args), tuple((k, self.describe(v)) for k, v in kwargs.items())
        if self.closures is not None:
            self.functions, self.closures = self.closures.finish(), None
        return specs

    def describe_apart(self, *values: Any) -> tuple[Any, bool]:
        """As `describe`, the key of the last of some values; and whether arrays in one of them have been met before it.

        (Or share memory with others.)
        """
        spec, met, before = None, False, len(self.arrays)
        for value in values:
            known, again = len(self.arrays), len(self.repeated)
            spec = self.describe(value)
            met = met or any(k < known for k in self.repeated[again:])
        return spec, met or any(k >= before for group in memory_groups(self.arrays) for k in group)

    def describe(self, value: Any) -> Any:
        """The key of one value; its parts are appended.

        An array that is given twice, in lists and objects too, is one array to the function as well (``y is x``).
        """
        kind = type(value)
        if kind is np.ndarray or isinstance(value, LazyArray):
            at = self._met.get(id(value))
            if at is not None:
                self.repeated.append(at)
                return ("same", at)
            if kind is np.ndarray:
                spec = self._array(value, None)
            else:
                held = value._held_data("an accelerated call")
                self._notice_split(value, held)
                spec = self._array(held, value)
            if spec[0] != "opaque" and world.current() is None:
                self._met[id(value)] = len(self.arrays) - 1
            return spec
        if kind is np.memmap or issubclass(kind, np.generic):
            return self._array(value, None)
        if kind in (int, float, complex):
            self.scalars.append(value)
            return kind
        if kind in _STATIC or isinstance(value, np.dtype):
            return (kind, (value.start, value.stop, value.step)) if kind is slice else (kind, value)
        if isinstance(value, np.ndarray):
            raise Plain(f"an argument is a {kind.__module__}.{kind.__name__}, a subclass of numpy.ndarray")
        return self._structured(value, kind)

    def _notice_split(self, value: LazyArray, held: Any) -> None:
        """Refuse arrays of one memory that is split over ranks: in what they share, one would not see the other."""
        if world.current() is None:
            return
        if value._cell in self._cells and (isinstance(held, world.Part) or self._cells[value._cell]):
            raise Plain("arguments share memory that is split over ranks")
        self._cells[value._cell] = isinstance(fetch(value._cell.value), world.Part)

    def _array(self, value: Any, lazy: LazyArray | None) -> Any:
        dtype = native(value.dtype)
        if dtype not in NAMES:
            self.opaque.append(value)
            return ("opaque", value.dtype)
        self.arrays.append(value)
        self.lazy.append(lazy)
        if isinstance(value, np.generic):
            return ("scalar", dtype)
        if lazy is not None:
            return ("lazy", dtype, value.shape, lazy.strides, lazy._writeable, lazy._scalar)
        return (dtype, value.shape, value.strides, value.flags.writeable)

    def _structured(self, value: Any, kind: type) -> Any:
        if isinstance(value, types.FunctionType):
            return ("function", value if self.closures is None else self.closures.form(value))
        if isinstance(value, types.MethodType) and isinstance(value.__func__, types.FunctionType):
            return ("method", value.__func__, self.describe(value.__self__))
        if isinstance(getattr(value, "__self__", None), streams.CLASSES) and callable(value):
            return ("draws", value.__name__, self.describe(value.__self__))
        # (``table.__setitem__`` has its own class.)
        if isinstance(value, _STATIC_OBJECTS) or (
            kind is types.MethodWrapperType and isinstance(value.__self__, (list, dict, set, deque, np.ndarray))
        ):
            return ("object", value)
        if kind is BoundAccelerated and isinstance(value.__func__.function, types.FunctionType):
            return ("method", value.__func__.function, self.describe(value.__self__))
        if isinstance(value, Wraps) and isinstance(value.function, types.FunctionType):
            return ("object", value)
        at = self._seen.get(id(value))
        if at is not None:
            return ("again", at)
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        if kind is tuple or (isinstance(value, tuple) and hasattr(value, "_fields")):
            self._holds(len(value))
            return (kind, *(self.describe(item) for item in value))
        if kind is list:
            self._holds(len(value))
            self.holders.append(value)
            return (kind, *(self.describe(item) for item in value))
        if kind is dict:
            self._notice_attributes(value)
            self._holds(len(value))
            self.holders.append(value)
            self.opaque.extend(key for key in value if self._changes(key))
            return (kind, *((key, self.describe(item)) for key, item in value.items()))
        stream = self._stream(value) if isinstance(value, streams.CLASSES) and world.current() is None else None
        if stream is not None:
            return stream
        if self.opens(value):
            self._notice_attributes(vars(value))
            self._holds(len(vars(value)))
            self.holders.append(value)
            return (kind, *((name, self.describe(item)) for name, item in vars(value).items()))
        if hasattr(kind, "__array__"):
            # It takes numbers and arrays, and would not know those that stand for the call's.
            raise Plain(f"it is given a {kind.__module__}.{kind.__name__}, an array of another library")
        if kind is types.MethodWrapperType and self.opens(value.__self__):
            raise Plain(f"it is given a method of an object as Python has it in C, {value.__name__}")
        self.opaque.append(value)
        return ("opaque", kind)

    def _notice_attributes(self, contents: dict[Any, Any]) -> None:
        """Refuse an object and the dict of its attributes: in what the call does to one, the other would not see it."""
        if id(contents) in self._dicts:
            raise Plain("it is given an object and the dict of its attributes")
        self._dicts.add(id(contents))

    def _holds(self, items: int) -> None:
        """Count what holds so many items, and refuse very many."""
        self._left -= items + _HOLDER
        if self._left < 0:
            raise TooMuch("it is given very many Python objects, in lists, tuples, dicts or other objects")

    def _stream(self, value: Any) -> Any:
        """The key of a stream of random numbers, whose state is one of the arrays; None where it cannot be."""
        kind = streams.kind_of(value)
        if kind is None:
            return None
        if any(streams.bits(other) is streams.bits(value) for other, _ in self.streams):
            raise Plain("two streams of random numbers are one")
        self.streams.append((value, len(self.arrays)))
        return ("stream", kind, self._array(streams.words_of(value), None))

    def reject_reached_twice(self) -> None:
        """Refuse arrays and objects of the call that something opaque holds too, or shares memory with.

        What the function does to them by one way is not seen by the other before the call ends.

        Raises
        ------
        Plain
            If there is one.
        """
        found: list[Any] = []
        holders = {id(x) for x in (*self.holders, *(stream for stream, _ in self.streams))}
        spans = [np.lib.array_utils.byte_bounds(x) for x in self.arrays if isinstance(x, np.ndarray) and x.size]

        def look(value: Any) -> Any:
            if id(value) in holders:
                found.append(value)
            elif isinstance(value, np.ndarray) and value.size and spans:
                low, high = np.lib.array_utils.byte_bounds(value)
                if any(low < end and begin < high for begin, end in spans):
                    found.append(value)
            return value

        walk = Walk(look, self.opens)
        for value in self.opaque:
            walk.root(value)
        if found:
            raise Plain(f"what lazyarr cannot look into holds a {type(found[0]).__name__} of the call too")

    def _changes(self, key: Any) -> bool:
        """Whether a key of a dict is an object that the function could look into and change."""
        if isinstance(key, (tuple, frozenset)):
            return any(map(self._changes, key))
        if isinstance(key, (str, int, enum.Enum, type, types.FunctionType, types.ModuleType)):
            return False
        frozen = getattr(type(key), "__dataclass_params__", None)
        return self.opens(key) and not (frozen is not None and frozen.frozen)

    def opens(self, value: Any) -> bool:
        """Whether an object's attributes are looked into: dataclasses, and classes of the function's own package."""
        return hasattr(value, "__dict__") and _opens(type(value), self.package)  # type: ignore[arg-type]


@functools.lru_cache(maxsize=512)
def _opens(kind: Any, package: str) -> bool:
    if any(vars(base).get("__slots__") for base in kind.__mro__) and not dataclasses.is_dataclass(kind):
        return False
    if not has_attributes_alone(kind) or not can_be_inherited(kind):
        return False
    if dataclasses.is_dataclass(kind):
        return True
    return is_own(kind.__module__, package)


def memory_groups(arrays: list[Any]) -> list[list[int]]:
    """Which arrays share memory: groups of positions, those that share with nobody left out.

    Memory bounds decide; interleaved arrays (``a[::2]`` and ``a[1::2]``) fall into one group, which is safe.
    """
    if len(arrays) < 2:
        return []
    spans = []
    for position, array in enumerate(arrays):
        if isinstance(array, np.ndarray) and array.size:
            low, high = np.lib.array_utils.byte_bounds(array)
            spans.append((low, high, position))
    spans.sort()
    groups: list[list[int]] = []
    end = -1
    for low, high, position in spans:
        if low < end:
            groups[-1].append(position)
            end = max(end, high)
        else:
            groups.append([position])
            end = high
    return [group for group in groups if len(group) > 1]


def sharing_key(arrays: list[Any], groups: list[list[int]]) -> Any:
    """How the arrays of each group lie to each other."""
    key = []
    for group in groups:
        start = min(np.lib.array_utils.byte_bounds(arrays[k])[0] for k in group)
        key.append(tuple((k, arrays[k].__array_interface__["data"][0] - start) for k in group))
    return tuple(key)


def common_memory(arrays: list[Any], group: list[int]) -> np.ndarray[Any, Any]:
    """One flat array over the memory a group of arrays spans.

    Raises
    ------
    Plain
        If the arrays differ in dtype or do not lie whole elements apart.
    """
    members = [arrays[k] for k in group]
    dtype = members[0].dtype
    bounds = [np.lib.array_utils.byte_bounds(a) for a in members]
    low, high = min(b[0] for b in bounds), max(b[1] for b in bounds)
    width = dtype.itemsize
    starts = [a.__array_interface__["data"][0] for a in members]
    if any(a.dtype != dtype for a in members) or any((s - low) % width for s in starts) or any(
        s % width for a in members for s, n in zip(a.strides, a.shape, strict=True) if n > 1
    ):
        raise Plain("arguments share memory as elements of different kinds")
    return memory_at(low, (high - low) // width, dtype, members, any(a.flags.writeable for a in members))


def memory_at(
    address: int, length: int, dtype: np.dtype[Any], keep: Any, writeable: bool = True
) -> np.ndarray[Any, Any]:
    """A flat array over memory that `keep` owns."""
    holder = types.SimpleNamespace(
        __array_interface__={"data": (address, not writeable), "shape": (length,), "typestr": dtype.str, "version": 3},
        keep=keep,
    )
    return np.asarray(holder)

