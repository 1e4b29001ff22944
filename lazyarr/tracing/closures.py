"""Functions that are made anew for each call: lambdas and nested functions as arguments, known by what they are.

    solve(lambda x: a * x - b, guess)

At each call that is another function, whose code is the same; what its enclosing variables hold is looked up as data
outside of the arguments is. A program stands for all of them.
"""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from lazyarr.tracing.packages import is_users

#: Of functions and enclosing variables that a program was compiled with, by their identity, those of the call.
_given: ContextVar[Mapping[int, Any] | None] = ContextVar("given", default=None)
#: Default arguments of which equal ones are as good.
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
#: Modules of the classes of annotations that are known by what they look like.
_OF_TYPES = ("abc", "builtins", "types", "typing")
#: How many functions deep in enclosing variables others may stand for them.
_DEEPEST = 50


class FunctionForm:
    """The key of a function that is an argument; equal where one is as good as the other.

    Attributes
    ----------
    function : function
    """

    __slots__ = ("_form", "function")

    def __init__(self, function: types.FunctionType, form: Any):
        self.function, self._form = function, form

    @property
    def is_made_anew(self) -> bool:
        """Whether other functions may be as good."""
        return self._form is not self.function

    def stand_alone(self) -> None:
        """Let no other function be as good."""
        self._form = self.function

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionForm) and self._form == other._form

    def __hash__(self) -> int:
        return hash(self._form)


class Closures:
    """Functions of a call that others may stand for, and their enclosing variables, in the order they are met.

    Attributes
    ----------
    parts : list of function or cell
    """

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._forms: list[FunctionForm] = []
        self._is_too_deep = False

    def form(self, function: types.FunctionType) -> FunctionForm:
        """The key of a function."""
        self._forms.append(FunctionForm(function, self._form(function, 0)))
        return self._forms[-1]

    def finish(self) -> list[Any]:
        """The parts, once all arguments are known: none where each function stands for itself alone."""
        if self._is_too_deep:
            self.parts = []
            for form in self._forms:
                form.stand_alone()
        return self.parts

    def _form(self, function: types.FunctionType, depth: int) -> Any:
        if id(function) in self._numbers:
            return ("again", self._numbers[id(function)])
        if not _is_made_anew(function):
            return function
        self._is_too_deep |= depth > _DEEPEST
        if self._is_too_deep:
            return function
        self._add(function)
        variables = tuple(self._variable(cell, depth) for cell in function.__closure__ or ())
        return (made_of(function), _Same(function.__globals__), _described(function), variables)

    def _variable(self, cell: types.CellType, depth: int) -> Any:
        if id(cell) in self._numbers:
            return ("again", self._numbers[id(cell)])
        self._add(cell)
        try:
            content = cell.cell_contents
        except ValueError:
            return "empty"
        return self._form(content, depth + 1) if type(content) is types.FunctionType else "data"

    def _add(self, part: Any) -> None:
        self._numbers[id(part)] = len(self.parts)
        self.parts.append(part)


class _Same:
    """An object as a key, by its identity."""

    __slots__ = ("_object",)

    def __init__(self, found: Any):
        self._object = found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._object is other._object

    def __hash__(self) -> int:
        return id(self._object)


def made_of(function: types.FunctionType) -> Any:
    """What a function runs and what it takes for arguments that it is not given: equal while those are as good."""
    named = function.__kwdefaults__
    return (
        _Same(function.__code__),
        tuple(map(_default, function.__defaults__ or ())),
        tuple((name, _default(value)) for name, value in named.items()) if named else (),
    )


def _default(value: Any) -> Any:
    return (type(value), repr(value)) if type(value) in _PLAIN else _Same(value)


def _described(function: types.FunctionType) -> Any:
    """What a function says of itself."""
    annotations = tuple(
        (name, value if isinstance(value, (str, type)) else repr(value))
        for name, value in function.__annotations__.items()
    )
    return function.__name__, function.__qualname__, function.__module__, function.__doc__, annotations


def _is_made_anew(function: types.FunctionType) -> bool:
    """Whether a function is one of those that are made where they are used, and has nothing that makes it special."""
    local = function.__name__ == "<lambda>" or "<locals>" in function.__qualname__
    if not local or function.__dict__ or function.__kwdefaults__ or not is_users(function.__module__):
        return False
    if any(type(x) not in _PLAIN for x in function.__defaults__ or ()) or type(function.__doc__) not in _PLAIN:
        return False
    if any(type(x).__module__ not in _OF_TYPES for x in function.__annotations__.values()):
        return False
    if function.__globals__.get(function.__name__) is function:
        return False
    return not _assigns_outside(function.__code__)


@functools.lru_cache(maxsize=512)
def _assigns_outside(code: types.CodeType) -> bool:
    """Whether code, or a function in it, assigns to enclosing variables, or may name its own class."""
    names = set(code.co_freevars)
    return "__class__" in names or any(
        step.opname in ("STORE_DEREF", "DELETE_DEREF") and step.argval in names
        for part in _codes(code) for step in dis.get_instructions(part)
    )  # fmt: skip


def _codes(code: types.CodeType) -> list[types.CodeType]:
    return [code, *(c for part in code.co_consts if isinstance(part, types.CodeType) for c in _codes(part))]


def of_call(part: Any) -> Any:
    """What a call has in place of a function, or an enclosing variable, that its program was compiled with."""
    given = _given.get()
    return part if given is None else given.get(id(part), part)


@contextmanager
def standing(compiled: list[Any], given: list[Any]) -> Iterator[None]:
    """Let functions of a call stand for those that its program was compiled with."""
    token = _given.set({id(old): new for old, new in zip(compiled, given, strict=True)})
    try:
        yield
    finally:
        _given.reset(token)
