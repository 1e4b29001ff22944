"""The type of a value: dtype, shape, and whether it is still a Python scalar."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from lazyarr import forks
from lazyarr.ir import extents
from lazyarr.ir.extents import Extent, Shape

#: Short names of the dtypes that are compiled; everything else runs in NumPy.
DTYPES: dict[str, np.dtype[Any]] = {
    "bool": np.dtype(np.bool_),
    **{f"i{8 * n}": np.dtype(f"i{n}") for n in (1, 2, 4, 8)},
    **{f"u{8 * n}": np.dtype(f"u{n}") for n in (1, 2, 4, 8)},
    **{f"f{8 * n}": np.dtype(f"f{n}") for n in (2, 4, 8)},
    **{f"c{8 * n}": np.dtype(f"c{n}") for n in (8, 16)},
}
NAMES: dict[np.dtype[Any], str] = {dtype: name for name, dtype in DTYPES.items()}

#: Python's scalar types as weak types: the dtype that holds one until an operation decides (NEP 50).
WEAK: dict[type, np.dtype[Any]] = {int: DTYPES["i64"], float: DTYPES["f64"], complex: DTYPES["c128"]}
_WEAK_NAMES: dict[str, np.dtype[Any]] = {kind.__name__: dtype for kind, dtype in WEAK.items()}
_WEAK_OF = {dtype: kind for kind, dtype in WEAK.items()}


def native(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A dtype in this machine's byte order; one of `DTYPES` if it is of its type.

    (An equal one made by `newbyteorder` is no builtin for NumPy: `numpy.add.at` takes fifty times as long.)
    """
    found = dtype if dtype.isnative else dtype.newbyteorder("=")
    name = NAMES.get(found)
    return found if name is None or DTYPES[name].char != found.char else DTYPES[name]


class UncompiledDtype(TypeError):
    """A dtype that no type of the graph has: strings, objects, dates, longdouble."""


class ArrayType:
    """Type of one value. Interned: equal types are one object, compared by identity.

    Attributes
    ----------
    dtype : numpy.dtype
        Native byte order, one of `DTYPES`.
    shape : tuple of Extent
        One extent an axis; symbolic inside loops.
    weak : bool
        True for a Python scalar, whose dtype an operation still has to decide (NEP 50); shape is then ().
    """

    __slots__ = ("__weakref__", "dtype", "shape", "weak")
    dtype: np.dtype[Any]
    shape: Shape
    weak: bool

    def __new__(cls, dtype: np.dtype[Any], shape: Shape = (), weak: bool = False) -> ArrayType:
        if not weak and (found := _recent.get((dtype, shape))) is not None:
            return found
        # Lengths are equal without their bounds; types are not, for a bound says how much memory a value may need.
        key = (dtype, shape, weak, tuple([n.bound for n in shape if type(n) is extents.Length]))
        known = _types.get(key)
        if known is not None:
            return known
        if dtype not in NAMES:
            raise UncompiledDtype(f"dtype {dtype} is not one lazyarr compiles: {', '.join(DTYPES)}")
        if weak and (shape or dtype not in _WEAK_OF):
            raise TypeError(f"a weak type is a Python scalar, not {dtype}{list(shape)}")
        self = object.__new__(cls)
        # NumPy has two 64-bit integer types that are equal but not one object (C's long and long long).
        object.__setattr__(self, "dtype", DTYPES[NAMES[dtype]])
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "weak", weak)
        # (Threads that make one type at a time must get one object.)
        with _lock:
            found = _types.setdefault(key, self)
        if not weak and all(type(n) is int for n in shape):
            if len(_recent) >= _MOST_RECENT:
                _recent.clear()
            _recent[dtype, shape] = found
        return found

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"ArrayType is immutable; cannot set {name}")

    def __reduce__(self) -> tuple[Any, ...]:
        return ArrayType, (self.dtype, self.shape, self.weak)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Extent:
        """Number of elements."""
        return extents.size(self.shape)

    @property
    def nbytes(self) -> Extent:
        """Bytes that hold a value of this type; of a run-time length, as many as it can be."""
        return extents.size(extents.bounded(self.shape)) * self.dtype.itemsize

    @property
    def python(self) -> type:
        """Python's scalar type of a weak type."""
        return _WEAK_OF[self.dtype]

    @property
    def bounded(self) -> ArrayType:
        """The type with the bound of each `extents.Length` in its place: what a buffer for it has to hold."""
        return self if extents.is_static(self.shape) else ArrayType(self.dtype, extents.bounded(self.shape), self.weak)

    def with_shape(self, shape: Shape) -> ArrayType:
        return ArrayType(self.dtype, shape)

    def __str__(self) -> str:
        if self.weak:
            return self.python.__name__
        return f"{NAMES[self.dtype]}[{','.join(map(extents.show, self.shape))}]"

    __repr__ = __str__


#: Types of known shape that were made not long ago: most come again, and would be made again where nobody holds them.
_recent: dict[tuple[np.dtype[Any], Shape], ArrayType] = {}
_MOST_RECENT = 512
_types: WeakValueDictionary[Any, ArrayType] = WeakValueDictionary()
_lock = forks.lock()


def bounded(types: Sequence[ArrayType]) -> list[ArrayType]:
    """Types with a bound in the place of each `extents.Length`: the same for axes of one length, which is below all."""
    if all(extents.is_static(t.shape) for t in types):
        return list(types)
    least: dict[Any, int] = {}
    for t in types:
        for n in t.shape:
            if isinstance(n, extents.Length):
                least[n.scalar] = min(n.bound, least.get(n.scalar, n.bound))
    return [
        t if extents.is_static(t.shape)
        else ArrayType(t.dtype, tuple(least[n.scalar] if isinstance(n, extents.Length) else n for n in t.shape), t.weak)
        for t in types
    ]  # fmt: skip

_PATTERN = re.compile(r"([a-z]+\d*)\[([^\]]*)\]")


def parse(text: str) -> ArrayType:
    """The type printed as `text`: ``f64[3,n+1]``, or ``float`` for a weak Python scalar.

    Raises
    ------
    ValueError
        If the text is not a type, naming what was expected.
    """
    text = text.strip()
    if text in _WEAK_NAMES:
        return ArrayType(_WEAK_NAMES[text], (), True)
    match = _PATTERN.fullmatch(text)
    if match is None or match[1] not in DTYPES:
        raise ValueError(f"{text!r} is not a type; expected a Python scalar type (int, float, complex) or "
                         f"DTYPE[EXTENT,...] such as f64[512,512], with DTYPE one of {', '.join(DTYPES)}")
    inner = match[2].strip()
    shape = tuple(extents.parse(part.strip()) for part in inner.split(",")) if inner else ()
    return ArrayType(DTYPES[match[1]], shape)


def of(value: Any) -> ArrayType:
    """The type of a NumPy array or scalar, or the weak type of a Python scalar.

    Raises
    ------
    TypeError
        If its dtype is not one of `DTYPES`.
    """
    weak = WEAK.get(type(value))
    if weak is not None:
        return ArrayType(weak, (), True)
    if type(value) is bool:
        return ArrayType(DTYPES["bool"])
    array = np.asarray(value)
    return ArrayType(native(array.dtype), array.shape)
