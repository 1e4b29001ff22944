"""Code of packages that are installed, and know nothing of lazyarr: NumPy's functions give it NumPy's arrays.

SciPy, pandas or scikit-learn hand what NumPy's functions give them to compiled code, which takes NumPy's arrays alone,
or write to it. A program of the user's that calls `numpy` with lazy arrays gets lazy ones.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from functools import lru_cache
from types import FrameType
from typing import Any

import numpy as np

from lazyarr import dispatch, world
from lazyarr.aliased import handed_out
from lazyarr.array import LazyArray
from lazyarr.convert import NO_ARRAY
from lazyarr.fallback import as_arrays, numpys_results, once
from lazyarr.little.extension import compiled
from lazyarr.runtime import traced

#: Module -> whether it is of such a package. (The extension reads it.)
known: dict[Any, bool] = {}
_FOLDERS = frozenset({"site-packages", "dist-packages"})


def _is_of_library(module: Any, names: dict[str, Any]) -> bool:
    package = str(module or "").partition(".")[0]
    if package in ("numpy", "lazyarr", "__main__"):
        return False
    file = names.get("__file__")
    return isinstance(file, str) and not _FOLDERS.isdisjoint(file.split(os.sep))


def _wants_numpys(frame: FrameType) -> bool:
    """Whether the code of a frame is of such a package, and no other ranks run the program."""
    module = frame.f_globals.get("__name__")
    found = known.get(module)
    if found is None:
        found = known[module] = _is_of_library(module, frame.f_globals)
    return found and not world.active


def _calls(depth: int) -> bool:
    """Whether the call that is running is one of such a package's, and its results may be NumPy's.

    (Not in a function that is traced as a whole, whose arrays have no elements, nor on ranks, which hold parts.)
    """
    if not _wants_numpys(sys._getframe(depth)):
        return False
    recording = traced.get()
    # (Of one that is in pieces already, what a package has called back gives arrays to it.)
    return recording is None or bool(getattr(recording.observer, "reasons", None))


def memory(
    array: LazyArray, frame: FrameType | None, others: Callable[[str], np.ndarray[Any, Any]], why: str
) -> np.ndarray[Any, Any]:
    """An array's memory for code of such a package, which may write to it: see `handed_out`.

    Parameters
    ----------
    array : LazyArray
    frame : frame
        Who asks for elements, or NumPy's own function that does it for him.
    others : callable
        What gives others the elements, and where those do not stand in memory as the array says,
    why : str
        and is told this.
    """
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == "numpy":
        frame = frame.f_back
    wants = frame is not None and traced.get() is None and _wants_numpys(frame)
    found = handed_out(array) if wants else None
    return others(why) if found is None else found


#: Functions that have given views, or written to an argument: they get memory from then on.
_of_memory: set[Any] = set()
#: How deep in lists arguments, and results, are looked for.
_DEEPEST = 8


@lru_cache(maxsize=1024)
def _place_of_out(function: Any) -> int | None:
    """Where among the arguments by position a function takes the array that it writes to."""
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    names = [p.name for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names.index("out") if "out" in names else None


def _outs(function: Any, args: Any, kwargs: Any) -> list[Any]:
    """The lazy arrays among those that a call is given to write to."""
    out = kwargs.get("out")
    # (Ufuncs, and their methods, name it.)
    if out is None and not isinstance(function, np.ufunc) and type(getattr(function, "__self__", None)) is not np.ufunc:
        place = _place_of_out(function)
        out = args[place] if place is not None and place < len(args) else None
    return [x for x in (out if type(out) is tuple else (out,)) if isinstance(x, LazyArray)]


class _NoMemory(Exception):
    """Elements of an argument do not stand in memory as it says they do."""


class _Given:
    """The arguments of a call, with NumPy's arrays in the place of lazy ones."""

    __slots__ = ("arrays", "writes")

    def __init__(self, writes: bool):
        self.writes = writes
        self.arrays: dict[int, Any] = {}

    def of(self, x: Any) -> Any:
        kind = type(x)
        if kind is LazyArray:
            found = self.arrays.get(id(x))
            if found is None:
                found = self.arrays[id(x)] = self._elements(x)
            return found[()] if x._scalar else found
        if kind is list or kind is tuple:
            return kind(map(self.of, x))
        return {key: self.of(value) for key, value in x.items()} if kind is dict else x

    def _elements(self, x: LazyArray) -> Any:
        if not self.writes or x._scalar:
            return x._elements("a call that runs in NumPy", only_looks=True)
        found = handed_out(x)
        if found is None:
            raise _NoMemory
        return found

    def is_part(self, result: Any, depth: int = 0) -> bool:
        """Whether a result has memory of an argument."""
        if isinstance(result, np.ndarray):
            return any(result is x or result.base is not None and np.may_share_memory(result, x)
                       for x in self.arrays.values())  # fmt: skip
        if isinstance(result, (list, tuple)) and depth < _DEEPEST:
            return any(self.is_part(x, depth + 1) for x in result)
        return isinstance(result, (np.flatiter, np.nditer))


