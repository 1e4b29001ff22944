"""NumPy's functions of little data."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

import numpy as np

from lazyarr import indexing, quiet
from lazyarr.array import LazyArray
from lazyarr.dispatch import FUNCTIONS as DEFINITIONS
from lazyarr.eager import Weight, is_short
from lazyarr.ir.types import NAMES
from lazyarr.little.data import NUMBERS, Method, held, is_part, lend, limits, made, new, own, run, to_lend, tracing
from lazyarr.little.extension import begun, compiled
from lazyarr.little.operators import is_data, size_of_both
from lazyarr.little.table import (
    FOLDS,
    FUNCTIONS,
    GROWN,
    INSTEAD,
    MOST_GIVEN,
    NOT_COMPILED,
    OF_DEGREES,
    OF_LISTS,
    READ,
    RUNNING,
    SIZES,
    SPECIAL,
    STATISTICS,
    VIEWS,
    WRITERS,
    together,
)
from lazyarr.runtime import storage_lock
from lazyarr.world import active as ranks
from lazyarr.world import done_at_once

_ndarray = np.ndarray
#: Methods of ufuncs -> NumPy's functions that come to them, and do nothing else.
_SUMS = {fold: f for f, (fold, dtype) in FOLDS.items() if dtype is None and f not in STATISTICS | RUNNING}
_quiet, _heard = quiet.thread, quiet.heard.get
#: Arguments that are no data.
_PLAIN = NUMBERS | {str, type(None)}
#: Methods that `reduction` stands before.
REDUCTIONS = frozenset("all any argmax argmin cumprod cumsum max mean min prod std sum var".split())


def call(ufunc: np.ufunc, args: tuple[Any, ...], weight: Weight) -> Any:
    """A call of a ufunc; None where it is not one of little data that is there."""
    if len(args) == 1 and type(args[0]) is LazyArray:
        only = held(args[0])
        if only is None or only.size * weight.of(only.dtype) >= limits.elements or tracing() is not None:
            return None
        found = run(ufunc, only)
        return tuple(map(new, found)) if type(found) is tuple else new(found)
    arrays, data = [], []
    for x in args:
        if type(x) is LazyArray:
            y = held(x)
            if y is None:
                return None
            arrays.append(y)
            data.append(y)
        elif type(x) in NUMBERS:
            data.append(x)
        elif is_data(x):
            arrays.append(x)
            data.append(x)
        elif type(x) in (list, tuple) and (made := _from_sequence(x)) is not None:
            arrays.append(made)
            data.append(made)
        else:
            return None
    size = size_of_both(arrays[0], arrays[-1]) if arrays else 1
    if size * weight.of(*[x.dtype for x in arrays]) >= limits.elements or tracing() is not None:
        return None
    found = run(ufunc, *data)
    if type(found) is tuple:
        return tuple(map(new, found)) if arrays else None
    # (Python's ints may be too large for NumPy's.)
    return new(found) if arrays or isinstance(found, np.generic) else None


def _from_sequence(x: Any) -> Any:
    """The array that a sequence of numbers and of little data is; None where it is none."""
    if not len(x) or tracing() is not None:
        return None
    try:
        found = np.asarray(_argument(x, []))
    except (LookupError, TypeError, ValueError, OverflowError):
        return None
    return found if found.dtype in NAMES else None


def into(ufunc: np.ufunc, args: tuple[Any, ...], out: Any, weight: Weight, where: Any = None) -> LazyArray | None:
    """A call of a ufunc that writes its one result into an array; None where it is not one of little data.

    `where`: a mask of the elements that are written, or None.
    """
    out = out[0] if type(out) is tuple and len(out) == 1 else out
    given: dict[str, Any] = {}
    if where is not None:
        given["where"] = held(where) if type(where) is LazyArray else where
        if type(given["where"]) is not _ndarray or given["where"].dtype != bool:
            return None
    if type(out) is not LazyArray or tracing() is not None:
        return None
    data = [held(x) if type(x) is LazyArray else x if type(x) in NUMBERS or is_data(x) else None for x in args]
    if any(x is None for x in data):
        return None
    with storage_lock:
        target = own(out)
        if type(target) is not _ndarray or target.size * weight.of(target.dtype) >= limits.elements:
            return None
        run(partial(ufunc, out=target, **given), *data)
    return out


def _argument(x: Any, arrays: list[Any], depth: int = 3) -> Any:
    """An argument for NumPy, whose data is added to `arrays`; raises `LookupError` where it is of another kind."""
    kind = type(x)
    if kind is LazyArray:
        data = x._mine
        if data is None:
            data = held(x)
        if data is None or data.size == 0:
            raise LookupError
        arrays.append(data)
        return data
    if kind in _PLAIN:
        return x
    if kind is tuple or kind is list:
        count = len(x)
        inner = count and depth and type(x[0])
        if not depth or count * (len(x[0]) if inner is list or inner is tuple else 1) > limits.elements:
            raise LookupError
        if _PLAIN.issuperset(map(type, x)):
            return x
        depth -= 1
        return kind([_argument(item, arrays, depth) for item in x])
    if isinstance(x, (np.dtype, type)):
        return x
    if is_data(x) and x.size:
        arrays.append(x)
        return x
    raise LookupError


def function(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of one of NumPy's functions; None where it is not one of little data that is there.

    What writes into its argument gives `Ellipsis` when it is done.
    """
    if not limits.elements or tracing() is not None:
        return None
    known = FUNCTIONS.get(numpy)
    if known is None:
        if numpy in VIEWS:
            return _viewed(numpy, *args) if args and not kwargs else None
        if numpy in WRITERS:
            return ... if write(numpy, args, kwargs) else None
        return _created(numpy, args, kwargs) if numpy in SIZES else None
    return _computed(numpy, args, kwargs, *known)


