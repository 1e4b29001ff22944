"""The lists, dicts, sets and objects that traced code can reach: what a compiled loop or branch must leave alone."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import pathlib
import re
import sys
import types
from typing import Any

import numpy as np

from lazyarr.array import Cell, LazyArray
from lazyarr.growing import Growing, elements_of
from lazyarr.runtime import NotCaptured
from lazyarr.source import is_ours
from lazyarr.tracing.capture.state import look_of
from lazyarr.tracing.classes import HEAP, IMMUTABLE
from lazyarr.tracing.control.python import Undefined
from lazyarr.tracing.packages import top_level
from lazyarr.weak import WeakScalar

#: Deeper than this, objects in objects are not looked into, and nothing is captured.
_DEEPEST = 30


class Containers:
    """What containers hold now, to compare with and to go back to.

    Parameters
    ----------
    shadowed : list of tuple
        Where to look besides the variables of the transformed functions that are running: `Trace.shadowed`, the
        second of each of which is what traced code sees.
    arrays : list of (LazyArray, dict)
        Arrays outside that traced code has met, and how they looked then: `Trace.looks`.

    Raises
    ------
    NotCaptured
        If there is something that might change without that being seen (a deque, an iterator).
    """

    def __init__(self, shadowed: list[Any], arrays: list[tuple[LazyArray, dict[str, Any]]]):
        self._found: dict[int, tuple[Any, Any]] = {}
        self._names: dict[Cell, set[Any]] = {}
        self._looks: dict[int, tuple[LazyArray, dict[str, Any]]] = {}
        self._variables: list[tuple[types.FrameType, dict[str, Any]]] = []
        self._frames()
        self._arrays, self._met = arrays, len(arrays)
        for array, _ in arrays:
            self.note(array)
        self._shadowed, self._known = shadowed, len(shadowed)
        for _, x, _ in shadowed:
            self._visit(x, 0)

    def _frames(self) -> None:
        frame: types.FrameType | None = sys._getframe(3)
        while frame is not None and not (frame.f_code.co_name == "_traced" and is_ours(frame.f_code)):
            if "__control__" in frame.f_code.co_freevars or "__control__" in frame.f_code.co_cellvars:
                self._variables.append((frame, dict(frame.f_locals)))
                for name, value in self._variables[-1][1].items():
                    if not self._named(name, value) and not name.startswith("."):  # what a comprehension iterates over
                        self._visit(value, 0)
            frame = frame.f_back

    def _named(self, name: str, value: Any) -> bool:
        """Note an array that a variable holds; one variable is seen in every frame and function that shares it."""
        if not isinstance(value, LazyArray):
            return False
        self._names.setdefault(value._cell, set()).add((name, id(value)))
        self.note(value)
        return True

    def _visit(self, x: Any, depth: int) -> None:
        kind = type(x)
        if isinstance(x, LazyArray):
            self._names.setdefault(x._cell, set()).add(len(self._names.get(x._cell, ())))
            self.note(x)
            return
        if kind in _ATOMIC or id(x) in self._found or isinstance(x, _CONSTANT):
            return
        if depth > _DEEPEST:
            raise NotCaptured("objects in objects, too deep to be looked into")
        if isinstance(x, np.ndarray):
            if x.flags.writeable:
                raise NotCaptured(f"an array of {x.dtype} that is not compiled, and may be changed unseen")
            return
        if isinstance(x, (types.MethodType, types.BuiltinFunctionType)):
            if not isinstance(x.__self__, (types.ModuleType, type(None))):
                self._visit(x.__self__, depth + 1)
            return
        if kind is functools.partial:
            inner: tuple[Any, ...] = (x.func, *x.args, *x.keywords.values())
        elif kind is tuple or kind is frozenset or isinstance(x, tuple):
            inner = tuple(x)
        elif isinstance(x, types.FunctionType):
            if _is_internal(x):
                return
            self._found[id(x)] = (x, dict(x.__dict__))
            contents = dict(zip(x.__code__.co_freevars, map(_content_of_cell, x.__closure__ or ()), strict=True))
            attributes = [value for name, value in x.__dict__.items() if name != "__wrapped__"]
            inner = (*attributes, *(c for name, c in contents.items() if not self._named(name, c)))
        elif isinstance(x, Growing):
            self._found[id(x)] = (x, _content(x))
            inner = tuple(elements_of(x))
        elif top_level(kind.__module__) == "lazyarr" or (callable(x) and top_level(kind.__module__) == "numpy"):
            if hasattr(kind, "__next__") and kind is not Undefined:  # (`nditer` of arrays that it writes to, `flat`)
                raise NotCaptured("an iterator, which may be changed unseen")
            return
        else:
            content = _content(x)
            if content is None:
                raise NotCaptured(f"a {kind.__name__}, which may be changed unseen")
            self._found[id(x)] = (x, content)
            inner = tuple(content.values()) if isinstance(content, dict) else tuple(content)
        for item in inner:
            self._visit(item, depth + 1)

    def note(self, x: Any) -> None:
        """Note how an array looks, and those in a tuple or list: `require_looks` asks about it."""
        if isinstance(x, LazyArray):
            self._looks.setdefault(id(x), (x, look_of(x)))
        elif type(x) in (tuple, list):
            for item in x:
                self.note(item)

    def require_looks(self) -> None:
        """Raise NotCaptured if an array has got another shape, dtype, memory or writeability: no node carries that."""
        self._met_since()
        for array, before in self._looks.values():
            # (Of the same shape as before, however it has come back to that, it is the same array.)
            if look_of(array) | {"_form": None} != before | {"_form": None}:
                raise NotCaptured("an array changes its shape, dtype or flags in place")

    def is_private(self, array: LazyArray) -> bool:
        """Whether one variable is all that leads to an array's memory."""
        return array._parent is None and array._form is None and len(self._names.get(array._cell, ())) <= 1

    def rebound(self) -> bool:
        """Whether a variable of the functions that are running means something else now."""
        for frame, before in self._variables:
            now = frame.f_locals
            if now.keys() != before.keys() or any(now[name] is not value for name, value in before.items()):
                return True
        return False

    def _met_since(self) -> None:
        """Take in what traced code has found outside since: a global list is met where it is first used."""
        for _, x, before in self._shadowed[self._known :]:
            if before is not None and id(x) not in self._found:
                self._found[id(x)] = (x, [*before, (), None] if isinstance(x, Growing) else before.copy())
        self._known = len(self._shadowed)
        for array, look in self._arrays[self._met :]:
            self._looks.setdefault(id(array), (array, look))
        self._met = len(self._arrays)

    def restore(self) -> None:
        """Put back what they held."""
        self._met_since()
        for array, look in self._looks.values():
            for name, before in look.items():
                setattr(array, name, before)
        for x, before in self._found.values():
            if isinstance(x, Growing):
                x.columns, x.buffer = (), None
                x[:], (x.columns, x.buffer) = before[:-2], before[-2:]
            elif isinstance(x, list):
                x[:] = before
            elif isinstance(x, (dict, set)):
                x.clear()
                x.update(before)
            else:
                x.__dict__.clear()
                x.__dict__.update(before)

    def changed(self) -> list[tuple[Any, Any, Any]]:
        """Those that hold something else now: each with what it held, and what it holds."""
        self._met_since()
        found = []
        for x, before in self._found.values():
            now = _content(x)
            if now is None or len(now) != len(before) or _differs(before, now):
                found.append((x, before, now))
        return found