def _numpys(function: Any, args: Any, kwargs: Any, writes: bool) -> Any:
    """What NumPy's function gives: views are of the memory of lazy arrays, and what it writes is written there."""
    outs = _outs(function, args, kwargs)
    # (What calls back is not to be called twice.)
    if not (writes or outs or function in _of_memory or any(map(callable, (*args, *kwargs.values())))):
        given = _Given(False)
        taken, named = given.of(args), given.of(kwargs)
        try:
            result = once(function, taken, named)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
        else:
            if isinstance(function, np.ufunc) or not given.is_part(result):
                return result
        del taken, named, given
        _of_memory.add(function)
    given = _Given(True)
    result = once(function, given.of(args), given.of(kwargs))
    same = {id(given.arrays[id(x)]): x for x in outs}
    return tuple(same.get(id(x), x) for x in result) if type(result) is tuple else same.get(id(result), result)


def _numpys_call(function: Any, args: Any, kwargs: Any, writes: bool = False) -> Any:
    if traced.get() is not None:
        return numpys_results(function, args, kwargs)
    try:
        return _numpys(function, args, kwargs, writes)
    except _NoMemory:
        return numpys_results(function, args, kwargs)
    except ValueError as error:
        # (Objects whose ``__array__`` gives lazy arrays.)
        if NO_ARRAY not in str(error) or not _have_arrays(args, kwargs):
            raise
    return _numpys(function, as_arrays(args), as_arrays(kwargs), writes)


def _have_arrays(args: Any, kwargs: Any) -> bool:
    """Whether objects of other classes among arguments have elements."""
    plain = (LazyArray, np.ndarray, np.generic, type)
    return any(hasattr(x, "__array__") and not isinstance(x, plain) for x in _all_in((args, kwargs)))


def _all_in(x: Any) -> Any:
    if type(x) in (list, tuple):
        for item in x:
            yield from _all_in(item)
    elif type(x) is dict:
        yield from _all_in(list(x.values()))
    else:
        yield x


def ufunc_call(ufunc: np.ufunc, method: str, inputs: Any, kwargs: Any) -> Any:
    """What a ufunc of NumPy's gives, or one of its methods, that met a lazy array: called by ``__array_ufunc__``."""
    if _calls(3):
        called = ufunc if method == "__call__" else getattr(ufunc, method)
        return _numpys_call(called, inputs, kwargs, writes=method == "at")
    return dispatch.ufunc_call(ufunc, method, inputs, kwargs)


def function_call(function: Any, args: Any, kwargs: Any) -> Any:
    """What a function of NumPy's gives that met a lazy array: called by ``__array_function__``."""
    if _calls(3):
        return _numpys_call(function, args, kwargs)
    return dispatch.function_call(function, args, kwargs)


class _Interface(dict[str, Any]):
    """``__array_interface__``, which keeps the memory that it says the place of."""

    def __init__(self, elements: np.ndarray[Any, Any], is_packed: bool):
        super().__init__(elements.__array_interface__)
        self.elements = elements
        if not is_packed:
            # (Once more of it is evaluated, elements may stand elsewhere: who reads memory next is not to count on it.)
            self["strides"] = elements.strides


def _names_it(name: str) -> bool:
    """Whether the function that asks for an attribute is written in Python, and a package's that is not NumPy."""
    frame = sys._getframe(3)  # (of `interface`, which `__getattr__` calls)
    code, names = frame.f_code, frame.f_globals
    return (name in code.co_names or name in code.co_consts) and _is_of_library(names.get("__name__"), names)


def interface(array: Any, name: str) -> _Interface:
    """``array.__array_interface__``, memory to read, for code that looks for it itself (images, ``byte_bounds``).

    Only where lazy arrays have buffers (`to_buffer` of the extension): NumPy asks for these before, and they keep
    memory alive. On ranks they give NumPy none: there only functions get this that ask for it by its name.
    """
    if name != "__array_interface__" or compiled is None or traced.get() is not None:
        raise AttributeError(name)
    if world.active and not _names_it(name):
        raise AttributeError(name)
    return _Interface(array.__array__(), array.flags.c_contiguous)


__all__ = ["function_call", "interface", "known", "memory", "ufunc_call"]