def _viewed(numpy: Any, x: Any, *how: Any) -> Any:
    """A view of little data that is there; None where it is not to be lent."""
    if type(x) is not LazyArray or tracing() is not None:
        return None
    if numpy not in _TURNS and (len(how) > 1 or (how and type(how[0]) not in (int, tuple))):
        return None
    with storage_lock:
        is_light = x._mine is not None or x._lent is not None
        # (Of an array that has settled the methods make these views, by way of the functions.)
        if not is_light and numpy in _OF_METHODS:
            return None
        data = to_lend(x)
        if type(data) is not _ndarray or not (is_light or data.size < limits.elements):
            return None
        if numpy in _TURNS:
            return _turned(numpy, x, how, data)
        if numpy in _LEAST:
            return _with_axes(x, _LEAST[numpy], data) if not how else None
        is_expanded = numpy is np.expand_dims
        if is_expanded:
            if not how or type(how[0]) is tuple or not 0 <= how[0] <= data.ndim:
                return None
            # (By its shape: a new axis has another stride in NumPy than one of an index has.)
            numpy, how = np.reshape, ((*data.shape[: how[0]], 1, *data.shape[how[0] :]),)
        if numpy is np.squeeze:
            named = {n % data.ndim for n in how if type(n) is int and -data.ndim <= n < data.ndim}
            if data.size == 1 or len(named) != len(how) or any(data.shape[k] != 1 for k in named):
                return None
            gone = [n == 1 and (k in named or not how) for k, n in enumerate(data.shape)]
            if not any(gone):
                return x
            place = (*(0 if g else slice(None) for g in gone), ...)
            return lend(x, indexing.get, (place,), None, data)
        if numpy is np.flip:
            # (Of an array without axes it is a number.)
            if not data.ndim or (how and (type(how[0]) is tuple or not -data.ndim <= how[0] < data.ndim)):
                return None
            turned = {how[0] % data.ndim} if how else range(data.ndim)
            place = tuple([slice(None, None, -1 if k in turned else None) for k in range(data.ndim)])
            return lend(x, indexing.get, (place,), None, data)
        if numpy is np.transpose:
            axes = tuple(range(data.ndim))[::-1]
            return None if how else lend(x, LazyArray._transposed, (axes,), _ndarray.transpose, data)
        if not (data.flags.c_contiguous or is_expanded) or (numpy is np.ravel) is bool(how):
            return None
        method: Any = getattr(LazyArray, numpy.__name__)
        return lend(x, method.__wrapped__, how, getattr(_ndarray, numpy.__name__), data)


