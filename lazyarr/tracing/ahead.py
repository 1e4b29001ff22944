"""A look ahead, before a traced call acts on the world: whether it will come upon what it cannot be traced with.

It cannot begin again afterwards: what it has printed would be printed twice.
"""

from __future__ import annotations

import builtins
import contextlib
import copy
import dis
import types
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lazyarr.runtime import traced
from lazyarr.tracing.classes import data_of, is_data
from lazyarr.tracing.listening import WHY, listens, names_in, texts_in
from lazyarr.tracing.packages import is_own, is_users, top_level
from lazyarr.tracing.remains import members
from lazyarr.tracing.signature import Parts, Plain

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Builtins that look at the frame or the module they are called from, which are not the user's in traced code.
INTROSPECTING = {"exec", "eval", "globals", "locals", "vars", "dir"}
_DELETE_GLOBAL = dis.opmap["DELETE_GLOBAL"]
_DELETES = "it deletes a global"
#: What iterates over the memory of arrays, and how it says that it writes there.
_ITERATORS, _WRITING = {"nditer", "nested_iters"}, {"readwrite", "writeonly"}
_CONTAINERS: tuple[Any, ...] = (list, tuple, set, frozenset, deque)
#: What holds nothing that could be called.
_LEAVES = frozenset((bool, int, float, complex, str, bytes, type(None), slice, range))
#: Packages whose objects hold functions for the user: methods, properties, partial objects, namespaces.
_HOLDING = {"builtins", "functools", "types", "argparse"}
#: The names by which they do, besides those of attributes.
_PARTS = {"__func__", "__self__", "func", "args", "keywords", "fget", "fset", "fdel"}


def look_ahead(trace: Trace) -> None:
    """Ask whether what the functions of a trace name is something that it cannot go on with.

    Raises
    ------
    Plain
        If it is: arrays that share memory, also with arguments, or builtins that look at the frame.
    """
    parts = copied(trace.parts)
    before = _count(parts)
    ahead = _Ahead(trace)
    # (Lazy arrays outside are not the trace's: that their data is looked at is no effect of the function.)
    own = traced.set(None)
    try:
        _, shares = parts.describe_apart(*ahead.found())
        parts.opaque += ahead.opaque
    except RecursionError:
        raise Plain("objects in objects, too deep to be looked into") from None
    finally:
        traced.reset(own)
    if shares:
        raise Plain("a variable shares memory with an argument or with another variable")
    if parts.opaque and _count(parts) > before:
        parts.reject_reached_twice()


def _count(parts: Parts) -> int:
    return len(parts.arrays) + len(parts.holders) + len(parts.opaque)


def copied(parts: Parts) -> Parts:
    """The same parts, to which others can be added."""
    found = copy.copy(parts)
    for name, value in vars(parts).items():
        if isinstance(value, (list, dict, set)):
            setattr(found, name, value.copy())
    return found


