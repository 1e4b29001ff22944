"""What is not compiled runs in NumPy on evaluated values, is counted, and says so."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from lazyarr import world
from lazyarr.array import LazyArray, rebuild
from lazyarr.convert import NO_ARRAY
from lazyarr.ir.types import NAMES
from lazyarr.outside import asking
from lazyarr.report import FallbackError, FallbackWarning, calls, note
from lazyarr.runtime import recording
from lazyarr.weak import WeakScalar


def run_in_numpy(function: Callable[..., Any], args: Any, kwargs: Any, why: str, mutates: bool = False) -> Any:
    """Call a NumPy function on evaluated arguments; lazy arrays it changes in place are changed.

    Parameters
    ----------
    function : callable
        Of NumPy.
    args, kwargs
        Its arguments, lazy arrays anywhere within lists, tuples and dicts.
    why : str
        What the report says.
    mutates : bool
        Whether the function writes to arguments without looking whether it may (``ufunc.at`` does).
    """
    note(why)
    observer = recording().observer
    if observer is not None:
        (observer.looked if _only_computes(function) else observer.observed)(why)
    return _lazy(*_tried(function, args, kwargs, mutates))


def run_as_numpy(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """As `run_in_numpy`, of what is compiled elsewhere: nobody is told."""
    return _lazy(*_tried(function, args, kwargs, False))


def numpys_results(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """As `run_in_numpy`, for a caller that wants what NumPy gives; a lazy array that comes back is itself."""
    mutates = getattr(function, "__name__", "") == "at" and isinstance(getattr(function, "__self__", None), np.ufunc)
    result, changed = _tried(function, args, kwargs, mutates)
    if type(result) is tuple:
        return tuple(changed.get(id(x), x) for x in result)
    return changed.get(id(result), result)


def _tried(function: Callable[..., Any], args: Any, kwargs: Any, mutates: bool) -> tuple[Any, dict[int, Any]]:
    try:
        return _call(function, args, kwargs, writeable=mutates)
    except ValueError as error:
        if NO_ARRAY in str(error):
            args, kwargs = as_arrays(args), as_arrays(kwargs)
        elif "read-only" not in str(error):
            raise
    # The function writes to an argument: give it copies it may write to, and write those back.
    return _call(function, args, kwargs, writeable=True)


#: Functions that read or change the world: what they give is no constant.
_IMPURE = {
    "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "save", "savetxt", "savez", "savez_compressed",
    "set_printoptions", "setbufsize", "seterr", "seterrcall", "show_config", "show_runtime",
}  # fmt: skip


def run_on_constants(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Call a NumPy function on arguments of which none is lazy; its arrays come back lazy."""
    observer = recording().observer
    if observer is not None:
        if getattr(function, "__name__", "") in _IMPURE:
            observer.observed(f"numpy.{function.__name__} acts on the world outside the program")
        for array in [*args, *kwargs.values()]:
            if isinstance(array, np.ndarray):
                observer.foreign(array)
    try:
        return _lazy(once(function, args, kwargs), {}, constant=True)
    except ValueError as error:
        if NO_ARRAY not in str(error):
            raise
    # (Objects whose ``__array__`` gives lazy arrays.)
    why = f"numpy.{getattr(function, '__name__', function)}: it is not compiled"
    return run_in_numpy(function, as_arrays(args), as_arrays(kwargs), why)


def as_arrays(x: Any) -> Any:
    """Arguments with lazy arrays in the place of objects that have ``__array__``."""
    if type(x) in (list, tuple):
        return type(x)(map(as_arrays, x))
    if type(x) is dict:
        return {key: as_arrays(value) for key, value in x.items()}
    if isinstance(x, (LazyArray, np.ndarray, np.generic, type)) or not hasattr(x, "__array__"):
        return x
    return x.__array__()


#: Functions that write files: of several ranks, the first one does. -> where their arguments say which file.
_WRITERS = {"dump": 1, "save": 0, "savetxt": 0, "savez": 0, "savez_compressed": 0, "tofile": 1}
#: Functions that read them, on each rank.
_READERS = {"fromfile", "fromregex", "genfromtxt", "load", "loadtxt"}


def _only_computes(function: Callable[..., Any]) -> bool:
    """Whether a function of NumPy does nothing but to give values (and to draw random numbers, which is noted)."""
    return getattr(function, "__name__", "") not in _IMPURE | _WRITERS.keys()


