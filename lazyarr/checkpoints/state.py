"""What variables hold, to be saved and restored: arrays and other things that change are restored in place.

An array that the program still has where it was when the loop began (whoever else has it: a caller, a function's
globals) gets its elements back there; so do lists, dicts, objects and generators of random numbers. What the loop has
made since is made again, and what was one array, or a view of one, is that again.
"""

from __future__ import annotations

import copyreg
import hashlib
import io
import pickle
import sys
import types
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

import numpy as np

from lazyarr import views
from lazyarr.array import LazyArray
from lazyarr.ir.layout import length
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import leaf
from lazyarr.runtime import as_numpy, evaluate
from lazyarr.world import Part

#: Arrays of fewer bytes are saved with the other things, not in files of their own.
SMALL = 1 << 14


class Unsaved(Exception):
    """A variable holds what cannot be saved."""


@dataclass
class Stored:
    """An array that is to be saved.

    Attributes
    ----------
    kind : {"lazy", "numpy"}
    origin : int or None
        Which of the arrays it is that were there when the loop began.
    strides, shape : tuple of int
    dtype : numpy.dtype
    writeable : bool
    data
        Its elements: a NumPy array, or a `Part`; while it is saved, None in what goes to the file.
    checksum : int
        Of the elements.
    """

    kind: str
    origin: int | None
    strides: tuple[int, ...]
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    writeable: bool
    data: Any
    checksum: int = 0


class Entry:
    """The arrays and other things that a loop's variables held when it began, in the order of the variables."""

    def __init__(self) -> None:
        self.arrays: list[weakref.ref[Any]] = []
        self.others: list[Any] = []
        #: Numbers by identity, which another thing may have by now.
        self._known: dict[int, int] = {}

    @property
    def counts(self) -> tuple[int, int]:
        """How many arrays there are, and other things: the same each time that the program begins its loop."""
        return len(self.arrays), len(self.others)

    def array(self, x: Any) -> int | None:
        """Which of the arrays this is."""
        number = self._known.get(id(x))
        return number if number is not None and number < len(self.arrays) and self.arrays[number]() is x else None

    def other(self, x: Any) -> int | None:
        """Which of the other things this is."""
        number = self._known.get(id(x))
        return number if number is not None and number < len(self.others) and _of(self.others[number]) is x else None

    def add(self, x: Any, is_array: bool) -> int:
        """Note a thing; gives its number."""
        found = self.arrays if is_array else self.others
        self._known[id(x)] = number = len(found)
        found.append(weakref.ref(x) if is_array else _weak(x))
        return number

    def is_plain(self) -> bool:
        """Whether the program's arrays are NumPy's own."""
        held = [x for r in self.arrays if (x := r()) is not None]
        return bool(held) and not any(isinstance(x, LazyArray) for x in held)

    def left(self) -> tuple[list[Any], list[int]]:
        """The arrays that somebody still has, and the other things (by number) that somebody else has too."""
        # (A thing is referred to by the list, the loop's variable, and `getrefcount`.)
        others = [k for k, held in enumerate(self.others) if _of(held) is not None
                  and (isinstance(held, weakref.ref) or sys.getrefcount(held) > 3)]  # fmt: skip
        return [x for r in self.arrays if (x := r()) is not None], others


def _of(held: Any) -> Any:
    return held() if isinstance(held, weakref.ref) else held


def _weak(x: Any) -> Any:
    try:
        return weakref.ref(x)
    except TypeError:
        return x  # lists and dicts