def taken(numpy: Any, general: Callable[..., Any]) -> Callable[..., Any]:
    """One of NumPy's functions, which begins in the extension where that takes it, and goes on with `general`."""
    if numpy in _ASKED:
        found = begun("GIVES", general, inner(numpy))
    elif numpy in VIEWS:
        kind = "SHAPE" if numpy in (np.ravel, np.reshape) else "VIEW"
        by_method = numpy in _OF_METHODS or numpy in (np.squeeze, np.swapaxes)
        target = getattr(_ndarray, numpy.__name__) if by_method else inner(numpy)
        # (The methods take axes one by one, too.)
        found = begun(kind, general, target, DEFINITIONS[numpy], 1 if numpy in (np.reshape, np.transpose) else 8)
    elif numpy in WRITERS:
        found = begun("WRITES", general, inner(numpy))
    else:
        found = begun("FUNCTION", general, numpy)
        if numpy in (np.diag, np.diagonal):
            found = begun("VIEW", found, _diagonal if numpy is np.diag else _ndarray.diagonal, DEFINITIONS[np.diagonal])
    _taken[numpy] = found  # (of a method first, then of the function)
    return found


def _diagonal(x: Any, k: int = 0) -> Any:
    """What `numpy.diag` gives of matrices; None of vectors."""
    return x.diagonal(k) if x.ndim == 2 else None


#: NumPy's function -> the one in its place.
_taken: dict[Any, Callable[..., Any]] = {}


def _reduced(function: Any) -> Any:
    """How a function that begins in the extension is pickled: by NumPy's, whose place it has, or by its name."""
    numpy = vars(function).get("__wrapped__")
    if numpy in _taken:
        return _in_place_of, (numpy,)
    for reduced in PICKLED:
        if (found := reduced(function)) is not None:
            return found
    return function.__qualname__


#: What says how functions of others that begin in the extension are pickled; None for those it does not know.
PICKLED: list[Callable[[Any], Any]] = []


def _in_place_of(numpy: Any) -> Callable[..., Any]:
    return _taken[numpy]


if compiled is not None:
    copyreg.pickle(compiled.Callable, _reduced)


def inner(numpy: Any) -> Any:
    """What is called: without NumPy's search for classes that have their own version (NEP 18), where it says what."""
    return getattr(numpy, "_implementation", numpy)


#: Functions that say something of an array without its elements.
_ASKED = frozenset((np.ndim, np.shape, np.size))
_OF_METHODS = frozenset((np.ravel, np.reshape, np.transpose))
#: Functions that give a view with the axes in another order or direction.
_TURNS = frozenset((np.swapaxes, np.moveaxis, np.rollaxis, np.fliplr, np.flipud, np.rot90))
#: Functions that give an array of so many axes at least.
_LEAST = {np.atleast_1d: 1, np.atleast_2d: 2, np.atleast_3d: 3}


def _turned(numpy: Any, x: LazyArray, how: tuple[Any, ...], data: Any) -> Any:
    """A view as one of `_TURNS` gives it; None where the lazy definition says what is wrong, or another is wanted."""
    if not all(type(n) is int or (type(n) is tuple and all(type(k) is int for k in n)) for n in how):
        return None
    try:
        seen = numpy(data, *how)
    except (TypeError, ValueError):
        return None
    if not is_part(seen, data):
        return None
    return lend(x, DEFINITIONS[numpy], how, numpy, data)


def _with_axes(x: LazyArray, least: int, data: Any) -> Any:
    """An array, or a view of it with as many axes as are wanted at least."""
    if data.ndim >= least:
        return x
    place: tuple[Any, ...] = (None,) * (least - data.ndim) + (...,)
    if least == 3 and data.ndim:
        place = (None, slice(None), None) if data.ndim == 1 else (slice(None), slice(None), None)
    return lend(x, indexing.get, (place,), None, data)