def once(function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """What a function of NumPy gives; one that writes a file is called by one rank, and the others wait for it.

    (What is no file of the system, `io.BytesIO` say, each rank has for itself, and writes to; so it is with a file that
    a script has opened.)
    """
    name = getattr(function, "__name__", "")
    if name in _READERS and args and isinstance(args[0], (str, os.PathLike)):
        if name == "load" and (args[1] if len(args) > 1 else kwargs.get("mmap_mode")) in ("r+", "readwrite"):
            from lazyarr.outside import streams

            return streams.mapped("maps a file", lambda path: function(path, *args[1:], **kwargs), args[0])
        return asking.read(f"reads a file ({name})", lambda path: function(path, *args[1:], **kwargs), args[0])
    if name not in _WRITERS:
        return function(*args, **kwargs)
    at = _WRITERS[name]
    target = args[at] if at < len(args) else kwargs.get("file", kwargs.get("fname", kwargs.get("fid")))
    if not _is_file(target):
        return function(*args, **kwargs)
    role = asking.standing()
    if asking.is_shared() and role is not asking.Role.TOGETHER:
        # (In a thread, say, in which the others cannot be told: rank 0 alone writes.)
        return function(*args, **kwargs) if role is asking.Role.NATIVE or asking.is_own(target) else None
    return world.once(name, lambda: function(*args, **kwargs))


def _is_file(target: Any) -> bool:
    """Whether what is written to is a path, or an open file of the system."""
    if isinstance(target, (str, bytes, os.PathLike)) or target is sys.stdout or target is sys.stderr:
        return True
    try:
        target.fileno()
    except (AttributeError, OSError):
        return False
    return not asking.each_has_its_own(target)


def _call(
    function: Callable[..., Any], args: Any, kwargs: Any, writeable: bool
) -> tuple[Any, dict[int, Any]]:
    """What a function gives for data, and what stands for which part of it: arguments that came back."""
    evaluated: dict[int, tuple[LazyArray, np.ndarray[Any, Any]]] = {}
    #: What comes back instead of a lazy copy: an argument that is the result.
    changed: dict[int, Any] = {}
    only_looks = _only_computes(function)

    def concrete(x: Any, into: bool = False) -> Any:
        if isinstance(x, LazyArray):
            if id(x) not in evaluated:
                change = writeable or into
                evaluated[id(x)] = (x, x._copied_data("a call that runs in NumPy") if change
                                    else x._elements("a call that runs in NumPy", only_looks))  # fmt: skip
                if change and not x._scalar:
                    evaluated[id(x)][1].flags.writeable = x.flags.writeable
            data = evaluated[id(x)][1]
            return data[()] if x._scalar else data
        if isinstance(x, np.ndarray):
            changed[id(x)] = x
        if isinstance(x, WeakScalar):
            return x.python_type(x)
        if type(x) in (list, tuple):
            return type(x)(concrete(item, into) for item in x)
        if type(x) is dict:
            return {key: concrete(item, into) for key, item in x.items()}
        return x

    out = concrete(kwargs["out"], into=True) if kwargs.get("out") is not None else None
    rest = {k: concrete(v) for k, v in kwargs.items() if k != "out"}
    if "out" in kwargs:
        rest["out"] = out
    given = concrete(args)
    # (What is not changed is not written back: another argument may be a view of it.)
    before = {k: data.copy() for k, (_, data) in evaluated.items()} if writeable else {}

    def written() -> None:
        for key, (array, data) in evaluated.items():
            if array._scalar or not (data.flags.writeable or key in before):
                continue
            changed[id(data)] = array
            if key not in before or before[key].tobytes() != data.tobytes():
                array[...] = data

    try:
        result = once(function, given, rest)
    except FloatingPointError:
        written()  # (NumPy has computed all when it raises this.)
        raise
    written()
    return result, changed


def _lazy(result: Any, changed: dict[int, LazyArray], constant: bool = False) -> Any:
    """A result of NumPy with its arrays made lazy; an argument that came back is that argument."""
    if isinstance(result, np.ndarray):
        if id(result) in changed:
            return changed[id(result)]
        if type(result) is np.ndarray and result.dtype in NAMES:
            own = result if result.base is None and result.flags.owndata else result.copy(order="K")
            return rebuild(own, constant=constant)
        return result
    if type(result) in (list, tuple):
        return type(result)(_lazy(item, changed, constant) for item in result)
    if isinstance(result, tuple) and hasattr(result, "_fields"):
        return type(result)(*(_lazy(item, changed, constant) for item in result))
    if type(result) is dict:
        return {key: _lazy(item, changed, constant) for key, item in result.items()}
    return result


__all__ = ["FallbackError", "FallbackWarning", "calls", "note", "run_in_numpy", "run_on_constants"]