def owner(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The array that has the memory that another one is a view of."""
    while isinstance(x.base, np.ndarray):
        x = x.base
    return x


class Saver(pickle.Pickler):
    """Writes values, without the elements of arrays.

    Parameters
    ----------
    entry : Entry
    begins : bool
        Whether the loop begins: what is met is noted in `entry`.

    Attributes
    ----------
    arrays : list of Stored
    """

    def __init__(self, entry: Entry, begins: bool):
        self.buffer = io.BytesIO()
        super().__init__(self.buffer, protocol=5)
        self.entry, self._begins = entry, begins
        self.arrays: list[Stored] = []
        self._numbers: dict[int, int] = {}
        self._held: list[Any] = []  # what has a number stays alive, and its identity its own
        self._met: list[int] = []

    def contents(self) -> list[int]:
        """Write what the things hold that are restored in place, as far as they have been met; gives their numbers."""
        done: list[int] = []
        while len(done) < len(self._met):
            number = self._met[len(done)]
            done.append(number)
            self.dump(_contents(_of(self.entry.others[number])))
        self._met.clear()
        return done

    def forget(self) -> None:
        """Do not write what has been met and is not written yet."""
        self._met.clear()

    def left(self) -> None:
        """Meet what was there when the loop began, is no variable any more, and is still somebody's."""
        arrays, others = self.entry.left()
        for x in arrays:
            self._array(x)
        for number in others:
            x = _of(self.entry.others[number])
            if id(x) not in self._numbers:
                self._note(x, number)

    def persistent_id(self, x: Any) -> Any:
        if isinstance(x, LazyArray):
            return ("array", self._array(x)) if x._parent is None and not x._scalar else None
        if type(x) is np.ndarray:
            return ("array", self._array(x)) if owner(x) is x and not x.dtype.hasobject else None
        if not _is_kept(x):
            return None
        number = self._numbers.get(id(x))
        if number is None:
            number = self.entry.other(x)
            if number is None:
                if not self._begins:
                    return None
                number = self.entry.add(x, is_array=False)
            self._note(x, number)
        return "other", number

    def _note(self, x: Any, number: int) -> None:
        self._numbers[id(x)] = number
        self._held.append(x)
        self._met.append(number)

    def reducer_override(self, x: Any) -> Any:
        if isinstance(x, LazyArray) and x._parent is not None:
            parent = x._parent
            if parent._form is not None:
                raise Unsaved("a view of an array whose shape was assigned after that")
            offset = x._offset - parent._offset
            return _lazy_view, (parent, x._step, x._shape, x._strides, offset, x._dtype, x._writeable)
        if type(x).__module__ == views.__name__:
            # (`pickle` would make a list of it, as if that were one of the program's, to be restored in place.)
            return type(x), tuple(getattr(x, f.name) for f in fields(x))
        if type(x) is np.ndarray and (base := owner(x)) is not x and type(base) is np.ndarray:
            if not x.dtype.hasobject and (base.flags.c_contiguous or base.flags.f_contiguous):
                offset = x.__array_interface__["data"][0] - base.__array_interface__["data"][0]
                return _view, (base, x.dtype, x.shape, x.strides, offset, x.flags.writeable)
        if isinstance(x, _BY_NAME) or type(x) in copyreg.dispatch_table:
            return NotImplemented
        # (What an object gives as its state is copied: its own dictionary would seem to be one of the program's.)
        found = x.__reduce_ex__(5)
        return (*found[:2], _copied(found[2]), *found[3:]) if isinstance(found, tuple) and len(found) > 2 else found

    def _array(self, x: Any) -> int:
        number = self._numbers.get(id(x))
        if number is not None:
            return number
        origin = self.entry.array(x)
        if self._begins and origin is None:
            origin = self.entry.add(x, is_array=True)
        number = self._numbers[id(x)] = len(self.arrays)
        self._held.append(x)
        lazy = isinstance(x, LazyArray)
        data = evaluate([x._value()])[0] if lazy else x
        data = data if isinstance(data, Part) else as_numpy(data)
        kind, writeable = ("lazy", x._writeable) if lazy else ("numpy", x.flags.writeable)
        self.arrays.append(Stored(kind, origin, x.strides, x.shape, x.dtype, writeable, data))
        return number


#: What is pickled by its name.
_BY_NAME = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)
#: Bit of a class's flags that says that it was made at run time (``Py_TPFLAGS_HEAPTYPE``).
_HEAP_TYPE = 1 << 9


def _is_kept(x: Any) -> bool:
    """Whether a thing other than an array is restored in place."""
    kind: Any = type(x)
    if kind in (list, dict, set) or isinstance(x, (np.random.Generator, np.random.RandomState)):
        return True
    return not isinstance(x, _BY_NAME) and hasattr(x, "__dict__") and _is_plain_class(kind)


