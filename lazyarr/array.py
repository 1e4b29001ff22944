"""LazyArray: an array whose elements are computed when somebody looks at them.

A lazy array is a view of a storage cell. The cell holds the current value, a node of the recorded graph;
reading takes the view of that value, writing replaces it. What is a view is decided by NumPy's own stride
rules (`lazyarr.strides`), so programs that alias behave as they do in NumPy.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr import shown, views
from lazyarr import strides as geometry
from lazyarr.eager import is_little
from lazyarr.ir.extents import Shape, is_static
from lazyarr.ir.node import Value
from lazyarr.ir.types import ArrayType
from lazyarr.leaves import Leaf, leaf
from lazyarr.operators import ArrayOperators
from lazyarr.runtime import FROZEN, NotCaptured, as_numpy, constant_data, evaluate, fetch, recording, storage_lock
from lazyarr.source import is_ours, keeps_elements
from lazyarr.words import order_of
from lazyarr.world import Part


class Cell:
    """Storage of one array: its current value, a leaf once it is computed.

    (`loan`: memory that stands in its place while others write to it; of `lazyarr.aliased.Aliased` alone.)
    """

    __slots__ = ("__weakref__", "loan", "value")
    loan: Any
    value: Value

    def __init__(self, value: Value):
        self.value = value
        now = recording()
        if now.cells is not None:
            now.cells[self] = None
        if not isinstance(value.node, Leaf):
            now.hold(self)


#: What data has under these names.
_OF_DATA = {"_shape": "shape", "_dtype": "dtype", "_strides": "strides", "dtype": "dtype", "strides": "strides"}


class LazyArray(ArrayOperators):
    """An array of fixed shape and dtype whose work is recorded, and run when its data is observed.

    Made by the functions of `lazyarr.numpy`; behaves as `numpy.ndarray` does, views and writes included.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    strides : tuple of int
        Bytes; as NumPy's would be.
    """

    __slots__ = ("__weakref__", "_cell", "_dtype", "_form", "_lent", "_mine", "_offset", "_parent", "_scalar", "_seen",
                 "_shape", "_step", "_strides", "_writeable")  # fmt: skip
    __array_priority__ = 1000.0
    _cell: Cell
    _dtype: np.dtype[Any]
    #: A view of another array's `_mine`, in place of the other attributes: see `lazyarr.little.data.Lent`.
    _lent: Any
    #: Data that this array alone has, and writes to in place (`lazyarr.little`), in place of the other attributes.
    _mine: Any
    #: Set where the user assigned ``shape`` or ``dtype``: the view that this array now is of what it was before.
    _form: LazyArray | None
    _offset: int
    _parent: LazyArray | None
    _scalar: bool
    _seen: tuple[Value, Value] | tuple[Value, Value, Any] | None  # (cell's value, what is seen, `seen_now`)
    _shape: tuple[int, ...]
    _step: views.Step | None
    _strides: tuple[int, ...]
    _writeable: bool

    def __init__(self, *args: Any, **kwargs: Any):
        raise TypeError("make lazy arrays with the functions of lazyarr.numpy (array, zeros, ...)")

    # -- construction --------------------------------------------------------------------------------------

    @classmethod
    def _made(cls, value: Value, strides: tuple[int, ...] | None = None, scalar: bool = False) -> LazyArray:
        """A new array that owns `value`."""
        self = object.__new__(cls)
        type = value.node.types[value.index]
        self._shape, self._dtype = type.shape, type.dtype
        if strides is None:
            strides = geometry.contiguous(type.shape, type.dtype.itemsize) if type.shape else ()
        self._strides = strides
        self._cell = Cell(value)
        self._mine = self._lent = None
        self._offset = 0
        self._form = None
        self._parent = None
        self._step = None
        self._seen = None
        self._scalar = scalar
        self._writeable = not scalar
        return self

    #: (The extension's is another one, of arrays of this class itself.)
    _new = _made

    def _as_scalar(self) -> LazyArray:
        """What NumPy would have as a scalar, not as an array without axes."""
        return LazyArray._new(self._value(), scalar=True)

    def _view(
        self, step: views.Step, shape: Shape, strides: tuple[int, ...], offset: int = 0,
        dtype: np.dtype[Any] | None = None, writeable: bool = True,
    ) -> LazyArray:  # fmt: skip
        """A view of this array."""
        new = object.__new__(type(self))
        new._shape, new._strides = shape, strides
        new._dtype = self._dtype if dtype is None else dtype
        new._cell = self._cell
        new._mine = new._lent = None
        new._offset = self._offset + offset
        new._form = None
        parent = new._parent = self if self._form is None else self._form
        new._step, new._seen, new._scalar = step, None, False
        new._writeable = self._writeable and writeable
        return new if parent._parent is None else views.nearer(new)

    def _settle(self) -> None:
        """Give up data that is this array's alone: make it the value of a cell, which others may refer to."""
        with storage_lock:
            data = self._mine
            if data is None:
                if self._lent is not None:
                    view = self._lent.settled()
                    for name in _OF_VIEWS:
                        setattr(self, name, getattr(view, name))
                    self._lent = None
                return
            self._shape, self._dtype, self._strides = data.shape, data.dtype, data.strides
            # (Not `Cell(value)`: what a trace meets has not been made in it.)
            cell = self._cell = object.__new__(Cell)
            cell.value = leaf(data, ArrayType(data.dtype, data.shape))
            self._offset = 0
            self._form = self._parent = self._step = self._seen = None
            self._scalar, self._writeable = False, True
            self._lent = self._mine = None  # in this order: other threads look at `_mine` first

    # -- the value -----------------------------------------------------------------------------------------

    def _value(self) -> Value:
        """The value this array has now."""
        return self._stored() if self._form is None else self._form._stored()

    def _stored(self) -> Value:
        """`_value` in the shape and dtype the array was made with, which views made of it then go by."""
        stored = self._cell.value
        if self._parent is None:
            return stored
        if self._seen is not None and self._seen[0] is stored:
            return self._seen[1]
        assert self._step is not None
        value = self._looked_at(stored)
        if value is None:
            value = self._step.read(self._parent._stored())
        self._seen = (stored, value)
        return value

    def _looked_at(self, stored: Value) -> Value | None:
        """What a view of little data that exists sees, as NumPy sees it; None where that is to be recorded."""
        if type(stored.node) is not Leaf or not is_little(0) or not recording().at_once:
            return None
        assert self._parent is not None
        assert self._step is not None
        base = self._parent._stored().node
        if recording().may_measure(self._shape, self._dtype) or not is_static(self._parent._shape):
            return None
        if type(base) is not Leaf or type(base.data) is not np.ndarray or not is_little(math.prod(self._shape)):
            return None
        data = self._step.view(base.data)
        return leaf(data, ArrayType(data.dtype, data.shape))

    def _assign(self, new: Value) -> None:
        """Make `new`, of this array's shape and dtype, its value."""
        if not self._writeable:
            raise ValueError("assignment destination is read-only")
        with storage_lock:
            (self if self._form is None else self._form)._store(new)

    def _store(self, new: Value) -> None:
        """`_assign` for the arrays below a writeable view."""
        if self._parent is None:
            now = recording()
            if self._cell in now.frozen:
                raise NotCaptured(FROZEN)
            self._cell.value = new
            if not isinstance(new.node, Leaf):
                now.hold(self._cell)
        else:
            assert self._step is not None
            self._parent._store(self._step.write(self._parent._stored(), new))

    def _own(self, value: Value, order: str) -> None:
        """Take another value of any shape, and storage of its own; no view of this array exists."""
        type = value.type
        self._cell = Cell(value)
        self._form = self._seen = None
        self._shape = type.shape
        self._strides = geometry.contiguous(type.shape, type.dtype.itemsize, "F" if order == "F" else "C")

    def _become(self, step: views.Step, shape: Shape, strides: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Take another shape or dtype in place; views made before keep theirs."""
        form = self._view(step, shape, strides, 0, dtype)
        self._form = form
        self._shape, self._strides, self._dtype = shape, strides, dtype

    def _elements(self, why: str, only_looks: bool = False) -> np.ndarray[Any, Any]:
        """The elements as a NumPy array nobody may write to, laid out as this array is; runs recorded work.

        `only_looks`: what asks for them does nothing that would be done twice if the call began again.
        (Not `_data`: of what has an attribute of this name, `numpy.ma` takes that for the elements.)
        """
        now = recording()
        if now.observer is not None:
            known = constant_data(self._value())
            if known is not None:
                known = shown.laid_out(known, self.strides)
                known.flags.writeable = False
                return known
            (now.observer.looked if only_looks else now.observer.observed)(why)
        array = shown.elements(self).view()
        array.flags.writeable = False
        return array

    def _held_data(self, why: str) -> Any:
        """As `_elements`; of an array that is split over several ranks, what this one has of it."""
        if recording().observer is None and self._parent is None and self._form is None:
            held = fetch(self._cell.value)
            if isinstance(held, Part):
                return held
        return self._elements(why)

    def _copied_data(self, why: str) -> np.ndarray[Any, Any]:
        """The elements as a NumPy array of the caller's own, laid out as this array is."""
        data = self._elements(why)
        order = sorted(range(data.ndim), key=lambda axis: -abs(self.strides[axis]))
        target: np.ndarray[Any, Any] = np.empty([data.shape[axis] for axis in order], self.dtype)
        if len(order) > 1:
            target = target.transpose(np.argsort(order))
        np.copyto(target, data)
        return target

    # -- attributes ----------------------------------------------------------------------------------------

    def _get_shape(self) -> Shape:
        if self._mine is not None:
            return self._mine.shape  # type: ignore[no-any-return]
        for n in self._shape:
            if type(n) is not int:
                return self._shape_with_lengths()
        return self._shape

    def _shape_with_lengths(self) -> Shape:
        """A shape of which data decides a length: to all but lazyarr, the length is a number that is computed."""
        if is_ours(sys._getframe(2).f_code):
            return self._shape
        from lazyarr.computed import number_of

        shape: Shape = self._shape
        return tuple(n if type(n) is int else number_of(n.scalar, 0, n.bound) for n in shape)

    def _set_shape(self, shape: Any) -> None:
        if self._scalar:
            raise AttributeError("attribute 'shape' of 'numpy.generic' objects is not writable")
        from lazyarr.numpy._shape import as_shape
        new = geometry.resolve_shape(self.size, as_shape(shape))
        strides = geometry.reshape(self._shape, self._strides, self._dtype.itemsize, new)
        if strides is None:
            raise AttributeError("Incompatible shape for in-place modification. Use `.reshape()` to make a copy with "
                                 "the desired shape.")
        self._become(views.Reshape(self._shape, new), new, strides, self._dtype)

    def _set_dtype(self, dtype: Any) -> None:
        from lazyarr.methods import as_bits
        if self._scalar:
            raise AttributeError("attribute 'dtype' of 'numpy.generic' objects is not writable")
        seen = as_bits(self, new := np.dtype(dtype))
        if seen is None:
            if is_static(self._shape):  # NumPy refuses by the geometry, which the data may not have.
                like = np.lib.stride_tricks.as_strided(np.empty(1, self._dtype), self._shape, self._strides)
                like.dtype = new  # type: ignore[misc]
            raise TypeError(f"lazyarr cannot make {self._dtype} data {new} in place; use .view({str(new)!r})")
        self._become(*seen, new)

    if TYPE_CHECKING:
        shape: tuple[int, ...]
        strides: tuple[int, ...]
        dtype: np.dtype[Any]
    else:
        # Read in every recorded operation: a property whose getter is C costs half of one in Python.
        shape = property(_get_shape, _set_shape, doc="Extents; may be assigned where no copy is needed.")
        strides = property(attrgetter("_strides"), doc="Steps in bytes, one an axis; as NumPy's would be.")
        dtype = property(attrgetter("_dtype"), _set_dtype, doc="Type of the elements; may be assigned.")

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def base(self) -> LazyArray | None:
        """The array that owns the storage, or None."""
        at = self
        while at._parent is not None:
            at = at._parent
        return None if at is self else at

    @property
    def local(self) -> Part:
        """What this rank has of the array: its elements (`array`, read-only), and where they stand (`place`).

        All of it where no other ranks run the program, or the array is not split.
        """
        data = evaluate([self._value()])[0]
        found = data if isinstance(data, Part) else Part(as_numpy(data), (None,) * self.ndim, self.shape, None)
        array = found.array.view()
        array.flags.writeable = False
        return replace(found, array=array)

    @property
    def flags(self) -> Any:
        from lazyarr.arrayinfo import Flags

        return Flags(self)

    @property
    def device(self) -> str:
        return "cpu"

    def to_device(self, device: str, /, *, stream: Any = None) -> LazyArray:
        """The array itself: NumPy's arrays are on the CPU."""
        if stream is not None:
            raise ValueError("The stream argument in to_device() is not supported")
        if device != "cpu":
            raise ValueError(f"Unsupported device: {device}. Only 'cpu' is accepted.")
        return self

    @property
    def T(self) -> LazyArray:
        return self._transposed(tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> LazyArray:
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return self._transposed((*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))

    def _transposed(self, axes: tuple[int, ...]) -> LazyArray:
        if self._scalar:
            return self
        shape, strides = geometry.transpose(self.shape, self.strides, axes)
        return self._view(views.Transpose(axes), shape, strides)

    @property
    def real(self) -> LazyArray:
        if self.dtype.kind != "c":
            return self
        return self._part("real", 0)

    @real.setter
    def real(self, value: Any) -> None:
        from lazyarr.convert import wrapped

        self.real[...] = wrapped(value, self.dtype)

    @property
    def imag(self) -> LazyArray:
        if self.dtype.kind != "c":
            # NumPy: a read-only array of zeros, not a view, in the order of the array.
            strides = self._copy_strides("A", self.dtype.itemsize)
            zeros = LazyArray._new(views.zeros(self.shape, self.dtype), strides, scalar=self._scalar)
            zeros._writeable = False
            return zeros
        return self._part("imag", self.dtype.itemsize // 2)

    @imag.setter
    def imag(self, value: Any) -> None:
        if self.dtype.kind != "c":
            raise TypeError("array does not have imaginary part to set")
        self.imag[...] = value

    def _part(self, name: str, offset: int) -> LazyArray:
        dtype = np.dtype(f"f{self.dtype.itemsize // 2}")
        view = self._view(views.Part(name), self.shape, self.strides, offset, dtype)
        return LazyArray._new(view._value(), scalar=True) if self._scalar else view

    @property
    def flat(self) -> Any:
        from lazyarr.flat import FlatIterator

        return FlatIterator(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        self.flat[...] = value

    # -- observing -----------------------------------------------------------------------------------------

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        is_same = dtype is None or np.dtype(dtype) == self.dtype
        if copy is False and not is_same:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        copy = copy or keeps_elements(sys._getframe(1))
        if is_same and not copy:
            from lazyarr.libraries import memory
            return memory(self, sys._getframe(1), self._elements, "numpy.asarray")
        return np.asarray((self._copied_data if copy else self._elements)("numpy.asarray"), dtype)

    def _single(self, why: str, only_looks: bool = False) -> Any:
        data = self._elements(why, only_looks)
        return data[()] if data.ndim == 0 else data

    def __bool__(self) -> bool:
        return bool(self._single("a branch on data", only_looks=True))

    def __int__(self) -> int:
        return int(self._single("int() of data"))

    def __float__(self) -> float:
        return float(self._single("float() of data"))

    def __complex__(self) -> complex:
        return complex(self._single("complex() of data"))

    def __index__(self) -> int:
        if self.dtype.kind not in "iu" or self.ndim:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return int(self._single("data used as an index or a shape", only_looks=True))

    def __round__(self, digits: int | None = None) -> Any:
        if not self._scalar:
            raise TypeError("type numpy.ndarray doesn't define __round__ method")
        return round(self._single("round() of data"), digits) if digits is not None else round(self._single("round()"))

    def __trunc__(self) -> int:
        return int(math.trunc(self._single("math.trunc")))

    def __bytes__(self) -> bytes:
        return bytes(self._single("bytes() of data"))

    def __hash__(self) -> int:
        # A NumPy scalar hashes as its value does; an array does not hash.
        if not self._scalar:
            raise TypeError("unhashable type: 'numpy.ndarray'")
        return hash(self._single("a hash of data"))

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(f"object of type 'numpy.{self._dtype.name}' has no len()" if self._scalar
                            else "len() of unsized object")  # fmt: skip
        return self._known_length()

    def _known_length(self) -> int:
        """The first extent, for Python code that has to know it."""
        if type(self._shape[0]) is not int:
            raise NotCaptured("Python code that is not compiled asks for a length that data decides")
        return self._shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError(f"'numpy.{self._dtype.name}' object is not iterable" if self._scalar
                            else "iteration over a 0-d array")  # fmt: skip
        return (self[i] for i in range(self._known_length()))

    def __contains__(self, item: Any) -> bool:
        return bool((self == item).any())

    def __repr__(self) -> str:
        return repr(self._single("repr") if self._scalar else self._elements("repr"))

    def __str__(self) -> str:
        return str(self._single("str") if self._scalar else self._elements("str"))

    def __format__(self, spec: str) -> str:
        return format(self._single("format") if self._scalar else self._elements("format"), spec)

    def __reduce__(self) -> Any:
        from lazyarr.numpy._members import unpickled
        return unpickled, (self._copied_data("pickling"), self._scalar)

    def __copy__(self, memo: Any = None) -> LazyArray:
        return self.copy("K")

    __deepcopy__ = __copy__

    def copy(self, order: str = "C") -> LazyArray:
        """A copy, as `numpy.ndarray.copy`."""
        if self._scalar:
            return self
        return LazyArray._new(self._value(), self._copy_strides(order, self.dtype.itemsize))

    def _copy_strides(self, order: str | None, itemsize: int) -> tuple[int, ...]:
        """Strides of a copy laid out in `order`."""
        if (order := order_of(order)) == "A":
            fortran = geometry.is_f_contiguous(self.shape, self.strides, self.dtype.itemsize)
            c = geometry.is_c_contiguous(self.shape, self.strides, self.dtype.itemsize)
            order = "F" if fortran and not c else "C"
        if order == "K":
            return geometry.keep_order_copy(self.shape, self.strides, self.dtype.itemsize, itemsize)
        return geometry.contiguous(self.shape, itemsize, "F" if order == "F" else "C")

    # -- protocols -----------------------------------------------------------------------------------------

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        import lazyarr.numpy

        return lazyarr.numpy

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        from lazyarr.libraries import ufunc_call
        return ufunc_call(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        from lazyarr.libraries import function_call
        return function_call(func, args, kwargs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        from lazyarr.libraries import memory
        return memory(self, sys._getframe(1), self._copied_data, "DLPack").__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)

    # -- indexing ------------------------------------------------------------------------------------------

    def __getitem__(self, key: Any) -> Any:
        from lazyarr import indexing

        return indexing.get(self, key)

    def __setitem__(self, key: Any, value: Any) -> None:
        from lazyarr import indexing

        indexing.set(self, key, value)

    def __delitem__(self, key: Any) -> None:
        raise ValueError("cannot delete array elements")

    def __getattr__(self, name: str) -> Any:
        if name in _PROTOCOLS:  # (NumPy asks for them at each conversion.)
            from lazyarr.libraries import interface
            return interface(self, name)
        if (data := self._mine) is None and (lent := self._lent) is not None:
            data = lent.data()
        if data is not None and (same := _OF_DATA.get(name)) is not None:
            return getattr(data, same)
        if data is not None and name == "_scalar":  # (`isinstance(x, np.ndarray)` asks.)
            return False
        if name in _OF_VIEWS or name in _OF_DATA:
            with storage_lock:  # (other threads settle it too, and make it light again)
                self._settle()
                return object.__getattribute__(self, name)
        # What only NumPy's scalars have (``is_integer``, ``hex``, ...), and memory to look at.
        scalar = data is None and self._scalar
        if name == "data" and not scalar:
            from lazyarr.libraries import memory
            return memory(self, sys._getframe(1), self._elements, ".data").data
        if scalar and not name.startswith("_") and hasattr(self._dtype.type, name):
            return getattr(self._single(f".{name}"), name)
        raise AttributeError(f"'numpy.{self._dtype.name if scalar else 'ndarray'}' object has no attribute {name!r}")


_PROTOCOLS = frozenset(("__array_interface__", "__array_struct__"))
_OF_VIEWS = [name for name in LazyArray.__slots__ if name not in ("__weakref__", "_lent", "_mine")]


def rebuild(data: Any, scalar: bool = False, constant: bool = False) -> LazyArray:
    """A lazy array of NumPy data, or of a part of an array, that nobody else holds."""
    value = leaf(data, ArrayType(data.dtype, data.shape), constant)
    return LazyArray._new(value, None if scalar or isinstance(data, Part) else data.strides, scalar)