class _Ahead:
    """What functions may come upon outside of their arguments and have not come upon yet."""

    def __init__(self, trace: Trace):
        self._environment, self._classes = trace.environment, trace.classes
        self._package = trace.parts.package
        self._functions = trace.environment.functions()
        self._traced = set(self._functions)
        #: What is known to the trace, but may hold functions that are not.
        self._known: list[Any] = [*trace.classes.known(), *trace.parts.opaque]
        self._met: set[int] = set()
        self._looked: set[tuple[int, str]] = set()
        #: What has been gone through for functions, by its identity, which stays its own that way.
        self._seen: dict[int, Any] = {}
        #: Names that the functions use, and those of data that classes have.
        self._names: set[str] = set()
        self._members: dict[tuple[type, str], None] = {}
        #: Data of classes that nothing will stand for.
        self.opaque: list[Any] = []

    def found(self) -> Iterator[Any]:
        """The data among it."""
        yield from self._held(self._known, set())
        while self._functions:
            while self._functions:
                yield from self._of_function(self._functions.pop())
            yield from self._of_classes()

    def _of_function(self, function: types.FunctionType) -> Iterator[Any]:
        """The data that a function names, and has of its own; what else it may come upon is noted."""
        if id(function) in self._met:
            return
        self._met.add(id(function))
        names = names_in(function.__code__)
        self._names |= names
        if why := refused(function.__code__):
            raise Plain(why)
        if _ITERATORS & names and _WRITING & texts_in(function.__code__.co_consts):
            raise Plain("it writes to arrays by numpy.nditer")
        for name in names:
            if name in function.__globals__:
                yield from self._named(function.__globals__, name, names)
            elif name in INTROSPECTING and hasattr(builtins, name):
                raise Plain(f"it uses {name}")
        yield from self._of_its_own(function, names)

    def _of_its_own(self, function: types.FunctionType, names: set[str]) -> Iterator[Any]:
        """The data among a function's enclosing variables, default arguments and attributes."""
        known = function in self._traced
        for cell in function.__closure__ or ():
            if cell != types.CellType() and (id(cell), "") not in self._looked:
                self._looked.add((id(cell), ""))  # (Functions of one closure share its variables.)
                yield from self._data(cell.cell_contents, names, known or self._environment.has_closed(cell))
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            yield from self._data(value, names, known)
        for name, value in vars(function).items():
            yield from self._data(value, names, known or not is_data(name, value))

    def _of_classes(self) -> Iterator[Any]:
        """The data of classes that has one of the names that functions use."""
        for kind, name in list(self._members):
            if name in self._names and (id(kind), name) not in self._looked:
                self._looked.add((id(kind), name))
                yield from self._data(vars(kind)[name], set(), self._classes.has_answered(kind, name))

    def _named(self, holder: dict[str, Any], name: str, names: set[str]) -> Iterator[Any]:
        """What a name means in a module, if it is not known yet."""
        value = holder[name]
        if isinstance(value, (type, types.ModuleType)):
            yield from self._data(value, names)
        elif (id(holder), name) not in self._looked:
            self._looked.add((id(holder), name))
            yield from self._data(value, names, self._environment.has_answered(holder, name))

    def _data(self, value: Any, names: set[str], known: bool = False) -> Iterator[Any]:
        """What a trace would take as data of a value, unless that is known; functions in it are looked into."""
        if isinstance(value, partial):
            for part in (value.func, *value.args, *value.keywords.values()):
                yield from self._data(part, names, known)
            return
        yield from self._held([value], names)
        is_object = isinstance(value, types.MethodType) or is_users(type(value).__module__)
        if not known and not isinstance(value, (type, types.ModuleType)) and (is_object or not callable(value)):
            yield value

    def _held(self, values: Iterable[Any], names: set[str]) -> Iterator[Any]:
        """Go through what values hold, for functions; gives the data of modules that has one of some names."""
        waiting = list(values)
        while waiting:
            value = waiting.pop()
            kind = type(value)
            if kind in _LEAVES:
                continue
            if isinstance(value, types.ModuleType):
                if is_users(value.__name__):
                    for name in names & vars(value).keys():
                        yield from self._named(vars(value), name, set())
            elif id(value) not in self._seen:
                self._seen[id(value)] = value
                if kind is types.FunctionType:
                    if is_users(value.__module__):
                        self._functions.append(value)
                else:
                    waiting += self._parts(value, kind)

    def _parts(self, value: Any, kind: type) -> Iterator[Any]:
        """What a value holds, and may give to the function that comes upon it."""
        from lazyarr.tracing.accelerated import Accelerated
        from lazyarr.tracing.bound import BoundAccelerated

        if isinstance(value, np.ndarray):
            if value.dtype == object:
                yield from value.flat
        elif isinstance(value, dict):
            yield from dict.keys(value)
            yield from dict.values(value)
        elif isinstance(value, types.MappingProxyType):
            yield from value.values()
        elif isinstance(value, Accelerated):
            yield value.function
        for container in _CONTAINERS:
            if isinstance(value, container):
                yield from container.__iter__(value)  # (The user's own may do more.)
        if isinstance(value, type):
            named = self._classes.may_be_named(value)
            for base in value.__mro__:
                if is_users(base.__module__):
                    yield from vars(base).values()
                    if named:
                        self._members |= {(base, name): None for name, x in vars(base).items() if is_data(name, x)}
            if not named:
                self.opaque += data_of(value, self._package)
        for base in kind.__mro__:
            if top_level(base.__module__) in _HOLDING:
                for name in _PARTS & vars(base).keys():
                    yield vars(base)[name].__get__(value)
        own = is_own(kind.__module__, self._package) or hasattr(kind, "__dataclass_fields__")
        if own:
            yield kind
            for member in members(kind):
                with contextlib.suppress(AttributeError):  # of a slot that is empty
                    yield member.__get__(value)
        has_attributes = own or top_level(kind.__module__) in _HOLDING or kind is BoundAccelerated
        if has_attributes and kind.__dictoffset__ and not isinstance(value, type):
            yield from vars(value).values()


def refused(code: types.CodeType) -> str:
    """Why a function has to be plain Python, whatever it is called with; the empty string where nothing says so."""
    return _DELETES if _deletes_globals(code) else WHY if listens(code) else ""


def _deletes_globals(code: types.CodeType) -> bool:
    """Whether there is a ``del`` of a global: Python itself does that, and asks no dictionary of ours."""
    parts = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return _DELETE_GLOBAL in code.co_code[::2] or any(map(_deletes_globals, parts))