def fold(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A call of a ufunc's ``reduce``, ``accumulate`` or ``reduceat``; None where it is not one of little data."""
    if numpy in _SUMS and compiled is not None and kwargs["out"] is None and len(kwargs) == 4:
        given = (args[0], kwargs["axis"], kwargs["dtype"]) if kwargs["dtype"] else (args[0], kwargs["axis"])
        if not kwargs["keepdims"] and (found := compiled.function(_SUMS[numpy], given, {})) is not None:
            return found
    return None if not limits.elements or tracing() is not None else _computed(numpy, args, kwargs, 2, together)


def _computed(
    numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any], count: int, work: Callable[[Sequence[Any]], float]
) -> Any:
    """A call whose first `count` arguments hold little data that is there; None if it is another."""
    if len(args) == 1 and not kwargs and type(args[0]) is LazyArray:
        # Most calls, without the steps that others take.
        only = held(args[0])
        if type(only) is _ndarray and 0 < only.size and work((only,)) < limits.elements:
            if numpy not in GROWN or GROWN[numpy](only) < limits.elements:
                found = _run(INSTEAD.get(numpy, numpy), only)
                return args[0] if found is only else results(found, (only,))
        return None
    if len(args) > MOST_GIVEN.get(numpy, count + 2) or not (kwargs or args):
        return None
    if kwargs and not SPECIAL.isdisjoint(kwargs) and not _divides(numpy, args, kwargs):
        return None
    if numpy in NOT_COMPILED and not NOT_COMPILED[numpy].isdisjoint(kwargs):
        return None
    of_lists = numpy in OF_LISTS
    if of_lists and (not args or type(args[0]) not in (list, tuple)):
        if len(args) == 1 and not kwargs and type(args[0]) in (int, float, bool, complex):
            number = np.array(args[0])
            return new(number) if number.dtype in NAMES else None
        return _as_type(numpy, *args, **kwargs) if len(args) == 1 and [*kwargs] == ["dtype"] else None
    arrays: list[Any] = []
    try:
        data = [_argument(x, arrays) for x in args[:count]]
        first = len(arrays)
        if len(args) > count:
            data += [_argument(x, arrays) for x in args[count:]]
        read: list[Any] = []
        named = _NOTHING
        if kwargs:
            named = {name: _argument(x, read if name in READ else arrays) for name, x in kwargs.items()}
        # (Elsewhere an array is one to write to, or a number.)
        is_sequence = type(args[0]) in (list, tuple) and len(args[0]) if args else False
        if not (arrays or is_sequence) or len(arrays) > first:
            return None
        arrays += read
        # (Of numbers alone there are no more than `_argument` lets pass.)
        size = work(arrays) if arrays else 0
        if numpy in GROWN:
            size = max(size, GROWN[numpy](*data, **named))
    except (LookupError, TypeError, ValueError):
        return None
    return None if size >= limits.elements else results(_run(INSTEAD.get(numpy, numpy), *data, **named), arrays)