@lru_cache(maxsize=256)
def _is_plain_class(kind: Any) -> bool:
    """Whether a class is one in Python whose objects are all in their dictionaries, and pickled by Python itself."""
    special = ("__slots__", "__getstate__", "__reduce__", "__reduce_ex__")
    bases = [base for base in kind.__mro__ if base is not object]
    return all(base.__flags__ & _HEAP_TYPE and not any(name in vars(base) for name in special) for base in bases)


def _copied(state: Any) -> Any:
    if isinstance(state, tuple):
        return tuple(map(_copied, state))
    return state.copy() if type(state) in (dict, list, set) else state


def _contents(x: Any) -> Any:
    if isinstance(x, np.random.Generator):
        return "generator", pickle.dumps(x.bit_generator.state)
    if isinstance(x, np.random.RandomState):
        return "stream", pickle.dumps(np.random.RandomState.get_state(x, legacy=False))
    if isinstance(x, dict):
        return "dict", tuple(x.items())
    if isinstance(x, set):
        return "set", tuple(sorted(x, key=repr))  # in an order that is the same in every process
    if isinstance(x, list):
        return "list", tuple(x)
    return "object", tuple(vars(x).items())


def _restore(x: Any, kind: str, contents: Any) -> None:
    if kind == "generator":
        x.bit_generator.state = pickle.loads(contents)
    elif kind == "stream":
        np.random.RandomState.set_state(x, pickle.loads(contents))
    elif kind == "list":
        x[:] = contents
    else:
        target = vars(x) if kind == "object" else x
        target.clear()
        target.update(contents)


def _lazy_view(parent: Any, step: Any, shape: Any, strides: Any, offset: int, dtype: Any, writeable: bool) -> Any:
    if isinstance(parent, np.ndarray):
        return step.view(parent)  # the program has NumPy's arrays now
    return parent._view(step, shape, strides, offset, dtype, writeable)


def _view(base: Any, dtype: Any, shape: Any, strides: Any, offset: int, writeable: bool) -> np.ndarray[Any, Any]:
    if isinstance(base, LazyArray):
        raise ValueError("a view of an array of NumPy's own was saved, and the program has lazy arrays now: start it "
                         "as it was started then")
    memory = base.reshape(-1, order="A" if base.flags.f_contiguous else "C").view(np.uint8)
    found: np.ndarray[Any, Any] = np.ndarray(shape, dtype, memory, offset, strides)
    found.flags.writeable = writeable
    return found


class Loader(pickle.Unpickler):
    """Reads what a `Saver` has written.

    Parameters
    ----------
    data : bytes
    entry : Entry
        Of the loop that goes on.
    arrays : list of Stored
        With their elements.
    """

    def __init__(self, data: bytes, entry: Entry, arrays: list[Stored]):
        super().__init__(io.BytesIO(data))
        self._entry = entry
        self._arrays: list[Any] = [_array(entry, stored) for stored in arrays]

    def persistent_load(self, name: Any) -> Any:
        kind, number = name
        return self._arrays[number] if kind == "array" else _of(self._entry.others[number])

    def contents(self, numbers: list[int]) -> None:
        """Restore what things hold."""
        for number, (kind, contents) in [(n, self.load()) for n in numbers]:
            _restore(_of(self._entry.others[number]), kind, contents)


def _array(entry: Entry, stored: Stored) -> Any:
    """An array with the elements that were saved: the one that was there when the loop began, or a new one."""
    held = None if stored.origin is None else entry.arrays[stored.origin]()
    if held is not None and (held.shape, held.dtype) == (stored.shape, stored.dtype):
        if isinstance(held, LazyArray):
            (held if held._form is None else held._form)._store(_value(stored))
            return held
        if held.flags.writeable:
            np.copyto(held, stored.data)
            return held
    if stored.kind == "lazy" and not entry.is_plain():
        made = LazyArray._new(_value(stored), stored.strides)
        made._writeable = stored.writeable
        return made
    # (An array that has its memory itself, laid out as those of these strides, of which no element is looked at.)
    like: Any = np.lib.stride_tricks.as_strided(np.empty((), stored.dtype), stored.shape, stored.strides)
    found = np.empty_like(like, order="K")
    np.copyto(found, stored.data)
    found.flags.writeable = stored.writeable
    return found


