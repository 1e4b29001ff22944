"""Functions that a function calls which runs as plain Python: those with loops are accelerated, each for itself.

Where it has large arrays, those without loops are, too.
"""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lazyarr.tracing.control.nodes import place
from lazyarr.tracing.loops_ahead import has_loops
from lazyarr.tracing.packages import is_own
from lazyarr.tracing.where_large import WhereLarge

if TYPE_CHECKING:
    from lazyarr.tracing.accelerated import Accelerated

#: Functions of the same code that are kept accelerated: where there are more, each call makes one anew.
_MOST_ALIKE = 32
_SUSPENDS = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class Callees:
    """What stands for the functions that a function calls.

    Parameters
    ----------
    package : str
        The top-level package of the function: what others have is called as it is.
    make : callable
        Accelerates a function.
    large : bool
        Whether the function has large arrays.
    """

    def __init__(self, package: str, make: Callable[[types.FunctionType], Accelerated], large: bool = False):
        self._package, self._make, self.large = package, make, large
        self._found: dict[types.FunctionType, Accelerated | WhereLarge | None] = {}
        self._alike: dict[types.CodeType, list[types.FunctionType]] = {}

    @property
    def accelerated(self) -> list[Accelerated]:
        """Those that have been called."""
        found = [made for made in list(self._found.values()) if made is not None]
        return [made.accelerated if isinstance(made, WhereLarge) else made for made in found]

    def standing(self, called: Any) -> Any:
        """What is to be called in the place of something that the function calls."""
        kind = type(called)
        if kind is types.FunctionType:
            made = self._of(called)
            return called if made is None else made
        if kind is types.MethodType and type(called.__func__) is types.FunctionType:
            made = self._of(called.__func__)
            return called if made is None else made.__get__(called.__self__)
        return called

    def _of(self, function: types.FunctionType) -> Accelerated | WhereLarge | None:
        """The accelerated function; None where it is not to be one."""
        if function not in self._found:
            alike = self._alike.setdefault(function.__code__, [])
            alike.append(function)
            if len(alike) > _MOST_ALIKE:
                # (It would be kept for good otherwise, with all that its variables refer to.)
                self._found.pop(alike.pop(0), None)
            suits = is_own(function.__module__, self._package) and not function.__code__.co_flags & _SUSPENDS
            made: Accelerated | WhereLarge | None = None
            if suits and has_loops(function):
                made = self._make(function)
            elif suits and self.large:
                made = WhereLarge(function, self._make(function))
            self._found[function] = made
            return made
        return self._found.get(function)


#: What programs call most, and is no function of theirs.
_BUILTIN = frozenset("print range len int float str enumerate zip min max abs sum isinstance open list dict".split())


class AroundCalls(ast.NodeTransformer):
    """Puts what a name stands for around the functions of calls: ``f(x)`` becomes ``name(f)(x)``.

    (Not in `try` and `with` blocks: an exception is to find what the function it came from has changed.)
    """

    def __init__(self, name: str):
        self._name = name
        self.found = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Attribute) or isinstance(node.func, ast.Name) and node.func.id not in _BUILTIN:
            self.found = True
            node.func = place(ast.Call(ast.Name(self._name, ast.Load()), [node.func], []), node.func)
        return node

    def _left(self, node: ast.AST) -> ast.AST:
        return node

    visit_Try = visit_TryStar = visit_With = visit_FunctionDef = visit_Lambda = visit_ClassDef = _left