def _divides(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether what is `SPECIAL` is a mean, and degrees of freedom of which enough are left: else NumPy warns."""
    names = SPECIAL.intersection(kwargs) - {"mean"}
    degrees = kwargs.get("ddof", kwargs.get("correction", 0))
    if numpy not in OF_DEGREES or len(names) > 1 or type(degrees) not in (int, float) or not args:
        return False
    x = args[0]
    given = held(x) if type(x) is LazyArray and "where" not in kwargs else None
    return type(given) is _ndarray and given.ndim > 0 and min(given.shape) > degrees


def _as_type(numpy: Any, x: Any, dtype: Any) -> Any:
    """``numpy.array(x, dtype=dtype)``, and `numpy.asarray`, of a lazy array; None where it is not little data."""
    if type(x) is not LazyArray or not isinstance(dtype, (type, np.dtype, str)):
        return None
    data = held(x)
    if type(data) is not _ndarray or data.size >= limits.elements:
        return None
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        return None
    if wanted not in NAMES or (data.dtype.kind == "c" and wanted.kind != "c"):
        return None
    return x if numpy is np.asarray and wanted == data.dtype else new(_run(np.array, data, wanted))


#: No arguments by name.
_NOTHING: dict[str, Any] = {}


def _run(function: Any, *args: Any, **kwargs: Any) -> Any:
    """As `run`, of NumPy's functions that are written in Python: such a call may come here again."""
    if _quiet.entered or _heard() is not None:
        found = function(*args, **kwargs)
    else:
        _quiet.entered = True
        try:
            found = _quiet.context.run(function, *args, **kwargs)
        finally:
            _quiet.entered = False
    if ranks:
        done_at_once()
    return found


def results(found: Any, arrays: Sequence[Any]) -> Any:
    """Results of NumPy as arrays of their own; None where they are not."""
    kind = type(found)
    if kind is _ndarray:
        if found.dtype not in NAMES:
            return None
        base = found.base
        for x in arrays:
            if x is found or (base is not None and (x is base or np.may_share_memory(base, x))):
                return None
        return (new(found) if base is None else made(found)) if found.flags.writeable else None
    if isinstance(found, tuple):
        items = [results(item, arrays) for item in found]
        if any(item is None for item in items):
            return None
        return kind._make(items) if hasattr(kind, "_make") else tuple(items)
    if kind is bool:
        return found
    return new(found) if isinstance(found, np.generic) and found.dtype in NAMES else None


def scalars(found: Any) -> Any:
    """What a definition has given, with NumPy's own scalars where they are there."""
    kind = type(found)
    if kind is tuple:
        return tuple(map(scalars, found))
    if kind is not LazyArray or found._mine is not None or found._lent is not None or not found._scalar:
        return found
    if not limits.elements or tracing() is not None:
        return found
    x = held(found)
    if x is None and is_short(found._value()):
        # (Its arguments were no lazy arrays: objects that have ``__array__``.)
        return found._single("a scalar of little data", only_looks=True)
    return found if x is None else x


def joined(join: Callable[[Any], Any], key: Any) -> Any:
    """What ``numpy.r_[key]`` and ``numpy.c_[key]`` give; None where it is not one of little data that is there."""
    if not limits.elements or tracing() is not None:
        return None
    arrays: list[Any] = []
    count = 0.0
    try:
        data = []
        for part in key if type(key) is tuple else (key,):
            data.append(part if type(part) is slice else _argument(part, arrays))
            count += _numbers(part) if type(part) is slice else 0
    except LookupError:
        return None
    if sum(x.size for x in arrays) + count >= limits.elements:
        return None
    return results(_run(join, tuple(data) if type(key) is tuple else data[0]), arrays)


def _numbers(place: slice) -> float:
    """How many numbers a slice stands for in an index of ``numpy.r_``; raises `LookupError` where that is not known."""
    start, stop, step = 0 if place.start is None else place.start, place.stop, 1 if place.step is None else place.step
    if type(step) is complex:
        return abs(step)
    if not {type(start), type(stop), type(step)} <= {int, float} or not step:
        raise LookupError
    return float(abs((stop - start) / step))


def write(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """A call of what writes into its first argument; False where it is not one of little data that is there."""
    if not args or type(args[0]) is not LazyArray or tracing() is not None:
        return False
    arrays: list[Any] = []
    try:
        data = [_argument(x, arrays) for x in args[1:]]
        named = {name: _argument(x, arrays) for name, x in kwargs.items()}
    except LookupError:
        return False
    with storage_lock:
        target = own(args[0])
        if type(target) is not _ndarray or sum(x.size for x in (target, *arrays)) >= limits.elements:
            return False
        _run(numpy, target, *data, **named)
    return True


def writing(numpy: Any, general: Method) -> Method:
    """A method that writes into its array."""

    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        return None if write(numpy, (self, *args), kwargs) else general(self, *args, **kwargs)

    return begun("WRITES", method, numpy)


def reduction(numpy: Any, general: Method) -> Method:
    """A reduction as a method, without the steps that functions of several arguments take."""

    @wraps(general)
    def method(self: LazyArray, *args: Any, **kwargs: Any) -> Any:
        x = None if len(args) + len(kwargs) > 1 else held(self)
        if type(x) is not _ndarray or not 0 < x.size < limits.elements or tracing() is not None:
            return general(self, *args, **kwargs)
        if args or kwargs:
            axis = args[0] if args else kwargs.get("axis")
            return new(_run(numpy, x, axis)) if type(axis) is int and x.ndim > 1 else general(self, *args, **kwargs)
        return new(_run(numpy, x))

    return method


def _created(numpy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A small new array that is made of numbers."""
    if not SPECIAL.isdisjoint(kwargs):
        return None
    args = tuple([found if type(x) is LazyArray and isinstance(found := held(x), np.generic) else x for x in args])
    for x in (*args, *kwargs.values()) if kwargs else args:
        if type(x) not in _PLAIN and not isinstance(x, (np.dtype, type, tuple)):
            return None
    try:
        size = SIZES[numpy](*args, num=kwargs["num"]) if "num" in kwargs else SIZES[numpy](*args)
    except (TypeError, ZeroDivisionError):
        return None
    if not 0 <= size < limits.elements:
        return None
    return results(_run(INSTEAD.get(numpy, numpy), *args, **kwargs), ())