def _value(stored: Stored) -> Value:
    return leaf(stored.data, ArrayType(stored.dtype, stored.shape))


# --- sums over elements


def checksum(array: np.ndarray[Any, Any], place: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> int:
    """A sum over the elements of a part of an array, each mixed with where it stands: those of parts add up.

    It is taken modulo 2**64. The mixing is the finalizer of the generator splitmix64 (Steele, Lea and Flood, "Fast
    splittable pseudorandom number generators", 2014): every bit of a word changes half of the bits.

    Parameters
    ----------
    array : ndarray
    place : tuple of (start, stop)
        Where it stands in the whole array, which has the extents `shape`.
    shape : tuple of int
    """
    if array.nbytes == 0:
        return 0
    if array.ndim == 0:
        array, place, shape = array.reshape(1), ((0, 1),), (1,)
    step = max(1, (1 << 16) * len(array) // array.size)
    total = 0
    for start in range(0, len(array), step):
        rows = np.ascontiguousarray(array[start : start + step])
        index = np.zeros((1,) * rows.ndim, np.uint64)
        for axis, ((first, _), n) in enumerate(zip(place, rows.shape, strict=True)):
            begin = first + (start if axis == 0 else 0)
            along = np.arange(begin, begin + n, dtype=np.uint64).reshape((-1,) + (1,) * (rows.ndim - axis - 1))
            index = index * np.uint64(shape[axis]) + along
        unit = next(n for n in (8, 4, 2, 1) if rows.itemsize % n == 0)
        words = rows.view(f"u{unit}").reshape(*rows.shape, -1).astype(np.uint64)
        count = words.shape[-1]
        for k in range(count):
            mixed = (index * np.uint64(count) + np.uint64(k + 1)) * np.uint64(0x9E3779B97F4A7C15)
            # (Of the index by itself first: words that go up by as much as it goes down must not hide each other.)
            mixed = _mixed(_mixed(mixed) ^ words[..., k])
            total += int(mixed.sum(dtype=np.uint64))
    return total % (1 << 64)


def _mixed(z: np.ndarray[Any, np.dtype[np.uint64]]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return z


def sum_of(data: Any) -> int:
    """The checksum of an array, which all ranks ask for where it is split."""
    if not isinstance(data, Part):
        array = np.asarray(data)
        return checksum(array, tuple((0, n) for n in array.shape), array.shape)
    together, own = data.world, tuple((s.start, s.stop) for s in data.place)
    assert together is not None
    used = {split.dim for split in data.layout if split is not None}
    first = all(k == 0 for dim, k in enumerate(together.communicator.place) if dim not in used)
    mine = checksum(data.array, own, data.shape) if first and all(map(length, own)) else 0
    found: int = sum(together.communicator.from_all(mine)) % (1 << 64)
    return found


@dataclass
class Beginning:
    """How a loop begins.

    Attributes
    ----------
    entry : Entry
    digests : dict of str to str
        Of what each variable holds.
    """

    entry: Entry = field(default_factory=Entry)
    digests: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(values: Mapping[str, Any], unsaved: Callable[[str, Exception], None]) -> Beginning:
        """Note what variables hold.

        Parameters
        ----------
        values : mapping
        unsaved : callable
            Told of the name of a variable that holds what cannot be saved, and why.
        """
        found = Beginning()
        saver = Saver(found.entry, begins=True)
        for name, value in values.items():
            at, count = saver.buffer.tell(), len(saver.arrays)
            try:
                saver.dump(value)
                saver.contents()
            except (pickle.PicklingError, TypeError, AttributeError, Unsaved, NotImplementedError) as error:
                unsaved(name, error)
                saver.forget()
                continue
            sums = [sum_of(stored.data) for stored in saver.arrays[count:]]
            text = saver.buffer.getbuffer()[at:].tobytes() + repr(sums).encode()
            found.digests[name] = hashlib.blake2b(text, digest_size=16).hexdigest()
        return found