def _differs(before: Any, now: Any) -> bool:
    if isinstance(now, dict):
        return any(key not in before or before[key] is not item for key, item in now.items())
    return bool(now != before) if isinstance(now, set) else any(a is not b for a, b in zip(now, before, strict=True))


_ATOMIC = {int, float, complex, bool, str, bytes, type(None), range, slice, type(...), type(NotImplemented)}
#: What never changes, or whose changes are seen otherwise (arrays by their storage, functions by their variables).
_CONSTANT = (
    LazyArray, WeakScalar, np.generic, np.dtype, np.ufunc, types.ModuleType, types.CodeType, type,
    enum.Enum, decimal.Decimal, fractions.Fraction, datetime.date, datetime.time, datetime.timedelta, re.Pattern,
    pathlib.PurePath, BaseException, property,
)  # fmt: skip


def _is_internal(function: types.FunctionType) -> bool:
    return top_level(function.__module__) in ("lazyarr", "numpy")


def _content_of_cell(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _content(x: Any) -> Any:
    if isinstance(x, Growing):
        return [*elements_of(x), x.columns, x.buffer]
    if isinstance(x, (list, dict, set)):
        return x.copy()
    if not isinstance(x, types.FunctionType) and not _is_transparent(type(x)):
        return None
    attributes = getattr(x, "__dict__", None)
    return dict(attributes) if type(attributes) is dict else None


def _is_transparent(kind: type) -> bool:
    """Whether all that objects of a class hold stands in their ``__dict__``."""
    return all(
        base.__flags__ & HEAP and not base.__flags__ & IMMUTABLE and not vars(base).get("__slots__")
        for base in kind.__mro__ if base is not object
    )  # fmt: skip
