"""From a function to its transformed form, as a code object or as a function."""

from __future__ import annotations

import types
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lazyarr import forks
from lazyarr.tracing.control.errors import NotConverted
from lazyarr.tracing.control.find import compile_function, find
from lazyarr.tracing.control.nodes import CONTROL, GENERATED
from lazyarr.tracing.control.python import Control
from lazyarr.tracing.control.transform import Constants, transform


@dataclass(frozen=True)
class Converted:
    """The transformed form of all functions that share a code object.

    Attributes
    ----------
    code : code
        What the functions run. Its name, file and lines are those of the user's function; it takes the same arguments.
    freevars : tuple of str
        The names of its closure's cells, in order: those of the user's function that it uses, and ``__control__`` if
        there is anything in it to control.
    """

    code: types.CodeType
    freevars: tuple[str, ...]

    def function(
        self,
        globals: dict[str, Any],
        cells: Mapping[str, types.CellType],
        control: Control,
        name: str | None = None,
        defaults: tuple[Any, ...] | None = None,
    ) -> types.FunctionType:
        """A function that runs the code.

        Parameters
        ----------
        globals : dict
            Its globals.
        cells : mapping
            The cells of the enclosing functions' names: those of the user's function, to share them, or others.
        control : Control
            What its statements and calls are handed to.
        name : str, optional
            Its name, if that is not the code's.
        defaults : tuple, optional
            Default values of its last positional parameters.
        """
        closure = tuple(types.CellType(control) if n == CONTROL else cells[n] for n in self.freevars)
        return types.FunctionType(self.code, globals, name or self.code.co_name, defaults, closure or None)


_Entry = tuple["weakref.ref[types.CodeType]", Converted | NotConverted]
#: By the identity of the code object: equal ones may come from different files.
_converted: dict[int, _Entry] = {}
_lock = forks.lock()


def converted_code(function: types.FunctionType) -> Converted:
    """The transformed form of a function, made once for its code object.

    Raises
    ------
    NotConverted
        If it cannot be transformed; says why, and on which line.
    """
    code = function.__code__
    with _lock:
        known = _converted.get(id(code))
        if known is None or known[0]() is not code:
            try:
                result: Converted | NotConverted = _convert(function)
            except NotConverted as error:
                # (Not the error itself: it knows the frames that it was raised in, and with them a trace.)
                result = NotConverted(error.reason, error.line)
            key = id(code)
            known = _converted[key] = (weakref.ref(code, partial(_forget, key)), result)
    if isinstance(known[1], NotConverted):
        raise NotConverted(known[1].reason, known[1].line)
    return known[1]


def _forget(key: int, gone: weakref.ref[types.CodeType], converted: dict[int, Any] = _converted) -> None:
    # (Named as a default: when the interpreter ends, the module's own names are gone before the last code is.)
    known = converted.get(key)
    if known is not None and known[0] is gone:
        del converted[key]


def convert(function: types.FunctionType) -> Callable[[Control], types.FunctionType]:
    """The function that, given a control object, makes the transformed form of `function`.

    What it makes shares globals, closure cells, default values and attributes with `function`.

    Raises
    ------
    NotConverted
        If it cannot be transformed.
    """
    converted = converted_code(function)

    def make(control: Control) -> types.FunctionType:
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        made = converted.function(function.__globals__, cells, control, function.__name__, function.__defaults__)
        made.__kwdefaults__ = function.__kwdefaults__
        made.__qualname__ = function.__qualname__
        made.__module__ = function.__module__
        made.__doc__ = function.__doc__
        made.__annotations__ = function.__annotations__
        made.__dict__.update(function.__dict__)
        return made

    return make


def _convert(function: types.FunctionType) -> Converted:
    code = function.__code__
    if CONTROL in code.co_freevars:
        raise NotConverted("it is transformed already", code.co_firstlineno)
    source = find(function)
    constants = Constants(code.co_filename, source.private)
    try:
        transform(source.node, constants)
        free = list(code.co_freevars)
        made = compile_function(source.node, source.private, code, [*free, CONTROL])
    except RecursionError:
        raise NotConverted("its statements are nested too deeply", code.co_firstlineno) from None
    made = _finished(made, made.co_qualname, code.co_qualname, constants.values)
    return Converted(made, made.co_freevars)


def _finished(
    code: types.CodeType, prefix: str, qualname: str, values: dict[str, Any], name: str | None = None
) -> types.CodeType:
    """Code with the objects that strings stood for, and the user's names of functions (also where it is in parts)."""
    own = qualname + code.co_qualname[len(prefix) :] if code.co_qualname.startswith(prefix) else code.co_qualname
    parts = own.split(".<locals>.")
    shown = ".<locals>.".join(p for p in parts if not GENERATED.match(p))
    is_made = GENERATED.match(code.co_name) is not None
    name = name if is_made and name is not None else code.co_name
    consts = tuple(
        _finished(c, prefix, qualname, values, name)
        if isinstance(c, types.CodeType)
        else values.get(c, c)
        if type(c) is str
        else c
        for c in code.co_consts
    )
    return code.replace(co_consts=consts, co_name=name, co_qualname=shown)
