"""A look ahead, before a traced call acts on the world: whether it will come upon what it cannot be traced with.

It cannot begin again afterwards: what it has printed would be printed twice.
"""

from __future__ import annotations

import builtins
import copy
import dis
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lazyarr.runtime import traced
from lazyarr.tracing.packages import is_users
from lazyarr.tracing.signature import Plain, memory_groups

if TYPE_CHECKING:
    from lazyarr.tracing.trace import Trace

#: Builtins that look at the frame or the module they are called from, which are not the user's in traced code.
INTROSPECTING = {"exec", "eval", "globals", "locals", "vars", "dir"}
_DELETE_GLOBAL = dis.opmap["DELETE_GLOBAL"]
DELETES = "it deletes a global"


def look_ahead(trace: Trace) -> None:
    """Ask whether what the functions of a trace name is something that it cannot go on with.

    Raises
    ------
    Plain
        If it is: arrays that share memory, also with arguments, or builtins that look at the frame.
    """
    parts = copy.copy(trace.parts)
    for name, value in vars(parts).items():
        if isinstance(value, (list, dict)):
            setattr(parts, name, value.copy())
    known, opaque = len(parts.arrays), len(parts.opaque)
    # (Lazy arrays outside are not the trace's: that their data is looked at is no effect of the function.)
    own = traced.set(None)
    try:
        for value in _Ahead(trace).found():
            parts.describe(value)
    except RecursionError:
        raise Plain("objects in objects, too deep to be looked into") from None
    finally:
        traced.reset(own)
    if any(k >= known for group in memory_groups(parts.arrays) for k in group):
        raise Plain("a variable shares memory with an argument or with another variable")
    if len(parts.opaque) > opaque:
        parts.reject_reached_twice()


class _Ahead:
    """What functions may come upon outside of their arguments and have not come upon yet."""

    def __init__(self, trace: Trace):
        self._environment = trace.environment
        self._functions = trace.environment.functions()
        self._traced = set(self._functions)
        self._functions += [f for kind in trace.classes.known() for f in vars(kind).values()]
        self._met: set[int] = set()
        self._looked: set[tuple[int, str]] = set()

    def found(self) -> Iterator[Any]:
        """The data among it."""
        while self._functions:
            function = self._functions.pop()
            function = getattr(function, "__func__", function)
            if not isinstance(function, types.FunctionType) or id(function) in self._met:
                continue
            self._met.add(id(function))
            names = _names(function.__code__)
            if deletes_globals(function.__code__):
                raise Plain(DELETES)
            for name in names:
                if name in function.__globals__:
                    yield from self._named(function.__globals__, name, names)
                elif name in INTROSPECTING and hasattr(builtins, name):
                    raise Plain(f"it uses {name}")
            if function not in self._traced:
                cells = [cell for cell in function.__closure__ or () if cell != types.CellType()]
                defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
                for value in (*(cell.cell_contents for cell in cells), *defaults):
                    yield from self._data(value, names)

    def _named(self, holder: dict[str, Any], name: str, names: set[str]) -> Iterator[Any]:
        """What a name means in a module, if it is not known yet."""
        value = holder[name]
        if isinstance(value, (type, types.ModuleType)):
            yield from self._data(value, names)
        elif (id(holder), name) not in self._looked and not self._environment.has_answered(holder, name):
            self._looked.add((id(holder), name))
            yield from self._data(value, names)

    def _data(self, value: Any, names: set[str]) -> Iterator[Any]:
        """What a value is, or what of a module or class has one of some names."""
        from lazyarr.tracing.accelerated import Accelerated

        value = value.function if isinstance(value, Accelerated) else value
        if isinstance(value, (types.FunctionType, types.MethodType)):
            if is_users(value.__module__):
                self._functions.append(value)
        elif isinstance(value, types.ModuleType):
            if is_users(value.__name__):
                for name in names & vars(value).keys():
                    yield from self._named(vars(value), name, set())
        elif isinstance(value, type):
            if is_users(value.__module__):
                self._functions += vars(value).values()
        elif not callable(value):
            yield value


def deletes_globals(code: types.CodeType) -> bool:
    """Whether there is a ``del`` of a global: Python itself does that, and asks no dictionary of ours."""
    parts = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return _DELETE_GLOBAL in code.co_code[::2] or any(map(deletes_globals, parts))


def _names(code: types.CodeType) -> set[str]:
    found = set(code.co_names)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            found |= _names(part)
    return found
